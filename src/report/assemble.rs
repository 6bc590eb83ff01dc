//! From results to a report: one code path for the live run and for the verifier, so that they write the same bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use crate::capability::{Outcome, TestId};
use crate::guideline::{Guideline, Waivers};
use crate::judge::CaseResult;
use crate::score::{ProgramScore, Results, ScoreError, TestResult, score};
use crate::suite::{Case, Catalogue, InstanceRef, Rows, Suite};

use super::document::{CaseEntry, Described, Kept, Report, Summary};
use super::inputs::RunInputs;

/// Results of a run in suite order.
pub struct Collected<'c> {
    catalogue: &'c Catalogue,
    inputs: &'c RunInputs,
    instances: Arc<[InstanceRef]>,
    kept: Vec<Option<Kept>>,
    fixtures: BTreeMap<String, CaseEntry>,
    fixture_counts: Summary,
}

/// Results without the inputs they belong to.
#[derive(Clone)]
pub struct KeptResults {
    instances: Arc<[InstanceRef]>,
    kept: Vec<Option<Kept>>,
    fixtures: BTreeMap<String, CaseEntry>,
    fixture_counts: Summary,
}

impl KeptResults {
    /// Entries of the fixtures.
    pub fn fixtures(&self) -> impl Iterator<Item = &CaseEntry> {
        self.fixtures.values()
    }
}

/// The cases that a run is about: those of its family that are selected, in suite order.
pub fn selected<'c>(catalogue: &'c Catalogue, inputs: &'c RunInputs) -> impl Iterator<Item = InstanceRef> + 'c {
    catalogue.instances().filter(move |instance| {
        let family = catalogue.get(*instance).is_some_and(|(suite, _)| suite.family == inputs.family);
        family && inputs.selection.takes(&catalogue.id(*instance))
    })
}

/// The result of a case that the operator does not allow, or `None` when it is allowed.
#[must_use]
pub fn refused(case: &Case, inputs: &RunInputs) -> Option<CaseResult> {
    (case.risk > inputs.allow).then(|| {
        let risk = format!("{:?}", case.risk).to_lowercase();
        let reason = format!("the operator does not allow risk `{risk}` (--allow {risk})");
        CaseResult::without_evidence(Outcome::Skip, reason)
    })
}

impl<'c> Collected<'c> {
    /// Nothing collected yet.
    #[must_use]
    pub fn new(catalogue: &'c Catalogue, inputs: &'c RunInputs) -> Self {
        Self::of(catalogue, inputs, selected(catalogue, inputs).collect())
    }

    /// Nothing collected yet of these instances, which are those that [`selected`] gives.
    #[must_use]
    pub fn of(catalogue: &'c Catalogue, inputs: &'c RunInputs, instances: Arc<[InstanceRef]>) -> Self {
        let kept = vec![None; instances.len()];
        Self { catalogue, inputs, instances, kept, fixtures: BTreeMap::new(), fixture_counts: Summary::default() }
    }

    /// Lets go of the inputs, whose end is not known while the run goes on.
    #[must_use]
    pub fn into_kept(self) -> KeptResults {
        let Self { instances, kept, fixtures, fixture_counts, .. } = self;
        KeptResults { instances, kept, fixtures, fixture_counts }
    }

    /// The results as they are now, without the inputs.
    #[must_use]
    pub fn all_kept(&self) -> KeptResults {
        KeptResults {
            instances: Arc::clone(&self.instances),
            kept: self.kept.clone(),
            fixtures: self.fixtures.clone(),
            fixture_counts: self.fixture_counts.clone(),
        }
    }

    /// Takes up results again, with the final inputs of the same run.
    #[must_use]
    pub fn resume(catalogue: &'c Catalogue, inputs: &'c RunInputs, results: KeptResults) -> Self {
        let KeptResults { instances, kept, fixtures, fixture_counts } = results;
        Self { catalogue, inputs, instances, kept, fixtures, fixture_counts }
    }

