//! `report.json`: verdicts, scores and the result of every case. A function of `run.json`, suites, guideline, waivers
//! and transcript, so that a verifier can make the same bytes again.

use std::collections::BTreeMap;
use std::io::Write;

use schemars::JsonSchema;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize};

use crate::capability::Outcome;
use crate::judge::CaseResult;
use crate::score::ProgramScore;

use super::inputs::RunInputs;

/// The document as others read it; [`Report`] writes the same shape without holding all cases as values.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Assize report", extend("$id" = "urn:assize:report:1"))]
pub struct ReportDocument {
    /// Format version.
    pub format: u32,
    /// The run's inputs, as in `run.json`.
    pub run: RunInputs,
    /// Number of cases by outcome, and of marks.
    pub summary: Summary,
    /// Verdict and score of each program.
    pub programs: Vec<ProgramScore>,
    /// Fixtures that were set up.
    pub fixtures: Vec<CaseEntry>,
    /// Cases in suite order.
    pub cases: Vec<CaseEntry>,
}

/// Counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// All selected cases.
    pub cases: u32,
    /// Passed, flaky ones included.
    pub pass: u32,
    /// Failed.
    pub fail: u32,
    /// The target proved that it lacks the feature.
    pub gap: u32,
    /// Left out by the operator.
    pub skip: u32,
    /// Could not be judged.
    pub error: u32,
    /// Selected but not run.
    pub not_run: u32,
    /// Passed on a retry only.
    pub flaky: u32,
    /// Things left behind on the target.
    pub leaks: u32,
    /// Requests sent.
    pub exchanges: u64,
}

/// One case with its result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseEntry {
    /// Full id with row.
    pub id: String,
    /// The stated behaviour.
    pub title: String,
    /// Capabilities the case gives evidence for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// Specification paragraph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
    /// When the last attempt began, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at_ms: Option<i64>,
    /// Passed after a failed attempt.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flaky: bool,
    /// Result of the last attempt.
    pub result: CaseResult,
    /// Results of the attempts before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<CaseResult>,
}

/// Result of a case in little memory: a pass carries numbers only.
#[derive(Debug, Clone)]
pub struct Kept {
    passed: u32,
    exchanges: u32,
    duration_ms: u64,
    started_at_ms: Option<i64>,
    detail: Option<Box<Detail>>,
}

#[derive(Debug, Clone)]
struct Detail {
    result: CaseResult,
    earlier: Vec<CaseResult>,
    flaky: bool,
}

impl Kept {
    /// Keeps what the report will need. `attempts` are in order; the last one decides.
    #[must_use]
    pub fn new(mut attempts: Vec<CaseResult>, started_at_ms: Option<i64>) -> Self {
        let result = attempts.pop().unwrap_or_else(|| CaseResult::without_evidence(Outcome::NotRun, "not run"));
        let (passed, exchanges, duration_ms) = (result.checks_passed, result.exchanges, result.duration_ms);
        let plain = result.outcome == Outcome::Pass && attempts.is_empty() && result.leaks.is_empty();
        let flaky = result.outcome == Outcome::Pass && !attempts.is_empty();
        let detail = (!plain).then(|| Box::new(Detail { result, earlier: attempts, flaky }));
        Self { passed, exchanges, duration_ms, started_at_ms, detail }
    }

    /// Outcome of the last attempt.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.detail.as_ref().map_or(Outcome::Pass, |detail| detail.result.outcome)
    }

    /// Passed after a failed attempt.
    #[must_use]
    pub fn flaky(&self) -> bool {
        self.detail.as_ref().is_some_and(|detail| detail.flaky)
    }

    /// The full result.
    #[must_use]
    pub fn result(&self) -> CaseResult {
        match &self.detail {
            Some(detail) => detail.result.clone(),
            None => CaseResult {
                checks_passed: self.passed,
                exchanges: self.exchanges,
                duration_ms: self.duration_ms,
                ..CaseResult::without_evidence(Outcome::Pass, "")
            },
        }
    }

    /// Number of things left behind.
    #[must_use]
    pub fn leaks(&self) -> usize {
        self.detail.as_ref().map_or(0, |detail| detail.result.leaks.len())
    }

    fn requests(&self) -> u64 {
        let earlier = self.detail.iter().flat_map(|detail| &detail.earlier).map(|result| u64::from(result.exchanges));
        u64::from(self.exchanges) + earlier.sum::<u64>()
    }
}

