//! The engine against a scripted target.

mod aftermath;
mod sketch;
mod streams;

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::sync::Barrier;
use tokio_util::sync::CancellationToken;

use super::stub::{Reply, Seen, Stub, json};
use super::*;
use crate::capability::Outcome;
use crate::http::{Exchange, FailureClass};
use crate::judge::{CaseResult, Env};
use crate::secret::{Secret, Vault};
use crate::suite::{Catalogue, Family, Risk};
use crate::target::{Login, Target, TargetOptions};
use crate::transcript::{Content, Reader, Writer};

const PASSWORD: &str = "canary-pass\"word-1";

const AUTHORITY: &[u8] = include_bytes!("testdata/authority.pem");
const SERVER: &[u8] = include_bytes!("testdata/server.pem");
const SERVER_KEY: &[u8] = include_bytes!("testdata/server.key");

struct Bench {
    tls: fn(&mut TargetOptions<'_>),
    dir: tempfile::TempDir,
    catalogue: Arc<Catalogue>,
    base: String,
    options: RunOptions,
}

struct Ran {
    summary: RunSummary,
    done: Vec<Done>,
    fixtures: Vec<(String, usize)>,
}

impl Ran {
    fn result(&self, case: &str) -> &CaseResult {
        &self.done.iter().find(|done| done.id == format!("x.s.{case}")).unwrap().result
    }

