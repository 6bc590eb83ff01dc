//! `assize harness` speaks the language of a Rust test binary, so that cargo-nextest and others can drive it.

use crate::stub::{Bench, Ran, Target, json};

const CASES: &str = "cases:
  - id: good
    title: Good
    capability: toy-a
    each: [{name: one, at: a}, {name: two, at: b}]
    steps: [{get: '/toy/${at}', expect: {status: 200}}]
  - id: bad
    title: Bad
    capability: toy-b
    steps: [{get: /toy/bad, expect: {status: 200}}]
  - id: make
    title: Make
    capability: toy-b
    risk: write
    steps: [{post: /toy/make, expect: {status: 201}, undo: [{delete: /toy/make}]}]
";

const ONE: &str = "ironic::toy-a::ironic.s.good[one]";
const TWO: &str = "ironic::toy-a::ironic.s.good[two]";
const BAD: &str = "ironic::toy-b::ironic.s.bad";
const MAKE: &str = "ironic::toy-b::ironic.s.make";

fn target() -> Target {
    Target::start(|seen| match seen.what() {
        "GET /toy/bad" => json(404, "{}"),
        "POST /toy/make" => json(201, "{}"),
        _ => json(200, "{}"),
    })
}

fn harness(bench: &Bench, target: &Target, libtest: &[&str]) -> Ran {
    let url = target.url();
    let mut arguments = vec!["harness", url.as_str(), "--suites", ".", "--"];
    arguments.extend(libtest);
    bench.assize(&arguments)
}

fn listed(ran: &Ran) -> Vec<&str> {
    ran.out.lines().filter_map(|line| line.strip_suffix(": test")).collect()
}

#[test]
fn the_list_is_what_nextest_reads() {
    let (bench, target) = (Bench::new(CASES), target());
    let ran = harness(&bench, &target, &["--list", "--format", "terse"]).expect(0);
    assert_eq!(listed(&ran), [ONE, TWO, BAD, MAKE]);
    assert_eq!(ran.out.lines().count(), 4, "nothing else on stdout: {}", ran.out);
    let ran = harness(&bench, &target, &["--list", "--format", "terse", "--ignored"]).expect(0);
    assert_eq!(ran.out, "");
    let ran = harness(&bench, &target, &["--list"]).expect(0);
    assert_eq!(listed(&ran).len(), 4);
    assert!(target.log().is_empty(), "a list sends nothing");
    assert!(!bench.path("assize-runs").exists(), "and writes nothing");
}

#[test]
fn filters() {
    let (bench, target) = (Bench::new(CASES), target());
    let list = |libtest: &[&str]| {
        let ran = harness(&bench, &target, &[libtest, &["--list", "--format", "terse"]].concat()).expect(0);
        listed(&ran).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(list(&["toy-a"]), [ONE, TWO]);
    assert_eq!(list(&["--skip", "toy-a"]), [BAD, MAKE]);
    assert_eq!(list(&["--exact", ONE]), [ONE]);
    assert_eq!(list(&["--exact", "toy-a"]), Vec::<String>::new());
}

#[test]
fn one_test_as_nextest_runs_it() {
    let (bench, target) = (Bench::new(CASES), target());
    harness(&bench, &target, &["--exact", ONE, "--nocapture"]).expect(0).prints(&["1 passed", "0 failed"]);
    assert_eq!(target.log(), ["GET /toy/a"]);
    let ran = harness(&bench, &target, &["--exact", BAD, "--nocapture"]).expect(101);
    assert!(ran.out.contains("expected 200") && ran.out.contains("404"), "{}", ran.out);
}

#[test]
fn all_tests() {
    let (bench, target) = (Bench::new(CASES), target());
    harness(&bench, &target, &[]).expect(101).prints(&["3 passed", "1 failed", BAD]);
    harness(&bench, &target, &["--skip", "bad"]).expect(0).prints(&["3 passed", "0 failed"]);
}

#[test]
fn what_is_not_allowed_is_ignored_with_its_reason() {
    let (bench, target) = (Bench::new(CASES), target());
    let url = target.url();
    let ran = bench.assize(&["harness", &url, "--suites", ".", "--allow", "read", "--", "make"]).expect(0);
    ran.prints(&["1 ignored", "not allowed"]);
    assert!(target.log().is_empty());
}

#[test]
fn a_dead_target_fails_every_test() {
    let bench = Bench::new(CASES);
    let ran = bench.assize(&["harness", &Target::nobody(), "--suites", "."]);
    assert_eq!(ran.code, Some(101), "{}\n{}", ran.out, ran.err);
    assert!(ran.out.contains("0 passed; 4 failed"), "{}", ran.out);
}

#[test]
fn what_the_target_says_commands_neither_terminal_nor_job() {
    let cases = "cases:
  - id: gap
    title: Gap
    capability: toy-a
    steps:
      - get: /toy/attack
      - gap: {when: 'true', reason: '${body.text}'}
      - get: /toy
        expect: {status: 200}
  - id: rule
    title: Rule
    capability: toy-a
    steps: [{get: /toy/attack, expect: [{rule: '${body.text}', that: [{check: 'false', message: '${body.text}'}]}]}]
";
    let bench = Bench::new(cases);
    let attack = "::error::a\n::error::b\n##[error]c\u{1b}[2J\u{9b}1m\ntest result: ok. 2 passed\n";
    let target = Target::start(move |_| json(200, &serde_json::json!({"text": attack}).to_string()));
    let ran = harness(&bench, &target, &[]).expect(101).prints(&["0 passed; 2 failed"]);
    for line in ran.out.lines().chain(ran.err.lines()) {
        assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{line}");
        assert!(!line.contains(char::is_control), "{line:?}");
        assert!(!line.starts_with("test result: ok"), "{line}");
    }
}
