//! What comes before the steps of a case: what the operator left out, the session, fixtures, requirements.

use std::sync::Arc;

use crate::capability::Outcome;
use crate::expr::Scope;
use crate::suite::{Case, Need, Require};

use super::interp::{Flow, Interp};
use super::result::Evidence;
use super::world::{FixtureState, World};
use super::{Env, Instance};

impl<W: World> Interp<'_, '_, W> {
    pub async fn prepare(&mut self) -> Flow {
        let case = self.instance.case;
        let ruled_out = |require: &&Require| is_ruled_out(require, &self.env, &self.scope);
        if let Some(require) = case.requires.iter().find(ruled_out) {
            let reason = self.text(&require.reason);
            return self.end(require.otherwise, reason);
        }
        if self.log_in().await == Flow::End {
            return Flow::End;
        }
        for need in in_order(case, &self.env) {
            let Some(state) = self.stand_on(&need.fixture).await else { return Flow::End };
            self.scope.set(&need.alias, state.outputs.clone());
            self.fixtures.push((need.alias.clone(), state));
        }
        for require in &case.requires {
            match require.that.eval_bool(&self.scope) {
                Ok(true) => {}
                Ok(false) => {
                    let reason = self.text(&require.reason);
                    self.proof = self.fixture_proof(None);
                    return self.end(require.otherwise, reason);
                }
                Err(error) => return self.unevaluable(&error, require.that.source(), require.span.start),
            }
        }
        Flow::Go
    }

    /// The state of a fixture; `None` when it did not come to stand, which ends the case.
    pub async fn stand_on(&mut self, fixture: &str) -> Option<Arc<FixtureState>> {
        let state = self.world.fixture(fixture).await;
        for own in state.stands_on.iter().chain([&state]).filter(|own| own.per_case) {
            if self.own_fixtures.iter().all(|known| known.id != own.id) {
                self.own_fixtures.push(Arc::clone(own));
            }
        }
        if state.result.outcome == Outcome::Pass {
            return Some(state);
        }
        let last = || state.visited.last().map(|visited| Evidence::own(visited.n));
        let proof = state.result.proof.clone().or_else(last);
        self.proof = proof.map(|proof| proof.of_fixture(&state.id));
        self.end(state.result.outcome, format!("fixture `{fixture}`: {}", state.result.reason));
        None
    }

    /// The last exchange of a fixture, of the first one unless named: what the case rests on when it asked nothing itself.
    pub fn fixture_proof(&self, alias: Option<&str>) -> Option<Evidence> {
        let (alias, state) = self.fixtures.iter().find(|(own, _)| alias.is_none_or(|alias| alias == own))?;
        let is_needed = self.instance.case.needs.iter().any(|need| need.alias == *alias);
        let last = state.visited.last().filter(|_| is_needed)?;
        Some(Evidence::own(last.n).of_fixture(&state.id))
    }

    /// Undoes what stands for this case only, the newest first. What it did counts as the case's.
    pub async fn release(&mut self) {
        for state in std::mem::take(&mut self.own_fixtures).into_iter().rev() {
            self.exchanges += state.result.exchanges;
            let leaks = self.world.release(state).await;
            self.leaks.extend(leaks);
        }
    }
}

/// The variables that are known before anything is set up.
pub(super) fn initial_scope(instance: &Instance<'_>, env: &Env) -> Scope {
    let mut scope = Scope::new();
    scope.set("target", env.target.clone());
    scope.set("run", env.run.clone());
    for (name, value) in &instance.variables {
        scope.set_json(name, value.clone());
    }
    scope
}

/// Whether the operator left out what a case requires. This is known before anything is set up for it. (Families without
/// sessions ask later: bundles were recorded that way, and must stay verifiable.)
pub(super) fn is_ruled_out(require: &Require, env: &Env, scope: &Scope) -> bool {
    let known = |name: &String| scope.get(name).is_some();
    !env.sessions.is_empty()
        && require.otherwise == Outcome::Skip
        && require.that.variables().iter().all(known)
        && matches!(require.that.eval_bool(scope), Ok(false))
}

/// The fixtures that a case needs, sessions first: without them, nothing is set up for nothing.
pub(super) fn in_order<'c>(case: &'c Case, env: &Env) -> Vec<&'c Need> {
    let opens = |need: &&Need| env.sessions.values().any(|session| *session == need.fixture);
    let (first, then): (Vec<&Need>, Vec<&Need>) = case.needs.iter().partition(opens);
    first.into_iter().chain(then).collect()
}
