//! Streams from the command line: run, verify, falsify, replay, interrupt, kill.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use assize::report::bundle;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::stub::{self, Bench, Moment, Reply, Running, Seen, Target, moment};

const CASES: &str = "cases:
  - id: shell
    title: Shell
    capability: toy-all
    risk: write
    steps:
      - open: s
        get: /toy/shell
        frames: websocket
        protocols: [v5.channel.k8s.io, v4.channel.k8s.io]
        expect: {status: 101, header: {sec-websocket-protocol: v4.channel.k8s.io}}
      - {send: s, channel: 0, text: hello}
      - receive: s
        until: ended
        expect: {that: ['frames.size() == 1', 'frames[0].channel == 1', 'frames[0].text == \"hello\"', 'end.code == 1000']}
  - id: refused
    title: Refused
    capability: toy-all
    steps:
      - open: s
        get: /toy/refused
        frames: websocket
        expect: {status: 403, json: {$.reason: Forbidden}}
  - id: watch
    title: Watch
    capability: toy-all
    risk: write
    steps:
      - open: w
        get: /toy/watch
        frames: json-lines
      - receive: w
        none_within: 20ms
      - put: /toy/thing
        json: {n: 1}
        undo: [{delete: /toy/thing}]
      - receive: w
        until: frame.n == 2
        expect: {rule: 'R: every change once', that: 'frames.map(f, f.n) == [1, 2]'}
      - close: w
";

type Feed = Arc<Mutex<Option<UnboundedSender<Option<String>>>>>;

