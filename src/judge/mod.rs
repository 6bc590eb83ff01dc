//! The pure judge: a case and the events it sees give a result.
//!
//! The interpreter asks a [`World`] for everything outside itself. With the engine's world it runs a case live; with
//! [`replay::Replay`] it recomputes the result from a transcript. It does no I/O and reads no clock: all times come
//! from the recorded exchanges. It only ever sees redacted values.
//!
//! Start reading at [`run_case`], then `interp` (steps), `checks` and `matcher`.

mod result;
mod world;

use std::sync::Arc;

pub use result::{CaseResult, Finding, Leak, MAX_FINDINGS};
pub use world::{Call, CallIdentity, Event, FixtureState, Phase, Pledge, PledgeStage, StopReason, Visited, World};

use crate::expr::Json;
use crate::suite::{Case, Suite};

/// What is constant during a run and known to expressions.
#[derive(Debug, Clone)]
pub struct Env {
    /// The variable `target`: base, scheme, host, family, identities, services, options; no secret.
    pub target: Arc<Json>,
    /// The variable `run`: id and seed.
    pub run: Arc<Json>,
    /// Seed from which names and random bytes are derived.
    pub seed: String,
    /// Header fields of the family, sent with every request.
    pub headers: Vec<(String, String)>,
}

/// One case with the row it runs for.
#[derive(Debug, Clone)]
pub struct Instance<'a> {
    /// The suite.
    pub suite: &'a Suite,
    /// The case or fixture.
    pub case: &'a Case,
    /// Full id: `suite.case`, with `[row]` when the case has rows.
    pub id: String,
    /// Variables of the row.
    pub variables: Vec<(String, Json)>,
}
