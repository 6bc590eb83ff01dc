//! A run against a live target, and the same run against its recording, give the same outcomes.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::*;
use crate::capability::Outcome;
use crate::engine::stub::{Reply, Stub, json as reply};
use crate::engine::{Clock, Journal, Plan, RunEvent, RunOptions, run};
use crate::judge::Env;
use crate::secret::{Secret, Vault};
use crate::suite::{Catalogue, Family, Risk};
use crate::target::{Login, Target, TargetOptions};
use crate::transcript::Writer;

const SUITE: &str = "
format: 1
suite: x.s
title: T
fixtures:
  - id: f
    title: T
    steps:
      - get: /root
        save: {next: $.next}
    outputs: {next: '${next}'}
cases:
  - id: session
    title: T
    capability: cap
    risk: write
    needs: {f: .f}
    steps:
      - post: /login
        json: {user: root, password: '${target.logins.main.password}', name: \"${unique('u')}\"}
        expect: {status: 201}
        save: {token: '${headers[\"x-auth-token\"]}', link: '${headers.location}'}
        undo:
          - delete: '${link}'
      - get: '${link}'
        as: {header: {name: x-auth-token, value: '${token}'}}
        expect: {status: 200, json: {'$.state': busy}}
      - get: '${f.next}'
        until: body.state == 'ready'
        every: 30s
        within: 1h
        expect: {json: {'$.state': ready}}
  - id: rows
    title: T
    capability: cap
    each: [{name: a, place: /a}, {name: b, place: /missing}]
    steps:
      - get: '${place}'
        expect: {status: 200}
  - id: streams
    title: T
    capability: cap
    risk: write
    steps:
      - open: w
        get: /watch
        frames: json-lines
      - receive: w
        expect: {that: 'frame.n == 1'}
      - receive: w
        none_within: 20ms
      - put: /change
        json: {}
      - receive: w
        until: ended
        expect: {that: 'frames.map(f, f.n) == [1, 2]'}
      - open: s
        get: /shell
        frames: websocket
        protocols: v4.channel.k8s.io
        expect: {status: 101}
      - {send: s, channel: 0, text: hello}
      - receive: s
        until: ended
        expect: {that: 'frames.map(f, f.text) == [\"hello\"] && frames[0].channel == 1 && end.code == 1000'}
  - id: torn
    title: T
    capability: cap
    steps:
      - get: /torn
        expect: {failure: [protocol]}
";

async fn outcomes(base: &str, dir: &std::path::Path, name: &str) -> Vec<(String, Outcome, String)> {
    let (catalogue, problems) = Catalogue::load([("s.yaml", SUITE)]);
    assert!(!problems.has_errors(), "{}", problems.render(false));
    let catalogue = Arc::new(catalogue);
    let family = Family {
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
    };
    let mut options = TargetOptions::new(&family, base);
    options.login = Login { username: Some("root".into()), password: Some(Secret::new(name)), ..Login::default() };
    let target = Arc::new(Target::from_options(options).unwrap());
    let vault = Arc::new(Vault::new());
    let env = Env {
        sessions: Arc::default(),
        target: Arc::new(target.view(&vault)),
        run: Arc::new(json!({"id": name, "seed": "s"})),
        seed: "s".into(),
        headers: Vec::new(),
    };
    let plan = Plan {
        catalogue: Arc::clone(&catalogue),
        target,
        vault,
        env,
        writer: Arc::new(Writer::create(&dir.join(name), name).unwrap()),
        journal: Arc::new(Journal::create(&dir.join(format!("{name}-journal")), name).unwrap()),
    };
    let mut options = RunOptions::new(name);
    options.allow = Risk::Write;
    options.jobs = 2;
    options.clock = Clock::Virtual { start_ms: 0 };
    let mut seen = Vec::new();
    run(plan, catalogue.instances(), options, &mut |event| {
        if let RunEvent::CaseDone(done) = event {
            assert!(done.result.leaks.is_empty(), "{:?}", done.result.leaks);
            seen.push((done.id, done.result.outcome, done.result.reason));
        }
    })
    .await
    .unwrap();
    seen.sort_by(|a, b| a.0.cmp(&b.0));
    seen
}

#[tokio::test]
async fn a_recording_gives_the_outcomes_of_the_live_run() {
    let polls = AtomicU32::new(0);
    let feed = std::sync::Mutex::new(None);
    let stub = Stub::start(move |seen| match seen.what() {
        "GET /watch" => {
            let (sender, pieces) = tokio::sync::mpsc::unbounded_channel();
            sender.send(Some("{\"n\":1}\n".to_owned())).unwrap();
            *feed.lock().unwrap() = Some(sender);
            Reply::Feed("", pieces)
        }
        "PUT /change" => {
            feed.lock().unwrap().take().unwrap().send(Some("{\"n\":2}\n".to_owned())).unwrap();
            reply(200, "{}")
        }
        "GET /shell" => Reply::Socket(
            Some("v4.channel.k8s.io"),
            Box::new(|mut socket| {
                Box::pin(async move {
                    let Some(Ok(Message::Binary(said))) = socket.next().await else { return };
                    let echo = [b"\x01", &said[1..]].concat();
                    socket.send(Message::Binary(echo.into())).await.unwrap();
                    let farewell = CloseFrame { code: 1000.into(), reason: "".into() };
                    socket.close(Some(farewell)).await.unwrap();
                    while socket.next().await.is_some_and(|message| message.is_ok()) {}
                })
            }),
        ),
        "GET /root" => reply(200, &format!("{{\"next\": \"http://{}/poll\"}}", seen.header("host").unwrap())),
        "POST /login" => {
            Reply::Full(201, "x-auth-token: 0123456789-token\r\nlocation: /login/7\r\n", seen.body.clone())
        }
        "GET /login/7" if seen.header("x-auth-token") == Some("0123456789-token") => reply(200, "{\"state\":\"busy\"}"),
        "GET /poll" if polls.fetch_add(1, Ordering::SeqCst) < 3 => reply(200, "{\"state\":\"busy\"}"),
        "GET /poll" => reply(200, "{\"state\":\"ready\"}"),
        "DELETE /login/7" | "GET /a" => reply(200, "{}"),
        "GET /torn" => Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"),
        _ => reply(404, "{}"),
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let live = outcomes(&stub.base, dir.path(), "live-password").await;
    let found: Vec<Outcome> = live.iter().map(|(_, outcome, _)| *outcome).collect();
    assert_eq!(found, [Outcome::Pass, Outcome::Fail, Outcome::Pass, Outcome::Pass, Outcome::Pass], "{live:?}");

    let reader = Arc::new(Reader::open(&dir.path().join("live-password")).unwrap());
    let server = Server::start(Arc::clone(&reader), &stub.base).await.unwrap();
    let replayed = outcomes(server.base(), dir.path(), "demo-password").await;
    assert_eq!(replayed, live);
    // Once more: the recording has been used up, a new server has it again.
    let server = Server::start(reader, &stub.base).await.unwrap();
    assert_eq!(outcomes(server.base(), dir.path(), "third-password").await, live);
}

#[tokio::test]
async fn what_was_not_recorded_says_so() {
    let dir = tempfile::tempdir().unwrap();
    Writer::create(&dir.path().join("empty"), "r").unwrap();
    let reader = Arc::new(Reader::open(&dir.path().join("empty")).unwrap());
    let server = Server::start(reader, "https://bmc.example/prefix/").await.unwrap();
    assert!(server.base().ends_with("/prefix"), "{}", server.base());
    let seen = outcomes(server.base(), dir.path(), "a-password").await;
    for (_, outcome, reason) in seen {
        assert!(outcome != Outcome::Pass, "{reason}");
    }
    assert!(matches!(
        Server::start(Arc::new(Reader::open(&dir.path().join("empty")).unwrap()), "no url").await,
        Err(DemoError::Base(_))
    ));
}
