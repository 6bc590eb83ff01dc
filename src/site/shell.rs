//! What every page has: head, navigation, foot; links between pages; words and marks for verdicts and statuses.
//!
//! Links are relative, so that the site works below any address and from a folder without a server.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::facts::Facts;
use super::model::Standing;
use super::state::Output;
use crate::canon::digest_bytes;
use crate::capability::{LifeCycle, Outcome};
use crate::ledger::Identity;
use crate::score::{Status, Verdict};
use crate::text::html_safe;

/// A page that is being made.
#[derive(Debug, Clone, Copy)]
pub struct At<'p>(pub &'p str);

impl At<'_> {
    /// Address of another page, seen from this one; whole for a page whose path is the root of the site.
    pub fn to(self, target: &str) -> String {
        if self.0.starts_with('/') {
            return format!("{}{target}", self.0);
        }
        format!("{}{target}", "../".repeat(self.0.matches('/').count()))
    }
}

/// The page for what is not found.
pub const MISSING: &str = "404.html";

/// One step on the way to a page: name and path.
pub type Crumb = (String, String);

/// What is the same on all pages.
#[derive(Debug, Clone)]
pub struct Shell {
    /// Name of the foundation.
    pub foundation: String,
    /// Path of the site at its address, with a slash at the end.
    pub root: String,
}

/// A page with everything around it.
pub fn page(shell: &Shell, path: &str, title: &str, crumbs: &[Crumb], body: Markup) -> Output {
    let at = At(path);
    // This one is shown at any address.
    let at = if path == MISSING { At(&shell.root) } else { at };
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content="assize";
                meta name="color-scheme" content="light dark";
                title { (title) " – " (shell.foundation) }
                link rel="stylesheet" href=(at.to("style.css"));
                link rel="icon" href=(at.to("icon.svg")) type="image/svg+xml";
                link rel="alternate" type="application/atom+xml" title="Admissions and revocations" href=(at.to("feed.xml"));
                script src=(at.to("site.js")) defer {}
            }
            body data-root=(at.to("")) {
                a.jump href="#main" { "Skip to content" }
                header.top {
                    div.wide {
                        a.brand href=(at.to("index.html")) { (shell.foundation) }
                        nav aria-label="Main" {
                            ul {
                                @for (name, target) in MAIN {
                                    li { a href=(at.to(target)) aria-current=[(*target == path).then_some("page")] { (name) } }
                                }
                            }
                        }
                        // Made visible by the script, which alone can do what it says.
                        button.theme type="button" hidden { "Theme" }
                    }
                }
                main #main.wide tabindex="-1" {
                    @if !crumbs.is_empty() {
                        nav.crumbs aria-label="Breadcrumb" {
                            ol { @for (name, target) in crumbs { li { a href=(at.to(target)) { (name) } } } }
                        }
                    }
                    (body)
                }
                footer.wide {
                    p {
                        "Made from reports that were recomputed before they were admitted. " a href=(at.to("about.html")) { "How to check it yourself" } " · "
                        a href=(at.to("feed.xml")) { "Feed" } " · " a href=(at.to("about.html#api")) { "JSON" }
                    }
                }
            }
        }
    };
    // Texts come from vendors and their endpoints.
    Output { path: path.to_owned(), bytes: html_safe(markup.into_string()).into_bytes() }
}

const MAIN: &[(&str, &str)] = &[
    ("Overview", "index.html"),
    ("Products", "products/index.html"),
    ("Compare", "compare.html"),
    ("About", "about.html"),
];

/// Path of the folder of a guideline.
pub fn guideline_folder(id: &str) -> String {
    format!("guidelines/{id}")
}

/// Path of the page of a guideline.
pub fn guideline_page(id: &str) -> String {
    format!("guidelines/{id}/index.html")
}

/// Path of the page of a capability.
pub fn capability_page(guideline: &str, capability: &str) -> String {
    format!("guidelines/{guideline}/capabilities/{}.html", file_name(capability))
}

/// Path of the page of a product, by `vendor/product`.
pub fn product_page(product: &str) -> String {
    format!("products/{product}/index.html")
}

/// Path of the folder of a report.
pub fn report_folder(id: &Identity) -> String {
    format!("reports/{}/{}/{}/{}/{}", id.family, id.guideline, id.vendor, id.product, id.version)
}