    /// Takes up results of other cases of the same suites.
    pub fn absorb(&mut self, others: KeptResults) {
        for (instance, kept) in others.instances.iter().zip(others.kept) {
            if let Ok(at) = self.instances.binary_search(instance)
                && let Some(slot) = self.kept.get_mut(at)
                && kept.is_some()
            {
                *slot = kept;
            }
        }
    }

    /// The cases, in suite order.
    #[must_use]
    pub fn instances(&self) -> Arc<[InstanceRef]> {
        Arc::clone(&self.instances)
    }

    /// Adds the attempts of a case.
    pub fn case(&mut self, instance: InstanceRef, attempts: Vec<CaseResult>, started_at_ms: Option<i64>) {
        // Instances are in order, so the place is found without an index.
        if let Ok(at) = self.instances.binary_search(&instance)
            && let Some(slot) = self.kept.get_mut(at)
        {
            *slot = Some(Kept::new(attempts, started_at_ms));
        }
    }

    /// Adds the result of a fixture, with what it could not put back.
    pub fn fixture(&mut self, id: &str, result: CaseResult) {
        let Some((_, case)) = self.catalogue.fixture(id) else { return };
        let kept = Kept::new(vec![result], None);
        self.fixture_counts.count_fixture(&kept);
        self.fixtures.insert(id.to_owned(), describe(case, id.to_owned()).entry(&kept));
    }

    /// The outcome of a case; what was never added is not run.
    fn kept(&self, at: usize) -> Kept {
        self.kept.get(at).cloned().flatten().unwrap_or_else(|| {
            let case = self.instances.get(at).and_then(|instance| self.catalogue.get(*instance));
            let result = case.and_then(|(_, case)| refused(case, self.inputs)).unwrap_or_else(|| {
                let why = self.inputs.interrupted.as_deref().unwrap_or("there is no evidence for it");
                CaseResult::without_evidence(Outcome::NotRun, why)
            });
            Kept::new(vec![result], None)
        })
    }

    /// Results by test, rows together, for scoring. Of a case with rows that were not all selected, the others are not
    /// run, and so is the test.
    #[must_use]
    pub fn results(&self, guideline: Option<&Guideline>) -> Results {
        let mut results = Results::new();
        let case_of = |one: &InstanceRef| (one.suite, one.case);
        let is_begun = |one: &InstanceRef| self.instances.binary_search_by_key(&case_of(one), case_of).is_ok();
        for instance in self.catalogue.instances().filter(is_begun) {
            let Some((suite, case)) = self.catalogue.get(instance) else { continue };
            let result = match self.instances.binary_search(&instance).map(|at| self.kept(at)) {
                Ok(kept) => TestResult { outcome: kept.outcome(), flaky: kept.flaky() },
                Err(_) => TestResult { outcome: Outcome::NotRun, flaky: false },
            };
            let id = format!("{}.{}", suite.id, case.id);
            let named = guideline.and_then(|guideline| known(guideline, case, &id));
            if let Some(id) = named.or_else(|| id.parse().ok()) {
                results.add(id, result);
            }
            if let Some(row) = covering_row(case, instance).and_then(|_| self.catalogue.id(instance).parse().ok()) {
                results.add_part(row, result);
            }
        }
        cover(&mut results, self.catalogue, &self.inputs.family);
        results
    }