    fn outcomes(&self) -> Vec<(&str, Outcome)> {
        let mut all: Vec<(&str, Outcome)> =
            self.done.iter().map(|done| (done.id.trim_start_matches("x.s."), done.result.outcome)).collect();
        all.sort_by_key(|(id, _)| id.to_owned());
        all
    }
}

fn family() -> Family {
    Family {
        id: "x".into(),
        title: "X".into(),
        path: String::new(),
        probe: None,
        sessions: std::collections::BTreeMap::new(),
        plan: Vec::new(),
        concurrency: 1,
        auth: "basic".into(),
        headers: Vec::new(),
        guideline: "x/1".into(),
    }
}

/// Case `name` with further keys (one a line, indented by four) and steps (items indented by six).
fn case(name: &str, keys: &str, steps: &str) -> String {
    format!("  - id: {name}\n    title: T\n    capability: cap\n{keys}    steps:\n{steps}")
}

impl Bench {
    fn new(base: &str, fixtures: &str, cases: &[String]) -> Bench {
        let text = format!("format: 1\nsuite: x.s\ntitle: T\n{fixtures}cases:\n{}", cases.concat());
        let (catalogue, problems) = Catalogue::load([("s.yaml", text)]);
        assert!(!problems.has_errors(), "{}", problems.render(false));
        let mut options = RunOptions::new("run-1");
        options.allow = Risk::Write;
        Bench {
            tls: |_| {},
            dir: tempfile::tempdir().unwrap(),
            catalogue: Arc::new(catalogue),
            base: base.into(),
            options,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn plan(&self, prefix: &str) -> Plan {
        let family = family();
        let mut options = TargetOptions::new(&family, self.base.as_str());
        let password = Some(Secret::new(PASSWORD));
        options.login = Login { username: Some("root".into()), password, ..Login::default() };
        (self.tls)(&mut options);
        let target = Arc::new(Target::from_options(options).unwrap());
        let vault = Arc::new(Vault::new());
        let env = Env {
            sessions: Arc::default(),
            target: Arc::new(target.view(&vault)),
            run: Arc::new(json!({"id": "run-1", "seed": "s"})),
            seed: "s".into(),
            headers: Vec::new(),
        };
        Plan {
            catalogue: Arc::clone(&self.catalogue),
            target,
            vault,
            env,
            writer: Arc::new(Writer::create(&self.path(&format!("{prefix}transcript")), "run-1").unwrap()),
            journal: Arc::new(Journal::create(&self.path(&format!("{prefix}journal")), "run-1").unwrap()),
        }
    }

    async fn run(&self) -> Ran {
        let plan = self.plan("");
        let catalogue = Arc::clone(&self.catalogue);
        let (mut done, mut fixtures) = (Vec::new(), Vec::new());
        let mut sink = |event| match event {
            RunEvent::CaseDone(one) => done.push(*one),
            RunEvent::FixtureDone { id, leaks, .. } => fixtures.push((id, leaks.len())),
            _ => {}
        };
        let summary = run(plan, catalogue.instances(), self.options.clone(), &mut sink).await.unwrap();
        Ran { summary, done, fixtures }
    }

    fn reader(&self) -> Reader {
        Reader::open(&self.path("transcript")).unwrap()
    }

    fn exchanges(&self, case: &str) -> Vec<Exchange> {
        let events = self.reader().load(&format!("x.s.{case}"), 1).unwrap().unwrap();
        let of = |content: &Content| match content {
            Content::Exchange { exchange, .. } => Some(Exchange::clone(exchange)),
            _ => None,
        };
        events.events.values().filter_map(of).collect()
    }
}

fn get(path: &str) -> String {
    format!("      - get: {path}\n        expect: {{status: 200}}\n")
}

fn ok(_: &Seen) -> Reply {
    json(200, "{}")
}

#[tokio::test]
async fn no_secret_reaches_the_disk() {
    let stub = Stub::start(|seen| match seen.what() {
        "POST /login" => Reply::Full(
            201,
            "content-type: application/json\r\nx-auth-token: canary-token-1\r\nset-cookie: s=canary-cookie-1; Path=/\r\n",
            format!("{{\"echo\": {}, \"key\": \"canary-key-1\"}}", seen.body),
        ),
        _ => json(200, &format!("{{\"got\": \"{}\"}}", seen.header("x-auth-token").unwrap_or("none"))),
    })
    .await;
    let steps = "
      - post: /login
        json: {user: root, password: '${target.logins.main.password}'}
        secret: ['$.key']
        expect: {status: 201, json: {'$.echo.password': '${target.logins.main.password}'}}
        save: {token: '${headers[\"x-auth-token\"]}', key: $.key}
        undo:
          - delete: '/login/${key}'
      - get: /me
        as: {header: {name: x-auth-token, value: '${token}'}}
        expect: {json: {'$.got': '${token}'}}
      - let: {new: \"${secret('new')}\"}
      - get: /basic
        as: {basic: {username: root, password: '${new}'}}
";
    let bench = Bench::new(&stub.base, "", &[case("c", "    risk: write\n", steps)]);
    let ran = bench.run().await;
    assert_eq!(ran.result("c").outcome, Outcome::Pass, "{:?}", ran.result("c"));
    assert_eq!(ran.summary.leaks, 0, "{:?}", ran.result("c").leaks);
    let seen = stub.seen.lock().unwrap().clone();
    let sent: serde_json::Value = serde_json::from_str(&seen[0].body).unwrap();
    assert_eq!(sent["password"], PASSWORD, "the target gets the secret itself, well escaped");
    assert_eq!(seen[0].header("authorization").unwrap(), crate::target::basic_value("root", PASSWORD));
    assert_eq!(seen[1].header("x-auth-token"), Some("canary-token-1"));
    assert_eq!(seen[1].header("authorization"), None);
    assert_eq!(seen.last().unwrap().what(), "DELETE /login/canary-key-1");
    let agent = seen[0].header("user-agent").unwrap();
    assert!(agent.starts_with("assize/") && agent.ends_with("(x.s.c; run run-1)"), "{agent}");
    for file in ["transcript", "journal"] {
        let text = std::fs::read_to_string(bench.path(file)).unwrap();
        let basic = crate::target::basic_value("root", PASSWORD);
        for secret in ["canary", "word-1", basic.trim_start_matches("Basic ")] {
            assert!(!text.contains(secret), "{file} holds `{secret}`: {text}");
        }
        assert!(text.contains("{{secret:"), "{file}");
    }
}

#[tokio::test]
async fn failures_have_classes() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let stub = Stub::start(|seen| match seen.what() {
        "GET /torn" => Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"a\":"),
        "GET /garbage" => Reply::Raw(b"220 mail.example ESMTP\r\n"),
        "GET /reset" => Reply::Raw(b""),
        "GET /slow-head" => Reply::Raw(b"HTTP/1.1 200"),
        "GET /hang" => Reply::Hang,
        _ => json(429, "{}"),
    })
    .await;
    let port = stub.base.rsplit(':').next().unwrap();
    let request = |url: &str, class: &str| {
        // Only the answer that never comes is waited for in vain.
        let timeout = if class == "timeout" { "200ms" } else { "30s" };
        let steps = format!(
            "      - get: {url}\n        as: none\n        timeout: {timeout}\n        expect: {{failure: [{class}]}}\n"
        );
        case(&format!("c{}", url.replace(|c: char| !c.is_ascii_lowercase(), "")), "", &steps)
    };
    let cases = [
        request("/torn", "protocol"),
        request("/garbage", "protocol"),
        request("/reset", "protocol"),
        // An answer between the failures: too many in a row and the run is given up.
        case("busy", "", "      - get: /busy\n        expect: {status: 429}\n"),
        request("/hang", "timeout"),
        request(&format!("http://127.0.0.1:{closed}/closed"), "connect"),
        request(&format!("https://127.0.0.1:{port}/tls"), "tls"),
    ];
    let bench = Bench::new(&stub.base, "", &cases);
    let ran = bench.run().await;
    for done in &ran.done {
        assert_eq!(done.result.outcome, Outcome::Pass, "{}: {:?}", done.id, done.result);
    }
    let torn = bench.exchanges("ctorn")[0].failure.clone().unwrap();
    assert!(torn.detail.starts_with("status 200, then after 5 bytes of the body: "), "{}", torn.detail);
    for case in ["chttpclosed", "chttpstls", "chang"] {
        let failure = bench.exchanges(case)[0].failure.clone().unwrap();
        assert!(!failure.detail.contains("http"), "{failure:?}");
    }
    assert_eq!(bench.exchanges("chang")[0].failure.as_ref().unwrap().class, FailureClass::Timeout);
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let stub = Stub::start(|_| Reply::Endless("content-type: text/plain\r\n")).await;
    let steps = "      - get: /\n        max_body: 64KiB\n        expect: {size: {max: 65536}}\n";
    let bench = Bench::new(&stub.base, "", &[case("c", "", steps)]);
    let ran = bench.run().await;
    assert_eq!(ran.result("c").outcome, Outcome::Pass, "{:?}", ran.result("c"));
    let body = bench.exchanges("c")[0].response.clone().unwrap().body;
    assert!(body.is_truncated());
    assert_eq!(body.bytes().len(), 64 << 10);
}

#[tokio::test]
async fn jobs_run_at_the_same_time_and_never_more() {
    let barrier = Arc::new(Barrier::new(3));
    let stub = Stub::start(move |_| Reply::Together(barrier.clone(), Box::new(json(200, "{}")))).await;
    let cases: Vec<String> = (0..9).map(|n| case(&format!("c{n}"), "", &get("/"))).collect();
    let mut bench = Bench::new(&stub.base, "", &cases);
    bench.options.jobs = 3;
    let ran = bench.run().await;
    assert!(ran.done.iter().all(|done| done.result.outcome == Outcome::Pass));
    assert_eq!(stub.peak.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn cases_with_a_common_lock_do_not_overlap() {
    let inside = Arc::new(Mutex::new((0, 0)));
    let counter = Arc::clone(&inside);
    let stub = Stub::start(move |seen| {
        let mut inside = counter.lock().unwrap();
        match seen.what() {
            "GET /enter" => inside.0 += 1,
            _ => inside.0 -= 1,
        }
        inside.1 = inside.1.max(inside.0);
        json(200, "{}")
    })
    .await;
    let steps = get("/enter") + &get("/leave");
    let cases: Vec<String> = (0..6).map(|n| case(&format!("c{n}"), "    serial: [power, other]\n", &steps)).collect();
    let mut bench = Bench::new(&stub.base, "", &cases);
    bench.options.jobs = 4;
    let ran = bench.run().await;
    assert!(ran.done.iter().all(|done| done.result.outcome == Outcome::Pass));
    assert_eq!(*inside.lock().unwrap(), (0, 1));
}

#[tokio::test]
async fn a_waiting_case_leaves_its_place_to_others() {
    // The first case holds the lock until the third one is there; the second waits for the lock. With two places
    // this can only end if the second does not occupy one.
    let barrier = Arc::new(Barrier::new(2));
    let stub = Stub::start(move |seen| match seen.what() {
        "GET /meet" => Reply::Together(barrier.clone(), Box::new(json(200, "{}"))),
        _ => json(200, "{}"),
    })
    .await;
    let cases = [
        case("a", "    serial: [l]\n", &get("/meet")),
        case("b", "    serial: [l]\n", &get("/")),
        case("c", "", &get("/meet")),
    ];
    let mut bench = Bench::new(&stub.base, "", &cases);
    bench.options.jobs = 2;
    let ran = bench.run().await;
    assert_eq!(ran.outcomes(), [("a", Outcome::Pass), ("b", Outcome::Pass), ("c", Outcome::Pass)]);
}

const FIXTURES: &str = "
fixtures:
  - id: inner
    title: T
    serial: [l]
    steps:
      - get: /inner
    outputs: {a: '${body.a}'}
  - id: thing
    title: T
    risk: write
    serial: [l]
    needs: {inner: .inner}
    steps:
      - post: /things
        save: {link: '${headers.location}'}
        undo:
          - delete: '${link}'
    outputs: {link: '${link}'}
";

#[tokio::test]
async fn fixtures_are_set_up_once_and_torn_down_last() {
    let stub = Stub::start(|seen| match seen.what() {
        "POST /things" => Reply::Full(201, "location: /things/1\r\n", String::new()),
        "GET /inner" => json(200, "{\"a\": 1}"),
        _ => json(200, "{}"),
    })
    .await;
    let cases: Vec<String> = (0..8)
        .map(|n| case(&format!("c{n}"), "    needs: {t: .thing}\n    serial: [l]\n", &get("'${t.link}'")))
        .collect();
    let mut bench = Bench::new(&stub.base, FIXTURES, &cases);
    bench.options.jobs = 4;
    let ran = bench.run().await;
    assert!(ran.done.iter().all(|done| done.result.outcome == Outcome::Pass), "{:?}", ran.outcomes());
    let log = stub.log();
    assert_eq!(log.iter().filter(|what| *what == "POST /things").count(), 1);
    assert_eq!(log.iter().filter(|what| *what == "GET /inner").count(), 1);
    assert_eq!(log.last().unwrap(), "DELETE /things/1");
    assert_eq!(ran.fixtures, [("x.s.thing".to_owned(), 0), ("x.s.inner".to_owned(), 0)], "newest first");
    assert!(bench.reader().load("x.s.thing", 1).unwrap().unwrap().ended);
    assert!(Journal::pending(&bench.path("journal")).unwrap().is_empty());
}

#[tokio::test]
async fn what_the_operator_does_not_allow_is_skipped() {
    let stub = Stub::start(ok).await;
    let cases = [
        case("off", "    risk: disruptive\n", &get("/")),
        case("on", "", &get("/")),
        case("via", "    needs: {t: .thing}\n", &get("/")),
    ];
    let mut bench = Bench::new(&stub.base, FIXTURES, &cases);
    bench.options.allow = Risk::Read;
    let ran = bench.run().await;
    assert_eq!(ran.outcomes(), [("off", Outcome::Skip), ("on", Outcome::Pass), ("via", Outcome::Skip)]);
    assert_eq!(ran.result("off").reason, "risk `disruptive` is not allowed by the operator (--allow disruptive)");
}

#[tokio::test]
async fn an_interrupted_run_puts_back_what_it_did() {
    let cancel = CancellationToken::new();
    let trigger = cancel.clone();
    let stub = Stub::start(move |seen| {
        if seen.what() == "GET /second" {
            trigger.cancel();
        }
        json(200, "{}")
    })
    .await;
    let steps =
        format!("      - post: /thing\n        undo:\n          - delete: /thing\n{}{}", get("/second"), get("/third"));
    let cases = [case("a", "    risk: write\n", &steps), case("b", "", &get("/")), case("c", "", &get("/"))];
    let mut bench = Bench::new(&stub.base, "", &cases);
    bench.options.cancel = cancel;
    let ran = bench.run().await;
    assert_eq!(ran.outcomes(), [("a", Outcome::Error), ("b", Outcome::NotRun), ("c", Outcome::NotRun)]);
    assert!(ran.result("a").reason.contains("interrupted"), "{}", ran.result("a").reason);
    assert!(ran.summary.cancelled && ran.summary.leaks == 0);
    assert_eq!(stub.log(), ["POST /thing", "GET /second", "DELETE /thing"]);
    let events = bench.reader().load("x.s.a", 1).unwrap().unwrap();
    assert!(events.ended);
    let stopped = |content: &Content| matches!(content, Content::Stop { reason } if reason == "cancelled");
    assert!(events.events.values().any(stopped));
}

#[tokio::test]
async fn a_dead_target_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let cases: Vec<String> = (0..8).map(|n| case(&format!("c{n}"), "", &get("/"))).collect();
    let bench = Bench::new(&base, "", &cases);
    let ran = bench.run().await;
    let errors = ran.done.iter().filter(|done| done.result.outcome == Outcome::Error).count();
    assert_eq!((errors, ran.done.len()), (5, 8));
    assert!(ran.summary.unreachable);
    assert_eq!(ran.result("c7").outcome, Outcome::NotRun);
    assert_eq!(ran.result("c7").reason, "the target stopped answering");
}

#[tokio::test]
async fn the_deadline_ends_a_case_in_virtual_time() {
    let stub = Stub::start(|_| json(200, "{\"s\": \"off\"}")).await;
    let poll = "      - get: /\n        until: body.s == 'on'\n        within: 1h\n        every: 30s\n        expect: {json: {'$.s': 'on'}}\n";
    let mut bench = Bench::new(&stub.base, "", &[case("c", "    within: 5m\n", poll)]);
    bench.options.clock = Clock::Virtual { start_ms: 1_700_000_000_000 };
    let ran = bench.run().await;
    assert_eq!(ran.result("c").outcome, Outcome::Error, "{:?}", ran.result("c"));
    assert!(ran.result("c").reason.contains("deadline"), "{}", ran.result("c").reason);
    assert_eq!(stub.log().len(), 10, "one each 30 s until 5 min are over");
    let first = &bench.exchanges("c")[0];
    assert!((1_700_000_000_000..1_700_000_060_000).contains(&first.at_ms));
}

#[tokio::test]
async fn a_retry_that_passes_is_flaky() {
    let stub = Stub::start({
        let tries = Mutex::new(0);
        move |_| {
            let mut tries = tries.lock().unwrap();
            *tries += 1;
            json(if *tries < 3 { 500 } else { 200 }, "{}")
        }
    })
    .await;
    let mut bench = Bench::new(&stub.base, "", &[case("c", "", &get("/"))]);
    bench.options.retries = 5;
    let ran = bench.run().await;
    let done = &ran.done[0];
    assert!(done.flaky && done.result.outcome == Outcome::Pass && done.earlier.len() == 2);
    assert_eq!(bench.reader().attempts("x.s.c"), [1, 2, 3]);
}

#[tokio::test]
async fn credentials_do_not_leave_the_target() {
    let stub = Stub::start(ok).await;
    let elsewhere = stub.base.replace("127.0.0.1", "localhost");
    let steps = |identity: &str| {
        format!("      - get: {elsewhere}/\n        as: {identity}\n        expect: {{status: 200}}\n")
    };
    let smuggle = format!(
        "      - get: '{elsewhere}/${{target.logins.main.password}}'\n        as: none\n        expect: {{status: 200}}\n"
    );
    let unknown = "      - get: /\n        as: admin\n        expect: {status: 200}\n";
    let cases = [case("main", "", &steps("main")), case("token", "", &smuggle), case("unknown", "", unknown)];
    let bench = Bench::new(&stub.base, "", &cases);
    let ran = bench.run().await;
    assert!(stub.log().is_empty());
    for case in ["main", "token"] {
        assert!(ran.result(case).reason.contains("not part of the target"), "{}", ran.result(case).reason);
    }
    assert!(ran.result("unknown").reason.contains("no such identity"));
}

#[tokio::test]
async fn parallel_requests_are_sent_together() {
    let barrier = Arc::new(Barrier::new(3));
    let stub = Stub::start(move |_| Reply::Together(barrier.clone(), Box::new(json(200, "{}")))).await;
    let steps = "
      - parallel:
          - get: /1
          - get: /2
          - get: /3
        expect: {that: 'responses.all(r, r.status == 200)'}
";
    let bench = Bench::new(&stub.base, "", &[case("c", "", steps)]);
    assert_eq!(bench.run().await.result("c").outcome, Outcome::Pass);
}

const CREATE: &str = "
      - let: {name: \"${unique('u')}\"}
      - post: /things
        json: {name: '${name}', password: '${target.logins.main.password}'}
        expect: {status: 201}
        save: {link: '${headers.location}'}
        undo:
          - delete: '${link}'
        lost:
          - get: /things
            save: {found: '${body}'}
          - for: {thing: '${found}'}
            steps:
              - delete: '/things/${thing.id}'
                when: thing.name == name
";