fn answer(feed: &Feed, seen: &Seen) -> Reply {
    let mut feed = feed.lock().unwrap();
    match seen.what() {
        "GET /toy/watch" => {
            let (sender, pieces) = unbounded_channel();
            *feed = Some(sender);
            Reply::Feed("content-type: application/json\r\n", pieces)
        }
        "PUT /toy/thing" => {
            for line in ["{\"n\":1,\"s\":\"canary-password\"}\n", "{\"n\":2}\n"] {
                feed.as_ref().unwrap().send(Some(line.to_owned())).unwrap();
            }
            stub::json(200, "{}")
        }
        "GET /toy/refused" => stub::json(403, r#"{"reason": "Forbidden"}"#),
        "GET /toy/shell" => Reply::Socket(
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
        _ => stub::json(200, "{}"),
    }
}

fn recorded() -> (Bench, Target) {
    let bench = Bench::new(CASES);
    bench.write("pw", "canary-password");
    let feed = Feed::default();
    let target = Target::start(move |seen| answer(&feed, seen));
    bench.run(&target.url(), &["-u", "operator", "--password-file", "pw"]).expect(0);
    (bench, target)
}

#[test]
fn streams_are_recorded_verified_and_replayed() {
    let (bench, target) = recorded();
    assert_eq!(target.count("DELETE /toy/thing"), 1);
    bench.verify().expect(0);
    for (path, bytes) in bench.files("out") {
        assert!(!String::from_utf8_lossy(&bytes).contains("canary"), "{}", path.display());
    }
    drop(target);
    // The recording alone serves the same streams.
    let replay = ["run", "demo:out", "--output-dir", "again", "--suites", "."];
    bench.assize(&replay).expect(0);
    bench.assize(&["verify", "again"]).expect(0);
}

#[test]
fn falsified_frames_are_noticed() {
    let (bench, _target) = recorded();
    let ran = bench.assize(&["audit", "out", "--json"]).expect(0);
    let audit: Value = serde_json::from_str(&ran.out).unwrap();
    let cases = audit.as_array().unwrap();
    assert_eq!(cases.len(), 3);
    assert!(cases.iter().all(|case| case["noticed"].as_u64() > Some(0)), "{audit}");
    let watch = cases.iter().find(|case| case["case"] == "ironic.s.watch").unwrap();
    assert!(watch["example"]["request"].as_str().unwrap().starts_with("frame "), "{watch}");
    // Each of its two frames in several ways, the silence in one.
    assert!(watch["noticed"].as_u64() > Some(8), "{watch}");
}

/// Changes the transcript of a copy, makes the manifest fit again, and verifies it.
fn tampered(bench: &Bench, change: impl FnOnce(&mut Vec<Value>)) -> String {
    let copy = tempfile::tempdir().unwrap();
    let from = bench.path("out");
    for (path, bytes) in bench.files("out") {
        let to = copy.path().join(path.strip_prefix(&from).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, bytes).unwrap();
    }
    let path = copy.path().join("transcript.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    change(&mut lines);
    fs::write(&path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    reseal(copy.path());
    let ran = bench.assize(&["verify", copy.path().to_str().unwrap()]).expect(6);
    ran.out + &ran.err
}

fn reseal(folder: &Path) {
    fs::remove_file(folder.join("bundle.json")).unwrap();
    bundle::seal(folder).unwrap();
}

/// The stream lines of a case.
fn streams<'l>(lines: &'l mut [Value], case: &str) -> Vec<&'l mut Value> {
    let own = |line: &&mut Value| line["stream"]["case"] == format!("ironic.s.{case}");
    lines.iter_mut().filter(own).map(|line| &mut line["stream"]).collect()
}

#[test]
fn a_frame_that_was_changed_is_found_even_in_a_resealed_bundle() {
    let (bench, _target) = recorded();
    let said = tampered(&bench, |lines| {
        let mut watch = streams(lines, "watch");
        watch[1]["event"]["received"]["body"]["text"] = json!("{\"n\":7}");
    });
    assert!(said.contains("ironic.s.watch: the report says pass, the evidence says fail"), "{said}");
    let said = tampered(&bench, |lines| {
        let mut watch = streams(lines, "watch");
        watch[0]["event"]["silence"]["to_ms"] = watch[0]["event"]["silence"]["from_ms"].clone();
    });
    assert!(said.contains("ironic.s.watch: the report says pass, the evidence says error"), "{said}");
    let said = tampered(&bench, |lines| {
        let at =
            lines.iter().position(|line| line["stream"]["event"]["received"]["body"]["text"] == "{\"n\":2}").unwrap();
        lines.remove(at);
    });
    assert!(said.contains("what happened on the stream was not recorded"), "{said}");
    let said = tampered(&bench, |lines| {
        let mut shell = streams(lines, "shell");
        shell[0]["event"]["sent"]["body"]["text"] = json!("hallo");
    });
    assert!(said.contains("another frame was sent than the suite sends"), "{said}");
    let said = tampered(&bench, |lines| {
        streams(lines, "shell")[1]["of"] = json!(9);
    });
    assert!(said.contains("it belongs to another stream"), "{said}");
}

#[test]
fn a_finding_shows_the_frames() {
    let bench = Bench::new(&CASES.replace("== [1, 2]", "== [1, 3]"));
    let feed = Feed::default();
    let target = Target::start(move |seen| answer(&feed, seen));
    bench.run(&target.url(), &[]).expect(1);
    let page = bench.read("out/report.html");
    for text in ["R: every change once", "← {", "nothing came for", "GET http"] {
        assert!(page.contains(text), "the page lacks `{text}`");
    }
    bench.verify().expect(0);
}

const WAITS: &str = "cases:
  - id: waits
    title: Waits
    capability: toy-all
    risk: write
    steps:
      - put: /toy/thing
        json: {n: 1}
        undo: [{delete: /toy/thing}]
      - open: w
        get: /toy/watch
        frames: lines
      - receive: w
        until: 'false'
        within: 1h
      - check: {that: 'true == true'}
";

/// A target whose stream says one word; the moment is when the stream was asked for.
fn waiting() -> (Target, Moment) {
    let (moment, hold) = moment();
    let hold = Mutex::new(Some(hold));
    let target = Target::start(move |seen| match seen.what() {
        "GET /toy/watch" => {
            let (sender, pieces) = unbounded_channel();
            sender.send(Some("word\n".to_owned())).unwrap();
            std::mem::forget(sender);
            if let Some(hold) = hold.lock().unwrap().take() {
                hold.here();
            }
            Reply::Feed("", pieces)
        }
        _ => stub::json(200, "{}"),
    });
    (target, moment)
}

/// Waits until the transcript holds the word.
fn heard(bench: &Bench) {
    while !fs::read_to_string(bench.path("out/transcript.jsonl")).unwrap_or_default().contains("word") {
        std::thread::yield_now();
    }
}

/// A run that waits on the stream, whose first word is in the transcript.
fn started(bench: &Bench, target: &Target, moment: &Moment) -> Running {
    let run = Running::start(bench.run_command(&target.url(), &[]));
    moment.wait(&run);
    moment.pass();
    heard(bench);
    run
}

#[test]
fn an_interrupt_ends_a_wait_and_puts_back() {
    let bench = Bench::new(WAITS);
    let (target, moment) = waiting();
    let run = started(&bench, &target, &moment);
    run.signal("INT");
    run.end().expect(1).prints(&["the run was interrupted"]);
    assert_eq!(bench.json("out/run.json")["interrupted"], "interrupted by the operator");
    assert_eq!(target.count("DELETE /toy/thing"), 1);
    assert_eq!(bench.outcomes()["ironic.s.waits"], "error");
    bench.verify().expect(0);
}

#[test]
fn a_run_that_was_killed_on_a_stream_is_cleaned_up() {
    let bench = Bench::new(WAITS);
    let (target, moment) = waiting();
    let run = started(&bench, &target, &moment);
    run.signal("KILL");
    assert_eq!(run.end().code, None);
    assert_eq!(target.count("DELETE /toy/thing"), 0);
    bench.assize(&["cleanup", "out"]).expect(0).prints(&["put back ironic.s.waits"]);
    assert_eq!(target.count("DELETE /toy/thing"), 1);
}