    /// Counts of everything.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = self.fixture_counts.clone();
        for at in 0..self.instances.len() {
            summary.count(&self.kept(at));
        }
        summary
    }

    /// Entries in suite order.
    pub fn entries(&self) -> impl Iterator<Item = CaseEntry> + '_ {
        self.instances.iter().enumerate().filter_map(|(at, instance)| {
            let (_, case) = self.catalogue.get(*instance)?;
            Some(describe(case, self.catalogue.id(*instance)).entry(&self.kept(at)))
        })
    }

    /// Entries of the fixtures.
    pub fn fixtures(&self) -> impl Iterator<Item = CaseEntry> + '_ {
        self.fixtures.values().cloned()
    }

    /// Scores the programs of the guideline that the run names.
    ///
    /// # Errors
    /// When the run names a program that the guideline does not have.
    pub fn programs(&self, guideline: Option<&Guideline>, waivers: &Waivers) -> Result<Vec<ProgramScore>, ScoreError> {
        let Some(guideline) = guideline else { return Ok(Vec::new()) };
        let results = self.results(Some(guideline));
        let on: Date = self.inputs.date.parse().unwrap_or_default();
        if self.inputs.programs.is_empty() {
            return score(guideline, None, &results, waivers, on);
        }
        let mut programs = Vec::new();
        for program in &self.inputs.programs {
            programs.extend(score(guideline, Some(program), &results, waivers, on)?);
        }
        Ok(programs)
    }

    /// Gives the report to `write`.
    pub fn with_report<T>(&self, programs: Vec<ProgramScore>, write: impl FnOnce(&Report<'_>) -> T) -> T {
        let cases = || -> Box<dyn Iterator<Item = CaseEntry> + '_> { Box::new(self.entries()) };
        let report = Report {
            run: self.inputs,
            summary: self.summary(),
            programs,
            fixtures: self.fixtures.clone(),
            cases: &cases,
        };
        write(&report)
    }
}

/// The id as the guideline holds it, which need not be held twice.
fn known(guideline: &Guideline, case: &Case, id: &str) -> Option<TestId> {
    let capabilities = case.capabilities.iter().filter_map(|capability| guideline.capabilities.get(capability));
    capabilities.filter_map(|capability| capability.tests.get_key_value(id)).map(|(id, _)| id.clone()).next()
}

/// Tells which upstream tests the cases and rows of a family stand for, selected or not.
pub fn cover(results: &mut Results, catalogue: &Catalogue, family: &str) {
    for (covers, test) in covered(catalogue).filter(|(_, test)| test.suite.family == family) {
        if let (Some((_, upstream)), Ok(test)) = (covers.split_once(':'), test.id.parse()) {
            results.cover(upstream, test);
        }
    }
}

/// A case, or a row of one, that stands for upstream tests.
pub struct Covering<'c> {
    /// Id of the case, with its row when it is the row that does.
    pub id: String,
    /// Its suite.
    pub suite: &'c Suite,
}

/// Every `scheme:id` that cases and rows stand for, as it is written, in suite order.
pub fn covered(catalogue: &Catalogue) -> impl Iterator<Item = (&str, Covering<'_>)> {
    catalogue.instances().flat_map(move |instance| {
        let found = catalogue.get(instance);
        found.into_iter().flat_map(move |(suite, case)| {
            // A case is mentioned once, whatever rows it has.
            let whole = if instance.row.is_none_or(|row| row == 0) { case.covers.as_slice() } else { &[] };
            let row = covering_row(case, instance).unwrap_or_default();
            let plain = move || Covering { id: format!("{}.{}", suite.id, case.id), suite };
            let of_row = move || Covering { id: catalogue.id(instance), suite };
            let whole = whole.iter().map(move |covers| (covers.as_str(), plain()));
            whole.chain(row.iter().map(move |covers| (covers.as_str(), of_row())))
        })
    })
}

/// What a row alone stands for, when it stands for something.
pub fn covering_row(case: &Case, instance: InstanceRef) -> Option<&[String]> {
    let (Some(row), Rows::Table(rows)) = (instance.row, &case.each) else { return None };
    Some(rows.get(row as usize)?.covers.as_slice()).filter(|covers| !covers.is_empty())
}

fn describe(case: &Case, id: String) -> Described {
    Described {
        id,
        title: case.title.to_string(),
        capabilities: case.capabilities.iter().map(ToString::to_string).collect(),
        spec: case.spec.clone(),
    }
}
