//! One run under another guideline, mostly the next one: what it keeps, loses, gains, and what it never tested.

use schemars::JsonSchema;
use serde::Serialize;

use super::{FORMAT, Standing};
use crate::capability::{CapabilityId, LifeCycle, Outcome, TestId};
use crate::guideline::{ChangeKind, Guideline, differences};
use crate::score::{CapabilityScore, ProgramScore, Status};

/// What becomes of a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Met now, required then, and not met then: other tests count for it.
    Lose,
    /// Required then, and not met: not now either, or new.
    Missing,
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
            Self::Missing => "missing",
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
    /// Its level under the guideline after; `None` when that does not have it.
    pub level: Option<LifeCycle>,
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
    /// Components of the program that the guideline after does not define, so that nothing is known of them.
    pub missing_components: Vec<String>,
    /// Why the results may say less than they should: what was read of them is not whole.
    pub incomplete: Option<String>,
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
    /// Programs that only the guideline before has.
    pub gone: Vec<String>,
    /// Tests that are flagged in one of the guidelines only, with a note.
    pub flags: Vec<FlagChange>,
}

/// A test whose flag came or went: it counts in one of the guidelines only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FlagChange {
    /// The test, with its capability.
    pub test: String,
    /// What happened.
    pub note: String,
}

/// Compares the scores of one run under two guidelines. Programs belong together by name, or by the last word of it.
#[must_use]
pub fn forecast(
    run: String,
    (before, old): (&Guideline, &[ProgramScore]),
    (after, new): (&Guideline, &[ProgramScore]),
) -> Forecast {
    let last = |name: &str| name.rsplit(' ').next().unwrap_or_default().to_lowercase();
    let pair = |program: &ProgramScore| {
        let same = old.iter().find(|one| one.program == program.program);
        same.or_else(|| old.iter().find(|one| last(&one.program) == last(&program.program)))
    };
    let gone = old.iter().filter(|one| !new.iter().any(|program| pair(program) == Some(*one)));
    let flags = differences(before, after).into_iter().filter(|one| one.kind == ChangeKind::Flag);
    Forecast {
        format: FORMAT,
        run,
        before: before.full_id(),
        after: after.full_id(),
        programs: new.iter().map(|program| of_program(pair(program), program)).collect(),
        gone: gone.map(|one| one.program.clone()).collect(),
        flags: flags.map(|one| FlagChange { test: one.name, note: one.note }).collect(),
    }
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
                Status::Failed | Status::Gap if before.is_some_and(|one| one.status.is_met()) => Kind::Lose,
                Status::Failed | Status::Gap => Kind::Missing,
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
                level: Some(one.level),
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
        level: all(new).find(|own| own.capability == one.capability).map(|own| own.level),
        tests: Vec::new(),
    }));
    capabilities.sort_by(|one, other| (one.kind, &one.capability).cmp(&(other.kind, &other.capability)));
    ProgramForecast {
        program: new.program.clone(),
        before: old.map(Standing::from),
        after: Standing::from(new),
        capabilities,
        missing_components: new.missing_components.clone(),
        incomplete: new.incomplete.clone(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guideline::Waivers;
    use crate::score::{Results, TestResult, score};

    /// A guideline with one program, whose component lists these capabilities; each has the tests after the colon.
    fn guideline(id: &str, levels: &[(&str, &[&str])]) -> Guideline {
        let mut listed = serde_json::Map::new();
        let mut capabilities = serde_json::Map::new();
        for (level, entries) in levels {
            let mut names = Vec::new();
            for entry in *entries {
                let (name, tests) = entry.split_once(':').unwrap();
                names.push(name);
                let tests: serde_json::Map<_, _> =
                    tests.split(',').map(|test| (test.to_owned(), serde_json::json!({}))).collect();
                capabilities.insert(
                    name.to_owned(),
                    serde_json::json!({"description": "It does.", "spec": ["S"], "tests": tests}),
                );
            }
            listed.insert((*level).to_owned(), names.into());
        }
        let document = serde_json::json!({
            "metadata": {"id": id, "schema": "2.0", "assize": {"format": "assize-guideline/1", "family": "redfish"}},
            "platforms": {"Toy Base": {"description": "It is.", "components": [{"name": "base"}]}},
            "components": {"base": {"description": "It is.", "capabilities": listed}},
            "capabilities": capabilities,
        });
        Guideline::read("g", document.to_string().as_bytes()).unwrap_or_else(|problems| panic!("{problems}")).0
    }

    #[test]
    fn every_fate_is_told_apart() {
        let before =
            guideline("1", &[("required", &["a:s.a", "b:s.b", "c:s.c", "d:s.d", "e:s.e"]), ("advisory", &["f:s.f"])]);
        // b gets a test that fails, c one that was not run; d leaves required, f enters it; g and h are new.
        let after = guideline(
            "2",
            &[
                ("required", &["a:s.a", "b:s.b,s.bad", "c:s.c,s.open", "e:s.e", "f:s.f", "g:s.bad2", "h:s.never"]),
                ("advisory", &["d:s.d"]),
            ],
        );
        let mut results = Results::new();
        let ran = [
            ("s.a", Outcome::Pass),
            ("s.b", Outcome::Pass),
            ("s.bad", Outcome::Fail),
            ("s.bad2", Outcome::Gap),
            ("s.c", Outcome::Pass),
            ("s.d", Outcome::Pass),
            ("s.e", Outcome::Fail),
            ("s.f", Outcome::Pass),
        ];
        for (test, outcome) in ran {
            results.add(test.parse().unwrap(), TestResult { outcome, flaky: false });
        }
        let scored = |guideline: &Guideline| {
            score(guideline, None, &results, &Waivers::none(), "2026-11-28".parse().unwrap()).unwrap()
        };
        let (old, new) = (scored(&before), scored(&after));
        let found = forecast("run".to_owned(), (&before, &old), (&after, &new));
        let fates: Vec<(&str, &str)> =
            found.programs[0].capabilities.iter().map(|one| (one.capability.as_str(), one.kind.as_str())).collect();
        assert_eq!(
            fates,
            [
                ("b", "lose"),
                ("e", "missing"),
                ("g", "missing"),
                ("c", "untested"),
                ("h", "untested"),
                ("f", "gain"),
                ("a", "keep"),
                ("d", "dropped")
            ]
        );
        let of = |id: &str| found.programs[0].capabilities.iter().find(|one| one.capability.as_str() == id).unwrap();
        assert_eq!(of("b").tests, ["s.bad".parse().unwrap()]);
        assert_eq!(of("c").tests, ["s.open".parse().unwrap()]);
        assert_eq!((of("c").before, of("d").level), (Some(Status::Passed), Some(LifeCycle::Advisory)));
        assert_eq!((found.before.as_str(), found.after.as_str(), found.gone.len()), ("redfish/1", "redfish/2", 0));
    }
}
