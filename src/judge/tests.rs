//! The judge on scripted answers: what ends a case how, what is undone, and that a replay gives the same result.

mod streams;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::replay::{Recorded, Replay, now};
use super::*;
use crate::http::{Body, EndReason, Exchange, Failure, FailureClass, Frame, Headers, Response, StreamEnd, StreamEvent};
use crate::secret::Redacted;
use crate::suite::{Catalogue, Frames};

/// Answers by `METHOD /path`; the last answer of a list repeats. Each exchange takes 10 ms, a pause its length.
#[derive(Default)]
struct Script {
    answers: BTreeMap<String, VecDeque<(u16, Json)>>,
    recorded: BTreeMap<u32, Recorded>,
    sent: Vec<String>,
    pledges: Vec<String>,
    clock: u64,
    fixtures: BTreeMap<String, Arc<FixtureState>>,
    /// What comes on streams.
    arrives: VecDeque<StreamEvent>,
}

impl Script {
    fn new(answers: &[(&str, u16, Json)]) -> Self {
        let mut script = Self::default();
        for (request, status, body) in answers {
            script.answers.entry((*request).to_owned()).or_default().push_back((*status, body.clone()));
        }
        script
    }

    fn answer(&mut self, call: Call) -> Event {
        let path = super::request::path_of(&call.request.url).to_owned();
        let line = format!("{} {path}", call.request.method);
        self.sent.push(line.clone());
        let answer = self
            .answers
            .get_mut(&line)
            .and_then(|queue| if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() });
        let (sent_ms, done_ms) = (self.clock, self.clock + 10);
        self.clock = done_ms;
        let (response, failure) = match answer {
            Some((0, _)) => (None, Some(Failure { class: FailureClass::Connect, detail: "refused".into() })),
            Some((status, body)) => {
                let mut headers = Headers::default();
                headers.push("content-type", "application/json");
                if let Some(location) = body.get("location").and_then(Json::as_str) {
                    headers.push("location", location);
                }
                if let Some(protocol) = body.get("protocol").and_then(Json::as_str) {
                    headers.push("sec-websocket-protocol", protocol);
                }
                let body = Body::new(serde_json::to_vec(&body).unwrap());
                (Some(Response { status, version: "HTTP/1.1".into(), headers, body, tls: None }), None)
            }
            None => (
                Some(Response {
                    status: 404,
                    version: "HTTP/1.1".into(),
                    headers: Headers::default(),
                    body: Body::default(),
                    tls: None,
                }),
                None,
            ),
        };
        let exchange = Exchange { request: call.request, response, failure, sent_ms, done_ms, at_ms: 1_000 };
        let sealed = Arc::new(Redacted::from_evidence(exchange));
        self.recorded.insert(call.n, Recorded::Exchange(sealed.clone()));
        Event::Done(sealed)
    }
}

impl Script {
    fn happens(&mut self, n: u32, of: u32, event: StreamEvent) -> Streamed {
        let sealed = Arc::new(Redacted::from_evidence(event));
        self.recorded.insert(n, Recorded::Stream { of, event: sealed.clone() });
        Streamed::Happened(sealed)
    }
}

