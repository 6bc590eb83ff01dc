//! The Atom feed (RFC 4287): admissions and revocations, the newest first.

use std::cmp::Reverse;

use jiff::civil::Date;
use maud::{Markup, PreEscaped, html};

use super::facts::Facts;
use super::model::{Model, Standing};
use super::shell;
use crate::canon::digest_bytes;
use crate::text::xml_safe;

/// Entries of the feed.
const MOST: usize = 50;

/// Something that happened to a report. A revocation is an entry of its own: readers of feeds may not show that an entry changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Revoked,
    Admitted,
}

/// The feed. Ids are names, the same wherever the site lies; links are relative to `base` when there is one.
pub fn feed(model: &Model, base: Option<&str>) -> Vec<u8> {
    let mut events: Vec<(Reverse<Date>, Event, &Facts, Option<&str>)> = Vec::new();
    for (at, facts) in model.reports.iter().enumerate() {
        events.push((Reverse(facts.admitted), Event::Admitted, facts, None));
        if let Standing::Revoked { why, since } = model.standing(at) {
            // What was revoked before it came in is revoked from then on.
            events.push((Reverse(facts.admitted.max(*since)), Event::Revoked, facts, Some(why)));
        }
    }
    events.sort_by_key(|(day, event, facts, _)| (*day, *event, &facts.identity));
    events.truncate(MOST);
    let updated = events.first().map_or_else(|| "1970-01-01".to_owned(), |(day, ..)| day.0.to_string());
    let base = base.map(|base| format!("{}/", base.trim_end_matches('/'))).unwrap_or_default();
    let foundation = xml_safe(&model.shell.foundation);
    let feed = html! {
        feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en" {
            title { (foundation) }
            subtitle { "Reports that were admitted, and revoked" }
            id { (name(model, &["feed"])) }
            updated { (updated) "T00:00:00Z" }
            author { name { (foundation) } }
            generator { "assize" }
            (link("self", "application/atom+xml", &format!("{base}feed.xml")))
            (link("alternate", "text/html", &format!("{base}index.html")))
            @for (day, event, facts, why) in events { (entry(model, &base, day.0, event, facts, why)) }
        }
    };
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", feed.into_string()).into_bytes()
}

fn entry(model: &Model, base: &str, day: Date, event: Event, facts: &Facts, why: Option<&str>) -> Markup {
    let id = &facts.identity;
    let programs = facts.programs.iter().map(|one| format!("{}: {}", one.program, shell::verdict_words(one.verdict).1));
    let (what, kind, text) = match event {
        Event::Revoked => ("Revoked: ", "revoked", why.unwrap_or_default().to_owned()),
        Event::Admitted => ("", "admitted", programs.collect::<Vec<_>>().join("; ")),
    };
    let (folder, bundle) = (shell::report_folder(id), facts.bundle.to_string());
    html! {
        entry {
            title { (what) (xml_safe(&facts.product)) " " (id.version) " against " (facts.guideline_id()) }
            id { (name(model, &[kind, &folder, &bundle])) }
            updated { (day) "T00:00:00Z" }
            (link("alternate", "text/html", &format!("{base}{}", shell::report_page(id))))
            category term=(kind) {}
            summary { (xml_safe(&text)) }
        }
    }
}

/// An empty element, which the HTML writer would leave open.
fn link(relation: &str, kind: &str, target: &str) -> Markup {
    let attribute = |text: &str| html! { (text) }.into_string();
    let target = attribute(target);
    PreEscaped(format!("<link rel=\"{relation}\" type=\"{kind}\" href=\"{target}\"/>"))
}

