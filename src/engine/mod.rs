//! Runs cases against a target: the only module with effects on it.
//!
//! The engine schedules cases, performs their requests, keeps secrets to itself, records every exchange before it is
//! judged, and puts the target back. Outcomes come from `judge` alone; families are data. Start reading at [`run`],
//! then `world` (what a case can ask for) and `client` (one request).

mod cleanup;
mod client;
mod clock;
mod cutter;
mod failure;
mod journal;
mod lanes;
mod limit;
mod opening;
mod preflight;
mod reveal;
mod run;
mod sessions;
mod shared;
mod streams;
mod teardown;
mod world;

pub use cleanup::{Cleaned, cleanup};
pub use clock::Clock;
pub use journal::{Journal, JournalError, PendingPledge};
pub use preflight::preflight;
pub use run::{Done, EngineError, Plan, RunEvent, RunOptions, RunSummary, Sink, run};

use crate::suite::Risk;

/// Why a case of this risk is skipped.
fn not_allowed(risk: Risk) -> String {
    let word = match risk {
        Risk::Read => "read",
        Risk::Write => "write",
        Risk::Disruptive => "disruptive",
    };
    format!("risk `{word}` is not allowed by the operator (--allow {word})")
}

/// What a panicked task said.
fn panic_text(error: tokio::task::JoinError) -> String {
    let Ok(payload) = error.try_into_panic() else { return "it was aborted".to_owned() };
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown panic".to_owned())
}

#[cfg(test)]
pub(crate) mod stub;
#[cfg(test)]
mod tests;
