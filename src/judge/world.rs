//! The boundary between judging and doing: everything the interpreter wants from outside goes through [`World`].
//!
//! The engine implements it with a network; [`super::replay`] implements it with a transcript. The interpreter cannot
//! tell them apart, which is why a live and an offline outcome cannot differ.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::expr::Json;
use crate::http::{Exchange, Frame, Request, StreamEvent};
use crate::secret::Redacted;
use crate::suite::{Frames, SecretPlace};

use super::answer::Answer;
use super::result::{CaseResult, Leak};

/// Part of a case that an exchange belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The steps of the case.
    Main,
    /// Putting the target back.
    Undo,
}

/// Why an exchange did not take place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// The case's deadline passed.
    Deadline,
    /// The operator interrupted the run.
    Cancelled,
    /// The target stopped answering and the run was given up.
    Unreachable,
    /// The request would carry credentials to a host that is not part of the target.
    ForeignHost,
    /// The target defines no such identity.
    NoIdentity,
    /// This version cannot execute the step.
    Unsupported,
}

impl StopReason {
    /// The word of the reason in a transcript; the same spelling as in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::Cancelled => "cancelled",
            Self::Unreachable => "unreachable",
            Self::ForeignHost => "foreign-host",
            Self::NoIdentity => "no-identity",
            Self::Unsupported => "unsupported",
        }
    }

    /// The reason in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Deadline => "the deadline of the case passed",
            Self::Cancelled => "the run was interrupted",
            Self::Unreachable => "the target stopped answering",
            Self::ForeignHost => "the request would carry credentials to a host that is not part of the target",
            Self::NoIdentity => "the target defines no such identity",
            Self::Unsupported => "this version of the harness cannot execute the step",
        }
    }
}

/// Who sends a request, rendered; values may hold tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallIdentity {
    /// An identity that the target defines.
    Named(String),
    /// HTTP Basic with these values.
    Basic {
        /// User name.
        username: String,
        /// Password.
        password: String,
    },
    /// One header field.
    Header {
        /// Field name, lower-case.
        name: String,
        /// Value.
        value: String,
    },
}

/// One request that the interpreter wants performed.
#[derive(Debug, Clone)]
pub struct Call {
    /// Number of the event within the case, from 0.
    pub n: u32,
    /// Part of the case.
    pub phase: Phase,
    /// The step, for people: its name or its place.
    pub step: String,
    /// The request without the identity's header.
    pub request: Request,
    /// Who sends it.
    pub identity: CallIdentity,
    /// Deadline of the exchange.
    pub timeout: Duration,
    /// Bytes of the body to keep.
    pub max_body: u64,
    /// Where the response holds new secrets.
    pub secrets: Vec<SecretPlace>,
}

/// What became of a call.
#[derive(Debug, Clone)]
pub enum Event {
    /// It took place; the exchange holds a response or a transport failure.
    Done(Arc<Redacted<Exchange>>),
    /// It did not take place.
    Stopped(StopReason),
}

/// A wait for what happens next on a stream.
#[derive(Debug, Clone)]
pub struct Receive {
    /// Number of the event within the case.
    pub n: u32,
    /// Part of the case.
    pub phase: Phase,
    /// The stream: event number of the exchange that opened it.
    pub of: u32,
    /// How long the step may wait in all.
    pub within: Duration,
    /// Whether this is the first wait of the step: its time begins to run.
    pub begins: bool,
}

/// A frame that the interpreter wants sent; its time is not known yet.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Number of the event within the case.
    pub n: u32,
    /// Part of the case.
    pub phase: Phase,
    /// The stream: event number of the exchange that opened it.
    pub of: u32,
    /// The frame; its body may hold tokens.
    pub frame: Frame,
}

/// A stream that the case is done with.
#[derive(Debug, Clone)]
pub struct Leave {
    /// Number of the event within the case.
    pub n: u32,
    /// Part of the case.
    pub phase: Phase,
    /// The stream: event number of the exchange that opened it.
    pub of: u32,
}

/// What became of something wanted of a stream.
#[derive(Debug, Clone)]
pub enum Streamed {
    /// This happened.
    Happened(Arc<Redacted<StreamEvent>>),
    /// It was not tried, or given up.
    Stopped(StopReason),
}

