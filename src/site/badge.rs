//! Badges: a small SVG of our own, and the document that shields.io makes one from.

use maud::html;
use serde_json::json;

use super::model::Standing;
use crate::score::Verdict;

/// Colours with enough contrast to white text (WCAG 2, 4.5 to 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Conformant.
    Green,
    /// Conformant with something to be said.
    Amber,
    /// Not conformant.
    Red,
    /// Nothing is known.
    Grey,
}

impl Colour {
    fn hex(self) -> &'static str {
        match self {
            Self::Green => "#116329",
            Self::Amber => "#8a4600",
            Self::Red => "#b3261e",
            Self::Grey => "#57606a",
        }
    }
}

/// The colour for a verdict of a report of that standing.
pub fn colour(verdict: Verdict, standing: &Standing) -> Colour {
    match (verdict, standing) {
        (_, Standing::Revoked { .. }) | (Verdict::Unproven, _) => Colour::Grey,
        (Verdict::NotConformant, _) => Colour::Red,
        (Verdict::Conformant, Standing::Valid) => Colour::Green,
        (Verdict::Conformant | Verdict::ConformantWithWaivers, _) => Colour::Amber,
    }
}

/// Width of a text in tenths of a pixel at 11 px in the fonts that the badge asks for, estimated from the kinds of its
/// letters: rather too wide than too narrow.
fn width(text: &str) -> u32 {
    let of = |c: char| match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 34,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | ' ' | '-' | '/' => 45,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 105,
        'A'..='Z' => 80,
        c if c.is_ascii() => 68,
        _ => 110,
    };
    text.chars().map(of).sum()
}

/// The picture.
pub fn svg(label: &str, message: &str, colour: Colour) -> String {
    let (left, right) = (width(label) / 10 + 12, width(message) / 10 + 12);
    let whole = left + right;
    let title = format!("{label}: {message}");
    let drawing = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(whole) height="20" viewBox={ "0 0 " (whole) " 20" } role="img" aria-label=(title) {
            title { (title) }
            clipPath id="r" { rect width=(whole) height="20" rx="4" {} }
            g clip-path="url(#r)" {
                rect width=(left) height="20" fill="#30363d" {}
                rect x=(left) width=(right) height="20" fill=(colour.hex()) {}
            }
            g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11" text-anchor="middle" {
                text x=(left / 2) y="14" textLength=(left - 12) lengthAdjust="spacingAndGlyphs" { (label) }
                text x=(left + right / 2) y="14" textLength=(right - 12) lengthAdjust="spacingAndGlyphs" { (message) }
            }
        }
    };
    format!("{}\n", drawing.into_string())
}

/// The document for shields.io, its endpoint schema 1.
pub fn json(label: &str, message: &str, colour: Colour) -> Vec<u8> {
    let document =
        json!({"schemaVersion": 1, "label": label, "message": message, "color": colour.hex().trim_start_matches('#')});
    format!("{document}\n").into_bytes()
}
