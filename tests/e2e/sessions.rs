//! Families that log in once: the token goes with every request, services come from the log-in, sessions are renewed.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::stub::{Bench, Reply, Running, Seen, Target, json, moment};

const FAMILY: &str = "format: 1
family: ironic
title: A toy that logs in
path: /toy
concurrency: 1
auth: none
guideline: ironic/1
sessions: {main: ironic.login.main, alt: ironic.login.alt}
";

const LOGIN: &str = "format: 1
suite: ironic.login
title: Log-in
groups:
  login:
    params: [who]
    steps:
      - post: /toy/login
        as: none
        effect: none
        json: {name: '${who.username}', password: '${who.password}', realm: \"${get(who, '/realm', '')}\"}
        expect: {status: 201, header: {x-auth-token: present}}
        save: {token: \"${headers['x-auth-token']}\", answer: '${body}'}
fixtures:
  - id: main
    title: The main identity
    steps: [{use: login, with: {who: '${target.logins.main}'}}]
    outputs: &outputs
      header: {name: X-Auth-Token, value: '${token}'}
      services: '${answer.services}'
      user: '${answer.user}'
      expires_at_ms: '${answer.expires}'
  - id: alt
    title: The second identity
    requires: [{that: \"'alt' in target.identities\", otherwise: skip, reason: no second identity}]
    steps: [{use: login, with: {who: '${target.logins.alt}'}}]
    outputs: *outputs
";

const CASES: &str = "service: store
headers: {x-version: store 1}
cases:
  - id: own
    title: The token goes with a request to a service
    capability: toy-all
    steps:
      - get: /things
        expect: {status: 200, json: {'$.who': '${session.user}'}}
      - get: /other
        service: base
        expect: {status: 200}
      - get: /things
        as: none
        expect: {status: 401}
  - id: second
    title: A second identity
    capability: toy-all
    steps: [{get: /things, as: alt, expect: {status: 200, json: {'$.who': bob}}}]
  - id: absent
    title: A service that is not there
    capability: toy-all
    steps: [{get: /x, service: none-such, expect: {status: 200}}]
  - id: make
    title: Make
    capability: toy-all
    risk: write
    steps:
      - post: /things
        json: {}
        expect: {status: 201}
        undo: [{delete: /things/1, expect: {status: 204}}]
      - get: /hold
        expect: {status: 200}
";

const TARGET: &str = "family: ironic
url: BASE/toy
username: alice
password_env: CANARY
fields: {realm: wonderland}
identities:
  alt: {username: bob, password_env: CANARY}
";

fn bench(target: &Target) -> Bench {
    let bench = Bench::new(CASES);
    bench.write("suites/ironic/family.yaml", FAMILY);
    bench.write("suites/ironic/login.yaml", LOGIN);
    bench.write("target.yaml", &TARGET.replace("BASE", &target.base));
    bench
}

/// A target whose log-in at `/toy/login` names the service `store`; sessions end `lives_ms` after they began.
fn target(lives_ms: i64, hold: Option<crate::stub::Hold>) -> Target {
    let logins = AtomicU32::new(0);
    let hold = Mutex::new(hold);
    Target::start(move |seen| {
        let base = format!("http://{}", seen.header("host").unwrap_or_default());
        let reply = answer(seen, &base, lives_ms, &logins);
        if seen.what() == "GET /store/hold"
            && let Some(hold) = hold.lock().unwrap().take()
        {
            hold.here();
        }
        reply
    })
}

fn answer(seen: &Seen, base: &str, lives_ms: i64, logins: &AtomicU32) -> Reply {
    if seen.what() == "POST /toy/login" {
        let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
        if body["password"] != "canary-password" || (body["name"] == "alice" && body["realm"] != "wonderland") {
            return json(401, "{}");
        }
        let number = logins.fetch_add(1, Ordering::SeqCst) + 1;
        let name = body["name"].as_str().unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
        let expires = i64::try_from(now).unwrap() + lives_ms;
        let answer = serde_json::json!({"user": name, "expires": expires, "services": {
            "store": format!("{base}/store/"), "base": format!("{base}/base"), "none-such": null,
        }});
        let token = format!("x-auth-token: canary-token-{name}-{number}\r\n");
        return Reply::Full(201, Box::leak(token.into_boxed_str()), answer.to_string());
    }
    if seen.what() == "GET /toy" {
        return json(200, "{}");
    }
    let Some(token) = seen.header("x-auth-token") else { return json(401, "{}") };
    let who = token.split('-').nth(2).unwrap_or_default();
    match seen.what() {
        "GET /store/things" => json(200, &serde_json::json!({"who": who}).to_string()),
        "POST /store/things" => json(201, "{}"),
        "DELETE /store/things/1" => json(204, ""),
        "GET /store/hold" | "GET /base/other" => json(200, "{}"),
        _ => json(404, "{}"),
    }
}

fn no_canary(bench: &Bench) {
    for (path, bytes) in bench.files("out") {
        assert!(!String::from_utf8_lossy(&bytes).contains("canary"), "{}", path.display());
    }
}

fn run(bench: &Bench, password: &str) -> crate::stub::Ran {
    let mut command = bench.run_command("target.yaml", &[]);
    command.env("CANARY", password);
    Running::start(command).end()
}

#[test]
fn the_session_is_used_for_services_and_identities() {
    let target = target(3_600_000, None);
    let bench = bench(&target);
    run(&bench, "canary-password").expect(1);
    let outcomes: Vec<_> = bench.outcomes().into_iter().map(|(id, outcome)| format!("{id} {outcome}")).collect();
    let wanted = ["ironic.s.absent gap", "ironic.s.make pass", "ironic.s.own pass", "ironic.s.second pass"];
    assert_eq!(outcomes, wanted);
    let gap = bench.case("ironic.s.absent");
    assert_eq!(gap["result"]["reason"], "the target offers no service `none-such`");
    assert_eq!(gap["result"]["proof"]["fixture"], "ironic.login.main");
    assert_eq!(target.count("POST /toy/login"), 2, "once for each identity");
    for seen in target.seen() {
        let own = seen.what().contains(" /store/");
        assert_eq!(seen.header("x-version").is_some(), own, "{}", seen.what());
    }
    bench.verify().expect(0);
    no_canary(&bench);
}

#[test]
fn a_refused_log_in_runs_nothing() {
    let target = target(3_600_000, None);
    let bench = bench(&target);
    let ran = run(&bench, "canary-wrong").expect(5).says(&["the log-in failed", "expected 201, got 401"]);
    assert!(!ran.err.contains("canary"), "{}", ran.err);
    assert!(bench.outcomes().values().all(|outcome| outcome == "not-run"));
    assert_eq!(target.log().iter().filter(|line| line.contains("/store")).count(), 0);
    bench.verify().expect(0);
    no_canary(&bench);
}

#[test]
fn without_a_second_identity_its_cases_are_skipped() {
    let target = target(3_600_000, None);
    let bench = bench(&target);
    let alone = TARGET.replace("BASE", &target.base);
    bench.write("target.yaml", alone.split("identities:").next().unwrap());
    run(&bench, "canary-password");
    assert_eq!(bench.case("ironic.s.second")["result"]["outcome"], "skip");
    bench.verify().expect(0);
}

#[test]
fn a_session_that_ends_is_opened_again() {
    // Already over when it begins: each case logs in.
    let target = target(0, None);
    let bench = bench(&target);
    run(&bench, "canary-password").expect(1);
    assert!(target.count("POST /toy/login") > 2, "{:?}", target.log());
    assert_eq!(bench.case("ironic.s.own")["result"]["outcome"], "pass");
    assert!(bench.read("out/transcript.jsonl").contains("\"session\""));
    bench.verify().expect(0);
    no_canary(&bench);
}

#[test]
fn a_clean_up_logs_in_again() {
    let (moment, hold) = moment();
    let target = target(3_600_000, Some(hold));
    let bench = bench(&target);
    let mut command = bench.run_command("target.yaml", &["--case", "make"]);
    command.env("CANARY", "canary-password");
    let running = Running::start(command);
    moment.wait(&running);
    running.signal("KILL");
    running.end();
    moment.pass();
    let journal = bench.read("out/journal.jsonl");
    assert!(!journal.contains("x-auth-token"), "a session does not outlive its run: {journal}");
    let mut command = bench.command(&["cleanup", "out", "-u", "alice"]);
    command.env("ASSIZE_PASSWORD", "canary-password");
    let ran = Running::start(command).end();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(target.count("DELETE /store/things/1"), 1);
    no_canary(&bench);
}
