//! The ways in which evidence is falsified: answers that a broken service might give, frames that it might send.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::http::{Body, EndReason, Frame, Headers, Response, StreamEnd, StreamEvent};
use crate::judge::replay::Recorded;
use crate::secret::Redacted;

/// The events of an attempt.
pub(super) type Events = BTreeMap<u32, Recorded>;

/// Falsifies the event of that number; `false` when there is nothing to falsify in that way.
#[derive(Clone, Copy)]
pub(super) enum Falsify {
    /// An answer.
    Answer(fn(&mut Response) -> bool),
    /// What was received on a stream.
    Frame(fn(&mut Frame) -> bool),
    /// The course of a stream.
    Course(fn(&mut Events, u32) -> bool),
}

/// The kinds of falsified evidence, the subtler ones first.
pub(super) const KINDS: [(&str, Falsify); 21] = [
    ("other values in the body", Falsify::Answer(|response| change_body(response, other_values))),
    ("other words in the body", Falsify::Answer(|response| change_body(response, |body| texts(body, "falsified")))),
    ("texts emptied", Falsify::Answer(|response| change_body(response, |body| texts(body, "")))),
    ("members renamed", Falsify::Answer(|response| change_body(response, rename_members))),
    ("lists emptied", Falsify::Answer(|response| change_body(response, empty_lists))),
    ("a stranger in each list", Falsify::Answer(|response| change_body(response, add_strangers))),
    ("other values in the frame", Falsify::Frame(|frame| change_frame(frame, other_values))),
    ("other words in the frame", Falsify::Frame(|frame| change_frame(frame, |body| texts(body, "falsified")))),
    ("texts of the frame emptied", Falsify::Frame(|frame| change_frame(frame, |body| texts(body, "")))),
    ("members of the frame renamed", Falsify::Frame(|frame| change_frame(frame, rename_members))),
    ("frame of another type", Falsify::Frame(another_type)),
    ("frame dropped", Falsify::Course(drop_frame)),
    ("frame twice", Falsify::Course(repeat_frame)),
    ("the stream ends early", Falsify::Course(end_early)),
    ("the stream never ends", Falsify::Course(never_end)),
    ("a frame instead of silence", Falsify::Course(break_silence)),
    ("empty object as body", Falsify::Answer(empty_object)),
    ("no header fields", Falsify::Answer(no_headers)),
    ("status 200", Falsify::Answer(|response| change_status(response, 200))),
    ("status 401", Falsify::Answer(|response| change_status(response, 401))),
    ("status 418", Falsify::Answer(|response| change_status(response, 418))),
];

impl Falsify {
    /// Whether it is about streams, not answers.
    pub(super) fn is_of_streams(self) -> bool {
        !matches!(self, Self::Answer(_))
    }

    /// Does so.
    pub(super) fn apply(self, events: &mut Events, n: u32) -> bool {
        match (self, events.get_mut(&n)) {
            (Self::Answer(falsify), Some(Recorded::Exchange(exchange))) => {
                let mut altered = (***exchange).clone();
                let changed = altered.response.as_mut().is_some_and(falsify);
                *exchange = Arc::new(Redacted::from_evidence(altered));
                changed
            }
            (Self::Frame(falsify), Some(Recorded::Stream { event, .. })) => {
                let mut altered = (***event).clone();
                let changed = match &mut altered {
                    StreamEvent::Received(frame) => falsify(frame),
                    _ => false,
                };
                *event = Arc::new(Redacted::from_evidence(altered));
                changed
            }
            (Self::Course(falsify), Some(Recorded::Stream { .. })) => falsify(events, n),
            _ => false,
        }
    }
}

/// What happened on a stream under this number: of which stream, and what.
fn on_stream(events: &Events, n: u32) -> Option<(u32, StreamEvent)> {
    match events.get(&n)? {
        Recorded::Stream { of, event } => Some((*of, (***event).clone())),
        _ => None,
    }
}

fn put(events: &mut Events, n: u32, of: u32, event: StreamEvent) {
    events.insert(n, Recorded::Stream { of, event: Arc::new(Redacted::from_evidence(event)) });
}

/// Takes an event out; those behind it move up, as if it had never been.
fn remove(events: &mut Events, n: u32) {
    events.remove(&n);
    shift(events, n, |number| number.saturating_sub(1));
}

/// Renumbers the events behind `n`.
fn shift(events: &mut Events, n: u32, by: fn(u32) -> u32) {
    let moved = |number: u32| if number > n { by(number) } else { number };
    *events = std::mem::take(events)
        .into_iter()
        .map(|(number, mut event)| {
            if let Recorded::Stream { of, .. } = &mut event {
                *of = moved(*of);
            }
            (moved(number), event)
        })
        .collect();
}

