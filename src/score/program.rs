//! Scoring of programs.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::capability::{CapabilityId, LifeCycle, Marks, Outcome, TestId};
use crate::guideline::{Attempts, Capability, Guideline, Program, Test, Waivers};
use crate::text::did_you_mean;

use super::matching::{Found, Matching};
use super::results::{Results, TestResult};
use super::{CapabilityScore, ProgramScore, Remedy, Score, Status, TestScore, Verdict, WaiverState, WaiverUse};

/// Why there is nothing to score.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScoreError {
    /// The guideline has no program of that name.
    #[error("guideline {guideline} has no program `{program}`{}; it has {}", hint(near), listed(known))]
    UnknownProgram {
        /// The guideline.
        guideline: String,
        /// What was asked for.
        program: String,
        /// What was probably meant.
        near: Option<String>,
        /// All its programs.
        known: Vec<String>,
    },
}

fn hint(near: &Option<String>) -> String {
    near.as_ref().map(|near| format!(", did you mean `{near}`?")).unwrap_or_default()
}

fn listed(known: &[String]) -> String {
    if known.is_empty() { "none".to_string() } else { known.join(", ") }
}

/// Scores one program, or all of them in the order of the guideline. `on` is the day of the run; waivers that ended
/// before it excuse nothing.
pub fn score(
    guideline: &Guideline,
    program: Option<&str>,
    results: &Results,
    waivers: &Waivers,
    on: Date,
) -> Result<Vec<ProgramScore>, ScoreError> {
    let matching = Matching::new(guideline, results);
    let scorer = Scorer { guideline, waivers, on, matching, incomplete: results.why_incomplete() };
    match program {
        None => Ok(guideline.programs.iter().map(|program| scorer.program(program)).collect()),
        Some(name) => {
            let program = guideline.program_like(name).ok_or_else(|| unknown_program(guideline, name))?;
            Ok(vec![scorer.program(program)])
        }
    }
}

pub(super) fn unknown_program(guideline: &Guideline, name: &str) -> ScoreError {
    let known: Vec<String> = guideline.programs.iter().map(|program| program.name.clone()).collect();
    ScoreError::UnknownProgram {
        guideline: guideline.metadata.id.to_string(),
        program: name.to_string(),
        near: did_you_mean(name, known.iter().map(String::as_str)).map(str::to_string),
        known,
    }
}

struct Scorer<'a> {
    guideline: &'a Guideline,
    waivers: &'a Waivers,
    on: Date,
    /// The evidence for each test.
    matching: Matching<'a>,
    incomplete: Option<&'a str>,
}

impl Scorer<'_> {
    fn program(&self, program: &Program) -> ProgramScore {
        let mut required = Vec::new();
        let mut optional = Vec::new();
        for (id, level) in self.guideline.standing(program) {
            match level {
                LifeCycle::Required => required.push(self.capability(id, level)),
                LifeCycle::Advisory | LifeCycle::Deprecated => optional.push(self.capability(id, level)),
                LifeCycle::Removed => {}
            }
        }
        let names = program.components.iter().map(|one| &one.name);
        let missing_components: Vec<String> =
            names.filter(|name| !self.guideline.components.contains_key(*name)).cloned().collect();
        let worth = |met: bool| -> u64 {
            let counted = required.iter().filter(|one: &&CapabilityScore| !met || one.status.is_met());
            counted.map(|one| one.weight).sum()
        };
        let score = Score::new(worth(true), worth(false) + missing_components.len() as u64);
        ProgramScore {
            guideline: self.guideline.metadata.id.clone(),
            program: program.name.clone(),
            verdict: self.verdict(&required, score),
            score,
            to_conform: remedies(&required),
            waivers: self.waiver_uses(required.iter().chain(&optional)),
            required,
            optional,
            missing_components,
            incomplete: self.incomplete.map(str::to_owned),
        }
    }

    fn verdict(&self, required: &[CapabilityScore], score: Score) -> Verdict {
        match verdict(required, score) {
            Verdict::Conformant | Verdict::ConformantWithWaivers if self.incomplete.is_some() => Verdict::Unproven,
            verdict => verdict,
        }
    }

    fn capability(&self, id: &CapabilityId, level: LifeCycle) -> CapabilityScore {
        let weight = self.guideline.weight(id);
        let Some(capability) = self.guideline.capabilities.get(id) else {
            let (name, status) = (None, Status::Unproven);
            let nothing = (Vec::new(), Vec::new());
            return CapabilityScore {
                capability: id.clone(),
                name,
                level,
                weight,
                status,
                to_blame: nothing.0,
                tests: nothing.1,
            };
        };
        let judged: Vec<(TestScore, Standing)> =
            capability.tests.iter().map(|(test, own)| self.test(id, capability, test, own)).collect();
        let blamed = judged.iter().filter(|(_, standing)| standing.is_to_blame());
        CapabilityScore {
            capability: id.clone(),
            name: capability.name.clone(),
            level,
            weight,
            status: match status(judged.iter().map(|(_, standing)| *standing)) {
                Status::Unproven if shown_by_flagged(&judged) => Status::Passed,
                status => status,
            },
            to_blame: blamed.map(|(test, _)| test.test.clone()).collect(),
            tests: judged.into_iter().map(|(test, _)| test).collect(),
        }
    }

    fn test(&self, id: &CapabilityId, capability: &Capability, test: &TestId, own: &Test) -> (TestScore, Standing) {
        let Found { result, ran_as, reason, note } = self.matching.found(test);
        let TestResult { outcome, flaky } = result;
        let mut marks = Marks { flagged: own.flagged.is_some(), flaky: flaky && outcome.is_pass(), waived: false };
        let refused_retry = marks.flaky && capability.attempts == Attempts::First;
        let mut standing = match outcome {
            _ if marks.flagged => Standing::Flagged,
            Outcome::Pass if refused_retry => Standing::Failed,
            Outcome::Pass => Standing::Passed,
            Outcome::Fail => Standing::Failed,
            Outcome::Gap => Standing::Gap,
            Outcome::Skip | Outcome::Error => Standing::NoEvidence,
            Outcome::NotRun => Standing::NotRun,
        };
        if standing.can_be_waived() && self.is_waived(id, test) {
            marks.waived = true;
            standing = Standing::Waived;
        }
        (TestScore { test: test.clone(), outcome, marks, ran_as, reason, note }, standing)
    }

    fn is_waived(&self, id: &CapabilityId, test: &TestId) -> bool {
        self.waivers.0.iter().any(|waiver| !waiver.is_expired(self.on) && waiver.covers(id, test))
    }

    fn waiver_uses<'c>(&self, scored: impl Iterator<Item = &'c CapabilityScore> + Clone) -> Vec<WaiverUse> {
        let mut uses = Vec::new();
        for waiver in &self.waivers.0 {
            let tests = scored.clone().flat_map(|one| one.tests.iter().map(move |test| (&one.capability, test)));
            let mut covered = tests.filter(|(id, test)| waiver.covers(id, &test.test)).peekable();
            if covered.peek().is_none() {
                continue;
            }
            let state = if waiver.is_expired(self.on) {
                WaiverState::Expired
            } else if covered.any(|(_, test)| test.marks.waived) {
                WaiverState::Applied
            } else {
                WaiverState::Unneeded
            };
            uses.push(WaiverUse { waiver: waiver.clone(), state });
        }
        uses
    }
}

