//! The typed model of `suites/<family>/family.yaml`.

use std::collections::BTreeMap;

use crate::expr::Template;

/// Facts of a family that the harness needs before it can run: `suites/<family>/family.yaml`.
#[derive(Debug)]
pub struct Family {
    /// Family id.
    pub id: String,
    /// For people.
    pub title: String,
    /// Path prefix that identifies a target URL of this family.
    pub path: String,
    /// Cases at the same time unless the operator says otherwise.
    pub concurrency: u32,
    /// How credentials are sent unless the operator says otherwise: `basic` or `bearer`.
    pub auth: String,
    /// Header fields sent with every request.
    pub headers: Vec<(String, String)>,
    /// Guideline used unless the operator names one; empty when the family has none.
    pub guideline: String,
    /// Path asked before a run; `path` when left out. 401 or 403 there means that the credentials are refused.
    pub probe: Option<String>,
    /// Identity → full id of the fixture that logs it in. Empty when credentials are sent with each request.
    pub sessions: BTreeMap<String, String>,
    /// What a run says of its choices before it creates anything.
    pub plan: Vec<PlanLine>,
}

/// One line of the plan that is shown before a run creates anything.
#[derive(Debug, Clone)]
pub struct PlanLine {
    /// Full id of the fixture that makes the choice. It must not create anything.
    pub fixture: String,
    /// What is said, with the fixture's outputs as variables.
    pub says: Template,
}

impl Family {
    /// Whether cases of that suite send their requests within a session. The suites that log in do not.
    #[must_use]
    pub fn is_logged_in(&self, suite: &str) -> bool {
        is_logged_in(&self.sessions, suite)
    }
}

/// [`Family::is_logged_in`] for the sessions alone.
#[must_use]
pub fn is_logged_in(sessions: &BTreeMap<String, String>, suite: &str) -> bool {
    let logs_in = |fixture: &String| fixture.rsplit_once('.').is_some_and(|(own, _)| own == suite);
    !sessions.is_empty() && !sessions.values().any(logs_in)
}
