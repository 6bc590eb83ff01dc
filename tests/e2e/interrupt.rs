//! Runs that do not reach their end: what was done is put back, what was seen is kept.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::stub::{Bench, Moment, Reply, Running, Seen, Target, json, moment};

/// A case that makes a thing, waits for it, and would look at it again; then others.
const CASES: &str = "cases:
  - id: before
    title: Before
    capability: toy-all
    steps: [{get: /toy/before, expect: {status: 200}}]
  - id: make
    title: Make
    capability: toy-all
    risk: write
    steps:
      - let: {name: \"${unique('thing')}\"}
      - post: /toy/things
        json: {name: '${name}'}
        expect: {status: 201}
        save: {link: '${headers.location}'}
        undo:
          - delete: '${link}'
            expect: {status: [204, 404]}
        lost:
          - get: /toy/things
            save: {things: '$.things'}
          - for: {thing: '${things}'}
            steps:
              - delete: '/toy/things/${thing}'
                when: thing == name
                expect: {status: 204}
      - get: '${link}'
        until: body.state == 'ready'
        every: 10ms
        within: 60s
        expect: {status: 200}
  - id: after
    title: After
    capability: toy-all
    steps: [{get: /toy/after, expect: {status: 200}}]
  - id: last
    title: Last
    capability: toy-all
    steps: [{get: /toy/last, expect: {status: 200}}]
";

/// The things on the target, by name.
type Things = Arc<Mutex<BTreeSet<String>>>;

/// A target with things, one of which was there before; it holds once on the request named.
fn target(hold_on: &'static str) -> (Target, Things, Moment) {
    let things: Things = Arc::new(Mutex::new(BTreeSet::from(["older".to_owned()])));
    let (moment, hold) = moment();
    let hold = Mutex::new(Some(hold));
    let own = things.clone();
    let target = Target::start(move |seen| {
        let reply = answer(&own, seen);
        if seen.what().starts_with(hold_on)
            && let Some(hold) = hold.lock().unwrap().take()
        {
            hold.here();
        }
        reply
    });
    (target, things, moment)
}

fn answer(things: &Things, seen: &Seen) -> Reply {
    let mut things = things.lock().unwrap();
    match seen.what().split_once(' ').unwrap() {
        ("POST", "/toy/things") => {
            let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
            things.insert(body["name"].as_str().unwrap().to_owned());
            Reply::Full(201, "location: /toy/things/new\r\n", String::new())
        }
        ("GET", "/toy/things") => json(200, &serde_json::json!({"things": *things}).to_string()),
        ("DELETE", "/toy/things/new") => {
            things.retain(|name| name == "older");
            json(204, "")
        }
        ("DELETE", path) => json(if things.remove(path.strip_prefix("/toy/things/").unwrap()) { 204 } else { 404 }, ""),
        ("GET", path) if path.starts_with("/toy/things/") => json(200, r#"{"state": "building"}"#),
        _ => json(200, "{}"),
    }
}

fn only_the_older(things: &Things) {
    assert_eq!(things.lock().unwrap().iter().collect::<Vec<_>>(), ["older"]);
}

#[test]
fn an_interrupt_puts_back_and_reports_what_was_seen() {
    for signal in ["INT", "TERM"] {
        let bench = Bench::new(CASES);
        let (target, things, moment) = target("GET /toy/things/new");
        let run = Running::start(bench.run_command(&target.url(), &[]));
        moment.wait(&run);
        assert_eq!(things.lock().unwrap().len(), 2);
        run.signal(signal);
        moment.pass();
        run.end().expect(1).prints(&["not-run", "interrupted by the operator"]);
        only_the_older(&things);
        let outcomes: Vec<_> = bench.outcomes().into_iter().map(|(id, outcome)| format!("{id} {outcome}")).collect();
        let wanted = ["ironic.s.after not-run", "ironic.s.before pass", "ironic.s.last not-run", "ironic.s.make error"];
        assert_eq!(outcomes, wanted);
        assert_eq!(bench.json("out/run.json")["interrupted"], "interrupted by the operator");
        assert_eq!(target.count("GET /toy/after"), 0);
        bench.verify().expect(0);
        bench.assize(&["cleanup", "out"]).expect(0).prints(&["Nothing is left"]);
        let junit = bench.read("out/junit.xml");
        assert!(junit.contains("skipped") && junit.contains("not-run"), "{junit}");
    }
}

#[test]
fn a_fixture_is_torn_down_after_an_interrupt() {
    let cases = CASES
        .replace("cases:\n  - id: before", "fixtures:\n  - id: before")
        .replace("    capability: toy-all\n    steps: [{get: /toy/before", "    steps: [{get: /toy/before");
    // The making case becomes a fixture; the case that needs it is interrupted.
    let text = cases
        .replace("  - id: make\n    title: Make\n    capability: toy-all\n", "  - id: make\n    title: Make\n")
        .replace("        until: body.state == 'ready'\n        every: 10ms\n        within: 60s\n", "")
        .replace(
            "  - id: after\n    title: After\n    capability: toy-all\n",
            "    outputs: {link: '${link}'}\ncases:\n  - id: after\n    title: After\n    capability: toy-all\n    risk: write\n    needs: {thing: .make}\n",
        )
        .replace(
            "steps: [{get: /toy/after, expect: {status: 200}}]",
            "steps: [{get: '/toy/after?${thing.link}', until: 'false', every: 10ms, within: 60s, expect: {status: 200}}]",
        );
    let bench = Bench::new(&text);
    let (target, things, moment) = target("GET /toy/after");
    let run = Running::start(bench.run_command(&target.url(), &[]));
    moment.wait(&run);
    run.signal("INT");
    moment.pass();
    run.end().expect(1);
    only_the_older(&things);
    bench.verify().expect(0);
}

/// Kills the harness when the target has seen a request, and cleans up.
fn killed(hold_on: &'static str) {
    let bench = Bench::new(CASES);
    let (target, things, moment) = target(hold_on);
    let run = Running::start(bench.run_command(&target.url(), &[]));
    moment.wait(&run);
    assert_eq!(things.lock().unwrap().len(), 2, "the thing is there");
    run.signal("KILL");
    assert_eq!(run.end().code, None);
    moment.pass();
    // Without a manifest it is no bundle, and says so.
    let ran = bench.verify().expect(3);
    assert!(ran.err.contains("bundle.json"), "{}", ran.err);
    bench.assize(&["cleanup", "out"]).expect(0).prints(&["put back ironic.s.make"]);
    only_the_older(&things);
    let requests = target.log().len();
    bench.assize(&["cleanup", "out"]).expect(0).prints(&["Nothing is left to put back."]);
    assert_eq!(target.log().len(), requests, "the second time nothing is sent");
}

#[test]
fn killed_before_the_answer_of_the_create() {
    killed("POST /toy/things");
}

#[test]
fn killed_after_the_answer_of_the_create() {
    killed("GET /toy/things/new");
}

#[test]
fn cleanup_of_a_dead_target_is_told_and_can_be_repeated() {
    let bench = Bench::new(CASES);
    let (target, things, moment) = target("GET /toy/things/new");
    let run = Running::start(bench.run_command(&target.url(), &[]));
    moment.wait(&run);
    run.signal("KILL");
    run.end();
    let base = target.base.clone();
    drop(target);
    let ran = bench.assize(&["cleanup", "out"]);
    assert!(matches!(ran.code, Some(1 | 5)), "{ran:?}");
    assert!(ran.out.contains("left behind") || ran.err.contains("cannot be reached"), "{ran:?}");
    // The target is back, at another port: the folder says where.
    let own = things.clone();
    let back = Target::start(move |seen| answer(&own, seen));
    let moved = bench.read("out/run.json").replace(&base, &back.base);
    bench.write("out/run.json", &moved);
    let journal = bench.read("out/journal.jsonl").replace(&base, &back.base);
    bench.write("out/journal.jsonl", &journal);
    bench.assize(&["cleanup", "out"]).expect(0).prints(&["put back"]);
    only_the_older(&things);
}

#[test]
fn cleanup_needs_the_credentials_again() {
    let bench = Bench::new(CASES);
    bench.write("pw", "canary-password");
    let login = ["-u", "operator", "--password-file", "pw"];
    let things: Things = Arc::new(Mutex::new(BTreeSet::from(["older".to_owned()])));
    let (moment, hold) = moment();
    let (own, hold) = (things.clone(), Mutex::new(Some(hold)));
    let target = Target::start(move |seen| {
        if seen.header("authorization").is_none() {
            return json(401, "{}");
        }
        let reply = answer(&own, seen);
        if seen.what() == "GET /toy/things/new"
            && let Some(hold) = hold.lock().unwrap().take()
        {
            hold.here();
        }
        reply
    });
    let run = Running::start(bench.run_command(&target.url(), &login));
    moment.wait(&run);
    run.signal("KILL");
    run.end();
    moment.pass();
    let ran = bench.assize(&["cleanup", "out"]);
    assert_ne!(ran.code, Some(0), "{ran:?}");
    bench.assize(&[&["cleanup", "out"], login.as_slice()].concat()).expect(0);
    only_the_older(&things);
    for (path, bytes) in bench.files("out") {
        assert!(!String::from_utf8_lossy(&bytes).contains("canary"), "{}", path.display());
    }
}
