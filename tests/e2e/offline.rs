//! What can be done with a bundle when the target is gone: replaying it, and asking whether its cases could have failed.

use crate::stub::{Bench, Target, guideline, json};

const CASES: &str = "cases:
  - id: careful
    title: Looks at the answer
    capability: toy-all
    steps: [{get: /toy/thing, expect: {status: 200, json: {'$.colour': red}}}]
  - id: careless
    title: Looks at itself
    capability: toy-all
    steps: [{get: /toy/thing, expect: {status: any, that: 'run.id != target.base'}}]
";

fn target() -> Target {
    Target::start(|seen| match seen.what() {
        "GET /toy/thing" => json(200, r#"{"colour": "red"}"#),
        _ => json(200, "{}"),
    })
}

#[test]
fn an_audit_names_the_case_that_passes_whatever_it_is_told() {
    let bench = Bench::new(CASES);
    let target = target();
    bench.run(&target.url(), &[]).expect(0);
    drop(target);
    let ran = bench.assize(&["audit", "out"]).expect(1);
    let ran = ran.prints(&["notices", "ironic.s.careful", "expected \"red\"", "blind", "ironic.s.careless"]);
    assert!(ran.err.contains("1 would pass whatever the target answers"), "{}", ran.err);
    bench.assize(&["audit", "out", "--case", "careful"]).expect(0);
    let json = bench.assize(&["audit", "out", "--json"]).expect(1);
    let audited: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(audited[1]["case"], "ironic.s.careless");
    assert!(audited[1]["example"].is_null() && audited[1]["tried"].as_u64() > Some(3));
    bench.assize(&["audit", "out", "--markdown"]).expect(1).prints(&["| case |", "passes whatever the target answers"]);
    bench.assize(&["audit", "out", "--case", "nobody"]).expect(4);
    bench.assize(&["audit", "nowhere"]).expect(3).says(&["nowhere"]);
}

#[test]
fn any_bundle_can_be_replayed() {
    let bench = Bench::new(CASES);
    let target = target();
    bench.run(&target.url(), &[]).expect(0);
    let first = bench.outcomes();
    drop(target);
    std::fs::rename(bench.path("out"), bench.path("kept")).unwrap();
    bench.assize(&["run", "demo:kept", "--suites", ".", "--output-dir", "out"]).expect(0);
    assert_eq!(bench.outcomes(), first);
    bench.verify().expect(0);
    bench.assize(&["run", "demo:nowhere"]).expect(3).says(&["nowhere", "the folder of a bundle"]);
}

#[test]
fn only_what_a_guideline_requires_is_run() {
    let bench = Bench::new(CASES);
    bench.guideline(&guideline(&[("toy-all", &["ironic.s.careful"])]));
    let target = target();
    bench.run(&target.url(), &["--required"]).expect(0).prints(&["1 case"]);
    assert_eq!(bench.outcomes().keys().collect::<Vec<_>>(), ["ironic.s.careful"]);
    bench.verify().expect(0);
}
