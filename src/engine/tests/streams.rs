//! Streams against a scripted target: what arrives, in which order, how it ends, and that the recording says the same.

use std::collections::BTreeMap;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::*;
use crate::http::{EndReason, StreamEvent};
use crate::judge::replay::{Recorded, Replay, now};
use crate::judge::{Instance, run_case};

const CHUNKED: &str = "content-type: application/json\r\n";

impl Bench {
    fn events(&self, case: &str) -> Vec<StreamEvent> {
        let events = self.reader().load(&format!("x.s.{case}"), 1).unwrap().unwrap();
        let of = |content: &Content| match content {
            Content::Stream { event, .. } => Some((***event).clone()),
            _ => None,
        };
        events.events.values().filter_map(of).collect()
    }

    /// Judges the recording again.
    fn again(&self, case: &str) -> CaseResult {
        let id = format!("x.s.{case}");
        let recorded: BTreeMap<u32, Recorded> = self
            .reader()
            .load(&id, 1)
            .unwrap()
            .unwrap()
            .events
            .into_iter()
            .map(|(n, content)| {
                let recorded = match content {
                    Content::Exchange { exchange, .. } => Recorded::Exchange(exchange),
                    Content::Stream { of, event, .. } => Recorded::Stream { of, event },
                    Content::Stop { reason } => {
                        Recorded::Stop(serde_json::from_value(serde_json::Value::String(reason)).unwrap())
                    }
                    Content::Secret { label, token } => Recorded::Secret { label, token },
                };
                (n, recorded)
            })
            .collect();
        let (suite, case) = self.catalogue.case(&id).unwrap();
        let instance = Instance { suite, case, id, variables: Vec::new() };
        let env = Env {
            sessions: Arc::default(),
            target: Arc::new(json!({"base": self.base})),
            run: Arc::new(json!({"id": "run-1", "seed": "s"})),
            seed: "s".into(),
            headers: Vec::new(),
        };
        let mut replay = Replay::new(recorded, true, Box::new(|_| unreachable!()));
        let result = now(run_case(&instance, &env, &mut replay)).unwrap();
        assert_eq!(replay.mismatch(), None);
        result
    }

    /// Runs one case; the recording must say the same.
    async fn judged(base: &str, keys: &str, steps: &str) -> (Bench, CaseResult) {
        let bench = Bench::new(base, "", &[case("c", keys, steps)]);
        let ran = bench.run().await;
        let result = ran.result("c").clone();
        assert_eq!(bench.again("c"), result);
        (bench, result)
    }
}

fn open(frames: &str) -> String {
    format!("      - open: w\n        get: /w\n        frames: {frames}\n")
}

/// A body that is there as a whole, and then ends or is torn.
fn body(pieces: &[&str], torn: bool) -> Reply {
    let (sender, receiver) = unbounded_channel();
    pieces.iter().for_each(|piece| sender.send(Some((*piece).to_owned())).unwrap());
    if torn {
        sender.send(None).unwrap();
    }
    Reply::Feed(CHUNKED, receiver)
}

