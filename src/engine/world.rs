//! The live [`World`]: what a case asks for happens here, within its deadline, and is recorded before the case sees it.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use reqwest::header::HeaderValue;
use tokio::time::Instant;

use super::client::{Sender, began_to_answer};
use super::clock::CaseClock;
use super::opening::Rest;
use super::shared::Shared;
use super::streams::{Arrived, OpenStream};
use crate::http::{EndReason, Exchange, FailureClass, Frame, StreamEnd, StreamEvent, has_channels};
use crate::judge::{
    Call, Event, FixtureState, Leak, Leave, Outgoing, Phase, Pledge, Receive, StopReason, Streamed, World,
};
use crate::secret::{Redacted, Secret};
use crate::suite::Frames;
use crate::transcript::Record;

/// A request that is under way when the deadline passes may still end: what it did must be known to be undone.
const DEADLINE_GRACE: Duration = Duration::from_secs(30);
/// The same for an interrupted run.
const CANCEL_GRACE: Duration = Duration::from_secs(10);
/// Time for putting things back.
const UNDO_LIMIT: Duration = Duration::from_secs(300);
/// The same after an interruption, for one case and for the run.
const UNDO_LIMIT_CANCELLED: Duration = Duration::from_secs(30);
const UNDO_TOTAL_CANCELLED: Duration = Duration::from_secs(120);
/// A frame that the other side does not take by then is not sent.
const SEND_LIMIT: Duration = Duration::from_secs(30);
/// While a case waits for a frame, it is asked so often whether the run goes on.
const LOOK_UP: Duration = Duration::from_millis(500);
/// A timer that is so late says that the harness was not running.
const STALL: Duration = Duration::from_secs(1);
/// The longest wait for a frame of a replayed target.
const VIRTUAL_WAIT: Duration = Duration::from_secs(5);
const FOREVER: Duration = Duration::from_secs(86_400);
/// Characters of a new password: letters and digits that are not easily mistaken for each other.
const UPPER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
const LOWER: &[u8] = b"abcdefghijkmnpqrstuvwxyz";
const DIGITS: &[u8] = b"23456789";
const PASSWORD_LENGTH: usize = 20;
/// Escaped in a case id inside a `user-agent` comment; `%` too, so that it can be undone.
const AGENT: &AsciiSet = &CONTROLS.add(b'%').add(b'(').add(b')').add(b';').add(b'\\');

/// The world of one attempt of one case.
pub(super) struct LiveWorld {
    shared: Arc<Shared>,
    id: String,
    attempt: u32,
    /// Ids of the fixtures being set up on whose behalf this one is set up; shows circles.
    chain: Vec<String>,
    clock: CaseClock,
    deadline: Duration,
    undo_since: Option<Instant>,
    agent: HeaderValue,
    /// Open streams by the number of their opening.
    streams: BTreeMap<u32, OpenStream>,
}

impl LiveWorld {
    /// Begins an attempt: its `start` is in the transcript when this returns.
    pub(super) fn begin(shared: &Arc<Shared>, id: &str, attempt: u32, deadline: Duration, chain: Vec<String>) -> Self {
        let world = Self {
            shared: Arc::clone(shared),
            id: id.to_owned(),
            attempt,
            chain,
            clock: shared.clock.case(),
            deadline,
            undo_since: None,
            agent: agent(id, &shared.run_id),
            streams: BTreeMap::new(),
        };
        world.write(&Record::Start { case: id.to_owned(), attempt, at_ms: world.clock.start_ms() });
        world
    }

    /// Ends the attempt.
    pub(super) fn end(self) {
        self.write(&Record::End { case: self.id.clone(), attempt: self.attempt });
    }

    pub(super) fn start_ms(&self) -> i64 {
        self.clock.start_ms()
    }

    fn write(&self, record: &Record) {
        if let Err(error) = self.shared.writer.write(record) {
            self.shared.fail(error.to_string());
        }
    }

    /// Why a request of this phase may not start now.
    fn refusal(&self, phase: Phase) -> Option<StopReason> {
        if self.shared.breaker.is_open() {
            return Some(StopReason::Unreachable);
        }
        let interrupted = self.shared.interrupted();
        if phase == Phase::Main {
            if interrupted.is_some() {
                return Some(StopReason::Cancelled);
            }
            return (self.clock.elapsed() >= self.deadline).then_some(StopReason::Deadline);
        }
        match interrupted {
            Some(since) if since.elapsed() >= UNDO_TOTAL_CANCELLED => Some(StopReason::Cancelled),
            _ => self.undo_left().is_zero().then_some(StopReason::Deadline),
        }
    }

    fn undo_left(&self) -> Duration {
        let limit = if self.shared.interrupted().is_some() { UNDO_LIMIT_CANCELLED } else { UNDO_LIMIT };
        limit.saturating_sub(self.undo_since.map_or(Duration::ZERO, |since| since.elapsed()))
    }

