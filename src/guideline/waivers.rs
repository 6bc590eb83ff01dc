//! Waivers: signed-for exceptions with an end date, in their own file (`assize-waivers/1`, JSON or YAML).
//!
//! A waiver excuses an outcome in the open; it never changes it. What it excuses makes a verdict at best
//! `conformant-with-waivers`. Whether one has expired is asked with a date, never with a clock.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::capability::{CapabilityId, TestId};
use crate::text::{Diagnostic, Diagnostics, SourceFile, yaml};

use super::read::{Fields, Reader};

/// The format that is written and the newest that is read.
pub const FORMAT: &str = "assize-waivers/1";

/// What a waiver is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WaiverScope {
    /// One test, in every capability that lists it.
    Test(TestId),
    /// All tests of a capability.
    Capability(CapabilityId),
}

/// One exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waiver {
    /// What it is about.
    pub scope: WaiverScope,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    #[schemars(with = "String", extend("format" = "date"))]
    pub expires: Date,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl Waiver {
    /// Whether it no longer holds on that day.
    pub fn is_expired(&self, on: Date) -> bool {
        on > self.expires
    }

    /// Whether it is about this test of this capability, expired or not.
    pub fn covers(&self, capability: &CapabilityId, test: &TestId) -> bool {
        match &self.scope {
            WaiverScope::Test(own) => own == test,
            WaiverScope::Capability(own) => own == capability,
        }
    }
}

/// All exceptions of a run, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waivers(pub Vec<Waiver>);

impl Waivers {
    /// No exception.
    pub fn none() -> Waivers {
        Waivers::default()
    }
}

/// Reads a waivers file. Every problem is reported; with an error nothing is read, because a waiver that is misread
/// excuses the wrong thing.
pub fn read(name: &str, bytes: &[u8]) -> Result<(Waivers, Diagnostics), Diagnostics> {
    let text = super::read::utf8(name, bytes)?;
    let source = SourceFile::new(name, text);
    let root = yaml::parse(&source)?;
    let mut reader = Reader::new(&source);
    let mut waivers = Vec::new();
    if let Some(mut top) = reader.fields(&root, "a waivers file") {
        let format = top.text(&mut reader, "format", true);
        if let Some((format, span)) = format
            && let Err(problem) = super::read::check_format(&format, FORMAT)
        {
            reader.report(problem.label(span, ""));
            return Err(reader.problems);
        }
        let items = top.needed(&mut reader, "waivers");
        top.finish(&mut reader);
        match items.map(|node| (node.as_seq(), node)) {
            Some((Some(items), _)) => waivers.extend(items.iter().filter_map(|item| one(&mut reader, item))),
            Some((None, node)) => reader.wrong_type(node, "`waivers`", "a list"),
            None => {}
        }
    }
    reader.result(Waivers(waivers))
}

/// JSON Schema of a waivers file.
#[must_use]
pub fn schema() -> serde_json::Value {
    let text = |about: &str| serde_json::json!({"type": "string", "minLength": 1, "description": about});
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:assize:waivers:1",
        "title": "Assize waivers",
        "type": "object",
        "additionalProperties": false,
        "required": ["format", "waivers"],
        "properties": {
            "format": {"const": FORMAT},
            "waivers": {"type": "array", "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["owner", "reason", "expires"],
                "oneOf": [{"required": ["test"]}, {"required": ["capability"]}],
                "properties": {
                    "test": text("The test that is excused, in every capability that lists it."),
                    "capability": text("The capability that is excused."),
                    "owner": text("Who answers for it."),
                    "reason": text("Why."),
                    "expires": {"type": "string", "format": "date", "description": "The last day on which it holds."},
                    "link": text("Where to read more."),
                },
            }},
        },
    })
}

