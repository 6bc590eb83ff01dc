//! `assize guideline`: guidelines of ours and foreign ones, on the command line.

use crate::stub::{Bench, guideline};

/// An interop guideline of schema 2.0 with a misspelt key and an alias.
const FOREIGN: &str = r#"{"metadata": {"id": "2020.06", "schema": "2.0",
    "scoring": {"cutoff_score": 60, "criteria": {"deployed": {"name": "n", "description": "d", "weight": 40},
                                                 "tools": {"name": "n", "description": "d", "weight": 60}}},
    "os_trademark_approval": {"status": "approved", "replaces": "2019.11", "target_approval": "2020.06", "releases": ["train"]}},
  "platforms": {"Powered Compute": {"description": "d", "components": [{"name": "os_powered_compute"}]}},
  "components": {"os_powered_compute": {"capabilities": {"required": ["a"], "advisory": [], "deprecated": [], "removed": []}}},
  "capabilities": {"a": {"acheivements": ["tools"], "admin": false, "description": "d", "project": "p", "required_since": "2019.11",
    "tests": {"m.T.b": {"idempotent_id": "id-00000000-0000-4000-8000-000000000001", "aliases": ["m.T.a"]},
              "m.T.c": {"idempotent_id": "id-00000000-0000-4000-8000-000000000002",
                        "flagged": {"reason": "[D401] r", "action": "a", "date": "2020-01-01"}}}}}}"#;

const SHEET: &str = "Sheet\n\none: [1,1,1] [1,1,1] [1,1,0] [0,1,1] [1] [0]\n";

fn bench() -> Bench {
    let bench = Bench::new("cases: []\n");
    bench.write("2020.06.json", FOREIGN);
    bench.write("notes/other.json", "{}");
    bench.write("sheet.txt", SHEET);
    bench
}

#[test]
fn lint_reads_foreign_files_and_says_where_what_and_how() {
    let bench = bench();
    bench.assize(&["guideline", "lint", "2020.06.json"]).expect(0).says(&["G021", "acheivements", "1 problem"]);
    bench.assize(&["lint", "2020.06.json"]).expect(0).says(&["G021"]);
    let ran = bench.assize(&["guideline", "lint", "--json", "2020.06.json"]).expect(0);
    let found: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(found[0]["path"], "$.capabilities.a.acheivements");
    assert_eq!((&found[0]["line"], &found[0]["severity"]), (&7.into(), &"warning".into()));
    assert!(found[0]["rule"].as_str().unwrap().contains("spelt"), "{found}");
    bench.write("2020.06.json", &FOREIGN.replace("[\"a\"]", "[\"a\", \"lost\"]"));
    bench.assize(&["guideline", "lint", "2020.06.json"]).expect(3).says(&["G101"]);
    bench.assize(&["guideline", "lint", "notes/other.json"]).expect(3).says(&["G002"]);
    bench.assize(&["guideline", "lint", "."]).expect(3).says(&["1 JSON file in folders left out"]);
    bench.assize(&["guideline", "lint", "notes"]).expect(4);
    bench.assize(&["guideline", "lint", "lost.json"]).expect(3).says(&["there is no guideline"]);
    bench.assize(&["guideline", "lint"]).expect(0).says(&["no problems"]);
}

#[test]
fn a_baseline_freezes_what_was_approved() {
    let bench = bench();
    bench.write("new/2020.06.json", &FOREIGN.replace("m.T.c", "m.T.d"));
    let lint = |file: &str| bench.assize(&["guideline", "lint", "--baseline", "2020.06.json", file]);
    lint("2020.06.json").expect(0);
    lint("new/2020.06.json").expect(3).says(&["G151", "`m.T.c` is gone", "`m.T.d` was added"]);
    bench.write("2019.11.json", &FOREIGN.replace("\"id\": \"2020.06\"", "\"id\": \"2019.11\""));
    lint("2019.11.json").expect(2).says(&["not among the files"]);
}