    /// Performs one request and records what came of it.
    async fn perform(&self, call: Call, frames: Option<Frames>) -> (Event, Option<Rest>) {
        let (n, phase, step) = (call.n, call.phase, call.step.clone());
        let outcome = match self.refusal(phase) {
            Some(reason) => Err(reason),
            None => self.attempt_call(call, frames).await,
        };
        match outcome {
            Ok((exchange, rest)) => {
                let owner = (self.id.as_str(), self.attempt, n);
                if let Err(error) = self.shared.writer.exchange(owner, phase == Phase::Undo, &step, &exchange) {
                    self.shared.fail(error.to_string());
                }
                (Event::Done(Arc::new(exchange)), rest)
            }
            Err(reason) => {
                self.stopped(n, reason);
                (Event::Stopped(reason), None)
            }
        }
    }

    /// Records that something did not take place.
    fn stopped(&self, n: u32, reason: StopReason) {
        let reason = reason.word().to_owned();
        self.write(&Record::Stop { case: self.id.clone(), attempt: self.attempt, n, reason });
    }

    async fn attempt_call(
        &self,
        call: Call,
        frames: Option<Frames>,
    ) -> Result<(Redacted<Exchange>, Option<Rest>), StopReason> {
        let phase = call.phase;
        if let Some(limiter) = &self.shared.limiter {
            tokio::select! {
                () = limiter.ready() => {}
                () = self.shared.cancel.cancelled(), if phase == Phase::Main => return Err(StopReason::Cancelled),
            }
        }
        let left = match phase {
            Phase::Main => self.deadline.saturating_sub(self.clock.elapsed()).saturating_add(DEADLINE_GRACE),
            Phase::Undo => self.undo_left(),
        };
        let limit = call.timeout.min(left);
        let sender = Sender { clock: &self.clock, agent: &self.agent };
        let work = self.shared.client.exchange(call, frames, sender, limit);
        let (exchange, rest) = tokio::select! {
            result = work => result?,
            () = self.shared.cancelled_for(CANCEL_GRACE), if phase == Phase::Main => return Err(StopReason::Cancelled),
        };
        self.shared.count(&exchange);
        match &exchange.failure {
            None => self.shared.breaker.success(),
            // The target is there, it only speaks badly.
            Some(failure) if began_to_answer(failure) => {}
            Some(failure) => match failure.class {
                // A dying target may still accept connections, to close them without a word.
                FailureClass::Connect | FailureClass::Timeout | FailureClass::Resolve | FailureClass::Protocol => {
                    self.shared.breaker.failure(&self.id);
                }
                // The target is there, or was not asked.
                FailureClass::Tls | FailureClass::Request => {}
            },
        }
        Ok((exchange, rest))
    }

    /// Time that is left for the phase.
    fn left(&self, phase: Phase) -> Duration {
        match phase {
            Phase::Main => self.deadline.saturating_sub(self.clock.elapsed()),
            Phase::Undo => self.undo_left(),
        }
    }

    /// Waits for what comes next on a stream. What came after the wait was over is left for the next one.
    async fn next_on(&mut self, stream: &mut OpenStream, wait: &Receive) -> Result<StreamEvent, StopReason> {
        // A replayed target has said all it had to say as soon as it was asked.
        let within = if self.clock.is_virtual() { wait.within.min(VIRTUAL_WAIT) } else { wait.within };
        loop {
            if let Some(reason) = self.refusal(wait.phase) {
                return Err(reason);
            }
            let began = stream.since;
            // A wait that never ends is bounded by the deadline of the case.
            let until = began.checked_add(within).unwrap_or_else(|| began + FOREVER);
            let next = (Instant::now() + self.left(wait.phase).min(LOOK_UP)).min(until);
            let arrived = tokio::select! {
                biased;
                at = stream.ready() => at,
                () = tokio::time::sleep_until(next) => {
                    // While the harness itself did not run, what arrived could not be seen: that time does not count.
                    let late = next.elapsed();
                    if late > STALL {
                        stream.since += late;
                        continue;
                    }
                    if next < until {
                        continue;
                    }
                    until
                }
                () = self.shared.cancel.cancelled(), if wait.phase == Phase::Main => continue,
            };
            if arrived >= until {
                let from_ms = self.clock.elapsed_ms_at(began);
                // Nothing is skipped unless time is pretended.
                self.clock.skip(wait.within.saturating_sub(began.elapsed()));
                return Ok(StreamEvent::Silence { from_ms, to_ms: self.clock.elapsed_ms() });
            }
            let Some((at, arrived)) = stream.take() else { continue };
            let at_ms = self.clock.elapsed_ms_at(at);
            return Ok(match arrived {
                Arrived::Frame(frame) => StreamEvent::Received(Frame { at_ms, ..frame }),
                Arrived::End { reason, code, detail } => StreamEvent::Ended(StreamEnd { reason, code, detail, at_ms }),
            });
        }
    }