impl World for Script {
    async fn open(&mut self, call: Call, _: Frames) -> Event {
        self.answer(call)
    }
    async fn receive(&mut self, wait: Receive) -> Streamed {
        let Some(event) = self.arrives.pop_front() else {
            self.recorded.insert(wait.n, Recorded::Stop(StopReason::Deadline));
            return Streamed::Stopped(StopReason::Deadline);
        };
        self.happens(wait.n, wait.of, event)
    }
    async fn send(&mut self, outgoing: Outgoing) -> Streamed {
        let frame = &outgoing.frame;
        self.sent.push(format!("{:?} {}", frame.channel, frame.body.text().escape_debug()));
        self.happens(outgoing.n, outgoing.of, StreamEvent::Sent(outgoing.frame))
    }
    async fn leave(&mut self, leave: Leave) -> Streamed {
        let end = StreamEnd { reason: EndReason::Left, code: None, detail: String::new(), at_ms: 0 };
        self.happens(leave.n, leave.of, StreamEvent::Ended(end))
    }
    async fn hang_up(&mut self) {
        self.pledges.push("hung up".to_owned());
    }
    async fn call(&mut self, call: Call) -> Event {
        self.answer(call)
    }
    async fn calls(&mut self, calls: Vec<Call>) -> Vec<Event> {
        calls.into_iter().map(|call| self.answer(call)).collect()
    }
    async fn pause(&mut self, pause: Duration) {
        self.clock += u64::try_from(pause.as_millis()).unwrap();
    }
    fn secret(&mut self, n: u32, label: &str) -> Option<String> {
        let token = format!("{{{{secret:{label}:00112233445566778899aabbccddeeff:20}}}}");
        self.recorded.insert(n, Recorded::Secret { label: label.to_owned(), token: token.clone() });
        Some(token)
    }
    async fn fixture(&mut self, id: &str) -> Arc<FixtureState> {
        self.fixtures[id].clone()
    }
    async fn release(&mut self, fixture: Arc<FixtureState>) -> Vec<Leak> {
        fixture.result.leaks.clone()
    }
    async fn pledge(&mut self, pledge: Pledge) {
        let word = match pledge.stage {
            PledgeStage::Before(_) => "before",
            PledgeStage::After(_) => "after",
            PledgeStage::Void => "void",
            PledgeStage::Kept => "kept",
        };
        self.pledges.push(format!("{word} {}", pledge.id));
    }
}

fn env() -> Env {
    Env {
        sessions: Arc::default(),
        target: Arc::new(json!({"base": "http://t", "services": {}})),
        run: Arc::new(json!({"id": "r", "seed": "s"})),
        seed: "s".into(),
        headers: vec![("accept".into(), "application/json".into())],
    }
}

/// Reads a suite with one case `c` made of `steps` (and perhaps fixtures before it).
fn catalogue(fixtures: &str, case: &str) -> Catalogue {
    let text = format!(
        "format: 1\nsuite: x.s\ntitle: T\n{fixtures}cases:\n  - id: c\n    title: T\n    capability: cap\n    risk: write\n{case}"
    );
    let (catalogue, problems) = Catalogue::load([("s.yaml", text)]);
    assert!(!problems.has_errors(), "{}", problems.render(false));
    catalogue
}

fn judge_with(script: &mut Script, fixtures: &str, case: &str) -> CaseResult {
    let catalogue = catalogue(fixtures, case);
    for fixture in catalogue.suites()[0].fixtures.iter() {
        let id = format!("x.s.{}", fixture.id);
        let instance = Instance { suite: &catalogue.suites()[0], case: fixture, id: id.clone(), variables: vec![] };
        let (state, _) = now(set_up(&instance, &env(), script)).unwrap();
        script.fixtures.insert(id, Arc::new(state));
        script.recorded.clear();
    }
    let (suite, case) = catalogue.case("x.s.c").unwrap();
    let instance = Instance { suite, case, id: "x.s.c".into(), variables: vec![] };
    let live = now(run_case(&instance, &env(), script)).unwrap();
    // Whatever happened, the recording alone gives the same result.
    let states = script.fixtures.clone();
    let mut replay = Replay::new(script.recorded.clone(), true, Box::new(move |id| states[id].clone()));
    let offline = now(run_case(&instance, &env(), &mut replay)).unwrap();
    assert_eq!(replay.mismatch(), None);
    assert_eq!(live, offline);
    live
}

fn judge(script: &mut Script, case: &str) -> CaseResult {
    judge_with(script, "", case)
}

#[test]
fn a_true_check_passes_and_a_false_one_says_what_was_there() {
    let case = "    steps:\n      - get: /a\n        expect: {rule: 'R 1: b is 1', json: {'$.b': 1}}\n";
    let mut script = Script::new(&[("GET /a", 200, json!({"b": 1}))]);
    assert_eq!(judge(&mut script, case).outcome, Outcome::Pass);
    let mut script = Script::new(&[("GET /a", 200, json!({"b": 2}))]);
    let result = judge(&mut script, case);
    assert_eq!(result.outcome, Outcome::Fail);
    assert_eq!(result.reason, "GET /a: R 1: b is 1: expected 1, got 2");
    assert_eq!(result.findings[0].place, "s.yaml:11");
}