/// Path of the page of a report.
pub fn report_page(id: &Identity) -> String {
    format!("{}/index.html", report_folder(id))
}

/// A name that is good for a file: what is not a small letter, a digit, a dot or a hyphen becomes a hyphen, and then a part
/// of the digest keeps two of them apart.
pub fn file_name(text: &str) -> String {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    if text.chars().all(good) && !text.starts_with('.') && !text.is_empty() && text.len() <= 120 {
        return text.to_owned();
    }
    let plain: String = text.to_lowercase().chars().map(|c| if good(c) { c } else { '-' }).take(80).collect();
    let digest = digest_bytes(text.as_bytes()).to_string();
    let tail = digest.get(7..15).unwrap_or_default();
    format!("{}-{tail}", plain.trim_matches(|c| c == '-' || c == '.'))
}

/// A link to a report, named by its version.
pub fn version_link(at: At<'_>, facts: &Facts) -> Markup {
    html! { a href=(at.to(&report_page(&facts.identity))) { (facts.identity.version) } }
}

/// A link to a product.
pub fn product_link(at: At<'_>, facts: &Facts) -> Markup {
    html! { a href=(at.to(&product_page(&facts.product_id()))) { (facts.product) } }
}

/// A verdict: symbol and words, never colour alone.
pub fn verdict(verdict: Verdict) -> Markup {
    let (symbol, words) = verdict_words(verdict);
    html! { span class={ "tag " (verdict.as_str()) } { span aria-hidden="true" { (symbol) " " } (words) } }
}

/// Symbol and words of a verdict.
pub fn verdict_words(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Conformant => ("✓", "conformant"),
        Verdict::ConformantWithWaivers => ("✓", "conformant with waivers"),
        Verdict::NotConformant => ("✕", "not conformant"),
        Verdict::Unproven => ("?", "unproven"),
    }
}

/// Symbol and word of a status.
pub fn status_words(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Passed => ("✓", "passed"),
        Status::Waived => ("w", "waived"),
        Status::Failed => ("✕", "failed"),
        Status::Gap => ("○", "gap"),
        Status::Unproven => ("?", "unproven"),
    }
}

/// A status with its word.
pub fn status(status: Status) -> Markup {
    let (symbol, word) = status_words(status);
    html! { span class={ "mark " (word) } { span aria-hidden="true" { (symbol) " " } (word) } }
}

/// An outcome with its word.
pub fn outcome(outcome: Outcome) -> Markup {
    let symbol = match outcome {
        Outcome::Pass => "✓",
        Outcome::Fail => "✕",
        Outcome::Gap => "○",
        Outcome::Error => "!",
        Outcome::Skip | Outcome::NotRun => "–",
    };
    html! { span class={ "mark " (outcome.as_str()) } { span aria-hidden="true" { (symbol) " " } (outcome.as_str()) } }
}

/// What is to be said of a report that does not simply count.
pub fn standing(standing: &Standing) -> Markup {
    match standing {
        Standing::Valid => html! {},
        Standing::Aged => html! { span.tag.aged { "older than the rules allow" } },
        Standing::Revoked { .. } => html! { span.tag.revoked { "revoked" } },
    }
}

/// The word of a level.
pub fn level(level: LifeCycle) -> &'static str {
    level.as_str()
}

/// `n thing`, `n things`, with a space for every three digits.
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A bar with its figure.
pub fn share(part: usize, whole: usize) -> Markup {
    let permille = (part * 1000).checked_div(whole).unwrap_or(0);
    html! {
        span.share {
            svg width="72" height="8" viewBox="0 0 72 8" aria-hidden="true" {
                rect.rest width="72" height="8" rx="2" {}
                rect.part width=(format!("{:.1}", f64::from(u32::try_from(permille).unwrap_or(1000)) * 0.072)) height="8" rx="2" {}
            }
            " " span.n { (part) " of " (whole) }
        }
    }
}

/// Filter above a table: shown by the script.
pub fn filter(table: &str, what: &str) -> Markup {
    html! {
        p.filter data-for=(table) hidden {
            label { (PreEscaped("Filter ")) input type="search" autocomplete="off" placeholder=(what); }
            " " output aria-live="polite" {}
        }
    }
}
