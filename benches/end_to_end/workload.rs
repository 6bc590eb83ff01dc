//! The same work in the language of each contender.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::json;

use crate::Fallible;

/// Cases of the run that is compared.
pub const CASES: usize = 2_000;
/// Cases of the run that shows whether memory grows.
pub const MANY: usize = 20_000;
/// Requests at the same time.
pub const IN_FLIGHT: usize = 16;
/// Most rows that one case may have.
const ROWS: usize = 10_000;
/// Separate cases in one suite file.
const PER_FILE: usize = 2_000;

/// First value that everyone compares.
pub const STATUS: &str = "ACTIVE";
/// Second value that everyone compares.
pub const ADDRESS: &str = "203.0.113.25";
/// What the server answers: a small resource of 442 bytes.
pub const DOCUMENT: &str = concat!(
    r#"{"server":{"id":"5f0c1d52-0f6f-4d5e-9a35-2c6a1a7b9e10","name":"web-17","status":"ACTIVE","#,
    r#""created":"2026-03-04T05:06:07Z","updated":"2026-03-04T05:07:08Z","accessIPv4":"203.0.113.25","#,
    r#""flavor":{"vcpus":4,"ram":8192,"disk":40},"image":"debian-12-amd64","#,
    r#""addresses":{"private":[{"addr":"10.0.0.17","version":4},{"addr":"fd00::17","version":6}]},"#,
    r#""metadata":{"role":"frontend","owner":"team-a"},"locked":false,"tags":["blue","edge-2","rack-b12"]}}"#,
);
const _: () = assert!(DOCUMENT.len() == 442);

/// Writes a catalogue of separate cases, one request each.
pub fn separate(folder: &Path, count: usize) -> Fallible<()> {
    let mut tests = Vec::new();
    for (file, start) in (0..count).step_by(PER_FILE).enumerate() {
        let suite = format!("openstack.load-{file}");
        let mut text = head(&suite);
        for number in start..count.min(start + PER_FILE) {
            let id = format!("read-{number}");
            case(&mut text, &id, "", &number.to_string());
            tests.push(format!("{suite}.{id}"));
        }
        write(folder, &format!("suites/openstack/load-{file}.yaml"), &text)?;
    }
    catalogue(folder, &tests)
}

/// Writes a catalogue of few cases with many rows, one request each.
pub fn rows(folder: &Path, count: usize) -> Fallible<()> {
    // Two cases at least, so that catalogues of any size have the same form.
    let cases = count.div_ceil(ROWS).max(2);
    let each = count / cases;
    let mut text = head("openstack.rows");
    let mut tests = Vec::new();
    for number in 0..cases {
        let id = format!("read-{number}");
        case(&mut text, &id, &format!("    each: {{count: {each}}}\n"), &format!("{number}-${{i}}"));
        tests.push(format!("openstack.rows.{id}"));
    }
    write(folder, "suites/openstack/rows.yaml", &text)?;
    catalogue(folder, &tests)
}

fn head(suite: &str) -> String {
    format!("format: 1\nsuite: {suite}\ntitle: Generated load\ncases:\n")
}

fn case(text: &mut String, id: &str, extra: &str, server: &str) {
    let _ = write!(
        text,
        "  - id: {id}\n    title: The server can be read\n    capability: server-read\n{extra}    steps:\n      - get: \
         /servers/{server}\n        expect:\n          status: 200\n          json: {{$.server.status: {STATUS}, \
         $.server.accessIPv4: {ADDRESS}}}\n",
    );
}

/// The family (a generated one instead of the built-in one of that name; guidelines know no others), and a guideline that requires all tests.
fn catalogue(folder: &Path, tests: &[String]) -> Fallible<()> {
    write(
        folder,
        "suites/openstack/family.yaml",
        "format: 1\nfamily: openstack\ntitle: Generated load\npath: /\nauth: none\nguideline: openstack/2026.11\n",
    )?;
    let tests: serde_json::Map<_, _> = tests.iter().map(|test| (test.clone(), json!({}))).collect();
    let guideline = json!({
        "metadata": {
            "id": "2026.11",
            "schema": "2.0",
            "assize": {"format": "assize-guideline/1", "family": "openstack"},
            "approval": {"status": "draft", "target_approval": "2026.11", "releases": ["1"]}
        },
        "platforms": {"Bench": {"description": "All of it.", "components": [{"name": "bench"}]}},
        "components": {"bench": {"description": "All of it.", "capabilities": {
            "required": ["server-read"], "advisory": [], "deprecated": [], "removed": []
        }}},
        "capabilities": {"server-read": {
            "name": "Reading", "description": "A server can be read.", "weight": 1, "required_since": "2026.11",
            "tests": tests
        }}
    });
    write(folder, "capabilities/openstack/2026.11.json", &serde_json::to_string_pretty(&guideline)?)
}

/// Writes one file of hurl for each case.
pub fn hurl(folder: &Path, base: &str, count: usize) -> Fallible<()> {
    for number in 0..count {
        let text = format!(
            "GET {base}/servers/{number}\nHTTP 200\n[Asserts]\njsonpath \"$.server.status\" == \"{STATUS}\"\njsonpath \
             \"$.server.accessIPv4\" == \"{ADDRESS}\"\n"
        );
        write(folder, &format!("read-{number:05}.hurl"), &text)?;
    }
    Ok(())
}

fn write(folder: &Path, name: &str, text: &str) -> Fallible<()> {
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(())
}