fn drop_frame(events: &mut Events, n: u32) -> bool {
    let Some((_, StreamEvent::Received(_))) = on_stream(events, n) else { return false };
    remove(events, n);
    true
}

fn repeat_frame(events: &mut Events, n: u32) -> bool {
    let Some((of, StreamEvent::Received(frame))) = on_stream(events, n) else { return false };
    shift(events, n, |number| number.saturating_add(1));
    put(events, n.saturating_add(1), of, StreamEvent::Received(frame));
    true
}

/// Instead of the frame the stream ends. Nothing is received on it afterwards.
fn end_early(events: &mut Events, n: u32) -> bool {
    let Some((of, StreamEvent::Received(frame))) = on_stream(events, n) else { return false };
    let received = |event: &StreamEvent| !matches!(event, StreamEvent::Sent(_) | StreamEvent::Unsent { .. });
    let later: Vec<u32> = events
        .range(n.saturating_add(1)..)
        .filter(|(_, event)| matches!(event, Recorded::Stream { of: own, event } if *own == of && received(event)))
        .map(|(number, _)| *number)
        .collect();
    later.into_iter().rev().for_each(|number| remove(events, number));
    let detail = "falsified".to_owned();
    let end = StreamEnd { reason: EndReason::Closed, code: None, detail, at_ms: frame.at_ms };
    put(events, n, of, StreamEvent::Ended(end));
    true
}

fn never_end(events: &mut Events, n: u32) -> bool {
    let Some((of, StreamEvent::Ended(end))) = on_stream(events, n) else { return false };
    if end.reason == EndReason::Left {
        return false;
    }
    put(events, n, of, StreamEvent::Silence { from_ms: end.at_ms, to_ms: end.at_ms.saturating_add(86_400_000) });
    true
}

fn break_silence(events: &mut Events, n: u32) -> bool {
    let Some((of, StreamEvent::Silence { to_ms, .. })) = on_stream(events, n) else { return false };
    let before = events.range(..n).rev().find_map(|(_, event)| match event {
        Recorded::Stream { of: own, event } if *own == of => match &***event {
            StreamEvent::Received(frame) => Some(frame.clone()),
            _ => None,
        },
        _ => None,
    });
    let mut frame = before.unwrap_or_default();
    change_frame(&mut frame, other_values);
    put(events, n, of, StreamEvent::Received(Frame { at_ms: to_ms, ..frame }));
    true
}

/// A JSON frame is another document; any other frame is other text.
fn change_frame(frame: &mut Frame, change: fn(&mut Value) -> bool) -> bool {
    change_content(&mut frame.body, change)
}

/// Another channel, another type of event, text instead of bytes.
fn another_type(frame: &mut Frame) -> bool {
    if let Some(channel) = &mut frame.channel {
        *channel = channel.wrapping_add(77);
    } else if let Some(event) = &mut frame.event {
        event.push_str("-falsified");
    } else if let Some(Value::Object(mut members)) = frame.body.json()
        && let Some(Value::String(kind)) = members.get_mut("type")
    {
        kind.push_str("-FALSIFIED");
        frame.body = Body::new(Value::Object(members).to_string());
    } else {
        return false;
    }
    true
}

fn empty_object(response: &mut Response) -> bool {
    let changed = response.body.bytes() != b"{}";
    response.body = Body::new("{}");
    changed
}

fn no_headers(response: &mut Response) -> bool {
    let changed = !response.headers.0.is_empty();
    response.headers = Headers::default();
    changed
}

fn change_status(response: &mut Response, status: u16) -> bool {
    let changed = response.status != status;
    response.status = status;
    changed
}

/// Changes a JSON body; other bodies are replaced by other text.
fn change_body(response: &mut Response, change: fn(&mut Value) -> bool) -> bool {
    change_content(&mut response.body, change)
}

fn change_content(body: &mut Body, change: fn(&mut Value) -> bool) -> bool {
    if body.is_empty() {
        return false;
    }
    match body.json() {
        Some(mut document) => {
            let changed = change(&mut document);
            *body = Body::new(document.to_string());
            changed
        }
        None => {
            *body = Body::new("falsified");
            true
        }
    }
}

/// Every string, number and boolean is another one; the keys stay.
fn other_values(value: &mut Value) -> bool {
    match value {
        Value::String(text) => text.push_str(" falsified"),
        Value::Number(number) => *number = (-77).into(),
        Value::Bool(flag) => *flag = !*flag,
        Value::Array(members) => return members.iter_mut().fold(false, |any, member| other_values(member) | any),
        Value::Object(members) => return members.values_mut().fold(false, |any, member| other_values(member) | any),
        Value::Null => return false,
    }
    true
}

