//! The published schemas of the ledger and of what is made from it are those of the code, and what lies in `reports/` is valid against them.

use std::path::Path;

use assize::{attest, guideline, ledger};
use serde_json::Value;

fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        ("product", ledger::schema::<ledger::Product>()),
        ("admission", ledger::schema::<ledger::Admission>()),
        ("rules", ledger::schema::<ledger::Rules>()),
        ("challenge", ledger::schema::<ledger::Challenge>()),
        ("revocation", ledger::schema::<ledger::Revocation>()),
        ("triage", ledger::schema::<ledger::Triage>()),
        ("waivers", guideline::waivers::schema()),
        ("composite", guideline::composite::schema()),
        ("conformance", attest::conformance_schema()),
        ("diff", assize::compare::schema()),
        ("site", assize::site::schema()),
    ]
}

#[test]
fn the_published_schemas_are_current() {
    for (name, schema) in schemas() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{name}.schema.json"));
        let wanted = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("ASSIZE_BLESS").is_some() {
            std::fs::write(&path, &wanted).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == wanted, "{} is out of date: ASSIZE_BLESS=1 cargo test --test e2e foundation", path.display());
        assert!(schema["$id"].as_str().is_some_and(|id| id.starts_with("urn:assize:")), "{name}");
    }
}

#[test]
fn what_the_readers_take_the_schemas_take() {
    let waivers = "format: assize-waivers/1\nwaivers:\n  - {test: a.b, owner: o, reason: r, expires: 2026-12-31}\n";
    let composite = "{format: assize-composite/1, id: x/1, programs: {P: {parts: [{name: a, guideline: redfish/2026.11, program: Q}]}}}";
    for (name, text) in [("waivers", waivers), ("composite", composite)] {
        let source = assize::text::SourceFile::new(name, text);
        let json = assize::text::yaml::parse(&source).unwrap().to_json();
        let (_, schema) = schemas().into_iter().find(|(own, _)| *own == name).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        assert!(validator.is_valid(&json), "{name}");
        let mut other = json.clone();
        other["surprise"] = 1.into();
        assert!(!validator.is_valid(&other), "{name}");
    }
    assert!(guideline::waivers::read("w", waivers.as_bytes()).is_ok());
    assert!(guideline::composite::read("c", composite.as_bytes()).is_ok());
}