#[test]
fn a_request_without_status_check_must_be_2xx() {
    let case = "    steps:\n      - get: /a\n      - check: {that: 'true == true'}\n";
    let mut script = Script::new(&[("GET /a", 500, json!({}))]);
    let result = judge(&mut script, case);
    assert_eq!((result.outcome, result.reason.as_str()), (Outcome::Fail, "GET /a: status: expected 2xx, got 500"));
}

#[test]
fn what_the_response_lacks_is_a_fail_that_says_so() {
    let case = "    steps:\n      - get: /a\n        expect: {that: 'body.x.y == 1'}\n";
    let result = judge(&mut Script::new(&[("GET /a", 200, json!({}))]), case);
    assert_eq!(result.outcome, Outcome::Fail);
    assert!(result.findings[0].actual.contains("absent"), "{:?}", result.findings[0]);
}

#[test]
fn no_answer_is_an_error_unless_expected() {
    let case = "    steps:\n      - get: /a\n        expect: {status: 200}\n";
    assert_eq!(judge(&mut Script::new(&[("GET /a", 0, json!(null))]), case).outcome, Outcome::Error);
    let case = "    steps:\n      - get: /a\n        expect: {failure: [connect]}\n";
    assert_eq!(judge(&mut Script::new(&[("GET /a", 0, json!(null))]), case).outcome, Outcome::Pass);
    let result = judge(&mut Script::new(&[("GET /a", 200, json!({}))]), case);
    assert_eq!(result.outcome, Outcome::Fail);
}

#[test]
fn polling_ends_with_the_condition_or_the_deadline_or_the_stop() {
    let case = "    steps:\n      - get: /a\n        until: body.s == 'on'\n        stop_if: body.s == 'broken'\n        within: 5s\n        expect: {status: 200}\n";
    let mut script = Script::new(&[("GET /a", 200, json!({"s": "off"})), ("GET /a", 200, json!({"s": "on"}))]);
    let result = judge(&mut script, case);
    assert_eq!((result.outcome, result.exchanges), (Outcome::Pass, 2));
    let result = judge(&mut Script::new(&[("GET /a", 200, json!({"s": "off"}))]), case);
    assert_eq!(result.outcome, Outcome::Fail);
    assert!(result.reason.contains("within 5 s"), "{}", result.reason);
    let result = judge(&mut Script::new(&[("GET /a", 200, json!({"s": "broken"}))]), case);
    assert_eq!((result.outcome, result.exchanges), (Outcome::Fail, 1));
}

#[test]
fn polling_can_begin_later_and_its_time_counts_from_the_first_request() {
    let case = "    steps:\n      - get: /a\n        until: body.s == 'on'\n        after: 30s\n        within: 5s\n        every: 2s\n        expect: {status: 200}\n";
    let mut script = Script::new(&[("GET /a", 200, json!({"s": "off"})), ("GET /a", 200, json!({"s": "on"}))]);
    let result = judge(&mut script, case);
    assert_eq!((result.outcome, result.exchanges), (Outcome::Pass, 2));
    assert_eq!(script.clock, 30_000 + 10 + 2_000 + 10);
}

#[test]
fn what_the_last_answer_should_be_explains_a_deadline() {
    let case = "    steps:\n      - get: /a\n        until: body.s == 'on'\n        within: 5s\n        expect: {rule: it comes on, json: {'$.s': 'on'}}\n";
    let result = judge(&mut Script::new(&[("GET /a", 200, json!({"s": "off"}))]), case);
    assert_eq!((result.outcome, result.findings.len()), (Outcome::Fail, 1));
    let finding = &result.findings[0];
    assert_eq!((finding.rule.as_deref(), finding.actual.as_str()), (Some("it comes on"), "\"off\""));
}

