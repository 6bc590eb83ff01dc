//! The pure judge: a case and the events it sees give a result.
//!
//! The interpreter asks a [`World`] for everything outside itself. With the engine's world it runs a case live; with
//! [`replay::Replay`] it recomputes the result from a transcript. It does no I/O and reads no clock: all times come
//! from the recorded exchanges. It only ever sees redacted values.
//!
//! Start reading at [`run_case`], then `interp` (steps), `checks` and `matcher`; `streams` has what happens behind `open`.

mod answer;
mod checks;
mod crawl;
mod interp;
mod matcher;
mod prepare;
pub mod replay;
mod request;
mod result;
mod session;
mod steps;
mod streams;
mod undo;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use result::{CaseResult, Evidence, Finding, Leak, MAX_FINDINGS};
pub use world::{
    Call, CallIdentity, Event, FixtureState, Leave, Outgoing, Phase, Pledge, PledgeStage, Receive, StopReason,
    Streamed, Visited, World,
};

use crate::capability::Outcome;
use crate::expr::{Json, Scope};
use crate::suite::{Case, Suite, is_logged_in};

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
    /// Identity → fixture that logs it in. Empty when credentials are sent with each request.
    pub sessions: Arc<BTreeMap<String, String>>,
}

impl Env {
    /// The fixture whose session requests of that suite are sent in; none for the suites that log in.
    #[must_use]
    pub fn main_session(&self, suite: &Suite) -> Option<&str> {
        let main = self.sessions.get(session::MAIN)?;
        is_logged_in(&self.sessions, &suite.id).then_some(main.as_str())
    }
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

impl Instance<'_> {
    /// The line of a byte offset in the file of the suite.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.case.line(self.suite, offset)
    }
}

/// The fixtures to set up before a case, in this order; none when the operator left out what the case requires.
#[must_use]
pub fn fixtures_of<'c>(instance: &Instance<'c>, env: &Env) -> Vec<&'c str> {
    let scope = prepare::initial_scope(instance, env);
    if instance.case.requires.iter().any(|require| prepare::is_ruled_out(require, env, &scope)) {
        return Vec::new();
    }
    prepare::in_order(instance.case, env).into_iter().map(|need| need.fixture.as_str()).collect()
}

/// Runs one case and puts the target back. With a replayed world this is the pure function (suite, transcript) →
/// outcome.
pub async fn run_case<W: World>(instance: &Instance<'_>, env: &Env, world: &mut W) -> CaseResult {
    let mut interp = interp::Interp::new(instance, env, world);
    interp.main().await;
    interp.world.hang_up().await;
    interp.put_back().await;
    interp.world.hang_up().await;
    interp.release().await;
    interp.result()
}

/// What a fixture still has to put back at the end of the run.
pub struct Pending<'a> {
    instance: &'a Instance<'a>,
    env: Env,
    undo: Vec<undo::Undo<'a>>,
    next_event: u32,
}

/// Sets a fixture up. What it promised to put back stays pending until [`tear_down`].
pub async fn set_up<'a, W: World>(instance: &'a Instance<'a>, env: &Env, world: &mut W) -> (FixtureState, Pending<'a>) {
    let mut interp = interp::Interp::new(instance, env, world);
    interp.visited = Some(Vec::new());
    interp.main().await;
    interp.world.hang_up().await;
    let mut outputs = serde_json::Map::new();
    if interp.verdict.is_none() {
        for (name, template) in &instance.case.outputs {
            match template.render(&interp.scope) {
                Ok(value) => {
                    outputs.insert(name.clone(), value);
                }
                Err(error) => {
                    interp.verdict = Some((Outcome::Fail, format!("output `{name}`: {}", error.message)));
                }
            }
        }
    }
    let pending =
        Pending { instance, env: env.clone(), undo: std::mem::take(&mut interp.undo), next_event: interp.next_event };
    let visited = interp.visited.take().unwrap_or_default();
    interp.visited = Some(Vec::new());
    let stands_on = std::mem::take(&mut interp.own_fixtures);
    let state = FixtureState {
        id: instance.id.clone(),
        per_case: instance.case.per_case,
        stands_on,
        result: interp.result(),
        outputs: Arc::new(Json::Object(outputs)),
        visited,
    };
    (state, pending)
}

/// Puts back what a fixture set up; returns what could not be put back.
pub async fn tear_down<W: World>(pending: Pending<'_>, world: &mut W) -> Vec<Leak> {
    let mut interp = interp::Interp::new(pending.instance, &pending.env, world);
    interp.undo = pending.undo;
    interp.next_event = pending.next_event;
    // Without it nothing can be put back, and each promise says so.
    interp.log_in().await;
    interp.verdict = None;
    interp.put_back().await;
    interp.world.hang_up().await;
    interp.leaks
}

/// Keeps one promise of a run that was cut off, from its journal.
///
/// `step` and `scope` are those of the [`Pledge`]; `lost` says that the answer to the request was never seen.
pub async fn undo_pledge<W: World>(
    instance: &Instance<'_>,
    step: usize,
    lost: bool,
    scope: Json,
    env: &Env,
    world: &mut W,
) -> Vec<Leak> {
    let mut interp = interp::Interp::new(instance, env, world);
    let scope = Scope::from_json(scope);
    if interp.log_in().await == interp::Flow::End {
        let why = interp.verdict.map(|(_, reason)| reason).unwrap_or_default();
        return vec![Leak { what: instance.id.clone(), why }];
    }
    if interp.recall(step, lost, scope) {
        interp.put_back().await;
        interp.world.hang_up().await;
        interp.leaks
    } else {
        vec![Leak { what: instance.id.clone(), why: format!("the suite has no request with undo at offset {step}") }]
    }
}

#[cfg(test)]
mod tests;
