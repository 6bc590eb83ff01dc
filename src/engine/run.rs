//! The scheduler: which case runs when.
//!
//! Cases come from an iterator and are started one by one, so memory does not grow with their number. One coordinator
//! holds all scheduling state and tells the sink what happens, in order. Locks are taken all together or not at all,
//! by the coordinator only: there can be no deadlock, and a case that waits for a lock occupies no place.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::clock::{Clock, RunClock};
use super::journal::{Journal, JournalError};
use super::lanes::Lanes;
use super::limit::{Breaker, Limiter};
use super::sessions::Logins;
use super::shared::{Fixtures, Shared};
use super::teardown;
use super::world::LiveWorld;
use super::{not_allowed, panic_text};
use crate::capability::Outcome;
use crate::expr::{Json, Scope};
use crate::judge::{self, CaseResult, Env, FixtureState, Instance, Leak, StopReason};
use crate::secret::Vault;
use crate::suite::{Catalogue, InstanceRef, Need, PlanLine, Risk};
use crate::target::{Target, TargetError};
use crate::transcript::{WriteError, Writer};

/// Cases that wait for locks; when there are more, no further ones are looked at.
const MAX_WAITING: usize = 256;
/// Cases under way for each request that may be under way. More would only hold resources of the target while they wait.
const UNDER_WAY: usize = 3;
/// Cases in a row that find nobody at home before the run is given up.
const GIVE_UP_AFTER: usize = 5;

/// What is run, on what, and where it is written.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The suites.
    pub catalogue: Arc<Catalogue>,
    /// The endpoint.
    pub target: Arc<Target>,
    /// Knows all secrets; the engine adds those of the target and those it meets.
    pub vault: Arc<Vault>,
    /// What expressions know; its `target` is usually [`Target::view`].
    pub env: Env,
    /// Where exchanges go.
    pub writer: Arc<Writer>,
    /// Where promises go.
    pub journal: Arc<Journal>,
}

/// How it is run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Id of the run.
    pub run_id: String,
    /// Requests under way at the same time (those of a `parallel` step count as one); 0 counts as 1. With 1, cases run
    /// one after the other; with more, cases that only wait let others go on.
    pub jobs: usize,
    /// Requests a second at most; the target's own limit if `None`.
    pub rate: Option<f64>,
    /// Further attempts after a `fail` or `error`.
    pub retries: u32,
    /// The highest risk the operator allows.
    pub allow: Risk,
    /// Time.
    pub clock: Clock,
    /// Interrupts the run: running cases end, what they did is put back.
    pub cancel: CancellationToken,
    /// What is said of the choices before the first case.
    pub plan: Vec<PlanLine>,
    /// Cases in a row without an answer after which the run is given up; 0 never gives up.
    pub give_up_after: usize,
}

impl RunOptions {
    /// One case at a time, reads only, no retries, the system's time.
    #[must_use]
    pub fn new(run_id: impl Into<String>) -> Self {
        Self {
            run_id: run_id.into(),
            jobs: 1,
            rate: None,
            retries: 0,
            allow: Risk::Read,
            clock: Clock::System,
            cancel: CancellationToken::new(),
            plan: Vec::new(),
            give_up_after: GIVE_UP_AFTER,
        }
    }
}

/// One finished case.
#[derive(Debug, Clone)]
pub struct Done {
    /// Full id with row.
    pub id: String,
    /// Its place in the catalogue.
    pub instance: InstanceRef,
    /// Result of the last attempt.
    pub result: CaseResult,
    /// Results of the attempts before it.
    pub earlier: Vec<CaseResult>,
    /// Passed, but not at once.
    pub flaky: bool,
    /// Wall clock when the last attempt began, milliseconds since 1970; `None` when it never began.
    pub start_at_ms: Option<i64>,
}

/// What happens during a run, in order.
#[derive(Debug, Clone)]
pub enum RunEvent {
    /// The run begins.
    Started {
        /// Number of cases, when the iterator knows it.
        total: Option<usize>,
    },
    /// A case begins.
    CaseStarted {
        /// Full id with row.
        id: String,
    },
    /// A case ended, was skipped or will not be run.
    CaseDone(Box<Done>),
    /// A fixture was torn down.
    FixtureDone {
        /// Full id.
        id: String,
        /// Result of its set-up.
        result: Box<CaseResult>,
        /// What could not be put back.
        leaks: Vec<Leak>,
    },
    /// A choice was made, or could not be made.
    Planned {
        /// The line of the plan, or why there is none.
        text: String,
        /// Whether the choice could be made.
        good: bool,
    },
    /// Something the operator should know.
    Warning(String),
    /// The run ended.
    Finished(RunSummary),
}

