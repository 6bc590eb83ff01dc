//! Two runs: what was fixed, what broke, what is new or gone.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{FORMAT, Standing};
use crate::capability::Outcome;
use crate::score::{ProgramScore, Verdict};

/// One of the runs.
#[derive(Debug, Default)]
pub struct Side {
    /// What to call it.
    pub name: String,
    /// Things that should be the same in both for a fair comparison: what it is, and its value.
    pub conditions: BTreeMap<&'static str, String>,
    /// Its cases by id.
    pub cases: BTreeMap<String, CaseSide>,
    /// Its programs.
    pub programs: Vec<ProgramScore>,
}

/// A case in one of the runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CaseSide {
    /// The outcome.
    pub outcome: Outcome,
    /// Whether it passed only when it was tried again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[serde(default)]
    pub flaky: bool,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[serde(default)]
    pub reason: String,
    /// What it is evidence for.
    #[serde(skip)]
    pub capabilities: Vec<String>,
}

/// How a case changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It passed, and does not any more.
    Broken,
    /// It passes only when tried again, and did without that.
    Flaky,
    /// It passes, and did not.
    Fixed,
    /// It passes without being tried again, and did not.
    Steady,
    /// It does not pass, but in another way than before.
    Changed,
    /// It is only in the second run.
    Appeared,
    /// It is only in the first run.
    Gone,
}

impl Change {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Flaky => "flaky",
            Self::Fixed => "fixed",
            Self::Steady => "steady",
            Self::Changed => "changed",
            Self::Appeared => "appeared",
            Self::Gone => "gone",
        }
    }
}

/// A case that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CaseChange {
    /// How.
    pub change: Change,
    /// Its id.
    pub case: String,
    /// What it is evidence for.
    pub capabilities: Vec<String>,
    /// In the first run.
    pub before: Option<CaseSide>,
    /// In the second run.
    pub after: Option<CaseSide>,
}

impl CaseChange {
    /// Whether the product got worse: also a new case that does not pass.
    #[must_use]
    pub fn is_regression(&self) -> bool {
        let bad = |side: &Option<CaseSide>| {
            side.as_ref().is_some_and(|side| !matches!(side.outcome, Outcome::Pass | Outcome::Skip))
        };
        match self.change {
            Change::Broken | Change::Flaky => true,
            Change::Appeared => bad(&self.after),
            Change::Fixed | Change::Steady | Change::Changed | Change::Gone => false,
        }
    }
}

/// A program in both runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProgramChange {
    /// Its name.
    pub program: String,
    /// In the first run.
    pub before: Option<Standing>,
    /// In the second run.
    pub after: Option<Standing>,
}

/// What differs between two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RunsDifference {
    /// `assize-diff/1`.
    pub format: &'static str,
    /// The first run.
    pub before: String,
    /// The second run.
    pub after: String,
    /// Why cases cannot be compared one to one.
    pub notes: Vec<String>,
    /// Programs.
    pub programs: Vec<ProgramChange>,
    /// Cases that changed: by how, then by id.
    pub cases: Vec<CaseChange>,
    /// Number of those that did not.
    pub unchanged: usize,
    /// Whether both ran the same suites, so that a case can only be gone because it was left out.
    pub same_suites: bool,
}

impl ProgramChange {
    /// Whether the verdict got worse; a program that is scored no more is worse.
    #[must_use]
    pub fn is_regression(&self) -> bool {
        let rank = |standing: &Option<Standing>| match standing.as_ref().map(|own| own.verdict) {
            Some(Verdict::Conformant) => 4,
            Some(Verdict::ConformantWithWaivers) => 3,
            Some(Verdict::Unproven) => 2,
            Some(Verdict::NotConformant) => 1,
            None => 0,
        };
        rank(&self.after) < rank(&self.before)
    }
}

impl RunsDifference {
    /// Whether the second run is worse: a verdict or a case is, or a case that passed was left out of the same suites.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        let left_out = |one: &CaseChange| {
            self.same_suites
                && one.change == Change::Gone
                && one.before.as_ref().is_some_and(|side| side.outcome.is_pass())
        };
        self.programs.iter().any(ProgramChange::is_regression)
            || self.cases.iter().any(|one| one.is_regression() || left_out(one))
    }

    /// How many cases changed in a way.
    #[must_use]
    pub fn count(&self, change: Change) -> usize {
        self.cases.iter().filter(|one| one.change == change).count()
    }
}

