//! The verifier: recomputes every outcome of a bundle from its evidence, offline, and compares.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::canon::Hasher;
use crate::capability::Outcome;
use crate::guideline::{Guideline, Waivers, waivers};
use crate::judge::replay::{Recorded, Replay, now};
use crate::judge::{CaseResult, Env, FixtureState, Instance, StopReason, run_case, set_up, tear_down};
use crate::score::ProgramScore;
use crate::spread::{both, spread};
use crate::suite::{Catalogue, InstanceRef, StoredFile, SuiteFile};
use crate::transcript::{AttemptEvents, Content, Reader};

use super::assemble::{Collected, refused};
use super::bundle::{self, BundleError, compare, names, read_document};
use super::document::{CaseEntry, ReportDocument};
use super::inputs::RunInputs;
use super::merge;

/// With fewer cases a thread does not pay.
const CASES_PER_THREAD: usize = 16;

/// Everything that a bundle states besides its results.
pub struct Opened {
    /// Inputs of the run.
    pub inputs: RunInputs,
    /// Its suites.
    pub catalogue: Catalogue,
    /// Its guideline.
    pub guideline: Option<Guideline>,
    /// Its waivers.
    pub waivers: Waivers,
    /// Its evidence.
    pub transcript: Reader,
}

/// What a verification found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Differences between the files and the manifest.
    pub files: Vec<String>,
    /// Evidence that does not fit the suites, or a report that does not follow from it.
    pub evidence: Vec<String>,
    /// Number of cases that were judged again.
    pub cases: u32,
    /// Number of exchanges they rest on.
    pub exchanges: u64,
}

impl Findings {
    /// Whether the evidence supports the report.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.files.is_empty() && self.evidence.is_empty()
    }
}

/// Reads the inputs of a run and its suites.
///
/// # Errors
/// When a file is missing, damaged or newer than this tool.
pub fn open_inputs(folder: &Path) -> Result<(RunInputs, Catalogue), BundleError> {
    let path = folder.join(names::RUN);
    let text = std::fs::read_to_string(&path).map_err(BundleError::io(&path))?;
    let inputs: RunInputs = read_document(&path, &text)?;
    let mut files = Vec::new();
    for name in inputs.suites.keys() {
        let path = folder.join(names::SUITES).join(name);
        if name.split('/').any(|part| part == "..") || name.starts_with('/') {
            return Err(BundleError::invalid(&path, "a suite lies outside the bundle"));
        }
        let bytes = std::fs::metadata(&path).map_err(BundleError::io(&path))?.len();
        files.push(SuiteFile::Stored(Arc::new(StoredFile { name: format!("suites/{name}"), path, bytes })));
    }
    let (catalogue, problems) = Catalogue::read(files);
    if problems.has_errors() {
        return Err(BundleError::invalid(folder.join(names::SUITES), format!("\n{}", problems.render(false))));
    }
    Ok((inputs, catalogue))
}

/// Opens a bundle.
///
/// # Errors
/// When a file is missing, damaged or newer than this tool.
pub fn open(folder: &Path) -> Result<Opened, BundleError> {
    bundle::all_regular(folder)?;
    if folder.join(names::SHARDS).is_dir() {
        let message = "it was merged and holds no transcript; give one of the bundles in this folder";
        return Err(BundleError::invalid(folder.join(names::SHARDS), message));
    }
    let path = folder.join(names::TRANSCRIPT);
    let (transcript, others) = both(|| Reader::open(&path), || open_documents(folder));
    let (inputs, catalogue, guideline, waivers) = others?;
    let transcript = transcript.map_err(|error| BundleError::invalid(&path, error.to_string()))?;
    Ok(Opened { inputs, catalogue, guideline, waivers, transcript })
}

/// Everything but the transcript.
pub(super) type Documents = (RunInputs, Catalogue, Option<Guideline>, Waivers);

