//! The Atom feed (RFC 4287): admissions and revocations, the newest first.

use maud::{Markup, PreEscaped, html};

use super::model::{Model, Standing};
use super::shell;

/// Entries of the feed.
const MOST: usize = 50;

/// The feed. Ids are names, the same wherever the site lies; links are relative to `base` when there is one.
pub fn feed(model: &Model, base: Option<&str>) -> Vec<u8> {
    let mut reports: Vec<(usize, _)> = model.reports.iter().enumerate().collect();
    reports.sort_by_key(|(_, facts)| (std::cmp::Reverse(facts.admitted), &facts.identity));
    let updated = model.as_of.map_or_else(|| "1970-01-01".to_owned(), |day| day.to_string());
    let base = base.map(|base| format!("{}/", base.trim_end_matches('/'))).unwrap_or_default();
    let feed = html! {
        feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en" {
            title { (model.shell.foundation) }
            id { (name(model, "feed")) }
            updated { (updated) "T00:00:00Z" }
            author { name { (model.shell.foundation) } }
            generator { "assize" }
            (PreEscaped(format!("<link rel=\"self\" href=\"{}\"/>", html!({ (base) "feed.xml" }).into_string())))
            @for (at, facts) in reports.into_iter().take(MOST) { (entry(model, &base, at, facts)) }
        }
    };
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", feed.into_string()).into_bytes()
}

fn entry(model: &Model, base: &str, at: usize, facts: &super::facts::Facts) -> Markup {
    let id = &facts.identity;
    let page = format!("{base}{}", shell::report_page(id));
    let (what, text, updated) = match model.standing(at) {
        Standing::Revoked { why, since } => ("Revoked: ", why.clone(), *since),
        Standing::Valid | Standing::Aged => {
            let programs =
                facts.programs.iter().map(|one| format!("{}: {}", one.program, shell::verdict_words(one.verdict).1));
            ("", programs.collect::<Vec<_>>().join("; "), facts.admitted)
        }
    };
    html! {
        entry {
            title { (what) (facts.product) " " (id.version) " against " (facts.guideline_id()) }
            id { (name(model, &shell::report_folder(id))) }
            updated { (updated) "T00:00:00Z" }
            (PreEscaped(format!("<link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>", html!((page)).into_string())))
            summary { (text) }
        }
    }
}

fn name(model: &Model, what: &str) -> String {
    format!("urn:assize:ledger:{}:{what}", slug(&model.shell.foundation))
}

fn slug(text: &str) -> String {
    shell::file_name(&text.to_lowercase().replace(' ', "-"))
}
