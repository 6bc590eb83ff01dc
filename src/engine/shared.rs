//! What all cases of a run share, and the fixtures among it.
//!
//! A fixture is set up by a task of its own when first needed; that task keeps what is to be put back until the run
//! tells it to.

use std::borrow::Cow;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OnceCell, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::clock::RunClock;
use super::journal::Journal;
use super::lanes::Lanes;
use super::limit::{Breaker, Limiter};
use super::panic_text;
use super::sessions::Logins;
use super::world::LiveWorld;
use crate::capability::Outcome;
use crate::expr::Json;
use crate::http::Exchange;
use crate::judge::{self, CaseResult, Env, FixtureState, Instance, Leak};
use crate::secret::Vault;
use crate::suite::{Catalogue, Risk};
use crate::transcript::Writer;

/// State of a run.
pub(super) struct Shared {
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) vault: Arc<Vault>,
    pub(super) env: Env,
    pub(super) run_id: String,
    pub(super) client: Client,
    pub(super) limiter: Option<Limiter>,
    pub(super) breaker: Breaker,
    pub(super) clock: RunClock,
    pub(super) writer: Arc<Writer>,
    pub(super) journal: Arc<Journal>,
    pub(super) cancel: CancellationToken,
    pub(super) allow: Risk,
    pub(super) requests: AtomicU64,
    pub(super) interrupted_at: OnceLock<Instant>,
    /// Set when evidence could not be written: the run cannot go on.
    pub(super) fault: OnceLock<String>,
    /// As many as requests may be under way.
    pub(super) lanes: Arc<Lanes>,
    /// Told when a fixture is ready.
    pub(super) ready: Notify,
    pub(super) fixtures: Fixtures,
    pub(super) logins: Logins,
}

/// A fixture that is set up once.
type Slot = Arc<OnceCell<Arc<FixtureState>>>;

/// Fixtures by id and, for sessions, by the number of the log-in.
#[derive(Default)]
pub(super) struct Fixtures {
    slots: Mutex<HashMap<(String, u32), Slot>>,
    standing: Mutex<Vec<Standing>>,
}

/// A fixture that was set up.
pub(super) struct Standing {
    /// Its id.
    pub(super) id: String,
    /// Which log-in, when it is a session; else 1.
    pub(super) number: u32,
    /// Its result.
    pub(super) state: Arc<FixtureState>,
    tear_down: oneshot::Sender<()>,
    task: JoinHandle<Vec<Leak>>,
}

impl Standing {
    /// Puts back what the fixture set up.
    pub(super) async fn tear_down(self) -> (String, Arc<FixtureState>, Vec<Leak>) {
        // An error means that the task is gone already; awaiting it tells why.
        let _ = self.tear_down.send(());
        let leaks = self.task.await.unwrap_or_else(|e| {
            let why = format!("the harness failed: {}", panic_text(e));
            vec![Leak { what: format!("fixture {}", self.id), why }]
        });
        (self.id, self.state, leaks)
    }
}

impl Shared {
    /// When the run was first seen to be interrupted.
    pub(super) fn interrupted(&self) -> Option<Instant> {
        if !self.cancel.is_cancelled() {
            return None;
        }
        Some(*self.interrupted_at.get_or_init(Instant::now))
    }

    /// Waits for an interruption and a while longer.
    pub(super) async fn cancelled_for(&self, grace: Duration) {
        self.cancel.cancelled().await;
        tokio::time::sleep(grace).await;
    }

    /// The run cannot go on; what is under way is wound up.
    pub(super) fn fail(&self, why: String) {
        // The first reason is the one that matters.
        let _ = self.fault.set(why);
        self.cancel.cancel();
    }

