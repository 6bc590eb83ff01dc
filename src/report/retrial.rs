//! One case judged again and again on altered evidence: read once, however often it is judged.

use super::falsify::Events;
use super::rejudge::{FixtureStates, Opened, recorded};
use crate::expr::Json;
use crate::judge::replay::{Replay, now};
use crate::judge::{CaseResult, Env, Instance, run_case};
use crate::suite::{Suite, Whole};
use crate::transcript::AttemptEvents;

/// The last attempt of a recorded case, ready to be judged on other evidence than its own.
pub struct Retrial<'b> {
    bundle: &'b Opened,
    suite: &'b Suite,
    case: Whole<'b>,
    id: String,
    variables: Vec<(String, Json)>,
    attempt: u32,
    events: AttemptEvents,
    env: Env,
    /// As the evidence has them; shared by all that alter the case's own events only.
    fixtures: FixtureStates<'b>,
}

impl Opened {
    /// The case of that id; `None` when there is no such case or no evidence for it.
    #[must_use]
    pub fn retrial(&self, id: &str) -> Option<Retrial<'_>> {
        let instance = self.catalogue.instances().find(|instance| self.catalogue.id(*instance) == id)?;
        let (suite, case) = self.catalogue.get(instance)?;
        let attempt = *self.transcript.attempts(id).last()?;
        Some(Retrial {
            bundle: self,
            suite,
            case: case.whole(),
            id: id.to_owned(),
            variables: self.catalogue.row_variables(instance),
            attempt,
            events: self.transcript.load(id, attempt).ok()??,
            env: self.env(),
            fixtures: FixtureStates::default(),
        })
    }
}

impl Retrial<'_> {
    /// What the case was told, clean-up included.
    #[must_use]
    pub fn events(&self) -> &AttemptEvents {
        &self.events
    }

    /// The result when `alter` may change the case's own events first; `None` when it says that it could not. With the
    /// events as they are this is what the report says; with a falsified answer it shows whether the case notices.
    #[must_use]
    pub fn judge(&self, alter: impl FnOnce(&mut Events) -> bool) -> Option<CaseResult> {
        let mut events = recorded(&self.events);
        alter(&mut events).then(|| self.on(events, &self.fixtures))?
    }

    /// The result when `alter` may change what the fixtures were told, each by its id.
    #[must_use]
    pub fn judge_with_fixtures(&self, alter: &(dyn Fn(&str, &mut Events) + Sync)) -> Option<CaseResult> {
        self.on(recorded(&self.events), &FixtureStates::altered(alter))
    }

    fn on(&self, events: Events, fixtures: &FixtureStates<'_>) -> Option<CaseResult> {
        let whose = (self.id.as_str(), self.attempt);
        let fixture = |wanted: &str| fixtures.of(self.bundle, wanted, whose, &self.events, &self.env);
        let instance =
            Instance { suite: self.suite, case: &self.case, id: self.id.clone(), variables: self.variables.clone() };
        let mut replay = Replay::new(events, self.events.ended, Box::new(fixture)).imagining();
        now(run_case(&instance, &self.env, &mut replay))
    }
}