/// What a test does to its capability.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Passed,
    Waived,
    Failed,
    Gap,
    /// It was tried or skipped on purpose, without a judgement.
    NoEvidence,
    NotRun,
    Flagged,
}

impl Standing {
    fn is_to_blame(self) -> bool {
        !matches!(self, Standing::Passed | Standing::Waived | Standing::Flagged)
    }

    /// A waiver excuses what happened. What was never run has nothing to excuse.
    fn can_be_waived(self) -> bool {
        matches!(self, Standing::Failed | Standing::Gap | Standing::NoEvidence)
    }
}

/// A flag excuses a test that does not pass. Where a capability has flagged tests only, their passes are the evidence
/// that there is; without all of them it stays unproven.
fn shown_by_flagged(judged: &[(TestScore, Standing)]) -> bool {
    let shows = |(test, standing): &(TestScore, Standing)| *standing == Standing::Flagged && test.outcome.is_pass();
    !judged.is_empty() && judged.iter().all(shows)
}

fn status(standings: impl Iterator<Item = Standing> + Clone) -> Status {
    let counting: Vec<Standing> = standings.filter(|standing| *standing != Standing::Flagged).collect();
    let has = |wanted: Standing| counting.contains(&wanted);
    if has(Standing::Failed) {
        Status::Failed
    } else if has(Standing::Gap) {
        Status::Gap
    } else if counting.is_empty() || has(Standing::NoEvidence) || has(Standing::NotRun) {
        Status::Unproven
    } else if has(Standing::Waived) {
        Status::Waived
    } else {
        Status::Passed
    }
}

fn verdict(required: &[CapabilityScore], score: Score) -> Verdict {
    let has = |wanted: Status| required.iter().any(|one| one.status == wanted);
    // Waivers alone are no evidence: at least one thing must have been seen to work.
    let counted = |test: &TestScore| test.outcome.is_pass() && !test.marks.flagged;
    let seen = required.iter().any(|one| one.status == Status::Passed || one.tests.iter().any(counted));
    if has(Status::Failed) || has(Status::Gap) {
        Verdict::NotConformant
    } else if !score.is_full() || !seen {
        Verdict::Unproven
    } else if has(Status::Waived) {
        Verdict::ConformantWithWaivers
    } else {
        Verdict::Conformant
    }
}

/// All required capabilities must be met, so the smallest set is every test to blame, once. Cheapest first: fewest
/// tests, then the greatest weight.
fn remedies(required: &[CapabilityScore]) -> Vec<Remedy> {
    let mut missing: Vec<&CapabilityScore> = required.iter().filter(|one| !one.status.is_met()).collect();
    missing.sort_by_key(|one| {
        let blocked = one.to_blame.is_empty();
        (blocked, one.to_blame.len(), std::cmp::Reverse(one.weight), one.capability.clone())
    });
    let mut named = BTreeSet::new();
    let remedy = |one: &CapabilityScore| Remedy {
        capability: one.capability.clone(),
        tests: one.to_blame.iter().filter(|test| named.insert((*test).clone())).cloned().collect(),
        blocked: one.to_blame.is_empty().then(|| {
            let why =
                if one.tests.is_empty() { "has no tests" } else { "has only flagged tests, which did not all pass," };
            format!("the capability {why} in the guideline")
        }),
    };
    missing.into_iter().map(remedy).collect()
}