pub(super) fn open_documents(folder: &Path) -> Result<Documents, BundleError> {
    let (inputs, catalogue) = open_inputs(folder)?;
    let (guideline, waivers) = open_rules(folder, &inputs)?;
    Ok((inputs, catalogue, guideline, waivers))
}

/// Reads guideline and waivers of a bundle.
///
/// # Errors
/// When a file is missing, damaged or newer than this tool.
pub fn open_rules(folder: &Path, inputs: &RunInputs) -> Result<(Option<Guideline>, Waivers), BundleError> {
    let path = folder.join(names::GUIDELINE);
    let guideline = match std::fs::read(&path) {
        Ok(bytes) => {
            let read = Guideline::read(names::GUIDELINE, &bytes);
            Some(read.map_err(|problems| BundleError::invalid(&path, format!("\n{}", problems.render(false))))?.0)
        }
        Err(_) if inputs.guideline.is_none() => None,
        Err(error) => return Err(BundleError::Io { path, source: error }),
    };
    let path = folder.join(names::WAIVERS);
    let waivers = match std::fs::read(&path) {
        Ok(bytes) => {
            let read = waivers::read(names::WAIVERS, &bytes);
            read.map_err(|problems| BundleError::invalid(&path, format!("\n{}", problems.render(false))))?.0
        }
        Err(_) => Waivers::none(),
    };
    Ok((guideline, waivers))
}

impl Opened {
    /// What was constant during the run.
    #[must_use]
    pub fn env(&self) -> Env {
        env(&self.inputs, &self.catalogue)
    }

    /// Judges everything again. `odd` receives a line for each departure of the evidence from the suites.
    pub fn judge(&self, odd: &mut Vec<String>) -> Collected<'_> {
        let mut collected = Collected::new(&self.catalogue, &self.inputs);
        let fixtures = FixtureStates::default();
        let env = self.env();
        let instances = collected.instances();
        let judge = |at: usize| instances.get(at).map(|instance| self.judge_one(*instance, &env, &fixtures));
        let mut remarks = BTreeMap::new();
        spread(instances.len(), CASES_PER_THREAD, judge, |at, judged| {
            let (Some(instance), Some(judged)) = (instances.get(at), judged) else { return };
            if !judged.odd.is_empty() {
                remarks.insert(at, judged.odd);
            }
            if !judged.results.is_empty() {
                collected.case(*instance, judged.results, judged.start);
            }
        });
        odd.extend(remarks.into_values().flatten());
        let seen: BTreeSet<String> = instances.iter().map(|instance| self.catalogue.id(*instance)).collect();
        for (id, result) in fixtures.results(self, &env, odd) {
            collected.fixture(&id, result);
        }
        for case in self.transcript.cases() {
            // A fixture that stood for one case only belongs to that case.
            let owner = case.split_once('[').filter(|_| self.catalogue.is_per_case(case)).map(|(_, owner)| owner);
            let known = match owner {
                Some(owner) => owner.strip_suffix(']').is_some_and(|owner| seen.contains(owner)),
                None => seen.contains(case) || self.catalogue.fixture(case).is_some(),
            };
            if !known {
                odd.push(format!("{case}: there is evidence for a case that is not in the selection"));
            }
        }
        collected
    }

    /// An attempt has no end only where the run has none.
    fn unfinished(&self, events: &AttemptEvents) -> Option<&'static str> {
        let complete = self.inputs.finished_at_ms.is_some() && self.inputs.interrupted.is_none();
        (complete && !events.ended).then_some("the transcript does not say that it ended, although the run did")
    }

    /// Judges the attempts of one case.
    fn judge_one(&self, place: InstanceRef, env: &Env, fixtures: &FixtureStates<'_>) -> JudgedCase {
        let mut judged = JudgedCase::default();
        let Some((suite, case)) = self.catalogue.get(place) else { return judged };
        let id = self.catalogue.id(place);
        let attempts = self.transcript.attempts(&id);
        if let Some(result) = refused(case, &self.inputs) {
            if !attempts.is_empty() {
                judged.odd.push(format!("{id}: there is evidence for a case that the operator did not allow"));
            }
            judged.results.push(result);
            return judged;
        }
        if attempts.is_empty() {
            return judged;
        }
        let case = &*case.whole();
        let instance = Instance { suite, case, id, variables: self.catalogue.row_variables(place) };
        for (index, attempt) in attempts.into_iter().enumerate() {
            self.judge_attempt(&instance, index, attempt, env, fixtures, &mut judged);
        }
        judged
    }

    fn judge_attempt(
        &self,
        instance: &Instance<'_>,
        index: usize,
        attempt: u32,
        env: &Env,
        fixtures: &FixtureStates<'_>,
        judged: &mut JudgedCase,
    ) {
        let id = &instance.id;
        if attempt as usize != index + 1 {
            judged.odd.push(format!("{id}: attempt {} is missing", index + 1));
        }
        let events = match self.transcript.load(id, attempt) {
            Ok(Some(events)) => events,
            Ok(None) => return,
            Err(error) => return judged.odd.push(format!("{id}: {error}")),
        };
        if let Some(problem) = self.unfinished(&events) {
            judged.odd.push(format!("{id}, attempt {attempt}: {problem}"));
        }
        judged.start = Some(events.start_at_ms);
        let fixture = |wanted: &str| fixtures.of(self, wanted, (id, attempt), &events, env);
        let mut replay = Replay::new(recorded(&events), events.ended, Box::new(fixture));
        match now(run_case(instance, env, &mut replay)) {
            Some(result) => judged.results.push(result),
            None => judged.odd.push(format!("{id}: the judge waited for something, which is a defect of this tool")),
        }
        if let Some(mismatch) = replay.mismatch() {
            judged.odd.push(format!("{id}, attempt {attempt}: {mismatch}"));
        }
    }
}

