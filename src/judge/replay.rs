//! A world made of recorded events: the offline half of the one idea.
//!
//! The interpreter must ask for exactly what was recorded. If it asks for anything else, or leaves something over, the
//! evidence does not support the report, and [`Replay::mismatch`] says where.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::http::{Body, Exchange, Frame, Headers, Request, Response, StreamEvent};
use crate::secret::Redacted;
use crate::suite::Frames;

use super::result::Leak;
use super::world::{Call, Event, FixtureState, Leave, Outgoing, Pledge, Receive, StopReason, Streamed, World};

/// One recorded event.
#[derive(Debug, Clone)]
pub enum Recorded {
    /// An exchange.
    Exchange(Arc<Redacted<Exchange>>),
    /// A request that was not sent, or a wait that was given up.
    Stop(StopReason),
    /// Something on the stream that was opened under the number `of`.
    Stream {
        /// That number.
        of: u32,
        /// What happened.
        event: Arc<Redacted<StreamEvent>>,
    },
    /// A secret made by the harness.
    Secret {
        /// Its label.
        label: String,
        /// Its token.
        token: String,
    },
}

/// Gives the state of a fixture by its full id.
pub type Fixtures<'f> = Box<dyn FnMut(&str) -> Arc<FixtureState> + Send + 'f>;

/// The recorded events of one attempt of one case.
pub struct Replay<'f> {
    events: BTreeMap<u32, Recorded>,
    complete: bool,
    fixtures: Fixtures<'f>,
    mismatch: Option<String>,
    /// Requests that were not recorded are answered 404 instead of stopping the case.
    imagined: Option<u64>,
}

/// Between two imagined answers, so that no wait for a condition is without end: longer than any deadline of a wait.
const IMAGINED_WAIT_MS: u64 = 86_400_000;

impl<'f> Replay<'f> {
    /// A world from events by number. `complete` says that the attempt ended; the events of an attempt that was cut
    /// off (the harness was killed) may run out without that being a mismatch.
    #[must_use]
    pub fn new(events: BTreeMap<u32, Recorded>, complete: bool, fixtures: Fixtures<'f>) -> Self {
        Self { events, complete, fixtures, mismatch: None, imagined: None }
    }

    /// A world for falsified evidence: a request that the falsified answers lead to, and of which no answer is on record,
    /// is answered as a service answers what it does not have, 404.
    #[must_use]
    pub fn imagining(mut self) -> Self {
        self.imagined = Some(0);
        self
    }

    fn imagine(&mut self, call: &Call) -> Option<Event> {
        let elapsed = self.imagined.as_mut()?;
        *elapsed += IMAGINED_WAIT_MS;
        let mut headers = Headers::default();
        headers.set("content-type", "application/json");
        let version = "HTTP/1.1".to_owned();
        let response = Response { status: 404, version, headers, body: Body::new("{}"), tls: None };
        Some(Event::Done(Arc::new(Redacted::from_evidence(Exchange {
            request: call.request.clone(),
            response: Some(response),
            failure: None,
            sent_ms: *elapsed,
            done_ms: *elapsed,
            at_ms: 0,
        }))))
    }

    /// Where the evidence departs from the suite: an event that was not recorded, or recorded otherwise, or left over.
    #[must_use]
    pub fn mismatch(&self) -> Option<String> {
        self.mismatch.clone().or_else(|| {
            self.events.keys().next().map(|n| format!("event {n} was recorded, but the suite does not ask for it"))
        })
    }

    fn departs(&mut self, call: &Call, what: &str) -> Event {
        self.mismatch.get_or_insert_with(|| format!("event {}{what}", call.n));
        self.imagine(call).unwrap_or(Event::Stopped(StopReason::Unsupported))
    }

    fn answer(&mut self, call: &Call) -> Event {
        match self.events.remove(&call.n) {
            Some(Recorded::Exchange(exchange)) => match departure(&exchange.request, &call.request) {
                None => Event::Done(exchange),
                Some(what) => self.departs(call, &format!(": {what}")),
            },
            Some(Recorded::Stop(reason)) => Event::Stopped(reason),
            Some(Recorded::Secret { .. } | Recorded::Stream { .. }) => self.departs(call, " is no exchange"),
            None if self.complete => {
                let (method, url) = (&call.request.method, &call.request.url);
                self.departs(call, &format!(" ({method} {url}) was not recorded"))
            }
            None => Event::Stopped(StopReason::Cancelled),
        }
    }
}

/// What the interpreter asks of a stream.
enum Wanted<'w> {
    Next,
    Sent(&'w Frame),
    End,
}

impl Wanted<'_> {
    /// How what was recorded differs from what is asked for.
    fn departure(&self, event: &StreamEvent) -> Option<&'static str> {
        match (self, event) {
            (Self::Next, StreamEvent::Received(_) | StreamEvent::Silence { .. } | StreamEvent::Ended(_))
            | (Self::Sent(_), StreamEvent::Unsent { .. })
            | (Self::End, StreamEvent::Ended(_)) => None,
            (Self::Sent(wanted), StreamEvent::Sent(sent)) => {
                let alike = sent.channel == wanted.channel
                    && sent.binary == wanted.binary
                    && (sent.body == wanted.body || same(&sent.body.text(), &wanted.body.text()));
                (!alike).then_some("another frame was sent than the suite sends")
            }
            (Self::Next, _) => Some("the suite waits for a frame here"),
            (Self::Sent(_), _) => Some("the suite sends a frame here"),
            (Self::End, _) => Some("the suite closes the stream here"),
        }
    }
}