/// How a run went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunSummary {
    /// Cases reported, whatever their outcome.
    pub cases: usize,
    /// Requests sent.
    pub requests: u64,
    /// The operator interrupted it.
    pub cancelled: bool,
    /// Requests were sent and none was answered, or the run was given up because nobody answered any more.
    pub unreachable: bool,
    /// Nobody could log in, for this reason; no case was run.
    pub refused: Option<String>,
    /// Number of things left behind on the target.
    pub leaks: usize,
}

/// Why a run could not be done.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The target cannot be used.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The transcript cannot be written.
    #[error(transparent)]
    Transcript(#[from] WriteError),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The rate is not a positive number.
    #[error("the rate limit must be a positive number of requests a second")]
    Rate,
    /// Evidence could not be written in the middle of a run.
    #[error("the run was broken off: {0}")]
    Fault(String),
}

/// Where events go.
pub type Sink<'s> = &'s mut (dyn FnMut(RunEvent) + Send);

pub(super) fn shared(plan: Plan, options: &RunOptions) -> Result<Arc<Shared>, EngineError> {
    let Plan { catalogue, target, vault, env, writer, journal } = plan;
    let limiter = match options.rate.or(target.rate()) {
        None => None,
        Some(rate) => Some(Limiter::new(rate).ok_or(EngineError::Rate)?),
    };
    let clock = RunClock::start(options.clock);
    target.teach(&vault);
    target.warm_up()?;
    Ok(Arc::new(Shared {
        catalogue,
        client: Client::new(target, Arc::clone(&vault)),
        vault,
        env,
        run_id: options.run_id.clone(),
        limiter: limiter.filter(|_| !clock.is_virtual()),
        breaker: Breaker::new(options.give_up_after),
        clock,
        writer,
        journal,
        cancel: options.cancel.clone(),
        allow: options.allow,
        requests: AtomicU64::new(0),
        interrupted_at: OnceLock::new(),
        fault: OnceLock::new(),
        lanes: Lanes::new(options.jobs),
        ready: Notify::new(),
        fixtures: Fixtures::default(),
        logins: Logins::default(),
    }))
}

/// Runs the instances and tears their fixtures down.
///
/// # Errors
/// When the run cannot begin, or evidence cannot be written. A failed case is not an error.
pub async fn run(
    plan: Plan,
    instances: impl Iterator<Item = InstanceRef> + Send,
    options: RunOptions,
    sink: Sink<'_>,
) -> Result<RunSummary, EngineError> {
    let shared = shared(plan, &options)?;
    let total = match instances.size_hint() {
        (low, Some(high)) if low == high => Some(low),
        _ => None,
    };
    sink(RunEvent::Started { total });
    for label in shared.vault.weak() {
        sink(RunEvent::Warning(format!("the secret `{label}` is too short to be found inside longer text")));
    }
    let mut coordinator = Coordinator {
        shared: Arc::clone(&shared),
        jobs: options.jobs.max(1),
        retries: options.retries,
        sink,
        tasks: JoinSet::new(),
        running: HashMap::new(),
        held: BTreeSet::new(),
        waiting: VecDeque::new(),
        summary: RunSummary::default(),
    };
    coordinator.log_in().await;
    coordinator.plan(&options.plan).await;
    coordinator.cases(instances).await;
    coordinator.fixtures().await;
    let Coordinator { mut summary, sink, .. } = coordinator;
    summary.requests = shared.requests.load(Ordering::Relaxed);
    summary.unreachable = shared.breaker.is_open() || (summary.requests > 0 && !shared.breaker.answered());
    if let Some(why) = shared.fault.get() {
        return Err(EngineError::Fault(why.clone()));
    }
    summary.cancelled = shared.cancel.is_cancelled();
    sink(RunEvent::Finished(summary.clone()));
    Ok(summary)
}

/// A case that is running.
struct Running {
    id: String,
    instance: InstanceRef,
    locks: Vec<String>,
}

struct Attempts {
    result: CaseResult,
    earlier: Vec<CaseResult>,
    start_at_ms: i64,
}

struct Coordinator<'s> {
    shared: Arc<Shared>,
    jobs: usize,
    retries: u32,
    sink: Sink<'s>,
    tasks: JoinSet<Attempts>,
    running: HashMap<Id, Running>,
    held: BTreeSet<String>,
    waiting: VecDeque<InstanceRef>,
    summary: RunSummary,
}