    /// Seals and records what happened on a stream.
    fn happened(&self, n: u32, of: u32, phase: Phase, event: StreamEvent) -> Streamed {
        let event = self.shared.vault.seal(event);
        let owner = (self.id.as_str(), self.attempt, n);
        if let Err(error) = self.shared.writer.stream(owner, of, phase == Phase::Undo, &event) {
            self.shared.fail(error.to_string());
        }
        Streamed::Happened(Arc::new(event))
    }

    fn give_up(&self, n: u32, reason: StopReason) -> Streamed {
        self.stopped(n, reason);
        Streamed::Stopped(reason)
    }

    fn enter(&mut self, phase: Phase) {
        if phase == Phase::Undo {
            self.undo_since.get_or_insert_with(Instant::now);
        }
    }
}

impl World for LiveWorld {
    async fn call(&mut self, call: Call) -> Event {
        self.enter(call.phase);
        // There is an end to the waiting: no request takes longer than its deadline.
        let _lane = self.shared.lanes.enter(&call.request.url).await;
        self.perform(call, None).await.0
    }

    async fn calls(&mut self, calls: Vec<Call>) -> Vec<Event> {
        let Some(first) = calls.first() else { return Vec::new() };
        self.enter(first.phase);
        let world = &*self;
        // What a case sends at the same time on purpose must be under way at the same time.
        let _lane = world.shared.lanes.enter(&first.request.url).await;
        join(calls.into_iter().map(|call| async { world.perform(call, None).await.0 }).collect()).await
    }

    async fn open(&mut self, call: Call, frames: Frames) -> Event {
        self.enter(call.phase);
        let (n, secrets) = (call.n, call.secrets.clone());
        let (event, rest) = {
            // A stream is under way as long as it is being opened: what only waits keeps nobody from being asked.
            let _lane = self.shared.lanes.enter(&call.request.url).await;
            self.perform(call, Some(frames)).await
        };
        if let (Event::Done(exchange), Some(rest)) = (&event, rest) {
            let protocol = exchange.response.as_ref().and_then(|head| head.headers.get("sec-websocket-protocol"));
            self.streams.insert(n, OpenStream::start(rest, has_channels(protocol), secrets));
        }
        event
    }

    async fn receive(&mut self, wait: Receive) -> Streamed {
        self.enter(wait.phase);
        let Some(mut stream) = self.streams.remove(&wait.of) else {
            return self.give_up(wait.n, StopReason::Unsupported);
        };
        if wait.begins {
            stream.since = Instant::now();
        }
        let event = self.next_on(&mut stream, &wait).await;
        let ended = matches!(event, Ok(StreamEvent::Ended(_)));
        if let Ok(StreamEvent::Received(frame)) = &event {
            self.shared.client.learn_body(&frame.body, &stream.secrets);
        }
        if !ended {
            self.streams.insert(wait.of, stream);
        }
        match event {
            Ok(event) => self.happened(wait.n, wait.of, wait.phase, event),
            Err(reason) => self.give_up(wait.n, reason),
        }
    }

    async fn send(&mut self, outgoing: Outgoing) -> Streamed {
        self.enter(outgoing.phase);
        let Outgoing { n, phase, of, mut frame } = outgoing;
        if let Some(reason) = self.refusal(phase) {
            return self.give_up(n, reason);
        }
        let Some(mut stream) = self.streams.remove(&of) else { return self.give_up(n, StopReason::Unsupported) };
        let limit = SEND_LIMIT.min(self.left(phase));
        let cancel = self.shared.cancel.clone();
        let sent = match self.shared.client.frame(&frame.body) {
            Err(failure) => Err(failure.detail),
            Ok(bytes) => tokio::select! {
                sent = stream.send(&frame, bytes, limit) => sent,
                () = cancel.cancelled(), if phase == Phase::Main => return self.give_up(n, StopReason::Cancelled),
            },
        };
        self.streams.insert(of, stream);
        let at_ms = self.clock.elapsed_ms();
        let event = match sent {
            Ok(()) => {
                frame.at_ms = at_ms;
                StreamEvent::Sent(frame)
            }
            Err(detail) => StreamEvent::Unsent { detail, at_ms },
        };
        self.happened(n, of, phase, event)
    }

    async fn leave(&mut self, leave: Leave) -> Streamed {
        if let Some(stream) = self.streams.remove(&leave.of) {
            stream.close().await;
        }
        let at_ms = self.clock.elapsed_ms();
        let end = StreamEnd { reason: EndReason::Left, code: None, detail: String::new(), at_ms };
        self.happened(leave.n, leave.of, leave.phase, StreamEvent::Ended(end))
    }

