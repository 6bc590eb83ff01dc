//! Steps on streams: what is waited for, what is seen, how it ends.

use super::*;

fn frame(text: &str, at_ms: u64) -> StreamEvent {
    StreamEvent::Received(Frame { body: Body::new(text.to_owned()), at_ms, ..Frame::default() })
}

fn ended(reason: EndReason) -> StreamEvent {
    StreamEvent::Ended(StreamEnd { reason, code: None, detail: "so".into(), at_ms: 90 })
}

fn silence(ms: u64) -> StreamEvent {
    StreamEvent::Silence { from_ms: 100, to_ms: 100 + ms }
}

/// A case that watches, with further steps, and what arrives.
fn watch(steps: &str, arrives: &[StreamEvent]) -> CaseResult {
    let mut script = Script::new(&[("GET /w", 200, json!({})), ("GET /a", 200, json!({}))]);
    script.arrives = arrives.iter().cloned().collect();
    judge(&mut script, &format!("    steps:\n      - open: w\n        get: /w\n        frames: json-lines\n{steps}"))
}

const UNTIL: &str = "      - receive: w\n        until: frame.type == 'DELETED'\n        within: 5s\n        expect:\n          that: [\"frames.map(f, f.type) == ['ADDED', 'DELETED']\", 'arrivals == [7, 9]', '!ended', end == null]\n          json: {$.n: 2}\n        save: {n: '${frame.n}'}\n      - check: {that: n == 2}\n";