/// What judging a case again gave.
#[derive(Default)]
struct JudgedCase {
    /// One for each attempt; none when there is no evidence.
    results: Vec<CaseResult>,
    /// When the last attempt began.
    start: Option<i64>,
    /// Where the evidence departs from the suite.
    odd: Vec<String>,
}

/// Changes recorded events of the case or fixture of that id.
pub type Alter<'a> = &'a (dyn Fn(&str, &mut BTreeMap<u32, Recorded>) + Sync);

/// State of a fixture, and where its evidence departs from the suite.
type JudgedFixture = (Arc<FixtureState>, Option<String>);

/// Which log-in an attempt relies on; the first one, unless it says otherwise.
fn login(events: &AttemptEvents, fixture: &str) -> u32 {
    events.logins.get(fixture).copied().unwrap_or(1)
}

/// Fixtures of a bundle, each judged when first needed. A session may have been opened several times; the number
/// tells which.
#[derive(Default)]
pub(super) struct FixtureStates<'a> {
    judged: Mutex<BTreeMap<(String, u32), JudgedFixture>>,
    alter: Option<Alter<'a>>,
}

impl<'a> FixtureStates<'a> {
    /// Fixtures whose events are altered before they are judged.
    pub(super) fn altered(alter: Alter<'a>) -> Self {
        Self { judged: Mutex::default(), alter: Some(alter) }
    }

    /// The fixture that `whose` needs, a case or a fixture in this attempt with these events.
    pub(super) fn of(
        &self,
        bundle: &Opened,
        wanted: &str,
        whose: (&str, u32),
        events: &AttemptEvents,
        env: &Env,
    ) -> Arc<FixtureState> {
        match bundle.catalogue.fixture_for(wanted, whose.0) {
            Cow::Borrowed(id) => self.get(bundle, id, login(events, id), env).0,
            Cow::Owned(own) => self.get(bundle, &own, whose.1, env).0,
        }
    }