fn one(reader: &mut Reader, item: &yaml::Node) -> Option<Waiver> {
    let mut fields = reader.fields(item, "a waiver")?;
    let test = fields.text(reader, "test", false);
    let capability = fields.text(reader, "capability", false);
    let owner = filled(reader, &mut fields, "owner");
    let reason = filled(reader, &mut fields, "reason");
    let expires = fields.text(reader, "expires", true).and_then(|(text, span)| match text.parse::<Date>() {
        Ok(date) => Some(date),
        Err(_) => {
            let problem = Diagnostic::error("G009", format!("`{text}` is not a date"));
            reader.report(problem.label(span, "").help("write it as YYYY-MM-DD; a waiver without an end is a rule"));
            None
        }
    });
    let link = fields.text(reader, "link", false).map(|(text, _)| text);
    fields.finish(reader);
    let scope = match (test, capability) {
        (Some(test), None) => reader.id(test).map(WaiverScope::Test),
        (None, Some(capability)) => reader.id(capability).map(WaiverScope::Capability),
        (None, None) => {
            let problem = Diagnostic::error("G010", "a waiver names neither a test nor a capability");
            reader.report(problem.label(item.span, "").help("add `test:` or `capability:`"));
            None
        }
        (Some(_), Some((_, span))) => {
            let problem = Diagnostic::error("G010", "a waiver names both a test and a capability");
            reader.report(problem.label(span, "").help("write two waivers, each with its own reason"));
            None
        }
    };
    Some(Waiver { scope: scope?, owner: owner?, reason: reason?, expires: expires?, link })
}

/// A text that must be there and must say something.
fn filled(reader: &mut Reader, fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
    let (text, span) = fields.text(reader, key, true)?;
    if text.trim().is_empty() {
        let problem = Diagnostic::error("G011", format!("`{key}` is empty"));
        reader.report(problem.label(span, "").help("a waiver is public: say who answers for it and why"));
        return None;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "format: assize-waivers/1
waivers:
  - test: redfish.power.reset-on
    owner: qa@example.org
    reason: no machine may be switched off before the move
    expires: 2026-12-31
    link: https://example.org/1
  - {capability: media-insert-eject, owner: qa, reason: firmware 2.1 is due, expires: 2026-11-30}
";

    #[test]
    fn reads_yaml_and_json() {
        let (waivers, notes) = read("w.yaml", GOOD.as_bytes()).unwrap();
        assert!(notes.is_empty(), "{notes}");
        assert_eq!(waivers.0.len(), 2);
        let json = r#"{"format":"assize-waivers/1","waivers":[{"test":"a.b","owner":"o","reason":"r","expires":"2026-01-01"}]}"#;
        let (waivers, _) = read("w.json", json.as_bytes()).unwrap();
        assert_eq!(waivers.0[0].scope, WaiverScope::Test("a.b".parse().unwrap()));
    }

    #[test]
    fn holds_through_its_last_day() {
        let (waivers, _) = read("w.yaml", GOOD.as_bytes()).unwrap();
        let waiver = &waivers.0[1];
        assert!(!waiver.is_expired("2026-11-30".parse().unwrap()));
        assert!(waiver.is_expired("2026-12-01".parse().unwrap()));
    }

    #[test]
    fn reports_every_problem_at_once() {
        let bad = "format: assize-waivers/1
waivers:
  - {test: a.b, capability: c, owner: o, reason: r, expires: 2026-01-01}
  - {owner: o, reason: r, expires: 2026-01-01}
  - {test: a.b, owner: '', reason: r, expires: never}
  - {test: a.b, ownr: o, reason: r, expires: 2026-01-01}
";
        let problems = read("w.yaml", bad.as_bytes()).unwrap_err();
        let codes: Vec<_> = problems.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, ["G010", "G010", "G011", "G009", "G004", "G003"], "{problems}");
        assert!(problems.to_string().contains("did you mean `owner`?"), "{problems}");
    }

    #[test]
    fn a_newer_format_is_refused() {
        let problems = read("w.yaml", b"format: assize-waivers/2\nwaivers: []\n").unwrap_err();
        let shown = problems.to_string();
        assert!(shown.contains("assize-waivers/2") && shown.contains("w.yaml"), "{shown}");
        assert!(read("w.yaml", b"[]").is_err());
        assert!(read("w.yaml", b"").is_err());
        assert!(read("w.yaml", &[0xff]).is_err());
    }
}