impl Coordinator<'_> {
    /// Opens the main session first: nobody is served by hundreds of cases that fail because a password is wrong.
    async fn log_in(&mut self) {
        let Some(fixture) = self.shared.env.sessions.get(crate::target::MAIN).cloned() else { return };
        let (state, _) = self.shared.current(&fixture, &[]).await;
        if state.result.outcome != Outcome::Pass {
            self.summary.refused = Some(state.result.reason.clone());
        }
    }

    /// Says what was chosen, before anything is created.
    async fn plan(&mut self, lines: &[PlanLine]) {
        for line in lines {
            if self.is_over() {
                return;
            }
            let state = self.shared.fixture(&line.fixture, 1, &[]).await;
            let good = state.result.outcome == Outcome::Pass;
            let text = if good {
                let outputs = Scope::from_json(Json::clone(&state.outputs));
                line.says.render(&outputs).unwrap_or_else(|_| line.says.source().to_owned())
            } else {
                state.result.reason.clone()
            };
            (self.sink)(RunEvent::Planned { text, good });
        }
    }

    async fn cases(&mut self, mut instances: impl Iterator<Item = InstanceRef> + Send) {
        // Cases that wait for something to become ready do not keep others from being asked.
        let most = if self.jobs == 1 { 1 } else { self.jobs * UNDER_WAY };
        loop {
            while self.tasks.len() < most && !self.is_over() {
                if !self.start_next(&mut instances) {
                    break;
                }
            }
            let shared = Arc::clone(&self.shared);
            tokio::select! {
                finished = self.tasks.join_next_with_id() => match finished {
                    Some(finished) => self.finished(finished),
                    // Nothing runs, so no lock is held, so nothing can be waiting: all is done, or the run is over.
                    None => break,
                },
                // A fixture is ready: cases that need it can be started.
                () = shared.ready.notified(), if !self.tasks.is_empty() => {}
            }
        }
        let waiting = std::mem::take(&mut self.waiting);
        for instance in waiting.into_iter().chain(instances) {
            let why = if self.shared.breaker.is_open() { StopReason::Unreachable } else { StopReason::Cancelled };
            self.not_started(instance, Outcome::NotRun, why.words().to_owned());
        }
    }

    fn is_over(&self) -> bool {
        self.shared.cancel.is_cancelled() || self.shared.breaker.is_open() || self.summary.refused.is_some()
    }

    /// Starts one case; `false` when none can be started now.
    fn start_next(&mut self, instances: &mut impl Iterator<Item = InstanceRef>) -> bool {
        for at in 0..self.waiting.len() {
            let Some(instance) = self.waiting.get(at).copied() else { break };
            if let Some(locks) = self.lock(instance) {
                self.waiting.remove(at);
                self.start(instance, locks);
                return true;
            }
        }
        while self.waiting.len() < MAX_WAITING {
            let Some(instance) = instances.next() else { return false };
            let risk = self.shared.catalogue.get(instance).map_or(Risk::Read, |(_, case)| case.risk);
            if risk > self.shared.allow {
                self.not_started(instance, Outcome::Skip, not_allowed(risk));
                continue;
            }
            match self.lock(instance) {
                Some(locks) => {
                    self.start(instance, locks);
                    return true;
                }
                None => self.waiting.push_back(instance),
            }
        }
        false
    }

    /// Takes all locks of a case, or none. Fixtures that are yet to be set up for it count as part of it.
    fn lock(&mut self, instance: InstanceRef) -> Option<Vec<String>> {
        let catalogue = &self.shared.catalogue;
        let Some((_, case)) = catalogue.get(instance) else { return Some(Vec::new()) };
        let mut locks: BTreeSet<String> = case.serial.iter().cloned().collect();
        let mut needs: Vec<&Need> = case.needs.iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(need) = needs.pop() {
            if !seen.insert(&need.fixture) || self.shared.has_fixture(&need.fixture) {
                continue;
            }
            if !catalogue.is_per_case(&need.fixture) {
                // One case sets it up; the others need not stand around meanwhile. No lock of a suite has a space in its
                // name.
                locks.insert(format!("fixture {}", need.fixture));
            }
            if let Some((_, fixture)) = catalogue.fixture(&need.fixture) {
                locks.extend(fixture.serial.iter().cloned());
                needs.extend(&fixture.needs);
            }
        }
        if locks.iter().any(|lock| self.held.contains(lock)) {
            return None;
        }
        let locks: Vec<String> = locks.into_iter().collect();
        self.held.extend(locks.iter().cloned());
        Some(locks)
    }

    fn start(&mut self, instance: InstanceRef, locks: Vec<String>) {
        let id = self.shared.catalogue.id(instance);
        (self.sink)(RunEvent::CaseStarted { id: id.clone() });
        let task = attempts(Arc::clone(&self.shared), instance, id.clone(), self.retries);
        let handle = self.tasks.spawn(task);
        self.running.insert(handle.id(), Running { id, instance, locks });
    }

    fn finished(&mut self, finished: Result<(Id, Attempts), JoinError>) {
        let (task, attempts) = match finished {
            Ok((task, attempts)) => (task, attempts),
            Err(error) => (error.id(), panicked(error)),
        };
        let Some(Running { id, instance, locks }) = self.running.remove(&task) else { return };
        for lock in &locks {
            self.held.remove(lock);
        }
        let Attempts { result, earlier, start_at_ms } = attempts;
        let flaky = result.outcome == Outcome::Pass && !earlier.is_empty();
        self.done(Done { id, instance, result, earlier, flaky, start_at_ms: Some(start_at_ms) });
    }

    fn not_started(&mut self, instance: InstanceRef, outcome: Outcome, reason: String) {
        let id = self.shared.catalogue.id(instance);
        let result = CaseResult::without_evidence(outcome, reason);
        self.done(Done { id, instance, result, earlier: Vec::new(), flaky: false, start_at_ms: None });
    }

    fn done(&mut self, done: Done) {
        self.summary.cases += 1;
        self.summary.leaks += done.result.leaks.len();
        self.summary.leaks += done.earlier.iter().map(|result| result.leaks.len()).sum::<usize>();
        (self.sink)(RunEvent::CaseDone(Box::new(done)));
    }

    async fn fixtures(&mut self) {
        let mut renewed: HashMap<String, (Arc<FixtureState>, Vec<Leak>)> = HashMap::new();
        for (id, number, mut state, mut leaks) in teardown::all(&self.shared).await {
            self.summary.leaks += leaks.len();
            // Only a case whose task broke off leaves one of its own standing; a report has no place for it.
            if self.shared.catalogue.is_per_case(&id) {
                continue;
            }
            // The last log-in stands for all, with what any left behind. The newest is torn down first.
            if let Some((newer, later)) = renewed.remove(&id) {
                state = newer;
                leaks.extend(later);
            }
            if number > 1 {
                renewed.insert(id, (state, leaks));
                continue;
            }
            (self.sink)(RunEvent::FixtureDone { id, result: Box::new(state.result.clone()), leaks });
        }
    }
}