impl Replay<'_> {
    fn stream(&mut self, n: u32, wanted_of: u32, wanted: &Wanted<'_>) -> Streamed {
        let what = match self.events.remove(&n) {
            Some(Recorded::Stream { of, event }) if of == wanted_of => match wanted.departure(&event) {
                None => return Streamed::Happened(event),
                Some(what) => what,
            },
            Some(Recorded::Stop(reason)) => return Streamed::Stopped(reason),
            Some(Recorded::Stream { .. }) => "it belongs to another stream",
            Some(_) => "it does not belong to a stream",
            None if self.complete => "what happened on the stream was not recorded",
            None => return Streamed::Stopped(StopReason::Cancelled),
        };
        self.mismatch.get_or_insert_with(|| format!("event {n}: {what}"));
        let Some(elapsed) = self.imagined.as_mut() else { return Streamed::Stopped(StopReason::Unsupported) };
        let from_ms = *elapsed;
        *elapsed += IMAGINED_WAIT_MS;
        let imagined = match wanted {
            Wanted::Sent(frame) => StreamEvent::Sent(Frame { at_ms: *elapsed, ..(*frame).clone() }),
            Wanted::Next | Wanted::End => StreamEvent::Silence { from_ms, to_ms: *elapsed },
        };
        Streamed::Happened(Arc::new(Redacted::from_evidence(imagined)))
    }
}

impl World for Replay<'_> {
    async fn call(&mut self, call: Call) -> Event {
        self.answer(&call)
    }

    async fn calls(&mut self, calls: Vec<Call>) -> Vec<Event> {
        calls.iter().map(|call| self.answer(call)).collect()
    }

    async fn open(&mut self, call: Call, _: Frames) -> Event {
        self.answer(&call)
    }

    async fn receive(&mut self, wait: Receive) -> Streamed {
        self.stream(wait.n, wait.of, &Wanted::Next)
    }

    async fn send(&mut self, outgoing: Outgoing) -> Streamed {
        self.stream(outgoing.n, outgoing.of, &Wanted::Sent(&outgoing.frame))
    }

    async fn leave(&mut self, leave: Leave) -> Streamed {
        self.stream(leave.n, leave.of, &Wanted::End)
    }

    async fn hang_up(&mut self) {}

    async fn pause(&mut self, _: Duration) {}

    fn secret(&mut self, n: u32, wanted: &str) -> Option<String> {
        match self.events.remove(&n) {
            Some(Recorded::Secret { label, token }) if label == wanted => Some(token),
            _ => {
                self.mismatch.get_or_insert_with(|| format!("event {n}: the secret `{wanted}` was not recorded"));
                None
            }
        }
    }

    async fn fixture(&mut self, id: &str) -> Arc<FixtureState> {
        (self.fixtures)(id)
    }

    async fn release(&mut self, fixture: Arc<FixtureState>) -> Vec<Leak> {
        fixture.result.leaks.clone()
    }

    async fn pledge(&mut self, _: Pledge) {}
}

/// How a recorded request differs from the one the suite asks for. The identity's own header field may come on top.
fn departure(recorded: &Request, wanted: &Request) -> Option<String> {
    if recorded.method != wanted.method {
        return Some(format!("recorded method {}, the suite asks for {}", recorded.method, wanted.method));
    }
    if !same(&recorded.url, &wanted.url) {
        return Some(format!("recorded URL {}, the suite asks for {}", recorded.url, wanted.url));
    }
    for (name, value) in &wanted.headers.0 {
        let found = recorded.headers.0.iter().any(|(n, v)| n == name && same(v, value));
        if !found {
            return Some(format!("the recorded request lacks `{name}: {value}`"));
        }
    }
    if recorded.body != wanted.body && !same(&recorded.body.text(), &wanted.body.text()) {
        return Some("the recorded request has another body".to_owned());
    }
    None
}

/// Equal, where a token in the recording stands for any text of the length it states: the recorder replaces a secret
/// wherever it occurs, also in text that the suite wrote itself.
fn same(recorded: &str, wanted: &str) -> bool {
    if recorded == wanted {
        return true;
    }
    let Some((before, token, after)) = first_token(recorded) else { return false };
    let Some(rest) = wanted.strip_prefix(before) else { return false };
    if let Some(rest) = rest.strip_prefix(token) {
        return same(after, rest);
    }
    let Some(length) = token.trim_end_matches("}}").split(':').nth(3).and_then(|length| length.parse::<usize>().ok())
    else {
        return false;
    };
    match rest.char_indices().nth(length) {
        Some((at, _)) => rest.get(at..).is_some_and(|rest| same(after, rest)),
        None => rest.chars().count() == length && after.is_empty(),
    }
}

fn first_token(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find("{{secret:")?;
    let end = start + text.get(start..)?.find("}}")? + 2;
    Some((text.get(..start)?, text.get(start..end)?, text.get(end..)?))
}

/// Runs a future that never waits, as those of a replayed world are.
///
/// # Panics
/// Never: a future that waits gives `None`.
pub fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn a_token_stands_for_text_of_its_length() {
        let token = "{{secret:pw:00112233445566778899aabbccddeeff:5}}";
        assert!(same(&format!("/a/{token}/b"), "/a/admin/b"));
        assert!(same(&format!("/a/{token}"), "/a/admin"));
        assert!(same(&format!("/a/{token}"), &format!("/a/{token}")));
        assert!(!same(&format!("/a/{token}/b"), "/a/administrator/b"));
        assert!(!same("/a", "/b"));
    }
}
