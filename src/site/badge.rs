//! Badges: a small SVG of our own, and the document that shields.io makes one from.

use maud::html;
use serde_json::json;

use super::model::Standing;
use crate::score::Verdict;
use crate::text::xml_safe;

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

/// Advance widths of the printable characters of ASCII in DejaVu Sans, in thousandths of the size: a wide one among the fonts that the
/// badge asks for. A reader with another font gets the text drawn to the same length.
const ADVANCE: [u32; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, //
    636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, //
    1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787, //
    603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500, //
    500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, //
    635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];

/// Of a character that is not in the table.
const WIDEST: u32 = 1000;

/// Size of the letters, in pixels.
const SIZE: u32 = 11;

/// Width of a text in pixels. Estimated, so that it is the same on every machine.
fn width(text: &str) -> u32 {
    let place = |c: char| u32::from(c).checked_sub(0x20).and_then(|at| usize::try_from(at).ok());
    let of = |c: char| place(c).and_then(|at| ADVANCE.get(at)).copied().unwrap_or(WIDEST);
    (text.chars().map(of).sum::<u32>() * SIZE).div_ceil(1000)
}

/// Left and right of a text.
const EDGE: u32 = 6;

/// The picture.
pub fn svg(label: &str, message: &str, colour: Colour) -> String {
    let (label, message) = (xml_safe(label), xml_safe(message));
    let (label_width, message_width) = (width(&label), width(&message));
    let (left, right) = (label_width + 2 * EDGE, message_width + 2 * EDGE);
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
            g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size=(SIZE) {
                text x=(EDGE) y="14" textLength=(label_width) lengthAdjust="spacingAndGlyphs" { (label) }
                text x=(left + EDGE) y="14" textLength=(message_width) lengthAdjust="spacingAndGlyphs" { (message) }
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

#[cfg(test)]
mod tests {
    use quick_xml::events::Event;

    use super::*;

    #[test]
    fn a_badge_is_drawn_the_same_everywhere() {
        let golden = concat!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"139\" height=\"20\" viewBox=\"0 0 139 20\" role=\"img\" ",
            "aria-label=\"Compute: conformant\"><title>Compute: conformant</title>",
            "<clipPath id=\"r\"><rect width=\"139\" height=\"20\" rx=\"4\"></rect></clipPath>",
            "<g clip-path=\"url(#r)\"><rect width=\"63\" height=\"20\" fill=\"#30363d\"></rect>",
            "<rect x=\"63\" width=\"76\" height=\"20\" fill=\"#116329\"></rect></g>",
            "<g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,Geneva,sans-serif\" font-size=\"11\">",
            "<text x=\"6\" y=\"14\" textLength=\"51\" lengthAdjust=\"spacingAndGlyphs\">Compute</text>",
            "<text x=\"69\" y=\"14\" textLength=\"64\" lengthAdjust=\"spacingAndGlyphs\">conformant</text></g></svg>\n"
        );
        assert_eq!(svg("Compute", "conformant", Colour::Green), golden);
    }

    #[test]
    fn widths_are_of_the_table() {
        assert_eq!(width(""), 0);
        // 863 and 278 thousandths of 11 pixels, and one that the table does not have.
        assert_eq!((width("M"), width("i"), width("語"), width("\u{7f}")), (10, 4, 11, 11));
        assert_eq!(width("~"), 10);
    }

    #[test]
    fn any_name_makes_a_picture() {
        let hostile = "</title><script>alert(1)</script>&\"'\u{0}\u{1f}\u{fffe}";
        let picture = svg(hostile, hostile, Colour::Red);
        assert!(!picture.contains("<script"), "{picture}");
        let mut reader = quick_xml::Reader::from_str(&picture);
        let mut titles = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => break,
                Event::Start(start) if start.name().as_ref() == b"title" => {
                    titles.push(reader.read_text(start.name()).unwrap().into_owned());
                }
                _ => {}
            }
        }
        assert_eq!(titles.len(), 1);
        assert!(picture.chars().all(|c| c == '\n' || !c.is_control()), "{picture:?}");
        let document: serde_json::Value = serde_json::from_slice(&json(hostile, "b", Colour::Grey)).unwrap();
        assert_eq!((&document["schemaVersion"], &document["label"]), (&1.into(), &hostile.into()));
    }

    /// WCAG 2: contrast of two colours.
    fn contrast(one: &str, other: &str) -> f64 {
        let luminance = |hex: &str| {
            let channel = |at: usize| {
                let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
                if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
        };
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn white_letters_can_be_read_on_every_colour() {
        for colour in [Colour::Green, Colour::Amber, Colour::Red, Colour::Grey] {
            assert!(contrast(colour.hex(), "#ffffff") >= 4.5, "{colour:?}");
        }
        assert!(contrast("#30363d", "#ffffff") >= 4.5);
    }
}
