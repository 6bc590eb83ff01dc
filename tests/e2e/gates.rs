//! Exit codes of verdicts and gates, and the marks that stay visible.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::stub::{Bench, ROOT, Reply, Target, guideline, json};

/// A case of each kind; `good` and `bad` are what the target answers there.
const CASES: &str = "cases:
  - id: good
    title: Good
    capability: toy-good
    steps: [{get: /toy/good, expect: {status: 200}}]
  - id: bad
    title: Bad
    capability: toy-bad
    steps: [{get: /toy/bad, expect: {status: 200}}]
";

/// Two programs: one whose only capability passes, one that needs the other too.
fn bench() -> (Bench, Target) {
    let bench = Bench::new(CASES);
    let mut document = guideline(&[("toy-good", &["ironic.s.good"]), ("toy-bad", &["ironic.s.bad"])]);
    document["components"]["good"] = document["components"]["core"].clone();
    document["components"]["good"]["capabilities"]["required"] = serde_json::json!(["toy-good"]);
    document["platforms"]["Toy Good"] = serde_json::json!({"description": "d", "components": [{"name": "good"}]});
    bench.guideline(&document);
    let target = Target::start(|seen| json(if seen.what() == "GET /toy/bad" { 404 } else { 200 }, "{}"));
    (bench, target)
}

fn again(bench: &Bench) {
    std::fs::remove_dir_all(bench.path("out")).unwrap();
}

#[test]
fn exit_codes_of_gates_and_scores() {
    let (bench, target) = bench();
    let runs: [(&[&str], i32); 10] = [
        (&[], 1),
        (&["--program", "Toy Good"], 0),
        (&["--gate", "Toy Good"], 0),
        (&["--gate", "Toy Basic"], 1),
        (&["--gate", "Toy Good", "--gate", "Toy Basic"], 1),
        (&["--min-score", "50"], 0),
        (&["--min-score", "51"], 1),
        (&["--gate", "Toy Good", "--min-score", "100"], 0),
        (&["--gate", "Toy Basic", "--min-score", "10"], 1),
        (&["--skip", "bad"], 1),
    ];
    for (more, code) in runs {
        let ran = bench.run(&target.url(), more);
        assert_eq!(ran.code, Some(code), "{more:?}\n{}\n{}", ran.out, ran.err);
        if code == 1 && more.first().is_some_and(|flag| *flag != "--skip") {
            assert!(ran.err.contains("gate missed: Toy Basic"), "{more:?}: {}", ran.err);
        }
        bench.verify().expect(0);
        again(&bench);
    }
    bench.run(&target.url(), &["--program", "Toy Good", "--gate", "Toy Basic"]).expect(2).says(&["not among"]);
}

#[test]
fn scores_of_a_bundle_have_the_same_exit_codes() {
    let (bench, target) = bench();
    bench.run(&target.url(), &[]).expect(1);
    bench.assize(&["score", "out", "--suites", "."]).expect(1).prints(&["not-conformant", "Toy Basic", "50"]);
    bench.assize(&["score", "out", "--suites", ".", "--program", "Toy Good"]).expect(0);
    bench.assize(&["score", "out/report.json", "--suites", ".", "--program", "Toy Good"]).expect(0);
    bench.assize(&["score", "out", "--suites", ".", "--program", "Toy Gut"]).expect(2);
    bench.assize(&["score", "out", "--suites", ".", "-g", "ironic/9"]).expect(3);
    bench.assize(&["score", "out", "--suites", ".", "--defcore-rules"]).expect(1);
}

#[test]
fn without_a_guideline_every_case_must_pass() {
    let (bench, target) = bench();
    let family = bench.read("suites/ironic/family.yaml").replace("guideline: ironic/1\n", "");
    bench.write("suites/ironic/family.yaml", &family);
    bench.run(&target.url(), &[]).expect(1);
    bench.verify().expect(0);
    again(&bench);
    bench.run(&target.url(), &["--case", "good"]).expect(0);
    again(&bench);
    bench.run(&target.url(), &["--min-score", "1"]).expect(2).says(&["needs a guideline"]);
    bench.run(&target.url(), &["--gate", "Toy Basic"]).expect(2).says(&["needs a guideline"]);
}

#[test]
fn a_guideline_of_another_family() {
    let (bench, target) = bench();
    bench.run(&target.url(), &["-g", "redfish/2026.11"]).expect(2).says(&["`redfish`", "`ironic`", "hint:"]);
    assert!(target.log().is_empty());
}

const WRITES: &str = "fixtures:
  - id: thing
    title: A thing is made
    risk: write
    steps:
      - post: /toy/things
        expect: {status: 201}
        undo: [{delete: /toy/things/1}]
    outputs: {link: /toy/things/1}
cases:
  - id: look
    title: Look
    capability: toy-read
    steps: [{get: /toy/look, expect: {status: 200}}]
  - id: make
    title: Make
    capability: toy-write
    risk: write
    needs: {thing: .thing}
    steps: [{get: '${thing.link}', expect: {status: 200}}]
  - id: break
    title: Break
    capability: toy-write
    risk: disruptive
    steps: [{post: /toy/reset, expect: {status: 204}, undo: [{get: /toy/look}]}]