/// An exchange of a fixture, with the resource that linked to it when it came from a crawl.
#[derive(Debug, Clone)]
pub struct Visited {
    /// The exchange.
    pub exchange: Arc<Redacted<Exchange>>,
    /// Path of the resource that held the link.
    pub referrer: Option<String>,
    /// Its event number in the fixture.
    pub n: u32,
    answer: Arc<OnceLock<Answer>>,
}

impl Visited {
    /// An exchange of a fixture.
    #[must_use]
    pub fn new(n: u32, exchange: Arc<Redacted<Exchange>>, referrer: Option<String>) -> Self {
        Self { exchange, referrer, n, answer: Arc::default() }
    }

    /// Its variables, made when first asked for: many cases look at the same exchange.
    pub(super) fn answer(&self) -> &Answer {
        self.answer.get_or_init(|| Answer::of(&self.exchange))
    }
}

/// What a fixture hands to the cases that need it.
#[derive(Debug)]
pub struct FixtureState {
    /// The id under which it was set up.
    pub id: String,
    /// Whether it stands for one case only, and is undone with it.
    pub per_case: bool,
    /// Those fixtures of the same case that it stands on itself.
    pub stands_on: Vec<Arc<FixtureState>>,
    /// Outcome and findings of the set-up.
    pub result: CaseResult,
    /// Values of `outputs`; an empty object unless the set-up passed.
    pub outputs: Arc<Json>,
    /// Its exchanges, for `over` and as proof.
    pub visited: Vec<Visited>,
}

/// A promise to put something back, written to the journal before the request it belongs to.
#[derive(Debug, Clone)]
pub struct Pledge {
    /// Number of the pledge within the case.
    pub id: u32,
    /// Byte offset of the request step in the suite file: with suite and case, the address of its `undo` steps.
    pub step: usize,
    /// What is known.
    pub stage: PledgeStage,
}

/// Progress of a [`Pledge`].
#[derive(Debug, Clone)]
pub enum PledgeStage {
    /// The request is about to be sent; variables known so far.
    Before(Json),
    /// The request was answered; variables known now.
    After(Json),
    /// The answer showed that there is nothing to undo.
    Void,
    /// Undone.
    Kept,
}

/// Everything a case wants from outside.
pub trait World: Send {
    /// Performs one request.
    fn call(&mut self, call: Call) -> impl Future<Output = Event> + Send;
    /// Performs several requests at the same time; events come back in the order of the calls.
    fn calls(&mut self, calls: Vec<Call>) -> impl Future<Output = Vec<Event>> + Send;
    /// Performs a request whose answer, if it is not a refusal, goes on as a stream of frames. The exchange then ends
    /// with the head of the answer.
    fn open(&mut self, call: Call, frames: Frames) -> impl Future<Output = Event> + Send;
    /// Waits for a frame, the end of the stream, or the end of the wait. A frame counts as received when it is given
    /// out here, however early it arrived.
    fn receive(&mut self, wait: Receive) -> impl Future<Output = Streamed> + Send;
    /// Sends a frame.
    fn send(&mut self, frame: Outgoing) -> impl Future<Output = Streamed> + Send;
    /// Ends a stream from our side.
    fn leave(&mut self, leave: Leave) -> impl Future<Output = Streamed> + Send;
    /// Ends all streams that are still open; nothing of it is recorded.
    fn hang_up(&mut self) -> impl Future<Output = ()> + Send;
    /// Waits before the next poll.
    fn pause(&mut self, pause: Duration) -> impl Future<Output = ()> + Send;
    /// Makes a new secret and returns its token; `None` when the transcript does not hold it.
    fn secret(&mut self, n: u32, label: &str) -> Option<String>;
    /// The state of a fixture, set up when first asked for. Ids are full: `<suite>.<fixture>`.
    fn fixture(&mut self, id: &str) -> impl Future<Output = Arc<FixtureState>> + Send;
    /// Undoes a fixture that stands for this case only; returns what could not be put back.
    fn release(&mut self, fixture: Arc<FixtureState>) -> impl Future<Output = Vec<Leak>> + Send;
    /// Writes to the undo journal; returns only when it is on disk.
    fn pledge(&mut self, pledge: Pledge) -> impl Future<Output = ()> + Send;
}
