//! What a run found out, by test.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::capability::{Outcome, TestId, upstream_id};

/// How one test ended, all its attempts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestResult {
    /// The outcome.
    pub outcome: Outcome,
    /// Passed on a retry only.
    pub flaky: bool,
}

/// The result of a test with what is known of it besides. Our own results have nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// How it ended.
    pub result: TestResult,
    about: Option<Box<About>>,
}

/// What results of other tools say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct About {
    ids: BTreeSet<String>,
    reason: Option<String>,
}

static NO_IDS: BTreeSet<String> = BTreeSet::new();

impl Row {
    /// A result with the upstream ids that it carries, in one spelling, and why it did not pass, when it says so.
    pub fn new(result: TestResult, ids: BTreeSet<String>, reason: Option<String>) -> Row {
        let about = (!ids.is_empty() || reason.is_some()).then(|| Box::new(About { ids, reason }));
        Row { result, about }
    }

    /// Upstream ids that the result itself carries, in one spelling.
    pub fn ids(&self) -> &BTreeSet<String> {
        self.about.as_ref().map_or(&NO_IDS, |about| &about.ids)
    }

    /// Why it did not pass, when the result says so.
    pub fn reason(&self) -> Option<&str> {
        self.about.as_ref()?.reason.as_deref()
    }

    /// Takes another row of the same test in.
    fn merge(&mut self, other: Row) {
        let (mut ids, mut reason) = self.about.take().map(|about| (about.ids, about.reason)).unwrap_or_default();
        let (more, other_reason) = other.about.map(|about| (about.ids, about.reason)).unwrap_or_default();
        if self.result.outcome.worst(other.result.outcome) != self.result.outcome {
            reason = other_reason;
        }
        ids.extend(more);
        *self = Row::new(worse(self.result, other.result), ids, reason);
    }
}

/// Results by the name under which each test was run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Results {
    rows: BTreeMap<TestId, Row>,
    /// Results of single rows of a test, where one stands for an upstream test of its own.
    parts: BTreeMap<TestId, TestResult>,
    /// Upstream id or name → the tests, or rows of tests, that stand for it, run or not.
    covers: BTreeMap<String, BTreeSet<TestId>>,
    /// Class or module whose set-up failed or was skipped → what its tests get, and why.
    set_ups: BTreeMap<String, (Outcome, String)>,
    /// Why there may be more results than are known.
    incomplete: Option<String>,
}

impl Results {
    /// No results.
    pub fn new() -> Results {
        Results::default()
    }

    /// Adds a row. A test with several rows has the worst of them.
    pub fn add(&mut self, test: TestId, result: TestResult) {
        self.add_row(test, Row { result, about: None });
    }

    /// Adds a row with its ids and reason.
    pub fn add_row(&mut self, test: TestId, row: Row) {
        match self.rows.entry(test) {
            Entry::Vacant(slot) => drop(slot.insert(row)),
            Entry::Occupied(slot) => slot.into_mut().merge(row),
        }
    }

    /// Adds the result of a row, for what this row alone stands for. It is not counted as a test.
    pub fn add_part(&mut self, row: TestId, result: TestResult) {
        self.parts.insert(row, result);
    }

    /// States that a test, or a row of one, stands for an upstream test, given by id or name. If it has no result, the
    /// upstream test is not run, whatever others say that cover it.
    pub fn cover(&mut self, upstream: &str, test: TestId) {
        if let Some(id) = upstream_id(upstream) {
            self.covers.entry(id).or_default().insert(test);
        }
    }

    /// States that the set-up of a class or module failed or was skipped, so that none of its tests was run.
    pub fn set_up(&mut self, class: &str, outcome: Outcome, reason: &str) {
        self.set_ups.insert(class.to_owned(), (outcome, reason.to_owned()));
    }

    /// States that there may be more results than are known: then nothing can be conformant.
    pub fn incomplete(&mut self, why: impl Into<String>) {
        self.incomplete = Some(why.into());
    }

    /// Why there may be more results than are known.
    pub fn why_incomplete(&self) -> Option<&str> {
        self.incomplete.as_deref()
    }

    /// The result under exactly this name.
    pub fn get(&self, test: &TestId) -> Option<TestResult> {
        self.rows.get(test).map(|row| row.result)
    }

    /// All rows, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&TestId, TestResult)> {
        self.rows.iter().map(|(test, row)| (test, row.result))
    }

    /// All rows with everything that is known, by name.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&TestId, &Row)> {
        self.rows.iter()
    }

    /// The tests and rows that stand for an upstream id or name, with their results.
    pub(super) fn covering(&self, upstream: &str) -> impl Iterator<Item = (&TestId, TestResult)> {
        let not_run = TestResult { outcome: Outcome::NotRun, flaky: false };
        let result = move |test: &TestId| self.parts.get(test).copied().or_else(|| self.get(test)).unwrap_or(not_run);
        self.covers.get(upstream).into_iter().flatten().map(move |test| (test, result(test)))
    }

    /// Upstream ids and names that something stands for.
    pub(super) fn covered(&self) -> impl Iterator<Item = &str> {
        self.covers.keys().map(String::as_str)
    }

    /// What became of the set-up of a class or module.
    pub(super) fn set_up_of(&self, class: &str) -> Option<(Outcome, &str)> {
        self.set_ups.get(class).map(|(outcome, why)| (*outcome, why.as_str()))
    }

    /// How many tests there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl FromIterator<(TestId, TestResult)> for Results {
    fn from_iter<I: IntoIterator<Item = (TestId, TestResult)>>(rows: I) -> Results {
        let mut results = Results::new();
        for (test, result) in rows {
            results.add(test, result);
        }
        results
    }
}

pub(super) fn worse(one: TestResult, other: TestResult) -> TestResult {
    TestResult { outcome: one.outcome.worst(other.outcome), flaky: one.flaky || other.flaky }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_row_stands() {
        let id: TestId = "a.b".parse().unwrap();
        let row = |outcome, flaky| (id.clone(), TestResult { outcome, flaky });
        let results: Results =
            [row(Outcome::Pass, true), row(Outcome::Fail, false), row(Outcome::Skip, false)].into_iter().collect();
        assert_eq!(results.get(&id), Some(TestResult { outcome: Outcome::Fail, flaky: true }));
        assert_eq!((results.len(), results.is_empty()), (1, false));
    }
}