#[test]
fn frames_are_received_until_a_condition_holds() {
    let arrives = [frame(r#"{"type":"ADDED"}"#, 7), frame(r#"{"type":"DELETED","n":2}"#, 9)];
    let result = watch(UNTIL, &arrives);
    assert_eq!((result.outcome, result.checks_passed, result.exchanges), (Outcome::Pass, 7, 1), "{result:?}");
}

#[test]
fn a_finding_points_at_the_frame_and_names_the_request() {
    let arrives = [frame(r#"{"type":"ADDED"}"#, 7), frame(r#"{"type":"DELETED","n":3}"#, 9)];
    let result = watch(UNTIL, &arrives);
    assert_eq!(result.outcome, Outcome::Fail);
    assert_eq!(result.reason, "GET /w: json $.n: expected 2, got 3");
    assert_eq!(result.findings[0].exchange, Some(Evidence::own(2)));
}

#[test]
fn what_does_not_come_in_time_is_a_fail() {
    let arrives = [frame("no json at all", 7), silence(5000)];
    let steps = "      - receive: w\n        until: frame.type == 'DELETED'\n        within: 5s\n";
    let result = watch(&format!("{steps}      - check: {{that: 'true == true'}}\n"), &arrives);
    assert_eq!(result.outcome, Outcome::Fail);
    assert!(result.reason.contains("`frame.type == 'DELETED'` within 5 s"), "{}", result.reason);
    // What the frames should be says more.
    let expect = "        expect: {rule: 'R: a deletion is told', that: \"frames.exists(f, has(f.type))\"}\n";
    let result = watch(&format!("{steps}{expect}"), &arrives);
    assert_eq!((result.outcome, result.findings.len()), (Outcome::Fail, 1));
    assert_eq!(result.findings[0].rule.as_deref(), Some("R: a deletion is told"));
}

#[test]
fn ends_are_told_apart() {
    let clean = "      - receive: w\n        until: ended\n        expect: {that: ['frames.size() == 1', 'end.reason == \"closed\"']}\n";
    assert_eq!(watch(clean, &[frame("{}", 1), ended(EndReason::Closed)]).outcome, Outcome::Pass);
    let broken = watch(clean, &[frame("{}", 1), ended(EndReason::Failed)]);
    assert_eq!((broken.outcome, broken.reason.as_str()), (Outcome::Error, "the stream ended (failed): so"));
    let any = "      - receive: w\n        until: end != null\n        expect: {that: 'end.at_ms == 90 && end.text == \"so\"'}\n";
    assert_eq!(watch(any, &[ended(EndReason::Failed)]).outcome, Outcome::Pass);
    let limit = watch(any, &[ended(EndReason::Limit)]);
    assert_eq!((limit.outcome, limit.reason.as_str()), (Outcome::Error, "the stream ended (limit): so"));
    let early = watch(UNTIL, &[ended(EndReason::Closed)]);
    assert_eq!(early.outcome, Outcome::Fail);
    // A frame of an earlier step does not make a condition of a later one true.
    let two = "      - receive: w\n        expect: {that: 'frame.type == \"X\"'}\n      - receive: w\n        until: frame.type == 'X'\n";
    let result = watch(two, &[frame(r#"{"type":"X"}"#, 1), ended(EndReason::Closed)]);
    assert_eq!(result.outcome, Outcome::Fail, "{result:?}");
}

#[test]
fn silence_is_a_check_of_its_own() {
    let steps = "      - receive: w\n        none_within: 2s\n";
    assert_eq!(watch(steps, &[silence(2000)]).outcome, Outcome::Pass);
    let noisy = watch(steps, &[frame(r#"{"a":1}"#, 150)]);
    assert_eq!(
        (noisy.outcome, noisy.reason.as_str()),
        (Outcome::Fail, "GET /w: none_within: expected no frame within 2 s, got {\"a\":1}")
    );
    assert_eq!(watch(steps, &[ended(EndReason::Closed)]).outcome, Outcome::Fail);
    // Evidence of a shorter silence is none.
    assert_eq!(watch(steps, &[silence(1999)]).outcome, Outcome::Error);
}

/// A case on a WebSocket.
fn socket(protocol: &str, steps: &str, arrives: &[StreamEvent]) -> (CaseResult, Vec<String>) {
    let mut script = Script::new(&[("GET /s", 101, json!({"protocol": protocol}))]);
    script.arrives = arrives.iter().cloned().collect();
    let open = "    steps:\n      - open: s\n        get: /s\n        frames: websocket\n        protocols: [v5.channel.k8s.io, v4.channel.k8s.io]\n";
    let result = judge(&mut script, &format!("{open}{steps}"));
    (result, script.sent)
}

#[test]
fn frames_are_sent_on_channels() {
    let steps = "      - let: {x: hi}\n      - {send: s, channel: 0, text: \"${x}\\n\"}\n      - {send: s, channel: 2, base64: kB8=}\n      - {send: s, close_channel: 0}\n      - receive: s\n        until: frame.channel == 3\n        expect: {that: 'frames[0].text == \"out\"'}\n      - close: s\n";
    let out = |channel, text: &str| {
        StreamEvent::Received(Frame {
            channel: Some(channel),
            binary: true,
            body: Body::new(text.to_owned()),
            ..Frame::default()
        })
    };
    let (result, sent) = socket("v5.channel.k8s.io", steps, &[out(1, "out"), out(3, "{}")]);
    assert_eq!(result.outcome, Outcome::Pass, "{result:?}");
    assert_eq!(sent, ["GET /s", "Some(0) hi\\n", "Some(2) \u{fffd}\\u{1f}", "Some(255) \\0"]);
    let (result, _) =
        socket("chat", "      - {send: s, channel: 0, text: a}\n      - check: {that: 'true == true'}\n", &[]);
    assert_eq!(
        (result.outcome, result.reason.as_str()),
        (Outcome::Fail, "GET /s: send: expected a sub-protocol with channels, got chat")
    );
}

#[test]
fn a_refused_opening_is_an_answer_and_no_stream() {
    let open = "    steps:\n      - open: s\n        get: /s\n        frames: websocket\n";
    let refused = || Script::new(&[("GET /s", 403, json!({"reason": "no"}))]);
    let result = judge(&mut refused(), &format!("{open}        expect: {{status: 403, json: {{$.reason: 'no'}}}}\n"));
    assert_eq!(result.outcome, Outcome::Pass);
    let result = judge(&mut refused(), &format!("{open}      - check: {{that: 'true == true'}}\n"));
    assert_eq!((result.outcome, result.reason.as_str()), (Outcome::Fail, "GET /s: status: expected 101, got 403"));
    let result = judge(
        &mut refused(),
        &format!("{open}        expect: {{status: any}}\n      - receive: s\n        none_within: 1s\n"),
    );
    assert_eq!(result.outcome, Outcome::Error);
    assert!(result.reason.contains("stream `s` is not open"), "{}", result.reason);
}

#[test]
fn another_course_of_a_stream_is_noticed() {
    let case = format!("    steps:\n      - open: w\n        get: /w\n        frames: json-lines\n{UNTIL}");
    let mut script = Script::new(&[("GET /w", 200, json!({}))]);
    script.arrives = VecDeque::from([frame(r#"{"type":"ADDED"}"#, 7), frame(r#"{"type":"DELETED","n":2}"#, 9)]);
    judge(&mut script, &case);
    let catalogue = catalogue("", &case);
    let (suite, case) = catalogue.case("x.s.c").unwrap();
    let instance = Instance { suite, case, id: "x.s.c".into(), variables: vec![] };
    let replayed = |change: &dyn Fn(&mut BTreeMap<u32, Recorded>)| {
        let mut events = script.recorded.clone();
        change(&mut events);
        let mut replay = Replay::new(events, true, Box::new(|_| unreachable!()));
        let result = now(run_case(&instance, &env(), &mut replay)).unwrap();
        (result.outcome, replay.mismatch())
    };
    assert_eq!(replayed(&|_| {}), (Outcome::Pass, None));
    let (_, odd) = replayed(&|events| drop(events.remove(&2)));
    assert_eq!(odd.as_deref(), Some("event 2: what happened on the stream was not recorded"));
    let (_, odd) = replayed(&|events| {
        let Some(Recorded::Stream { of, .. }) = events.get_mut(&1) else { panic!() };
        *of = 7;
    });
    assert_eq!(odd.as_deref(), Some("event 1: it belongs to another stream"));
    let (_, odd) = replayed(&|events| {
        let event = Arc::new(Redacted::from_evidence(StreamEvent::Sent(Frame::default())));
        events.insert(1, Recorded::Stream { of: 0, event });
    });
    assert_eq!(odd.as_deref(), Some("event 1: the suite waits for a frame here"));
    let (_, odd) = replayed(&|events| {
        let event = Arc::new(Redacted::from_evidence(frame("{}", 1)));
        events.insert(3, Recorded::Stream { of: 0, event });
    });
    assert!(odd.unwrap().contains("event 3 was recorded"));
}
