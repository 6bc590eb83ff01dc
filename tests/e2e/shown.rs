//! What people see, word for word: a run of a small suite, and the help of every command.

use crate::stub::{Bench, ROOT, Reply, Target, guideline, json};

const CASES: &str = "fixtures:
  - id: thing
    title: A thing is made
    risk: write
    steps:
      - post: /toy/things
        expect: {status: 201}
        undo: [{delete: /toy/things/1, expect: {status: 204}}]
    outputs: {link: /toy/things/1}
cases:
  - id: good
    title: Good things are there
    capability: toy-read
    steps: [{get: /toy/good, expect: {status: 200}}]
  - id: bad
    title: Bad things are there
    capability: toy-read
    each: [{name: first, at: bad}, {name: second, at: good}]
    steps: [{get: '/toy/${at}', expect: [{rule: 'Rule 1.2: a thing is found', status: 200}]}]
  - id: lacks
    title: The root has Things
    capability: toy-list
    steps:
      - get: /toy
      - gap: {when: \"get(body, '/Things', null) == null\", reason: the root has no Things}
      - get: /toy/things
        expect: {status: 200}
  - id: broken
    title: The target answers
    capability: toy-list
    steps: [{get: /toy/broken, expect: {status: 200}}]
  - id: uses
    title: A thing that was made can be used
    capability: toy-write
    risk: write
    needs: {thing: .thing}
    steps: [{get: '${thing.link}', expect: {status: 200}}]
  - id: breaks
    title: A reset is survived
    capability: toy-write
    risk: disruptive
    steps: [{post: /toy/reset, expect: {status: 204}, undo: [{get: /toy/good}]}]
";

fn bench() -> (Bench, Target) {
    let bench = Bench::new(CASES);
    bench.guideline(&guideline(&[
        ("toy-read", &["ironic.s.good", "ironic.s.bad"]),
        ("toy-list", &["ironic.s.lacks", "ironic.s.broken"]),
        ("toy-write", &["ironic.s.uses"]),
    ]));
    let target = Target::start(|seen| match seen.what() {
        ROOT | "GET /toy/good" | "GET /toy/things/1" => json(200, "{}"),
        "GET /toy/broken" => Reply::Raw(b""),
        "POST /toy/things" => json(201, "{}"),
        "DELETE /toy/things/1" => json(204, ""),
        _ => json(404, "{}"),
    });
    (bench, target)
}

/// Replaces what differs between runs.
fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.add_filter(r"127\.0\.0\.1:\d+", "[host]");
    settings.add_filter(r"\d{8}T\d{6}Z-[0-9a-f]{6}", "[run]");
    settings.add_filter(r"\d+\.\d\d s, \d+ cases/s", "[time]");
    settings.add_filter(r"assize \d+\.\d+\.\d+", "assize [version]");
    settings
}

#[test]
fn a_run_and_what_follows() {
    let (bench, target) = bench();
    settings().bind(|| {
        let ran = bench.run(&target.url(), &["--dry-run", "--allow", "write"]).expect(0);
        insta::assert_snapshot!("e2e-dry-run", format!("{}--- stderr ---\n{}", ran.out, ran.err));
        let ran = bench.run(&target.url(), &["--allow", "write"]).expect(1);
        insta::assert_snapshot!("e2e-run", format!("{}--- stderr ---\n{}", ran.out, ran.err));
        insta::assert_snapshot!("e2e-summary", bench.read("out/summary.md"));
        let ran = bench.verify().expect(0);
        insta::assert_snapshot!("e2e-verify", format!("{}--- stderr ---\n{}", ran.out, ran.err));
        let ran = bench.assize(&["score", "out", "--suites", "."]).expect(1);
        insta::assert_snapshot!("e2e-score", ran.out);
        let ran = bench.assize(&["list", "--suites", "."]).expect(0);
        insta::assert_snapshot!("e2e-list", format!("{}--- stderr ---\n{}", ran.out, ran.err));
    });
}

#[test]
fn the_help_of_every_command() {
    let bench = Bench::new(CASES);
    let top = bench.assize(&["--help"]).expect(0).out;
    let commands = top.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty() && *name != "help").collect();
    assert!(names.len() >= 8, "{names:?}");
    settings().bind(|| {
        insta::assert_snapshot!("e2e-help", top);
        for name in names {
            let help = bench.assize(&[name, "--help"]).expect(0).out;
            insta::assert_snapshot!(format!("e2e-help-{name}"), help);
        }
        for name in ["diff", "lint", "show", "tests", "worksheet"] {
            let help = bench.assize(&["guideline", name, "--help"]).expect(0).out;
            insta::assert_snapshot!(format!("e2e-help-guideline-{name}"), help);
        }
    });
    bench.assize(&[]).expect(2);
    bench.assize(&["verfy"]).expect(2).says(&["verify"]);
    bench.assize(&["--version"]).expect(0).prints(&[env!("CARGO_PKG_VERSION")]);
}