/// A UUID made from a name (RFC 9562, version 8), since a foundation need not have a domain that a `tag:` could be made with.
fn name(model: &Model, parts: &[&str]) -> String {
    let digest = digest_bytes(format!("assize feed\n{}\n{}", model.shell.foundation, parts.join("\n")).as_bytes());
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest.as_bytes()).for_each(|(byte, from)| *byte = *from);
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut bytes;
    *version = (*version & 0x0f) | 0x80;
    *variant = (*variant & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let part = |from, to| hex.get(from..to).unwrap_or_default();
    format!("urn:uuid:{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use quick_xml::events::Event as Xml;

    use super::*;
    use crate::ledger::{Identity, ProductKind};
    use crate::site::facts::Lists;
    use crate::site::shell::Shell;

    fn facts(n: i16, product: &str) -> Facts {
        let digest = digest_bytes(&n.to_be_bytes());
        Facts {
            identity: Identity {
                family: "redfish".parse().unwrap(),
                guideline: "1".to_owned(),
                vendor: "acme".to_owned(),
                product: "box".to_owned(),
                version: n.to_string(),
            },
            vendor: "Acme".to_owned(),
            vendor_url: "https://acme.example".to_owned(),
            product: product.to_owned(),
            product_url: "https://acme.example".to_owned(),
            description: String::new(),
            kind: ProductKind::Emulator,
            admitted: jiff::civil::date(2026, 1, 1) + jiff::Span::new().days(i64::from(n)),
            started_at_ms: 0,
            bundle: digest,
            guideline: digest,
            suites: digest,
            signed_by: Vec::new(),
            programs: Vec::new(),
            capabilities: digest,
            statuses: String::new(),
            cases: digest,
            outcomes: String::new(),
        }
    }

    fn model(reports: Vec<Facts>, standings: Vec<Standing>) -> Model {
        let shell = Shell { foundation: "Us & \u{1}them".to_owned(), root: "/".to_owned() };
        let as_of = reports.iter().map(|facts| facts.admitted).max();
        Model::new(shell, as_of, reports.into_iter().map(Arc::new).collect(), standings, Lists::new())
    }

    /// Path of each element, with its text.
    fn read(feed: &[u8]) -> Vec<(String, String)> {
        let text = std::str::from_utf8(feed).unwrap();
        let mut reader = quick_xml::Reader::from_str(text);
        let (mut path, mut found) = (Vec::new(), Vec::<(String, String)>::new());
        loop {
            match reader.read_event().unwrap() {
                Xml::Start(start) => {
                    path.push(String::from_utf8(start.name().as_ref().to_vec()).unwrap());
                    found.push((path.join("/"), String::new()));
                }
                Xml::Empty(start) => {
                    let name = String::from_utf8(start.name().as_ref().to_vec()).unwrap();
                    found.push((format!("{}/{name}", path.join("/")), String::new()));
                }
                Xml::End(_) => drop(path.pop()),
                Xml::Text(text) => {
                    if let Some((_, own)) = found.last_mut() {
                        own.push_str(&text.decode().unwrap());
                    }
                }
                Xml::Eof => break,
                _ => {}
            }
        }
        assert!(path.is_empty());
        found
    }

    fn all<'f>(found: &'f [(String, String)], path: &str) -> Vec<&'f str> {
        found.iter().filter(|(own, _)| own == path).map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn a_revocation_is_news_however_old_the_report() {
        let reports: Vec<Facts> = (0..60).map(|n| facts(n, "Box")).collect();
        let mut standings = vec![Standing::Valid; 60];
        standings[0] = Standing::Revoked { why: "faked".to_owned(), since: jiff::civil::date(2026, 6, 1) };
        let model = model(reports, standings);
        let found = read(&feed(&model, None));
        let titles = all(&found, "feed/entry/title");
        assert_eq!(titles.len(), MOST);
        assert_eq!(titles[..2], ["Revoked: Box 0 against redfish/1", "Box 59 against redfish/1"]);
        assert_eq!(all(&found, "feed/updated"), ["2026-06-01T00:00:00Z"]);
        assert_eq!(all(&found, "feed/entry/updated")[..2], ["2026-06-01T00:00:00Z", "2026-03-01T00:00:00Z"]);
        assert_eq!(all(&found, "feed/entry/summary")[0], "faked");
    }

    #[test]
    fn it_has_what_the_standard_asks_for() {
        let hostile = "</title><entry/>&\"\u{0}\u{8}]]>";
        let revoked = Standing::Revoked { why: hostile.to_owned(), since: jiff::civil::date(2020, 1, 1) };
        let model = model(vec![facts(1, hostile), facts(2, "Box")], vec![revoked, Standing::Aged]);
        let (with, without) = (feed(&model, Some("https://a.example/x/")), feed(&model, None));
        for bytes in [&with, &without] {
            let found = read(bytes);
            for once in ["feed/title", "feed/id", "feed/updated", "feed/author/name"] {
                assert_eq!(all(&found, once).len(), 1, "{once}");
            }
            for (each, times) in [("", 3), ("/title", 3), ("/id", 3), ("/updated", 3), ("/link", 3), ("/summary", 3)] {
                assert_eq!(all(&found, &format!("feed/entry{each}")).len(), times, "{each}");
            }
            let ids: BTreeSet<&str> = all(&found, "feed/entry/id").into_iter().chain(all(&found, "feed/id")).collect();
            assert_eq!(ids.len(), 4);
            for id in ids {
                let parts: Vec<&str> = id.strip_prefix("urn:uuid:").unwrap().split('-').collect();
                assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
                assert!(parts[2].starts_with('8') && parts[3].starts_with(['8', '9', 'a', 'b']), "{id}");
            }
            assert!(all(&found, "feed/updated") == ["2026-01-03T00:00:00Z"]);
        }
        let ids = |bytes: &[u8]| {
            let found = read(bytes);
            all(&found, "feed/entry/id").iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&with), ids(&without), "ids do not depend on where the site lies");
        let text = String::from_utf8(with).unwrap();
        assert!(
            text.contains("<link rel=\"self\" type=\"application/atom+xml\" href=\"https://a.example/x/feed.xml\"/>")
        );
        assert!(text.contains("href=\"https://a.example/x/reports/redfish/1/acme/box/1/index.html\""));
    }

    #[test]
    fn an_empty_ledger_has_a_feed() {
        let found = read(&feed(&model(Vec::new(), Vec::new()), None));
        assert_eq!(all(&found, "feed/updated"), ["1970-01-01T00:00:00Z"]);
    }
}
