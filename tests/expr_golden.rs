//! The promise of the expression language `cel-1`: every expression of the corpus keeps its result. A transcript recorded
//! years ago is judged by these rules, so an entry may be added but never changed; a change is a new version of the language.

use std::path::Path;

use assize::expr::{EvalErrorKind, LANGUAGE, Program, Scope};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    expr: String,
    #[serde(default)]
    vars: serde_json::Map<String, Value>,
    #[serde(default, deserialize_with = "present")]
    result: Option<Value>,
    error: Option<String>,
}

/// Keeps `null` apart from no result.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

fn outcome(entry: &Entry) -> Result<Value, &'static str> {
    let program = Program::compile(&entry.expr).map_err(|_| "compile")?;
    let mut scope = Scope::from_json(Value::Object(entry.vars.clone()));
    scope.set_seed("seed/case");
    program.eval(&scope).map_err(|error| match error.kind {
        EvalErrorKind::Missing => "missing",
        EvalErrorKind::Type => "type",
        EvalErrorKind::Limit => "limit",
        EvalErrorKind::Internal => "internal",
    })
}

#[test]
fn every_expression_keeps_its_result() {
    assert_eq!(LANGUAGE, "cel-1");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/expr.json");
    let text = std::fs::read_to_string(path).expect("the corpus is there");
    let entries: Vec<Entry> = serde_json::from_str(&text).expect("the corpus is valid");
    assert!(entries.len() >= 120);
    let mut differences = Vec::new();
    for entry in &entries {
        let expected = match (&entry.result, &entry.error) {
            (Some(result), None) => Ok(result.clone()),
            (None, Some(kind)) => Err(kind.as_str()),
            _ => panic!("`{}` needs either a result or an error", entry.expr),
        };
        let found = outcome(entry);
        if found != expected {
            differences.push(format!("{}\n    expected {expected:?}\n    found    {found:?}", entry.expr));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