#[test]
fn tests_are_listed_as_refstack_did() {
    let bench = bench();
    let list = |more: &[&str]| bench.assize(&[&["guideline", "tests", "2020.06.json", "--program"], more].concat());
    let (b, c) = ("[id-00000000-0000-4000-8000-000000000001]", "[id-00000000-0000-4000-8000-000000000002]");
    assert_eq!(list(&["compute"]).expect(0).out, format!("m.T.b{b}\n"));
    let all = list(&["Powered Compute", "--alias", "--flagged"]).expect(0);
    assert_eq!(all.out, format!("m.T.a{b}\nm.T.b{b}\nm.T.c{c}\n"));
    all.says(&["1 odd thing in 2020.06.json"]);
    list(&["compute", "--status", "advisory,removed"]).expect(4);
    list(&["compute", "--status", "demanded"]).expect(2).says(&["required, advisory"]);
    list(&["storage"]).expect(2).says(&["it has Powered Compute"]);
}

#[test]
fn show_sums_up() {
    let bench = bench();
    bench.assize(&["guideline", "show", "2020.06.json"]).expect(0).prints(&[
        "2020.06, interop schema 2.0, approved, replaces 2019.11, for train",
        "required: 1 capability, 2 tests, 1 flagged",
    ]);
    let ran = bench.assize(&["guideline", "show", "openstack/2020.06", "-p", "compute", "--json"]).expect(0);
    let shown: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(shown["programs"][0]["capabilities"].as_array().unwrap().len(), 60);
    bench.assize(&["guideline", "show", "openstack/2022.11"]).expect(0).prints(&[
        "(inferred)",
        "Known and accepted",
        "G106",
    ]);
    bench.assize(&["guideline", "show", "openstack/2020.60"]).expect(3).says(&["did you mean"]);
}

#[test]
fn worksheets_are_added_up() {
    let bench = bench();
    let sheet = |more: &[&str]| bench.assize(&[&["guideline", "worksheet"], more].concat());
    let ran = sheet(&["sheet.txt"]).expect(0).says(&["the sheet says 0, it comes to 82", "1 reach the cut-off of 74"]);
    assert_eq!(ran.out, SHEET.replace("[0]\n", "[82]*\n"));
    sheet(&["sheet.txt", "--cutoff", "90", "--explain"]).expect(0).prints(&["82 of 100, 8 below", "9  sticky"]);
    sheet(&["sheet.txt", "-g", "2020.06.json", "--format", "csv"])
        .expect(0)
        .prints(&["\none,1,1,1,1,1,1,1,1,0,0,1,1,1,100*\n"]);
    sheet(&["2020.06.json"]).expect(0).prints(&["a: [0,1,*] [*,*,*] [*,*,*] [*,*,*] [1] [60]*"]);
    let ran = sheet(&["openstack/2026.11", "--format", "json"]).expect(0);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert!(json["capabilities"].as_array().unwrap().iter().all(|row| row["total"].is_u64()), "{json}");
    bench.write("empty.txt", "nothing\n");
    sheet(&["empty.txt"]).expect(4);
}

#[test]
fn a_bundle_is_scored_against_a_foreign_guideline() {
    let bench = Bench::new(
        "cases:\n  - id: good\n    title: Good\n    capability: toy\n    steps: [{get: /toy/good, expect: {status: 200}}]\n",
    );
    bench.guideline(&guideline(&[("toy", &["ironic.s.good"])]));
    bench.write("2020.06.json", &FOREIGN.replace("m.T.a", "ironic.s.good"));
    let target = crate::stub::Target::start(|_| crate::stub::json(200, "{}"));
    bench.run(&target.url(), &[]).expect(0);
    let score =
        |more: &[&str]| bench.assize(&[&["score", "out", "--suites", ".", "-g", "2020.06.json"], more].concat());
    score(&[]).expect(0).says(&["1 odd thing"]).prints(&["Powered Compute"]);
    score(&["--defcore-rules"]).expect(0).prints(&["\"compliance\": true", "\"must_pass\": 1", "\"flagged\": 1"]);
}