    async fn hang_up(&mut self) {
        for stream in std::mem::take(&mut self.streams).into_values() {
            stream.close().await;
        }
    }

    async fn pause(&mut self, pause: Duration) {
        if self.undo_since.is_some() {
            self.clock.pause(pause.min(self.undo_left())).await;
            return;
        }
        // Beyond the deadline the next call will be refused; there is nothing to wait for.
        let pause = pause.min(self.deadline.saturating_sub(self.clock.elapsed()));
        let cancel = self.shared.cancel.clone();
        tokio::select! {
            () = self.clock.pause(pause) => {}
            () = cancel.cancelled() => {}
        }
    }

    fn secret(&mut self, n: u32, label: &str) -> Option<String> {
        let password = password();
        let Some(password) = password else {
            self.shared.fail("the system has no source of random bytes".to_owned());
            return None;
        };
        let token = self.shared.vault.learn(label, &Secret::new(password));
        let (case, label) = (self.id.clone(), label.to_owned());
        self.write(&Record::Secret { case, attempt: self.attempt, n, label, token: token.clone() });
        Some(token)
    }

    async fn fixture(&mut self, id: &str) -> Arc<FixtureState> {
        let (state, login) = self.shared.stand(id, (&self.id, self.attempt), &self.chain).await;
        if login > 1 {
            let fixture = id.to_owned();
            self.write(&Record::Session { case: self.id.clone(), attempt: self.attempt, fixture, login });
        }
        state
    }

    async fn release(&mut self, fixture: Arc<FixtureState>) -> Vec<Leak> {
        self.shared.release(&fixture.id, self.attempt).await
    }

    async fn pledge(&mut self, pledge: Pledge) {
        let recorded = self.shared.journal.record(&self.id, self.attempt, pledge, &self.shared.vault).await;
        if let Err(error) = recorded {
            self.shared.fail(error.to_string());
        }
    }
}

/// `user-agent` of a case's requests: an operator finds them in his own logs.
fn agent(id: &str, run: &str) -> HeaderValue {
    let text = format!(
        "assize/{} ({}; run {})",
        env!("CARGO_PKG_VERSION"),
        utf8_percent_encode(id, AGENT),
        utf8_percent_encode(run, AGENT)
    );
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("assize"))
}

/// A random password of upper-case and lower-case letters and digits, at least one of each.
fn password() -> Option<String> {
    let mut random = [0_u8; PASSWORD_LENGTH * 2];
    getrandom::fill(&mut random).ok()?;
    let all: Vec<u8> = [UPPER, LOWER, DIGITS].concat();
    let (pairs, _) = random.as_chunks::<2>();
    let characters = pairs.iter().enumerate().map(|(at, pair)| {
        let set = match at {
            // The first is a letter: some systems refuse others there.
            0 => UPPER,
            1 => LOWER,
            2 => DIGITS,
            _ => &all,
        };
        let number = usize::from(u16::from_be_bytes(*pair));
        set.get(number % set.len()).copied().map_or('x', char::from)
    });
    Some(characters.collect())
}

/// Polls all futures until each is ready; results come in the order given.
async fn join<T, F: Future<Output = T>>(futures: Vec<F>) -> Vec<T> {
    let mut running: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<T>> = running.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut waiting = false;
        for (future, slot) in running.iter_mut().zip(&mut done) {
            if slot.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *slot = Some(value),
                    Poll::Pending => waiting = true,
                }
            }
        }
        if waiting { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_have_all_kinds_of_characters() {
        for _ in 0..100 {
            let password = password().unwrap();
            assert_eq!(password.len(), PASSWORD_LENGTH);
            assert!(password.starts_with(|c: char| c.is_ascii_uppercase()));
            assert!(password.contains(|c: char| c.is_ascii_lowercase()));
            assert!(password.contains(|c: char| c.is_ascii_digit()));
            assert!(password.bytes().all(|c| c.is_ascii_alphanumeric()));
        }
        assert_ne!(password(), password());
    }

    #[test]
    fn the_agent_names_case_and_run() {
        let value = agent("a.b[ü (1);x]", "r1");
        let expected = format!("assize/{} (a.b[%C3%BC %281%29%3Bx]; run r1)", env!("CARGO_PKG_VERSION"));
        assert_eq!(value.to_str().unwrap(), expected);
    }

    #[tokio::test]
    async fn joined_futures_keep_their_order() {
        let (send, receive) = tokio::sync::oneshot::channel();
        let first: Pin<Box<dyn Future<Output = u8> + Send>> = Box::pin(async { receive.await.unwrap() });
        let second: Pin<Box<dyn Future<Output = u8> + Send>> = Box::pin(async {
            send.send(1).unwrap();
            2
        });
        assert_eq!(join(vec![first, second]).await, [1, 2]);
    }
}