/// Compares two runs.
#[must_use]
pub fn runs(before: Side, after: Side) -> RunsDifference {
    let notes = before.conditions.iter().filter_map(|(what, old)| {
        let new = after.conditions.get(what)?;
        (old != new).then(|| format!("{what}: {old} before, {new} after"))
    });
    let notes: Vec<String> = notes.collect();
    let suites = |side: &Side| side.conditions.get("suites").cloned();
    let same_suites = suites(&before).is_some() && suites(&before) == suites(&after);
    let programs = programs(&before.programs, &after.programs);
    let mut later = after.cases;
    let mut cases = Vec::new();
    let mut unchanged = 0;
    for (case, old) in before.cases {
        let new = later.remove(&case);
        match change(&old, new.as_ref()) {
            None => unchanged += 1,
            Some(change) => {
                let capabilities = new.as_ref().unwrap_or(&old).capabilities.clone();
                cases.push(CaseChange { change, case, capabilities, before: Some(old), after: new });
            }
        }
    }
    cases.extend(later.into_iter().map(|(case, new)| CaseChange {
        change: Change::Appeared,
        case,
        capabilities: new.capabilities.clone(),
        before: None,
        after: Some(new),
    }));
    cases.sort_by(|one, other| (one.change, &one.case).cmp(&(other.change, &other.case)));
    RunsDifference {
        format: FORMAT,
        before: before.name,
        after: after.name,
        notes,
        programs,
        cases,
        unchanged,
        same_suites,
    }
}

fn change(old: &CaseSide, new: Option<&CaseSide>) -> Option<Change> {
    let Some(new) = new else { return Some(Change::Gone) };
    match (old.outcome.is_pass(), new.outcome.is_pass()) {
        (true, false) => Some(Change::Broken),
        (false, true) => Some(Change::Fixed),
        (true, true) if new.flaky && !old.flaky => Some(Change::Flaky),
        (true, true) if old.flaky && !new.flaky => Some(Change::Steady),
        (false, false) if old.outcome != new.outcome => Some(Change::Changed),
        _ => None,
    }
}

fn programs(before: &[ProgramScore], after: &[ProgramScore]) -> Vec<ProgramChange> {
    let mut names: Vec<&str> = before.iter().map(|one| one.program.as_str()).collect();
    for one in after.iter().filter(|one| !before.iter().any(|other| other.program == one.program)) {
        names.push(&one.program);
    }
    let find = |side: &[ProgramScore], name: &str| side.iter().find(|one| one.program == name).map(Standing::from);
    let change =
        |name: &str| ProgramChange { program: name.to_owned(), before: find(before, name), after: find(after, name) };
    names.into_iter().map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(cases: &[(&str, Outcome, bool)]) -> Side {
        let cases = cases.iter().map(|(id, outcome, flaky)| {
            let side = CaseSide { outcome: *outcome, flaky: *flaky, reason: String::new(), capabilities: Vec::new() };
            ((*id).to_owned(), side)
        });
        Side { cases: cases.collect(), ..Side::default() }
    }

    #[test]
    fn every_kind_of_change_is_told_apart() {
        use Outcome::{Fail, Gap, Pass};
        let old = [
            ("a", Pass, false),
            ("b", Fail, false),
            ("c", Fail, false),
            ("d", Pass, false),
            ("e", Pass, false),
            ("f", Pass, true),
            ("g", Pass, false),
        ];
        let new = [
            ("a", Fail, false),
            ("b", Pass, false),
            ("c", Gap, false),
            ("d", Pass, false),
            ("f", Pass, false),
            ("g", Pass, true),
            ("h", Fail, false),
        ];
        let found = runs(side(&old), side(&new));
        let changes: Vec<(&str, &str, bool)> =
            found.cases.iter().map(|one| (one.case.as_str(), one.change.as_str(), one.is_regression())).collect();
        assert_eq!(
            changes,
            [
                ("a", "broken", true),
                ("g", "flaky", true),
                ("b", "fixed", false),
                ("f", "steady", false),
                ("c", "changed", false),
                ("h", "appeared", true),
                ("e", "gone", false)
            ]
        );
        assert_eq!(found.unchanged, 1);
    }

    #[test]
    fn to_leave_out_what_passed_is_worse() {
        let with = |cases: &[(&str, Outcome, bool)], suites: &str| Side {
            conditions: [("suites", suites.to_owned())].into(),
            ..side(cases)
        };
        let (all, some) = ([("a", Outcome::Pass, false), ("b", Outcome::Pass, false)], [("a", Outcome::Pass, false)]);
        assert!(runs(with(&all, "x"), with(&some, "x")).is_worse());
        assert!(!runs(with(&all, "x"), with(&some, "y")).is_worse());
        assert!(!runs(with(&some, "x"), with(&all, "x")).is_worse());
    }

    #[test]
    fn what_is_not_the_same_is_said() {
        let of = |suites: &str| Side { conditions: [("suites", suites.to_owned())].into(), ..Side::default() };
        assert_eq!(runs(of("x"), of("y")).notes, ["suites: x before, y after"]);
        assert!(runs(of("x"), of("x")).notes.is_empty());
    }
}