    pub(super) fn count(&self, _: &Exchange) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// The fixture of that id and number, set up now unless it was before. `chain` holds the fixtures that wait for it.
    pub(super) async fn fixture(self: &Arc<Self>, id: &str, number: u32, chain: &[String]) -> Arc<FixtureState> {
        if chain.iter().any(|waiting| waiting == id) {
            return Arc::new(unusable(id, Outcome::Error, format!("fixture `{id}` needs itself")));
        }
        let slot = {
            let mut slots = self.fixtures.slots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry((id.to_owned(), number)).or_default())
        };
        let state = slot.get_or_init(|| set_up(Arc::clone(self), id.to_owned(), number, chain.to_vec())).await;
        self.ready.notify_one();
        Arc::clone(state)
    }

    /// The state of a fixture that `whose` needs, a case or a fixture in this attempt, and which log-in it is.
    pub(super) async fn stand(
        self: &Arc<Self>,
        id: &str,
        whose: (&str, u32),
        chain: &[String],
    ) -> (Arc<FixtureState>, u32) {
        match self.catalogue.fixture_for(id, whose.0) {
            Cow::Borrowed(id) => self.current(id, chain).await,
            Cow::Owned(own) => (self.fixture(&own, whose.1, chain).await, 1),
        }
    }

    /// Undoes a fixture that stood for one attempt of a case.
    pub(super) async fn release(&self, id: &str, attempt: u32) -> Vec<Leak> {
        let mine = {
            self.fixtures.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(&(id.to_owned(), attempt));
            let mut standing = self.fixtures.standing.lock().unwrap_or_else(PoisonError::into_inner);
            let at = standing.iter().position(|one| one.id == id && one.number == attempt);
            at.map(|at| standing.remove(at))
        };
        match mine {
            Some(standing) => standing.tear_down().await.2,
            // It could not even be tried.
            None => Vec::new(),
        }
    }

    /// Whether the fixture was set up, or tried.
    pub(super) fn has_fixture(&self, id: &str) -> bool {
        let slots = self.fixtures.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.get(&(id.to_owned(), 1)).is_some_and(|slot| slot.initialized())
    }

    /// The fixtures to tear down, in this order.
    pub(super) fn standing(&self) -> Vec<Standing> {
        let mut standing = self.fixtures.standing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = std::mem::take(&mut *standing);
        all.reverse();
        all
    }
}

/// Boxed, because a fixture may need fixtures.
fn set_up(
    shared: Arc<Shared>,
    id: String,
    number: u32,
    chain: Vec<String>,
) -> Pin<Box<dyn Future<Output = Arc<FixtureState>> + Send>> {
    Box::pin(async move {
        let risk = shared.catalogue.fixture(&id).map(|(_, case)| case.risk);
        match risk {
            None => return Arc::new(unusable(&id, Outcome::Error, format!("there is no fixture `{id}`"))),
            Some(risk) if risk > shared.allow => {
                return Arc::new(unusable(&id, Outcome::Skip, super::not_allowed(risk)));
            }
            Some(_) => {}
        }
        let (ready, state) = oneshot::channel();
        let (tear_down, wait) = oneshot::channel();
        let task = tokio::spawn(stand(Arc::clone(&shared), id.clone(), number, chain, ready, wait));
        match state.await {
            Ok(state) => {
                let standing = Standing { id, number, state: Arc::clone(&state), tear_down, task };
                shared.fixtures.standing.lock().unwrap_or_else(PoisonError::into_inner).push(standing);
                state
            }
            Err(_) => {
                let why = task.await.err().map_or_else(|| "it ended early".to_owned(), panic_text);
                Arc::new(unusable(&id, Outcome::Error, format!("fixture `{id}`: the harness failed: {why}")))
            }
        }
    })
}

/// Life of a fixture.
async fn stand(
    shared: Arc<Shared>,
    id: String,
    number: u32,
    mut chain: Vec<String>,
    ready: oneshot::Sender<Arc<FixtureState>>,
    tear_down: oneshot::Receiver<()>,
) -> Vec<Leak> {
    let catalogue = Arc::clone(&shared.catalogue);
    let Some((suite, case)) = catalogue.fixture(&id) else { return Vec::new() };
    chain.push(id.clone());
    let instance = Instance { suite, case, id, variables: Vec::new() };
    let mut world = LiveWorld::begin(&shared, &instance.id, number, case.within, chain);
    let (state, pending) = judge::set_up(&instance, &shared.env, &mut world).await;
    if shared.env.sessions.values().any(|session| *session == instance.id) {
        shared.client.trust(state.outputs.get("services"));
    }
    // Nobody waits any more when the run was dropped; then the other channel is closed too.
    let _ = ready.send(Arc::new(state));
    let _ = tear_down.await;
    let leaks = judge::tear_down(pending, &mut world).await;
    world.end();
    leaks
}

/// A fixture that could not be tried.
fn unusable(id: &str, outcome: Outcome, reason: String) -> FixtureState {
    FixtureState {
        id: id.to_owned(),
        per_case: false,
        stands_on: Vec::new(),
        result: CaseResult::without_evidence(outcome, reason),
        outputs: Arc::new(Json::Object(serde_json::Map::new())),
        visited: Vec::new(),
    }
}
