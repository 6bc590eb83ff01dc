//! Fixtures that each case has to itself: set up for it, undone with it, whatever happens.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::stub::{Bench, Hold, Reply, Running, Target, json, moment};

const CASES: &str = "fixtures:
  - id: ready
    title: The service is ready
    steps: [{get: /toy/ready}]
    outputs: {prefix: place}
  - id: place
    title: A place
    per: case
    risk: write
    needs: {ready: .ready}
    steps:
      - let: {name: \"${unique(ready.prefix)}\"}
      - post: /toy/places
        json: {name: '${name}'}
        expect: {status: 201}
        undo: [{delete: '/toy/places/${name}', expect: {status: 204}}]
    outputs: {path: '/toy/places/${name}'}
  - id: corner
    title: A corner of the place
    per: case
    risk: write
    needs: {place: .place}
    steps:
      - put: '${place.path}/corner'
        json: {}
        expect: {status: 201}
        undo: [{delete: '${place.path}/corner', expect: {status: 204}}]
    outputs: {path: '${place.path}/corner'}
cases:
  - id: rows
    title: A place for each row
    capability: toy-all
    risk: write
    needs: {place: .place}
    each: [{name: one}, {name: two}]
    steps:
      - get: '${place.path}'
        expect: {status: 200, json: {'$.things': []}}
      - post: '${place.path}/things'
        json: {}
        expect: {status: 201}
  - id: both
    title: A corner stands in the place of the same case
    capability: toy-all
    risk: write
    needs: {corner: .corner, place: .place}
    steps:
      - get: '${corner.path}'
        expect: {status: 200, that: \"corner.path == place.path + '/corner'\"}
  - id: flaky
    title: Passes at the second attempt, in a place of its own
    capability: toy-all
    risk: write
    needs: {place: .place}
    steps: [{get: '${place.path}/flaky', expect: {status: 200}}]
  - id: hold
    title: Held up
    capability: toy-all
    risk: write
    needs: {place: .place}
    steps: [{get: /toy/hold, expect: {status: 200}}]
";

type Places = Arc<Mutex<BTreeSet<String>>>;

/// A target with places. `sticky` says that a place cannot be deleted.
fn target(hold: Option<Hold>, sticky: bool) -> (Target, Places) {
    let places: Places = Arc::default();
    let (own, hold, asked) = (Arc::clone(&places), Mutex::new(hold), Mutex::new(0));
    let target = Target::start(move |seen| {
        let what = seen.what();
        let (method, path) = what.split_once(' ').unwrap();
        let mut places = own.lock().unwrap();
        let parts: Vec<&str> = path.trim_start_matches("/toy/").split('/').collect();
        let known = |places: &BTreeSet<String>| parts.get(1).is_some_and(|name| places.contains(*name));
        let reply: Reply = match (method, parts.as_slice()) {
            ("POST", ["places"]) => {
                let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
                places.insert(body["name"].as_str().unwrap().to_owned());
                json(201, "{}")
            }
            ("DELETE", ["places", _]) if sticky => json(409, "{}"),
            ("DELETE", ["places", name]) => json(if places.remove(*name) { 204 } else { 404 }, ""),
            (_, ["places", ..]) if !known(&places) => json(404, "{}"),
            ("GET", ["places", _]) => json(200, "{\"things\": []}"),
            ("GET", ["places", _, "flaky"]) => {
                let mut asked = asked.lock().unwrap();
                *asked += 1;
                json(if *asked == 1 { 500 } else { 200 }, "{}")
            }
            ("DELETE", ["places", _, "corner"]) => json(204, ""),
            ("GET", ["places", _, "corner"]) => json(200, "{}"),
            ("POST" | "PUT", ["places", ..]) => json(201, "{}"),
            _ => json(200, "{}"),
        };
        drop(places);
        if what == "GET /toy/hold"
            && let Some(hold) = hold.lock().unwrap().take()
        {
            hold.here();
        }
        reply
    });
    (target, places)
}

#[test]
fn each_case_has_a_place_to_itself() {
    let (target, places) = target(None, false);
    let bench = Bench::new(CASES);
    Running::start(bench.run_command(&target.url(), &["--retries", "1", "-j", "4"])).end();
    let outcomes = bench.outcomes();
    assert_eq!(outcomes.len(), 5, "{outcomes:?}");
    assert!(outcomes.values().all(|outcome| outcome == "pass"), "{outcomes:?}");
    assert_eq!(target.count("POST /toy/places"), 6, "one for each case and row, two for the case that was tried twice");
    assert_eq!(target.count("GET /toy/ready"), 1, "what is shared is set up once");
    assert!(places.lock().unwrap().is_empty(), "{places:?}");
    let report: serde_json::Value = serde_json::from_str(&bench.read("out/report.json")).unwrap();
    let fixtures: Vec<&str> =
        report["fixtures"].as_array().unwrap().iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(fixtures, ["ironic.s.ready"], "what stands for one case belongs to that case");
    bench.verify().expect(0);
}

#[test]
fn what_cannot_be_undone_is_a_leak_of_the_case() {
    let (target, places) = target(None, true);
    let bench = Bench::new(CASES);
    Running::start(bench.run_command(&target.url(), &["--case", "rows"])).end();
    assert_eq!(places.lock().unwrap().len(), 2);
    for row in ["one", "two"] {
        let result = &bench.case(&format!("ironic.s.rows[{row}]"))["result"];
        assert_eq!(result["outcome"], "pass");
        assert_eq!(result["leaks"].as_array().unwrap().len(), 1, "{result}");
    }
    bench.verify().expect(0);
}

#[test]
fn a_killed_run_leaves_a_promise() {
    let (moment, hold) = moment();
    let (target, places) = target(Some(hold), false);
    let bench = Bench::new(CASES);
    let running = Running::start(bench.run_command(&target.url(), &["--case", "hold"]));
    moment.wait(&running);
    running.signal("KILL");
    running.end();
    moment.pass();
    assert_eq!(places.lock().unwrap().len(), 1);
    let ran = Running::start(bench.command(&["cleanup", "out"])).end();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(places.lock().unwrap().is_empty());
}