const CREATE: &str = "    steps:
      - post: /things
        json: {name: \"${unique('t')}\"}
        expect: {status: 201}
        save: {thing: \"${headers.location}\"}
        undo:
          - delete: \"${thing}\"
            expect: {status: [204, 404]}
        lost:
          - delete: /things/by-name
      - get: \"${thing}\"
        expect: {json: {$.ok: true}}
";

#[test]
fn what_was_created_is_removed_whatever_the_outcome() {
    for ok in [true, false] {
        let mut script = Script::new(&[
            ("POST /things", 201, json!({"location": "/things/1"})),
            ("GET /things/1", 200, json!({"ok": ok})),
            ("DELETE /things/1", 204, json!({})),
        ]);
        let result = judge(&mut script, CREATE);
        assert_eq!(result.outcome, if ok { Outcome::Pass } else { Outcome::Fail });
        assert_eq!(script.sent.last().unwrap(), "DELETE /things/1");
        // Streams end before things are put back.
        assert_eq!(script.pledges, ["before 0", "after 0", "hung up", "kept 0", "hung up"]);
        assert!(result.leaks.is_empty());
    }
}

#[test]
fn an_undo_that_fails_is_a_leak_and_not_an_outcome() {
    let mut script = Script::new(&[
        ("POST /things", 201, json!({"location": "/things/1"})),
        ("GET /things/1", 200, json!({"ok": true})),
        ("DELETE /things/1", 500, json!({})),
    ]);
    let result = judge(&mut script, CREATE);
    assert_eq!(result.outcome, Outcome::Pass);
    assert_eq!(result.leaks.len(), 1);
    assert_eq!(script.pledges, ["before 0", "after 0", "hung up", "hung up"]);
}

#[test]
fn a_refused_creation_leaves_nothing_to_undo_and_a_lost_answer_is_searched() {
    let mut script = Script::new(&[("POST /things", 400, json!({}))]);
    judge(&mut script, CREATE);
    assert_eq!(
        (script.sent.len(), script.pledges.get(..2).unwrap()),
        (1, &["before 0".to_owned(), "void 0".to_owned()][..])
    );
    let mut script = Script::new(&[("POST /things", 0, json!({})), ("DELETE /things/by-name", 204, json!({}))]);
    assert_eq!(judge(&mut script, CREATE).outcome, Outcome::Error);
    assert_eq!(script.sent, ["POST /things", "DELETE /things/by-name"]);
}

#[test]
fn a_refused_change_is_put_back_when_the_undo_needs_no_answer() {
    let case = "    steps:\n      - patch: /a\n        json: {v: 2}\n        expect: {status: 400}\n        undo:\n          - patch: /a\n            json: {v: 1}\n            expect: {status: 200}\n";
    let mut script = Script::new(&[("PATCH /a", 400, json!({})), ("PATCH /a", 200, json!({}))]);
    let result = judge(&mut script, case);
    assert_eq!((result.outcome, script.sent.len(), result.leaks.len()), (Outcome::Pass, 2, 0));
}

#[test]
fn gaps_carry_their_proof() {
    let case = "    steps:\n      - get: /a\n        save: {link: \"${get(body, '/L', null)}\"}\n      - gap: {when: link == null, reason: no L}\n      - get: \"${link}\"\n        expect: {status: 200}\n";
    let result = judge(&mut Script::new(&[("GET /a", 200, json!({}))]), case);
    assert_eq!((result.outcome, result.proof, result.reason.as_str()), (Outcome::Gap, Some(Evidence::own(0)), "no L"));
}

const FIXTURE: &str = "fixtures:\n  - id: f\n    title: F\n    steps:\n      - crawl: {start: /r, link: '@id', below: /r, limit: 10}\n    outputs: {n: \"${size(crawled)}\"}\n";

#[test]
fn a_crawl_visits_every_link_once_and_cases_check_its_exchanges() {
    let answers = [
        (
            "GET /r",
            200,
            json!({"@id": "/r", "t": 1, "links": [{"@id": "/r/1"}, {"@id": "/r/2#frag"}, {"@id": "/other"}]}),
        ),
        ("GET /r/1", 200, json!({"@id": "/r/1", "t": 1, "up": {"@id": "/r"}})),
        ("GET /r/2", 200, json!({"@id": "/r/2", "t": 2})),
    ];
    let case = "    needs: {f: .f}\n    steps:\n      - over: f\n        where: status == 200\n        expect: {rule: 'every t is 1', json: {$.t: 1}}\n      - check: {that: f.n == 3}\n";
    let mut script = Script::new(&answers);
    let result = judge_with(&mut script, FIXTURE, case);
    assert_eq!(script.sent, ["GET /r", "GET /r/1", "GET /r/2"]);
    assert_eq!((result.outcome, result.checks_failed), (Outcome::Fail, 1));
    assert_eq!(result.reason, "GET /r/2: every t is 1: expected 1, got 2");
}

#[test]
fn a_fixture_that_fails_decides_its_cases() {
    let fixture = "fixtures:\n  - id: f\n    title: F\n    steps:\n      - get: /a\n        save: {x: $.x}\n    outputs: {x: \"${x}\"}\n";
    let case = "    needs: {f: .f}\n    steps:\n      - check: {that: f.x == 1}\n";
    let result = judge_with(&mut Script::new(&[("GET /a", 503, json!({}))]), fixture, case);
    assert_eq!(result.outcome, Outcome::Fail);
    assert!(result.reason.starts_with("fixture `x.s.f`: GET /a: status"), "{}", result.reason);
    let requires = "    needs: {f: .f}\n    requires: [{that: f.x == 1, reason: 'x is not 1'}]\n    steps:\n      - get: /b\n        expect: {status: 200}\n";
    let result = judge_with(&mut Script::new(&[("GET /a", 200, json!({"x": 2}))]), fixture, requires);
    assert_eq!((result.outcome, result.reason.as_str()), (Outcome::Gap, "x is not 1"));
}

#[test]
fn parallel_answers_are_judged_together() {
    let case = "    steps:\n      - parallel:\n          - put: /a\n            json: {v: 1}\n          - put: /b\n            json: {v: 2}\n        expect: {that: \"responses.exists_one(r, r.status == 409)\"}\n";
    let mut script = Script::new(&[("PUT /a", 200, json!({})), ("PUT /b", 409, json!({}))]);
    assert_eq!(judge(&mut script, case).outcome, Outcome::Pass);
}

#[test]
fn no_check_evaluated_is_never_a_pass() {
    let case =
        "    steps:\n      - get: /a\n      - get: /b\n        when: body.x == 1\n        expect: {status: 200}\n";
    let result = judge(&mut Script::new(&[("GET /a", 200, json!({"x": 2}))]), case);
    assert_eq!((result.outcome, result.reason.as_str()), (Outcome::Error, "no check was evaluated"));
}

#[test]
fn a_soft_check_fails_the_case_but_not_the_rest_of_it() {
    let case = "    steps:\n      - get: /a\n        soft: true\n        expect: {json: {$.x: 1}}\n      - get: /b\n        expect: {status: 200}\n";
    let mut script = Script::new(&[("GET /a", 200, json!({"x": 2})), ("GET /b", 200, json!({}))]);
    let result = judge(&mut script, case);
    assert_eq!((result.outcome, script.sent.len()), (Outcome::Fail, 2));
}

#[test]
fn redirects_are_followed_on_request_and_end() {
    let case = "    steps:\n      - get: /a\n        follow: same-origin\n        expect: {json: {$.x: 1}}\n";
    let mut script = Script::new(&[("GET /a", 307, json!({"location": "/b"})), ("GET /b", 200, json!({"x": 1}))]);
    assert_eq!(judge(&mut script, case).outcome, Outcome::Pass);
    let mut script = Script::new(&[("GET /a", 307, json!({"location": "/a"}))]);
    let result = judge(&mut script, case);
    assert_eq!((result.outcome, result.exchanges), (Outcome::Fail, 11));
}

#[test]
fn evidence_that_departs_from_the_suite_is_noticed() {
    let case = "    steps:\n      - get: /a\n        expect: {json: {$.b: 1}}\n";
    let mut script = Script::new(&[("GET /a", 200, json!({"b": 1}))]);
    judge(&mut script, case);
    let catalogue = catalogue("", "    steps:\n      - get: /other\n        expect: {json: {$.b: 1}}\n");
    let (suite, case) = catalogue.case("x.s.c").unwrap();
    let instance = Instance { suite, case, id: "x.s.c".into(), variables: vec![] };
    let mut replay = Replay::new(script.recorded.clone(), true, Box::new(|_| unreachable!()));
    let result = now(run_case(&instance, &env(), &mut replay)).unwrap();
    assert_ne!(result.outcome, Outcome::Pass);
    assert!(replay.mismatch().unwrap().contains("recorded URL http://t/a"));
}
