//! RefStack's own arithmetic, with its peculiarities, so that old results can be compared.
//!
//! What differs from ours on purpose: there is only "passed" and "not passed"; a test in two capabilities counts
//! twice; any alias satisfies a test; a capability without tests is fine; no tests at all is compliance.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::capability::LifeCycle;
use crate::guideline::Guideline;

use super::Percent;
use super::program::{ScoreError, unknown_program};

/// RefStack's sums over the required capabilities of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DefcoreCounts {
    /// Required capabilities, defined or not.
    pub required_capabilities: u64,
    /// References to tests (N).
    pub required_tests: u64,
    /// Of these, passed (p).
    pub passed: u64,
    /// Of these, flagged (F).
    pub flagged: u64,
    /// Of the flagged ones, not passed.
    pub flagged_not_passed: u64,
    /// N − F.
    pub must_pass: u64,
    /// Of these, passed.
    pub must_passed: u64,
    /// Whether everything that must pass passed; true also when nothing must.
    pub compliance: bool,
    /// p / N; absent where RefStack shows NaN.
    pub percent: Option<Percent>,
    /// `must_passed` / `must_pass`; absent where RefStack shows NaN.
    pub must_percent: Option<Percent>,
}

/// Counts as RefStack does. `passed` are the names of passed tests; nothing else of a result matters to it.
pub fn defcore_rules(
    guideline: &Guideline,
    program: &str,
    passed: &BTreeSet<&str>,
) -> Result<DefcoreCounts, ScoreError> {
    let program = guideline.program_like(program).ok_or_else(|| unknown_program(guideline, program))?;
    let standing = guideline.standing(program);
    let required = standing.into_iter().filter(|(_, level)| *level == LifeCycle::Required);
    let (mut capabilities, mut tests, mut hits, mut flagged, mut flagged_missed) = (0, 0, 0, 0, 0);
    for (id, _) in required {
        capabilities += 1;
        let Some(capability) = guideline.capabilities.get(id) else {
            continue;
        };
        for (name, test) in &capability.tests {
            let hit = std::iter::once(name).chain(&test.aliases).any(|name| passed.contains(name.as_str()));
            let flag = test.flagged.as_ref().is_some_and(|flag| flag.seen_by_refstack);
            tests += 1;
            hits += u64::from(hit);
            flagged += u64::from(flag);
            flagged_missed += u64::from(flag && !hit);
        }
    }
    let must_pass = tests - flagged;
    // (N - F) - (N - p - Ff), arranged so that it cannot go below zero: passed less the flagged that passed.
    let must_passed = hits - (flagged - flagged_missed);
    let percent = |part, whole| (whole > 0).then(|| Percent::cut(part, whole));
    Ok(DefcoreCounts {
        required_capabilities: capabilities,
        required_tests: tests,
        passed: hits,
        flagged,
        flagged_not_passed: flagged_missed,
        must_pass,
        must_passed,
        compliance: must_passed == must_pass,
        percent: percent(hits, tests),
        must_percent: percent(must_passed, must_pass),
    })
}
