//! Keeps the promises of a run that was killed, from its journal.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::journal::{Journal, PendingPledge};
use super::run::{EngineError, Plan, RunOptions, shared};
use super::shared::Shared;
use super::world::LiveWorld;
use crate::expr::Json;
use crate::judge::{self, Instance, Leak};

/// One promise that was taken up again.
#[derive(Debug, Clone)]
pub struct Cleaned {
    /// Full id of the case or fixture that made it.
    pub case: String,
    /// What could not be put back; empty when the promise was kept.
    pub leaks: Vec<Leak>,
}

/// Puts back what is pending in the journal at `path`, newest first, and marks what was put back. The plan's own
/// journal takes what the clean-up itself promises; its transcript takes the exchanges, under attempts counted from 1.
///
/// Secrets of the killed run are gone: a request that needs one is not sent, and that is reported as a leak.
///
/// # Errors
/// When the journal cannot be read, or evidence cannot be written.
pub async fn cleanup(
    path: &Path,
    plan: Plan,
    options: &RunOptions,
    sink: &mut (dyn FnMut(Cleaned) + Send),
) -> Result<usize, EngineError> {
    let pending = Journal::pending(path)?;
    let old = Journal::reopen(path)?;
    let shared = shared(plan, options)?;
    let mut leaks = 0;
    for (at, pledge) in pending.into_iter().enumerate() {
        let attempt = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let found = take_up(&shared, &pledge, attempt).await;
        if found.is_empty() {
            old.kept(&pledge)?;
        }
        leaks += found.len();
        sink(Cleaned { case: pledge.case, leaks: found });
        if let Some(why) = shared.fault.get() {
            return Err(EngineError::Fault(why.clone()));
        }
    }
    Ok(leaks)
}

async fn take_up(shared: &Arc<Shared>, pledge: &PendingPledge, attempt: u32) -> Vec<Leak> {
    let catalogue = Arc::clone(&shared.catalogue);
    let Some((suite, case)) = catalogue.case(&pledge.case).or_else(|| catalogue.fixture(&pledge.case)) else {
        let why = "the suites have no such case any more".to_owned();
        return vec![Leak { what: pledge.case.clone(), why }];
    };
    let case = &*case.whole();
    let instance = Instance { suite, case, id: pledge.case.clone(), variables: Vec::new() };
    let mut world = LiveWorld::begin(shared, &pledge.case, attempt, Duration::MAX, Vec::new());
    let scope: Json = pledge.scope.clone();
    let leaks = judge::undo_pledge(&instance, pledge.step, pledge.lost, scope, &shared.env, &mut world).await;
    world.end();
    leaks
}
