//! The published schema of `report.json` is the one that the code describes, and every recorded report is valid against
//! it. `ASSIZE_BLESS=1` writes the file anew.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn reports(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            reports(&path, found);
        } else if path.file_name().is_some_and(|name| name == "report.json") {
            found.push(path);
        }
    }
}

#[test]
fn the_published_schema_is_current() {
    let path = root().join("schemas/report.schema.json");
    let wanted = serde_json::to_string_pretty(&assize::report::document::schema()).unwrap() + "\n";
    if std::env::var_os("ASSIZE_BLESS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "schemas/report.schema.json is out of date; run ASSIZE_BLESS=1 cargo test --test report_schema"
    );
}

#[test]
fn recorded_reports_are_valid() {
    let validator = jsonschema::validator_for(&assize::report::document::schema()).unwrap();
    let mut found = Vec::new();
    reports(&root().join("reports"), &mut found);
    assert!(!found.is_empty(), "no report lies in reports/");
    for path in found {
        let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let problems: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).take(5).collect();
        assert!(problems.is_empty(), "{}: {problems:?}", path.display());
    }
}
