//! The result of a case: outcome, findings, leaks. Everything in it is derived from suite and transcript.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::capability::Outcome;

/// At most this many findings of one case are kept; all are counted.
pub const MAX_FINDINGS: usize = 50;

/// Result of one case (one row of it).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseResult {
    /// Outcome.
    pub outcome: Outcome,
    /// One sentence: the first finding, the reason of a gap or skip; empty for a pass.
    pub reason: String,
    /// Number of checks that were true.
    pub checks_passed: u32,
    /// Number of checks that were false.
    pub checks_failed: u32,
    /// Number of requests sent.
    pub exchanges: u32,
    /// Time from the first request to the last answer, in milliseconds.
    pub duration_ms: u64,
    /// The checks that were false or could not be evaluated, at most [`MAX_FINDINGS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The exchange that proves a gap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Evidence>,
    /// What could not be put back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaks: Vec<Leak>,
}

/// A check that was false or could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The rule in words, with its specification paragraph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The check as the suite states it, for example `header allow`.
    pub check: String,
    /// What was expected.
    pub expected: String,
    /// What was there.
    pub actual: String,
    /// The exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Evidence>,
    /// Method and URL path of the exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Suite file and line of the check.
    pub place: String,
}

/// An exchange of the transcript.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Id of the fixture whose exchange it is; the case's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixture: Option<String>,
    /// Event number.
    pub n: u32,
}

impl Evidence {
    /// An exchange of the case itself.
    #[must_use]
    pub fn own(n: u32) -> Self {
        Self { fixture: None, n }
    }

    /// The same exchange as seen by a case that needs the fixture it belongs to.
    #[must_use]
    pub fn of_fixture(&self, fixture: &str) -> Self {
        Self { fixture: Some(self.fixture.clone().unwrap_or_else(|| fixture.to_owned())), n: self.n }
    }
}

/// Something that a case left behind on the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Leak {
    /// What should have been undone: the request that did it.
    pub what: String,
    /// Why it is still there.
    pub why: String,
}

impl CaseResult {
    /// A result without any evidence: skipped, not run, or an error before the first request.
    #[must_use]
    pub fn without_evidence(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            outcome,
            reason: reason.into(),
            checks_passed: 0,
            checks_failed: 0,
            exchanges: 0,
            duration_ms: 0,
            findings: Vec::new(),
            proof: None,
            leaks: Vec::new(),
        }
    }
}
