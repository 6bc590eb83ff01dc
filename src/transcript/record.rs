//! The lines of a transcript file.

use serde::{Deserialize, Deserializer, Serialize};

use crate::http::{Exchange, StreamEvent};
use crate::secret::Redacted;

/// Version of the transcript format that this tool writes and the newest it reads. Format 2 has what happens on streams;
/// format 1 is the same without it.
pub const FORMAT: u32 = 2;

/// One line. Lines of different cases interleave; `n` orders the lines of one attempt of one case.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// First line of the file.
    Head {
        /// Format version.
        format: u32,
        /// Id of the run.
        run: String,
    },
    /// An attempt of a case begins.
    Start {
        /// Case id with row.
        case: String,
        /// Attempt, from 1.
        attempt: u32,
        /// Wall clock, milliseconds since 1970.
        at_ms: i64,
    },
    /// A request with what came back.
    Exchange {
        /// Case id with row.
        case: String,
        /// Attempt, from 1.
        attempt: u32,
        /// Event number within the attempt.
        n: u32,
        /// `true` when it belongs to the clean-up.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        undo: bool,
        /// The step, for people.
        step: String,
        /// The exchange.
        #[serde(deserialize_with = "evidence")]
        exchange: Box<Redacted<Exchange>>,
    },
    /// A request that was not sent.
    Stop {
        /// Case id with row.
        case: String,
        /// Attempt, from 1.
        attempt: u32,
        /// Event number within the attempt.
        n: u32,
        /// Reason, one of the words of `judge::StopReason`.
        reason: String,
    },
    /// Something happened on a stream, and the case took notice of it.
    Stream {
        /// Case id with row.
        case: String,
        /// Attempt, from 1.
        attempt: u32,
        /// Event number within the attempt.
        n: u32,
        /// Event number of the exchange that opened the stream.
        of: u32,
        /// `true` when it belongs to the clean-up.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        undo: bool,
        /// What happened.
        #[serde(deserialize_with = "stream_evidence")]
        event: Box<Redacted<StreamEvent>>,
    },
    /// A secret that the harness made.
    Secret {
        /// Case id with row.
        case: String,
        /// Attempt, from 1.
        attempt: u32,
        /// Event number within the attempt.
        n: u32,
        /// Label given by the suite.
        label: String,
        /// Its token.
        token: String,
    },
    /// From here on the attempt relies on a later log-in than the first: an earlier one had run out.
    Session {
        /// Case id with row.
        case: String,
        /// Attempt, from 1.
        attempt: u32,
        /// Full id of the fixture that logs in.
        fixture: String,
        /// Which log-in: the attempt of that fixture, from 2.
        login: u32,
    },
    /// The attempt ended and everything it did is above.
    End {
        /// Case id with row.
        case: String,
        /// Attempt, from 1.
        attempt: u32,
    },
}

impl Record {
    /// Case and attempt that the line belongs to; `None` for the head.
    #[must_use]
    pub fn owner(&self) -> Option<(&str, u32)> {
        match self {
            Self::Head { .. } => None,
            Self::Start { case, attempt, .. }
            | Self::Exchange { case, attempt, .. }
            | Self::Stop { case, attempt, .. }
            | Self::Stream { case, attempt, .. }
            | Self::Secret { case, attempt, .. }
            | Self::Session { case, attempt, .. }
            | Self::End { case, attempt } => Some((case, *attempt)),
        }
    }
}

/// What stands in a transcript went through a vault when it was written.
fn evidence<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<Redacted<Exchange>>, D::Error> {
    Exchange::deserialize(deserializer).map(|exchange| Box::new(Redacted::from_evidence(exchange)))
}

fn stream_evidence<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<Redacted<StreamEvent>>, D::Error> {
    StreamEvent::deserialize(deserializer).map(|event| Box::new(Redacted::from_evidence(event)))
}