/// Runs one case until it passes or its attempts are used up.
async fn attempts(shared: Arc<Shared>, instance: InstanceRef, id: String, retries: u32) -> Attempts {
    let catalogue = Arc::clone(&shared.catalogue);
    let mut earlier = Vec::new();
    let mut attempt = 1;
    loop {
        let (result, start_at_ms) = one_attempt(&shared, &catalogue, instance, &id, attempt).await;
        let again = matches!(result.outcome, Outcome::Fail | Outcome::Error)
            && attempt <= retries
            && !shared.cancel.is_cancelled()
            && !shared.breaker.is_open();
        if !again {
            return Attempts { result, earlier, start_at_ms };
        }
        earlier.push(result);
        attempt += 1;
    }
}

async fn one_attempt(
    shared: &Arc<Shared>,
    catalogue: &Catalogue,
    place: InstanceRef,
    id: &str,
    attempt: u32,
) -> (CaseResult, i64) {
    let Some((suite, case)) = catalogue.get(place) else {
        let reason = "the case is not in the catalogue";
        return (CaseResult::without_evidence(Outcome::Error, reason), shared.clock.now_ms());
    };
    let case = &*case.whole();
    let instance = Instance { suite, case, id: id.to_owned(), variables: catalogue.row_variables(place) };
    // Set up before the case's own time begins to run.
    for fixture in judge::fixtures_of(&instance, &shared.env) {
        let (state, _) = shared.stand(fixture, (id, attempt), &[]).await;
        if state.result.outcome != Outcome::Pass {
            break;
        }
    }
    let mut world = LiveWorld::begin(shared, id, attempt, case.within, Vec::new());
    let start_ms = world.start_ms();
    let result = judge::run_case(&instance, &shared.env, &mut world).await;
    world.end();
    (result, start_ms)
}

/// A defect of the harness is never charged to the target.
fn panicked(error: JoinError) -> Attempts {
    let reason = format!("the harness failed: {}", panic_text(error));
    let result = CaseResult::without_evidence(Outcome::Error, reason);
    Attempts { result, earlier: Vec::new(), start_at_ms: 0 }
}
