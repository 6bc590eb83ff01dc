//! Sessions: identities that log in once and prove themselves with what the answer gave them.
//!
//! A session is a fixture that the family names. Its outputs `header` (`{name, value}`) and `services` (base URLs by
//! name) are used for every request; all of its outputs are the variable `session`. Nothing here knows how one logs
//! in: that is in the suite.

use crate::expr::{Json, Scope};

use super::interp::{Flow, Interp};
use super::result::Evidence;
use super::world::{CallIdentity, World};

/// The identity whose session gives the variable `session` and the base URLs of services.
pub(super) const MAIN: &str = "main";
const VARIABLE: &str = "session";

impl<W: World> Interp<'_, '_, W> {
    /// Opens the main session, where the family has one.
    pub async fn log_in(&mut self) -> Flow {
        let Some(fixture) = self.env.main_session(self.instance.suite).map(str::to_owned) else { return Flow::Go };
        let Some(state) = self.stand_on(&fixture).await else { return Flow::End };
        self.scope.set(VARIABLE, state.outputs.clone());
        self.sessions.insert(MAIN.to_owned(), state);
        Flow::Go
    }

    /// Base URLs that the main session knows.
    pub fn services(&self) -> Option<&Json> {
        self.sessions.get(MAIN)?.outputs.get("services")
    }

    /// The variables of a promise, for the journal. A session does not outlive the run.
    pub fn promised(&self, scope: &Scope) -> Json {
        let mut variables = scope.to_json();
        if let (false, Some(members)) = (self.sessions.is_empty(), variables.as_object_mut()) {
            members.remove(VARIABLE);
        }
        variables
    }

    /// What an identity proves itself with: the header field of its session, if it has one. `None` when the log-in did
    /// not work, which ends the case.
    pub async fn credential(&mut self, name: String) -> Option<CallIdentity> {
        if self.env.main_session(self.instance.suite).is_none() {
            return Some(CallIdentity::Named(name));
        }
        let Some(fixture) = self.env.sessions.get(&name).cloned() else { return Some(CallIdentity::Named(name)) };
        let state = match self.sessions.get(&name) {
            Some(state) => state.clone(),
            None => self.stand_on(&fixture).await?,
        };
        let field = |key: &str| state.outputs.get("header")?.get(key)?.as_str().map(str::to_owned);
        let identity = match (field("name"), field("value")) {
            (Some(name), Some(value)) => CallIdentity::Header { name: name.to_ascii_lowercase(), value },
            _ => CallIdentity::Named(name.clone()),
        };
        self.sessions.insert(name, state);
        Some(identity)
    }

    /// Sessions survive a change of scope: what a journal remembers of one is out of date.
    pub fn refresh_session(&mut self) {
        if let Some(state) = self.sessions.get(MAIN) {
            self.scope.set(VARIABLE, state.outputs.clone());
        }
    }

    /// Ends the case, because the target does not offer a service. The log-in, where it said what it offers, is proof.
    pub fn no_service(&mut self, name: &str) -> Flow {
        let fixture = self.env.main_session(self.instance.suite);
        let visited = self.sessions.get(MAIN).and_then(|state| state.visited.first());
        let proof = visited.zip(fixture).map(|(visited, fixture)| Evidence::own(visited.n).of_fixture(fixture));
        self.proof = proof;
        self.gap(format!("the target offers no service `{name}`"))
    }
}
