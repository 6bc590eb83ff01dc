//! What scoring says. These types are part of a report, so they are written and read back.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::capability::{CapabilityId, LifeCycle, Marks, Outcome, TestId};
use crate::guideline::{GuidelineId, Waiver};

use super::Score;

/// What can be said of a target and a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every required capability passed.
    Conformant,
    /// Every required capability passed or is excused by a waiver.
    ConformantWithWaivers,
    /// A required capability failed, or the target lacks it.
    NotConformant,
    /// Nothing required failed, but evidence is missing.
    Unproven,
}

impl Verdict {
    /// The spelling used in files, reports and on the terminal.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Conformant => "conformant",
            Verdict::ConformantWithWaivers => "conformant-with-waivers",
            Verdict::NotConformant => "not-conformant",
            Verdict::Unproven => "unproven",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What can be said of a target and a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Every test that counts passed.
    Passed,
    /// Every test that counts passed or is excused by a waiver.
    Waived,
    /// A test that counts failed.
    Failed,
    /// None failed, but the target proves that it lacks the feature.
    Gap,
    /// Not enough evidence.
    Unproven,
}

impl Status {
    /// Whether the capability counts as met.
    pub fn is_met(self) -> bool {
        matches!(self, Status::Passed | Status::Waived)
    }

    /// The spelling used in files, reports and on the terminal.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Passed => "passed",
            Status::Waived => "waived",
            Status::Failed => "failed",
            Status::Gap => "gap",
            Status::Unproven => "unproven",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A program of a guideline, scored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProgramScore {
    /// The guideline.
    #[schemars(with = "String")]
    pub guideline: GuidelineId,
    /// The program.
    pub program: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Weight passed of weight required.
    pub score: Score,
    /// The required capabilities, in the order of their ids.
    pub required: Vec<CapabilityScore>,
    /// Capabilities that are shown and do not count: advisory and deprecated ones.
    pub optional: Vec<CapabilityScore>,
    /// The smallest set of tests whose passing would make the program conformant, cheapest capability first. A test
    /// that several capabilities wait for is named at the first of them.
    pub to_conform: Vec<Remedy>,
    /// Components that this guideline does not define. Each counts as one unproven capability of weight 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_components: Vec<String>,
    /// Why there may be more results than are known, when that is so. Then no verdict is better than unproven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<String>,
    /// Every waiver about this program and what became of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<WaiverUse>,
}

impl ProgramScore {
    /// How many required capabilities are met, and how many there are; a missing component counts as one that is not.
    pub fn required_met(&self) -> (usize, usize) {
        let met = self.required.iter().filter(|capability| capability.status.is_met()).count();
        (met, self.required.len() + self.missing_components.len())
    }
}

/// A capability, scored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CapabilityScore {
    /// Its id.
    pub capability: CapabilityId,
    /// Its title, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its standing in the program.
    pub level: LifeCycle,
    /// What it is worth.
    pub weight: u64,
    /// What can be said of it.
    pub status: Status,
    /// The tests that keep it from passing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to_blame: Vec<TestId>,
    /// All its tests, flagged ones too.
    pub tests: Vec<TestScore>,
}

/// A test of a capability with what it adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TestScore {
    /// The id in the guideline.
    pub test: TestId,
    /// The outcome; `not-run` when there is no result.
    pub outcome: Outcome,
    /// Marks.
    #[serde(default, skip_serializing_if = "Marks::is_empty")]
    pub marks: Marks,
    /// The other names under which results came, and the cases that stand for the test, when there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ran_as: Vec<TestId>,
    /// Why it did not pass, when the result of another tool says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How the result was found, when that is not plain, or why none could be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What would make one capability pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Remedy {
    /// The capability.
    pub capability: CapabilityId,
    /// The tests that must pass and are not named before.
    pub tests: Vec<TestId>,
    /// Why no test can help, when that is so: the guideline itself must be mended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<String>,
}

/// A waiver and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaiverUse {
    /// The waiver.
    #[serde(flatten)]
    pub waiver: Waiver,
    /// What became of it.
    pub state: WaiverState,
}

/// What became of a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WaiverState {
    /// It excuses at least one outcome of the run.
    Applied,
    /// It had ended before the run and excuses nothing.
    Expired,
    /// There was nothing to excuse: the tests passed, do not count or were not run.
    Unneeded,
}