/// Every string is this one.
fn texts(value: &mut Value, word: &str) -> bool {
    match value {
        Value::String(text) => {
            let changed = text != word;
            word.clone_into(text);
            changed
        }
        Value::Array(members) => members.iter_mut().fold(false, |any, member| texts(member, word) | any),
        Value::Object(members) => members.values_mut().fold(false, |any, member| texts(member, word) | any),
        _ => false,
    }
}

fn rename_members(value: &mut Value) -> bool {
    match value {
        Value::Array(members) => members.iter_mut().fold(false, |any, member| rename_members(member) | any),
        Value::Object(members) => {
            let renamed = std::mem::take(members).into_iter().map(|(key, mut member)| {
                rename_members(&mut member);
                (format!("falsified@{key}"), member)
            });
            members.extend(renamed);
            !members.is_empty()
        }
        _ => false,
    }
}

fn empty_lists(value: &mut Value) -> bool {
    match value {
        Value::Array(members) => {
            let changed = !members.is_empty();
            members.clear();
            changed
        }
        Value::Object(members) => members.values_mut().fold(false, |any, member| empty_lists(member) | any),
        _ => false,
    }
}

/// A list that was not filtered holds what nobody asked for: a copy of its first member with other values.
fn add_strangers(value: &mut Value) -> bool {
    match value {
        Value::Array(members) => {
            let mut stranger =
                members.first().cloned().unwrap_or_else(|| json!({"id": "stranger", "name": "stranger"}));
            other_values(&mut stranger);
            members.push(stranger);
            true
        }
        Value::Object(members) => members.values_mut().fold(false, |any, member| add_strangers(member) | any),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(text: &str) -> StreamEvent {
        StreamEvent::Received(Frame { body: Body::new(text.to_owned()), ..Frame::default() })
    }

    fn shown(events: &Events) -> Vec<(u32, u32, String)> {
        let one = |n: &u32| {
            let (of, event) = on_stream(events, *n).unwrap();
            let text = match event {
                StreamEvent::Received(frame) => frame.body.text().into_owned(),
                StreamEvent::Ended(end) => end.reason.word().to_owned(),
                other => format!("{other:?}"),
            };
            (*n, of, text)
        };
        events.keys().map(one).collect()
    }

    #[test]
    fn the_course_of_a_stream_is_falsified_without_holes() {
        let mut events = Events::new();
        for (n, of, text) in [(1, 0, "a"), (2, 0, "b"), (4, 3, "x"), (5, 0, "c")] {
            put(&mut events, n, of, received(text));
        }
        let of = |n, of, text: &str| (n, of, text.to_owned());
        let mut dropped = events.clone();
        assert!(drop_frame(&mut dropped, 1));
        assert_eq!(shown(&dropped), [of(1, 0, "b"), of(3, 2, "x"), of(4, 0, "c")]);
        let mut twice = events.clone();
        assert!(repeat_frame(&mut twice, 1));
        let expected = [of(1, 0, "a"), of(2, 0, "a"), of(3, 0, "b"), of(5, 4, "x"), of(6, 0, "c")];
        assert_eq!(shown(&twice), expected);
        let mut early = events.clone();
        assert!(end_early(&mut early, 1));
        assert_eq!(shown(&early), [of(1, 0, "closed"), of(3, 2, "x")]);
        assert!(!never_end(&mut events, 1) && never_end(&mut early, 1) && break_silence(&mut early, 1));
    }

    #[test]
    fn a_frame_gets_another_type() {
        let typed = |frame: Frame| {
            let mut frame = frame;
            another_type(&mut frame).then_some(frame)
        };
        assert_eq!(typed(Frame { channel: Some(1), ..Frame::default() }).unwrap().channel, Some(78));
        let json = Frame { body: Body::new(r#"{"type":"ADDED"}"#), ..Frame::default() };
        assert_eq!(typed(json).unwrap().body.json().unwrap(), json!({"type": "ADDED-FALSIFIED"}));
        assert!(typed(Frame { body: Body::new("plain"), ..Frame::default() }).is_none());
    }

    #[test]
    fn answers_are_falsified_as_said() {
        let mut document = json!({"a": [{"id": "x", "n": 1}], "b": null, "c": []});
        assert!(add_strangers(&mut document));
        assert_eq!(document["a"][1], json!({"id": "x falsified", "n": -77}));
        assert_eq!(document["c"][0]["id"], "stranger falsified");
        assert!(empty_lists(&mut document));
        assert_eq!(document, json!({"a": [], "b": null, "c": []}));
        assert!(!empty_lists(&mut document) && !other_values(&mut document));
        assert!(!texts(&mut document, "w") && rename_members(&mut document));
        assert_eq!(document, json!({"falsified@a": [], "falsified@b": null, "falsified@c": []}));
        let mut flag = json!([true, "s"]);
        assert!(other_values(&mut flag));
        assert_eq!(flag, json!([false, "s falsified"]));
    }
}
