//! One run under another guideline, mostly the next one: what it keeps, loses, gains, and what it never tested.

use schemars::JsonSchema;
use serde::Serialize;

use super::{FORMAT, Standing};
use crate::capability::{CapabilityId, LifeCycle, Outcome, TestId};
use crate::score::{CapabilityScore, ProgramScore, Status};

/// What becomes of a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Required then, and not met: it failed, or the product does not have it.
    Lose,
    /// Required then, and not tested by this run.
    Untested,
    /// Newly required, and met already.
    Gain,
    /// Required now and then, and met.
    Keep,
    /// Required now, and not then.
    Dropped,
}

impl Kind {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lose => "lose",
            Self::Untested => "untested",
            Self::Gain => "gain",
            Self::Keep => "keep",
            Self::Dropped => "dropped",
        }
    }
}

/// A capability in the forecast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CapabilityForecast {
    /// What becomes of it.
    pub kind: Kind,
    /// Its id.
    #[schemars(with = "String")]
    pub capability: CapabilityId,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its status under the guideline before; `None` when that does not have it.
    pub before: Option<Status>,
    /// Its status under the guideline after; `None` when that does not have it.
    pub after: Option<Status>,
    /// Whether it is required before.
    pub was_required: bool,
    /// The tests that decide: those that did not pass, or were not run.
    #[schemars(with = "Vec<String>")]
    pub tests: Vec<TestId>,
}

/// A program in the forecast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProgramForecast {
    /// Its name in the guideline after.
    pub program: String,
    /// Under the guideline before.
    pub before: Option<Standing>,
    /// Under the guideline after.
    pub after: Standing,
    /// Its capabilities: by what becomes of them, then by id.
    pub capabilities: Vec<CapabilityForecast>,
}

impl ProgramForecast {
    /// How many capabilities have that fate.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        self.capabilities.iter().filter(|one| one.kind == kind).count()
    }
}

/// A run under two guidelines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Forecast {
    /// `assize-diff/1`.
    pub format: &'static str,
    /// The run.
    pub run: String,
    /// The guideline before.
    pub before: String,
    /// The guideline after.
    pub after: String,
    /// Programs of the guideline after.
    pub programs: Vec<ProgramForecast>,
}

/// Compares the scores of one run under two guidelines. Programs belong together by name, or by the last word of it.
#[must_use]
pub fn forecast(
    run: String,
    (before, old): (String, &[ProgramScore]),
    (after, new): (String, &[ProgramScore]),
) -> Forecast {
    let last = |name: &str| name.rsplit(' ').next().unwrap_or_default().to_lowercase();
    let programs = new.iter().map(|program| {
        let same = old.iter().find(|one| one.program == program.program);
        let like = || old.iter().find(|one| last(&one.program) == last(&program.program));
        of_program(same.or_else(like), program)
    });
    Forecast { format: FORMAT, run, before, after, programs: programs.collect() }
}

fn of_program(old: Option<&ProgramScore>, new: &ProgramScore) -> ProgramForecast {
    let known = |id: &CapabilityId| old.into_iter().flat_map(all).find(|one| one.capability == *id);
    let mut capabilities: Vec<CapabilityForecast> = new
        .required
        .iter()
        .map(|one| {
            let before = known(&one.capability);
            let was_required = before.is_some_and(|one| one.level == LifeCycle::Required);
            let kind = match one.status {
                Status::Unproven => Kind::Untested,
                Status::Failed | Status::Gap => Kind::Lose,
                Status::Passed | Status::Waived if was_required => Kind::Keep,
                Status::Passed | Status::Waived => Kind::Gain,
            };
            let after = Some(one.status);
            CapabilityForecast {
                kind,
                capability: one.capability.clone(),
                name: one.name.clone(),
                before: before.map(|one| one.status),
                after,
                was_required,
                tests: deciding(one),
            }
        })
        .collect();
    let dropped = old.into_iter().flat_map(|old| &old.required);
    let dropped = dropped.filter(|one| !new.required.iter().any(|own| own.capability == one.capability));
    capabilities.extend(dropped.map(|one| CapabilityForecast {
        kind: Kind::Dropped,
        capability: one.capability.clone(),
        name: one.name.clone(),
        before: Some(one.status),
        after: all(new).find(|own| own.capability == one.capability).map(|own| own.status),
        was_required: true,
        tests: Vec::new(),
    }));
    capabilities.sort_by(|one, other| (one.kind, &one.capability).cmp(&(other.kind, &other.capability)));
    ProgramForecast {
        program: new.program.clone(),
        before: old.map(Standing::from),
        after: Standing::from(new),
        capabilities,
    }
}

fn all(program: &ProgramScore) -> impl Iterator<Item = &CapabilityScore> {
    program.required.iter().chain(&program.optional)
}

fn deciding(capability: &CapabilityScore) -> Vec<TestId> {
    if capability.status == Status::Unproven {
        let open = capability.tests.iter().filter(|test| !matches!(test.outcome, Outcome::Pass));
        return open.map(|test| test.test.clone()).collect();
    }
    capability.to_blame.clone()
}