    fn get(&self, bundle: &Opened, id: &str, number: u32, env: &Env) -> JudgedFixture {
        let key = (id.to_owned(), number);
        if let Some(judged) = self.judged.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return judged.clone();
        }
        // Not under the lock: a fixture may need another one. Should two threads judge it, the results are equal.
        let (state, mismatch) = self.judge(bundle, id, number, env);
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        judged.entry(key).or_insert_with(|| (Arc::new(state), mismatch)).clone()
    }

    /// Set-up and, right after it, tear-down: between them a live run had its cases.
    fn judge(&self, bundle: &Opened, id: &str, number: u32, env: &Env) -> (FixtureState, Option<String>) {
        let missing = |reason: String| FixtureState {
            id: id.to_owned(),
            per_case: false,
            stands_on: Vec::new(),
            result: CaseResult::without_evidence(Outcome::Error, reason),
            outputs: Arc::new(serde_json::json!({})),
            visited: Vec::new(),
        };
        let Some((suite, case)) = bundle.catalogue.fixture(id) else {
            return (missing("no such fixture".to_owned()), None);
        };
        let events = match bundle.transcript.load(id, number) {
            Ok(Some(events)) => events,
            Ok(None) => return (missing("there is no evidence for it".to_owned()), None),
            Err(error) => return (missing(error.to_string()), Some(error.to_string())),
        };
        let instance = Instance { suite, case, id: id.to_owned(), variables: Vec::new() };
        let fixture = |wanted: &str| self.of(bundle, wanted, (id, number), &events, env);
        let mut events_by_number = recorded(&events);
        if let Some(alter) = self.alter {
            alter(id, &mut events_by_number);
        }
        let mut replay = Replay::new(events_by_number, events.ended, Box::new(fixture));
        if self.alter.is_some() {
            replay = replay.imagining();
        }
        let state = now(async {
            let (mut state, pending) = set_up(&instance, env, &mut replay).await;
            state.result.leaks = tear_down(pending, &mut replay).await;
            state
        });
        let state = state.unwrap_or_else(|| missing("the judge waited, which is a defect of this tool".to_owned()));
        let problem = bundle.unfinished(&events).map(str::to_owned);
        (state, replay.mismatch().or(problem))
    }

    /// Results of every fixture that the transcript holds.
    fn results(&self, bundle: &Opened, env: &Env, odd: &mut Vec<String>) -> BTreeMap<String, CaseResult> {
        let mut results = BTreeMap::new();
        for id in bundle.transcript.cases().filter(|id| bundle.catalogue.fixture(id).is_some()) {
            for number in bundle.transcript.attempts(id) {
                let (state, mismatch) = self.get(bundle, id, number, env);
                odd.extend(mismatch.map(|mismatch| format!("fixture {id}: {mismatch}")));
                if state.per_case {
                    continue;
                }
                // What was set up again is the same fixture; the last one stands for all, with what any left behind.
                let mut result = state.result.clone();
                let before: Option<CaseResult> = results.remove(id);
                result.leaks.splice(0..0, before.into_iter().flat_map(|before| before.leaks));
                results.insert(id.to_owned(), result);
            }
        }
        results
    }
}

pub(super) fn recorded(events: &AttemptEvents) -> BTreeMap<u32, Recorded> {
    let convert = |content: &Content| match content {
        Content::Exchange { exchange, .. } => Recorded::Exchange(exchange.clone()),
        Content::Stop { reason } => Recorded::Stop(stop_reason(reason)),
        Content::Stream { of, event, .. } => Recorded::Stream { of: *of, event: event.clone() },
        Content::Secret { label, token } => Recorded::Secret { label: label.clone(), token: token.clone() },
    };
    events.events.iter().map(|(n, content)| (*n, convert(content))).collect()
}

fn stop_reason(word: &str) -> StopReason {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).unwrap_or(StopReason::Unsupported)
}

/// What is constant during a run.
#[must_use]
pub fn env(inputs: &RunInputs, catalogue: &Catalogue) -> Env {
    let sessions = catalogue.family(&inputs.family).map(|family| family.sessions.clone()).unwrap_or_default();
    Env {
        sessions: Arc::new(sessions),
        target: Arc::new(inputs.target.clone()),
        run: Arc::new(serde_json::json!({"id": inputs.id, "seed": inputs.seed})),
        seed: inputs.own_seed(),
        headers: inputs.headers.clone(),
    }
}