/// What the report says of a case besides its result; comes from the suite.
#[derive(Debug, Clone)]
pub struct Described {
    /// Full id with row.
    pub id: String,
    /// The stated behaviour.
    pub title: String,
    /// Capabilities.
    pub capabilities: Vec<String>,
    /// Specification paragraph.
    pub spec: Option<String>,
}

impl Described {
    /// The entry of the report.
    #[must_use]
    pub fn entry(self, kept: &Kept) -> CaseEntry {
        let earlier = kept.detail.as_ref().map(|detail| detail.earlier.clone()).unwrap_or_default();
        CaseEntry {
            id: self.id,
            title: self.title,
            capabilities: self.capabilities,
            spec: self.spec,
            started_at_ms: kept.started_at_ms,
            flaky: kept.flaky(),
            result: kept.result(),
            earlier,
        }
    }
}

impl Summary {
    /// Counts one case.
    pub fn count(&mut self, kept: &Kept) {
        self.cases += 1;
        *match kept.outcome() {
            Outcome::Pass => &mut self.pass,
            Outcome::Fail => &mut self.fail,
            Outcome::Gap => &mut self.gap,
            Outcome::Skip => &mut self.skip,
            Outcome::Error => &mut self.error,
            Outcome::NotRun => &mut self.not_run,
        } += 1;
        self.flaky += u32::from(kept.flaky());
        self.leaks += u32::try_from(kept.leaks()).unwrap_or(u32::MAX);
        self.exchanges += kept.requests();
    }

    /// Counts what a fixture did to the target; fixtures are not cases.
    pub fn count_fixture(&mut self, kept: &Kept) {
        self.leaks += u32::try_from(kept.leaks()).unwrap_or(u32::MAX);
        self.exchanges += kept.requests();
    }
}

/// A report ready to be written: cases come one by one.
pub struct Report<'r> {
    /// The run's inputs.
    pub run: &'r RunInputs,
    /// Counts.
    pub summary: Summary,
    /// Verdicts.
    pub programs: Vec<ProgramScore>,
    /// Fixtures by id.
    pub fixtures: BTreeMap<String, CaseEntry>,
    /// Makes the entries in suite order; called once for each writer.
    pub cases: &'r (dyn Fn() -> Box<dyn Iterator<Item = CaseEntry> + 'r> + 'r),
}

impl Report<'_> {
    /// Writes `report.json`: two-space indentation, one final line feed.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write_json(&self, mut out: impl Write) -> std::io::Result<()> {
        serde_json::to_writer_pretty(&mut out, self)?;
        out.write_all(b"\n")
    }
}

impl Serialize for Report<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut document = serializer.serialize_struct("Report", 6)?;
        document.serialize_field("format", &super::inputs::FORMAT)?;
        document.serialize_field("run", self.run)?;
        document.serialize_field("summary", &self.summary)?;
        document.serialize_field("programs", &self.programs)?;
        document.serialize_field("fixtures", &self.fixtures.values().collect::<Vec<_>>())?;
        document.serialize_field("cases", &Cases(self.cases))?;
        document.end()
    }
}

struct Cases<'r>(&'r (dyn Fn() -> Box<dyn Iterator<Item = CaseEntry> + 'r> + 'r));

impl Serialize for Cases<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for entry in (self.0)() {
            list.serialize_element(&entry)?;
        }
        list.end()
    }
}

/// JSON Schema of `report.json`.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(ReportDocument).to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_after_a_failure_is_flaky_and_keeps_both() {
        let fail = CaseResult::without_evidence(Outcome::Fail, "x");
        let pass = CaseResult::without_evidence(Outcome::Pass, "");
        let kept = Kept::new(vec![fail, pass], Some(1));
        assert!(kept.flaky());
        assert_eq!(kept.detail.as_ref().unwrap().earlier.len(), 1);
        assert_eq!(kept.outcome(), Outcome::Pass);
        let plain = Kept::new(vec![CaseResult::without_evidence(Outcome::Pass, "")], None);
        assert!(!plain.flaky() && plain.detail.is_none());
    }
}