#[tokio::test]
async fn a_watch_sees_what_happens_after_it_was_opened() {
    let feed: Arc<Mutex<Option<UnboundedSender<Option<String>>>>> = Arc::default();
    let own = Arc::clone(&feed);
    let stub = Stub::start(move |seen| match seen.what() {
        "GET /w" => {
            let (sender, receiver) = unbounded_channel();
            sender.send(Some("{\"type\":\"ADDED\"}\n{\"ty".into())).unwrap();
            *own.lock().unwrap() = Some(sender);
            Reply::Feed(CHUNKED, receiver)
        }
        "PUT /a" => {
            own.lock().unwrap().as_ref().unwrap().send(Some("pe\":\"MODIFIED\"}\n".into())).unwrap();
            json(200, "{}")
        }
        _ => {
            own.lock().unwrap().take();
            json(200, "{}")
        }
    })
    .await;
    let steps = open("json-lines")
        + "      - put: /a
        json: {}
      - receive: w
        until: frame.type == 'MODIFIED'
        expect: {that: [\"frames.map(f, f.type) == ['ADDED', 'MODIFIED']\", 'arrivals[0] <= arrivals[1]']}
      - delete: /a
        undo: [{get: /undone}]
      - receive: w
        until: ended
        expect: {that: ['frames.size() == 2', 'end.reason == \"closed\"']}
";
    let (bench, result) = Bench::judged(&stub.base, "    risk: write\n", &steps).await;
    assert_eq!(result.outcome, Outcome::Pass, "{result:?}");
    assert_eq!(bench.events("c").len(), 3);
    assert_eq!(stub.log(), ["GET /w", "PUT /a", "DELETE /a", "GET /undone"]);
}

#[tokio::test]
async fn every_framing_is_cut() {
    for (frames, pieces, check) in [
        ("lines", ["one\ntw", "o\n"], "frames.map(f, f.text) == ['one', 'two']"),
        ("sse", ["event: put\ndata: [1]\n\nda", "ta: x\n\n"], "frames[0].json == [1] && frames[1].data == 'x'"),
        ("bytes", ["ab", "cd"], "frames.map(f, f.text).join('') == 'abcd'"),
    ] {
        let stub = Stub::start(move |_| body(&pieces, false)).await;
        let steps = open(frames)
            + &format!("      - receive: w\n        until: ended\n        expect: {{that: \"{check}\"}}\n");
        let (_, result) = Bench::judged(&stub.base, "", &steps).await;
        assert_eq!(result.outcome, Outcome::Pass, "{frames}: {result:?}");
    }
}

/// A body that neither ends nor says anything: its sender is never dropped.
fn quiet() -> Reply {
    let (sender, receiver) = unbounded_channel();
    std::mem::forget(sender);
    Reply::Feed(CHUNKED, receiver)
}

#[tokio::test]
async fn streams_end_badly_in_several_ways() {
    let stub = Stub::start(|seen| match seen.header("x-way").unwrap() {
        "torn" => body(&["{\"a\":1}\n"], true),
        "endless" => Reply::Endless(""),
        _ => quiet(),
    })
    .await;
    let too_long = "the stream ended (limit): a frame is longer than 4194304 bytes (`max_body`)";
    for (way, within, outcome, reason) in [
        ("torn", "1m", Outcome::Error, "the stream ended (failed): "),
        ("endless", "1m", Outcome::Error, too_long),
        ("quiet", "50ms", Outcome::Fail, "GET /w: until: expected `ended` within 50 ms, got ended = false"),
    ] {
        let steps = open("json-lines")
            + &format!(
                "        headers: {{x-way: {way}}}\n      - receive: w\n        until: ended\n        within: {within}\n"
            )
            + "      - check: {that: 'true == true'}\n";
        let (_, result) = Bench::judged(&stub.base, "", &steps).await;
        assert_eq!(result.outcome, outcome, "{way}: {result:?}");
        assert!(result.reason.starts_with(reason), "{way}: {}", result.reason);
    }
    // What is silent may be meant to be.
    let steps = open("json-lines") + "        headers: {x-way: quiet}\n      - receive: w\n        none_within: 20ms\n";
    let (bench, result) = Bench::judged(&stub.base, "", &steps).await;
    assert_eq!(result.outcome, Outcome::Pass, "{result:?}");
    assert!(matches!(bench.events("c")[..], [StreamEvent::Silence { from_ms, to_ms }] if to_ms - from_ms >= 20));
}

#[tokio::test]
async fn a_case_that_waits_ends_with_its_deadline_or_with_the_run() {
    let stub = Stub::start(|_| quiet()).await;
    let steps = open("lines") + "      - receive: w\n        within: 1h\n      - check: {that: 'true == true'}\n";
    let (_, result) = Bench::judged(&stub.base, "    within: 60ms\n", &steps).await;
    assert_eq!((result.outcome, result.reason.as_str()), (Outcome::Error, "the deadline of the case passed"));

    let mut bench = Bench::new(&stub.base, "", &[case("c", "", &steps)]);
    let cancel = CancellationToken::new();
    bench.options.cancel = cancel.clone();
    let seen = Arc::clone(&stub.seen);
    seen.lock().unwrap().clear();
    let interrupt = async {
        while seen.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (ran, ()) = tokio::join!(bench.run(), interrupt);
    assert_eq!(ran.result("c").outcome, Outcome::Error, "{:?}", ran.result("c"));
    assert!(ran.summary.cancelled);
}

#[tokio::test]
async fn a_command_runs_over_a_websocket() {
    let stub = Stub::start(|seen| {
        assert_eq!(seen.header("sec-websocket-protocol"), Some("v5.channel.k8s.io, v4.channel.k8s.io"));
        assert!(seen.header("authorization").is_some(), "the identity opens it");
        Reply::Socket(
            Some("v5.channel.k8s.io"),
            Box::new(|mut socket| {
                Box::pin(async move {
                    socket.send(Message::Ping(vec![1].into())).await.unwrap();
                    let mut got = Vec::new();
                    while let Some(Ok(message)) = socket.next().await {
                        match message {
                            Message::Binary(bytes) if bytes[..] == [255, 0] => break,
                            Message::Binary(bytes) => got.push(bytes),
                            _ => {}
                        }
                    }
                    assert_eq!(got, [&b"\0canary-pass\"word-1\n"[..], b"\0\x90\x1f"]);
                    for answer in
                        [&b"\x01got "[..], b"\x01canary-pass\"word-1", b"\x02\x90\x1f", b"\x03{\"status\":\"Success\"}"]
                    {
                        socket.send(Message::Binary(answer.to_vec().into())).await.unwrap();
                    }
                    let farewell = CloseFrame { code: CloseCode::Normal, reason: "done".into() };
                    socket.close(Some(farewell)).await.unwrap();
                    while socket.next().await.is_some_and(|message| message.is_ok()) {}
                })
            }),
        )
    })
    .await;
    let steps = open("websocket")
        + "        protocols: [v5.channel.k8s.io, v4.channel.k8s.io]
        expect: {status: 101, header: {sec-websocket-protocol: v5.channel.k8s.io}}
      - let: {pw: '${target.logins.main.password}'}
      - {send: w, channel: 0, text: \"${pw}\\n\"}
      - {send: w, channel: 0, base64: kB8=}
      - {send: w, close_channel: 0}
      - receive: w
        until: frame.channel == 3
        expect:
          that:
            - \"frames.filter(f, f.channel == 1).map(f, f.text).join('') == 'got ' + pw\"
            - \"frames.filter(f, f.channel == 2)[0].base64 == 'kB8='\"
            - json(frame.text).status == 'Success'
      - receive: w
        until: ended
        expect: {that: 'end.code == 1000 && end.text == \"done\"'}
      - close: w
";
    let bench = Bench::new(&stub.base, "", &[case("c", "    risk: write\n", &steps)]);
    let ran = bench.run().await;
    assert_eq!(ran.result("c").outcome, Outcome::Pass, "{:?}", ran.result("c"));
    let text = std::fs::read_to_string(bench.path("transcript")).unwrap();
    assert!(!text.contains("canary") && text.contains("{{secret:"), "{text}");
    assert!(text.starts_with("{\"head\":{\"format\":2,"), "{text}");
    let sent = bench.events("c");
    assert!(matches!(&sent[2], StreamEvent::Sent(frame) if frame.channel == Some(255) && frame.binary), "{sent:?}");
}

#[tokio::test]
async fn a_websocket_may_be_refused_or_half_closed() {
    let stub = Stub::start(|seen| match seen.header("x-way") {
        Some("refused") => json(403, "{\"reason\": \"Forbidden\"}"),
        Some("stranger") => Reply::Socket(Some("other"), Box::new(|_| Box::pin(async {}))),
        // The connection goes away without a closing message.
        _ => Reply::Socket(
            None,
            Box::new(|mut socket| {
                Box::pin(async move {
                    socket.send(Message::text("hello")).await.unwrap();
                    tokio::io::AsyncWriteExt::shutdown(socket.get_mut()).await.unwrap();
                    while socket.next().await.is_some_and(|message| message.is_ok()) {}
                })
            }),
        ),
    })
    .await;
    let way = |way: &str| open("websocket") + &format!("        headers: {{x-way: {way}}}\n");
    let steps = way("refused") + "        expect: {status: 403, json: {$.reason: Forbidden}}\n";
    assert_eq!(Bench::judged(&stub.base, "", &steps).await.1.outcome, Outcome::Pass);
    let steps = way("stranger") + "        expect: {failure: [protocol]}\n";
    assert_eq!(Bench::judged(&stub.base, "", &steps).await.1.outcome, Outcome::Pass);
    let steps = way("half")
        + "      - receive: w\n        until: end != null\n        expect: {that: \"frame.text == 'hello' && end.reason == 'failed' && !ended\"}\n";
    let (bench, result) = Bench::judged(&stub.base, "", &steps).await;
    assert_eq!(result.outcome, Outcome::Pass, "{result:?}");
    assert!(matches!(&bench.events("c")[1], StreamEvent::Ended(end) if end.reason == EndReason::Failed));
}

#[tokio::test]
async fn a_secret_in_a_frame_is_learned_and_redacted() {
    let stub = Stub::start(|seen| match seen.what() {
        "GET /w" => body(
            &["{\"key\":\"canary-key-1\"}\n{\"again\":\"canary-key-1\",\"pw\":\"canary-pass\\\"word-1\"}\n"],
            false,
        ),
        _ => json(200, &format!("{{\"got\": \"{}\"}}", seen.header("x-key").unwrap_or("none"))),
    })
    .await;
    let steps = open("json-lines")
        + "        secret: $.key
      - receive: w
        until: ended
        expect: {that: ['frames[0].key == frames[1].again', 'frames[1].pw == target.logins.main.password']}
        save: {key: '${frames[0].key}'}
      - get: /me
        headers: {x-key: '${key}'}
        expect: {json: {$.got: '${key}'}}
";
    let bench = Bench::new(&stub.base, "", &[case("c", "", &steps)]);
    let ran = bench.run().await;
    assert_eq!(ran.result("c").outcome, Outcome::Pass, "{:?}", ran.result("c"));
    assert_eq!(stub.seen.lock().unwrap()[1].header("x-key"), Some("canary-key-1"));
    let text = std::fs::read_to_string(bench.path("transcript")).unwrap();
    assert!(!text.contains("canary"), "{text}");
}

/// With one lane, a stream that is open keeps nobody from being asked.
#[tokio::test]
async fn a_stream_holds_no_lane() {
    let stub = Stub::start(|seen| match seen.what() {
        "GET /w" => quiet(),
        _ => json(200, "{}"),
    })
    .await;
    let steps = open("lines") + &get("/a") + &open("lines").replace("open: w", "open: v") + &get("/b");
    let (_, result) = Bench::judged(&stub.base, "", &steps).await;
    assert_eq!(result.outcome, Outcome::Pass, "{result:?}");
    assert_eq!(stub.log(), ["GET /w", "GET /a", "GET /w", "GET /b"]);
}
