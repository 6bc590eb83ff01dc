//! What a run found out, by test.

use std::collections::BTreeMap;

use crate::capability::{Outcome, TestId};

/// How one test ended, all its attempts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestResult {
    /// The outcome.
    pub outcome: Outcome,
    /// Passed on a retry only.
    pub flaky: bool,
}

/// Results by the name under which each test was run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Results(BTreeMap<TestId, TestResult>);

impl Results {
    /// No results.
    pub fn new() -> Results {
        Results::default()
    }

    /// Adds a row. A test with several rows has the worst of them.
    pub fn add(&mut self, test: TestId, result: TestResult) {
        self.0.entry(test).and_modify(|known| *known = worse(*known, result)).or_insert(result);
    }

    /// The result under exactly this name.
    pub fn get(&self, test: &TestId) -> Option<TestResult> {
        self.0.get(test).copied()
    }

    /// All rows, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&TestId, TestResult)> {
        self.0.iter().map(|(test, result)| (test, *result))
    }

    /// How many tests there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