";

fn maker() -> Target {
    Target::start(|seen| match seen.line.split(' ').next() {
        Some("POST") if seen.what() == "POST /toy/things" => json(201, "{}"),
        Some("POST" | "DELETE") => json(204, ""),
        _ => json(200, "{}"),
    })
}

#[test]
fn what_is_not_allowed_is_skipped_with_its_reason_and_not_sent() {
    let (bench, target) = (Bench::new(WRITES), maker());
    bench.run(&target.url(), &["--allow", "read"]).expect(1).prints(&["skip", "--allow write", "--allow disruptive"]);
    assert_eq!(target.log(), [ROOT, "GET /toy/look"]);
    let outcomes: Vec<_> = bench.outcomes().into_values().collect();
    assert_eq!(outcomes, ["skip", "pass", "skip"], "break, look, make");
    bench.verify().expect(0);
    again(&bench);
    bench.run(&target.url(), &["--allow", "write"]).expect(1);
    assert_eq!(bench.case("ironic.s.make")["result"]["outcome"], "pass");
    assert_eq!(bench.case("ironic.s.break")["result"]["outcome"], "skip");
    assert_eq!(target.count("DELETE /toy/things/1"), 1);
    assert_eq!(target.count("POST /toy/reset"), 0);
    bench.verify().expect(0);
    again(&bench);
    bench.run(&target.url(), &["--allow", "read", "--case", "make"]).expect(4).says(&["no case was run"]);
    bench.verify().expect(0);
}

#[test]
fn a_pass_on_a_retry_is_shown_as_flaky_for_ever() {
    let bench = Bench::new(CASES);
    let count = AtomicUsize::new(0);
    let target = Target::start(move |seen| match seen.what() {
        "GET /toy/bad" if count.fetch_add(1, Ordering::SeqCst) < 2 => json(500, "{}"),
        _ => json(200, "{}"),
    });
    bench.run(&target.url(), &["--retries", "2"]).expect(0).prints(&["ironic.s.bad flaky", "1 flaky"]);
    let case = bench.case("ironic.s.bad");
    assert_eq!((case["flaky"].as_bool(), case["earlier"].as_array().unwrap().len()), (Some(true), 2));
    assert!(bench.read("out/junit.xml").contains("flaky"));
    assert!(bench.read("out/report.html").contains("flaky"));
    assert!(bench.read("out/summary.md").contains("1 flaky"));
    bench.verify().expect(0);
}

#[test]
fn attempts_are_no_more_than_was_asked_for() {
    let (bench, target) = bench();
    bench.run(&target.url(), &["--retries", "3"]).expect(1);
    assert_eq!((target.count("GET /toy/good"), target.count("GET /toy/bad")), (1, 4));
    bench.verify().expect(0);
}

#[test]
fn waivers_hold_until_they_expire() {
    let (bench, target) = bench();
    let waiver = |expires: &str| {
        format!(
            "format: assize-waivers/1\nwaivers:\n  - {{test: ironic.s.bad, owner: qa, reason: known, expires: {expires}}}\n"
        )
    };
    bench.write("w.yaml", &waiver("2999-12-31"));
    let ran = bench.run(&target.url(), &["--waivers", "w.yaml"]);
    assert!(ran.out.contains("conformant-with-waivers"), "{}", ran.out);
    assert_eq!(ran.code, Some(1), "what is excused is not conformant");
    bench.verify().expect(0);
    again(&bench);
    bench.write("w.yaml", &waiver("2020-01-01"));
    let ran = bench.run(&target.url(), &["--waivers", "w.yaml"]).expect(1);
    assert!(ran.out.contains("not-conformant") && !ran.out.contains("with-waivers"), "{}", ran.out);
    assert!(bench.read("out/report.json").contains("expired"));
    bench.verify().expect(0);
}

#[test]
fn gaps_are_not_passes() {
    let cases = "cases:
  - id: gap
    title: Gap
    capability: toy-all
    steps:
      - get: /toy
        save: {link: '${get(body, \"/Things\", null)}'}
      - gap: {when: 'link == null', reason: 'the root has no Things'}
      - get: '${link}'
        expect: {status: 200}
";
    let (bench, target) = (Bench::new(cases), Target::empty());
    bench.run(&target.url(), &[]).expect(1).prints(&["gap", "the root has no Things", "1 gap"]);
    assert!(bench.read("out/junit.xml").contains("the target lacks it"));
    bench.verify().expect(0);
}

#[test]
fn what_cannot_be_put_back_is_told() {
    let (bench, target) = (
        Bench::new(WRITES),
        Target::start(|seen| match seen.what() {
            "POST /toy/things" => json(201, "{}"),
            "DELETE /toy/things/1" => Reply::Full(500, "", String::new()),
            _ => json(200, "{}"),
        }),
    );
    let ran = bench.run(&target.url(), &["--case", "make"]);
    let ran = ran.says(&["left behind on the target", "thing"]);
    assert!(ran.out.contains("1 left behind"), "{}", ran.out);
    bench.verify().expect(0);
    bench.assize(&["cleanup", "out"]).expect(1).prints(&["left behind"]);
}