/// Verifies a bundle: the files are those of the manifest, the evidence fits the suites, and the report is what follows
/// from it, byte for byte.
///
/// # Errors
/// When the bundle cannot be read at all.
pub fn verify(folder: &Path) -> Result<Findings, BundleError> {
    let mut findings = Findings::default();
    bundle::all_regular(folder)?;
    let (files, judged) = both(|| compare(folder), || judge_bundle(folder, &mut findings));
    findings.files = files?;
    // A file that was changed so much that it cannot be read is changed evidence, not invalid input.
    if let Err(error) = judged {
        if findings.files.is_empty() {
            return Err(error);
        }
        findings.evidence.push(error.to_string());
    }
    Ok(findings)
}

/// Verifies a bundle and hands what was judged again to `take`, so that it need not be judged twice.
///
/// # Errors
/// When the bundle cannot be read at all, or not judged.
pub fn examine<T>(
    folder: &Path,
    take: impl FnOnce(&Opened, &Collected<'_>, &[ProgramScore]) -> T,
) -> Result<(Findings, T), BundleError> {
    examine_and_keep(folder, take).map(|(findings, _, taken)| (findings, taken))
}

/// The same, and gives the bundle that was opened.
///
/// # Errors
/// As [`examine`].
pub fn examine_and_keep<T>(
    folder: &Path,
    take: impl FnOnce(&Opened, &Collected<'_>, &[ProgramScore]) -> T,
) -> Result<(Findings, Opened, T), BundleError> {
    let mut findings = Findings::default();
    bundle::all_regular(folder)?;
    let (files, judged) = both(|| compare(folder), || judge_run(folder, &mut findings, take));
    let files = files?;
    let (opened, taken) = judged?;
    findings.files = files;
    Ok((findings, opened, taken))
}

fn judge_bundle(folder: &Path, findings: &mut Findings) -> Result<(), BundleError> {
    if folder.join(names::SHARDS).is_dir() {
        return merge::judge(folder, findings);
    }
    judge_run(folder, findings, |_, _, _| ()).map(|_| ())
}

fn judge_run<T>(
    folder: &Path,
    findings: &mut Findings,
    take: impl FnOnce(&Opened, &Collected<'_>, &[ProgramScore]) -> T,
) -> Result<(Opened, T), BundleError> {
    let bundle = open(folder)?;
    if bundle.transcript.run() != bundle.inputs.id {
        findings.evidence.push(format!(
            "transcript.jsonl is of run `{}`, run.json says `{}`",
            bundle.transcript.run(),
            bundle.inputs.id
        ));
    }
    same_suites(&bundle.inputs, &bundle.catalogue, findings);
    findings.evidence.extend(misdated(&folder.join(names::RUN), &bundle.inputs)?);
    let collected = bundle.judge(&mut findings.evidence);
    let rules = (bundle.guideline.as_ref(), &bundle.waivers);
    let programs = same_report(folder, &bundle.inputs, &collected, rules, findings)?;
    let taken = take(&bundle, &collected, &programs);
    drop(collected);
    Ok((bundle, taken))
}

/// The suites in the bundle are those that were run.
pub(super) fn same_suites(inputs: &RunInputs, catalogue: &Catalogue, findings: &mut Findings) {
    for suite in catalogue.suites() {
        let name = suite.source.name.strip_prefix("suites/").unwrap_or(&suite.source.name);
        if inputs.suites.get(name) != Some(&suite.digest.to_string()) {
            findings.evidence.push(format!("suites/{name} is not the file that was run"));
        }
    }
}

/// The report is what follows from the results.
pub(super) fn same_report(
    folder: &Path,
    inputs: &RunInputs,
    collected: &Collected<'_>,
    (guideline, waivers): (Option<&Guideline>, &Waivers),
    findings: &mut Findings,
) -> Result<Vec<ProgramScore>, BundleError> {
    let programs = collected
        .programs(guideline, waivers)
        .map_err(|error| BundleError::invalid(folder.join(names::RUN), error.to_string()))?;
    let path = folder.join(names::REPORT);
    let rewritten = collected.with_report(programs.clone(), |report| {
        let mut hasher = Hasher::new();
        report.write_json(&mut hasher).map(|()| (hasher.finish(), report.summary.clone()))
    });
    let (digest, summary) = rewritten.map_err(BundleError::io(&path))?;
    findings.cases = summary.cases;
    findings.exchanges = summary.exchanges;
    let stated = crate::canon::digest_file(&path).map_err(|e| BundleError::invalid(&path, e.to_string()))?;
    if stated != digest {
        findings.evidence.push("report.json does not follow from the evidence".to_owned());
        findings.evidence.extend(differences(&path, inputs, collected, &programs));
    }
    Ok(programs)
}

/// The date decides which waivers hold, so it must be that of the run.
pub(super) fn misdated(path: &Path, inputs: &RunInputs) -> Result<Option<String>, BundleError> {
    let stated = &inputs.date;
    let date: jiff::civil::Date =
        stated.parse().map_err(|_| BundleError::invalid(path, format!("`{stated}` is not a date")))?;
    let began = jiff::Timestamp::from_millisecond(inputs.started_at_ms)
        .map_err(|_| BundleError::invalid(path, format!("{} is not a time", inputs.started_at_ms)))?;
    let began = began.to_zoned(jiff::tz::TimeZone::UTC).date();
    Ok((date != began).then(|| format!("run.json says {date}, but the run began on {began}")))
}

/// What of `report.json` differs from what was recomputed; for people.
fn differences(path: &Path, inputs: &RunInputs, collected: &Collected<'_>, programs: &[ProgramScore]) -> Vec<String> {
    let stated: Option<ReportDocument> =
        std::fs::read_to_string(path).ok().and_then(|text| serde_json::from_str(&text).ok());
    let Some(stated) = stated else {
        return vec!["report.json is not a report of this format".to_owned()];
    };
    let mut lines = Vec::new();
    if stated.run != *inputs {
        lines.push("report.json and run.json state different inputs".to_owned());
    }
    if stated.summary != collected.summary() {
        lines.push("summary: the counts differ from the evidence".to_owned());
    }
    let mut claims: BTreeMap<_, _> = stated.programs.iter().map(|claim| (claim.program.as_str(), claim)).collect();
    for program in programs {
        let name = &program.program;
        match claims.remove(name.as_str()) {
            Some(claim) if claim == program => {}
            Some(claim) if claim.verdict != program.verdict => {
                lines.push(format!(
                    "program {name}: the report says {}, the evidence says {}",
                    claim.verdict, program.verdict
                ));
            }
            Some(_) => lines.push(format!("program {name}: details differ from the evidence")),
            None => lines.push(format!("program {name}: missing in the report")),
        }
    }
    lines.extend(claims.into_keys().map(|name| format!("program {name}: the guideline has none of that name")));
    entries(stated.fixtures, collected.fixtures(), &mut lines);
    entries(stated.cases, collected.entries(), &mut lines);
    lines
}

fn entries(stated: Vec<CaseEntry>, wanted: impl Iterator<Item = CaseEntry>, lines: &mut Vec<String>) {
    let mut stated: BTreeMap<_, _> = stated.into_iter().map(|entry| (entry.id.clone(), entry)).collect();
    for entry in wanted {
        match stated.remove(&entry.id) {
            Some(other) if other == entry => {}
            Some(other) if other.result.outcome != entry.result.outcome => lines.push(format!(
                "{}: the report says {}, the evidence says {}",
                entry.id, other.result.outcome, entry.result.outcome
            )),
            Some(_) => lines.push(format!("{}: details differ from the evidence", entry.id)),
            None => lines.push(format!("{}: missing in the report", entry.id)),
        }
    }
    lines.extend(stated.into_keys().map(|id| format!("{id}: in the report, but not in the selection")));
}
