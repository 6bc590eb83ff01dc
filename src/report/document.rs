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

/// Result of a case in little memory: a pass at the first attempt carries numbers only.
#[derive(Debug, Clone)]
pub struct Kept(Form);

#[derive(Debug, Clone)]
enum Form {
    /// Numbers that do not fit make it the other form.
    Pass {
        started_at_ms: i64,
        duration_ms: u32,
        passed: u16,
        exchanges: u16,
    },
    Full(Box<Detail>),
}

#[derive(Debug, Clone)]
struct Detail {
    result: CaseResult,
    earlier: Vec<CaseResult>,
    started_at_ms: Option<i64>,
}

impl Kept {
    /// Keeps what the report will need. `attempts` are in order; the last one decides.
    #[must_use]
    pub fn new(mut attempts: Vec<CaseResult>, started_at_ms: Option<i64>) -> Self {
        let result = attempts.pop().unwrap_or_else(|| CaseResult::without_evidence(Outcome::NotRun, "not run"));
        let small = Self::small(&result, started_at_ms).filter(|_| attempts.is_empty());
        Self(small.unwrap_or_else(|| Form::Full(Box::new(Detail { result, earlier: attempts, started_at_ms }))))
    }

    /// A plain pass with numbers of ordinary size.
    fn small(result: &CaseResult, started_at_ms: Option<i64>) -> Option<Form> {
        let form = Form::Pass {
            started_at_ms: started_at_ms?,
            duration_ms: result.duration_ms.try_into().ok()?,
            passed: result.checks_passed.try_into().ok()?,
            exchanges: result.exchanges.try_into().ok()?,
        };
        // Whatever else a result may hold, now or later, is kept as it is.
        (Self(form.clone()).result() == *result).then_some(form)
    }

    fn detail(&self) -> Option<&Detail> {
        match &self.0 {
            Form::Pass { .. } => None,
            Form::Full(detail) => Some(detail),
        }
    }

    /// Outcome of the last attempt.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.detail().map_or(Outcome::Pass, |detail| detail.result.outcome)
    }

    /// Passed after a failed attempt.
    #[must_use]
    pub fn flaky(&self) -> bool {
        self.detail().is_some_and(|detail| detail.result.outcome == Outcome::Pass && !detail.earlier.is_empty())
    }

    /// The full result.
    #[must_use]
    pub fn result(&self) -> CaseResult {
        match &self.0 {
            Form::Full(detail) => detail.result.clone(),
            Form::Pass { duration_ms, passed, exchanges, .. } => CaseResult {
                checks_passed: u32::from(*passed),
                exchanges: u32::from(*exchanges),
                duration_ms: u64::from(*duration_ms),
                ..CaseResult::without_evidence(Outcome::Pass, "")
            },
        }
    }

    /// Number of things left behind.
    #[must_use]
    pub fn leaks(&self) -> usize {
        self.detail().map_or(0, |detail| detail.result.leaks.len())
    }

    fn started_at_ms(&self) -> Option<i64> {
        match &self.0 {
            Form::Pass { started_at_ms, .. } => Some(*started_at_ms),
            Form::Full(detail) => detail.started_at_ms,
        }
    }

    fn requests(&self) -> u64 {
        match &self.0 {
            Form::Pass { exchanges, .. } => u64::from(*exchanges),
            Form::Full(detail) => {
                detail.earlier.iter().chain([&detail.result]).map(|result| u64::from(result.exchanges)).sum()
            }
        }
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
        let earlier = kept.detail().map(|detail| detail.earlier.clone()).unwrap_or_default();
        CaseEntry {
            id: self.id,
            title: self.title,
            capabilities: self.capabilities,
            spec: self.spec,
            started_at_ms: kept.started_at_ms(),
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
        assert_eq!(kept.detail().unwrap().earlier.len(), 1);
        assert_eq!(kept.outcome(), Outcome::Pass);
        let pass = || CaseResult { duration_ms: 7, exchanges: 2, ..CaseResult::without_evidence(Outcome::Pass, "") };
        let plain = Kept::new(vec![pass()], Some(1));
        assert!(!plain.flaky() && plain.detail().is_none());
        assert_eq!((plain.result(), plain.started_at_ms(), plain.requests()), (pass(), Some(1), 2));
    }

    #[test]
    fn nothing_of_a_result_is_lost() {
        let pass = CaseResult::without_evidence(Outcome::Pass, "");
        let odd = [
            CaseResult { exchanges: 70_000, ..pass.clone() },
            CaseResult { duration_ms: 1 << 40, ..pass.clone() },
            CaseResult { reason: "x".to_owned(), ..pass.clone() },
            CaseResult { proof: Some(crate::judge::Evidence::own(1)), ..pass.clone() },
            CaseResult::without_evidence(Outcome::Gap, "x"),
        ];
        for result in odd {
            assert_eq!(Kept::new(vec![result.clone()], Some(1)).result(), result);
        }
        assert_eq!(Kept::new(vec![pass], None).started_at_ms(), None);
        assert!(size_of::<Option<Kept>>() <= 24, "memory grows with the number of cases by this");
    }
}
