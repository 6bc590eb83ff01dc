//! The verdict as text: programs with their reasons, then every case that is not a pass.

use crate::capability::{Outcome, TestId};
use crate::report::document::{CaseEntry, Report, Summary};
use crate::score::{CapabilityScore, ProgramScore, Status, Verdict};
use crate::text::one_line;

use super::context::{Context, Paint};

/// Colour of an outcome.
pub fn paint(outcome: Outcome) -> Paint {
    match outcome {
        Outcome::Pass => Paint::Good,
        Outcome::Fail => Paint::Bad,
        Outcome::Gap | Outcome::Error => Paint::Doubt,
        Outcome::Skip | Outcome::NotRun => Paint::Dim,
    }
}

/// Prints everything a person needs to know after a run.
pub fn print(context: &Context, report: &Report<'_>) {
    let mut first = true;
    for entry in (report.cases)().filter(|entry| entry.result.outcome != Outcome::Pass || entry.flaky) {
        if first {
            context.say(context.data(Paint::Bold, "Not passed"));
            first = false;
        }
        case(context, &entry);
    }
    for entry in (report.cases)().chain(report.fixtures.values().cloned()) {
        for leak in &entry.result.leaks {
            let (what, why) = (one_line(&leak.what), one_line(&leak.why));
            context.warn(format!("{}: left behind on the target: {what} ({why})", entry.id));
        }
    }
    if !report.programs.is_empty() {
        context.say(format!("\n{}", context.data(Paint::Bold, "Programs")));
    }
    for program in &report.programs {
        self::program(context, program);
    }
    context.say(format!("\n{}", counts(&report.summary)));
}

/// One line per case, with its reason.
fn case(context: &Context, entry: &CaseEntry) {
    let word = format!("{:<7}", entry.result.outcome);
    let flaky = if entry.flaky { context.data(Paint::Doubt, " flaky") } else { String::new() };
    context.say(format!("  {} {}{flaky}", context.data(paint(entry.result.outcome), &word), entry.id));
    if !entry.result.reason.is_empty() {
        context.say(format!("          {}", one_line(&entry.result.reason)));
    }
}

/// A program with what is missing.
pub fn program(context: &Context, program: &ProgramScore) {
    let colour = match program.verdict {
        Verdict::Conformant => Paint::Good,
        Verdict::ConformantWithWaivers | Verdict::Unproven => Paint::Doubt,
        Verdict::NotConformant => Paint::Bad,
    };
    let (met, total) = program.required_met();
    context.say(format!(
        "  {} {}: score {} %, {met} of {total} required capabilities",
        context.data(colour, &format!("{:<15}", program.verdict.as_str())),
        one_line(&program.program),
        program.score.percent,
    ));
    for capability in program.required.iter().filter(|capability| !capability.status.is_met()) {
        let blame: Vec<_> = capability.to_blame.iter().map(|test| blamed(capability, test)).collect();
        let colour = if capability.status == Status::Failed { Paint::Bad } else { Paint::Doubt };
        let word = format!("{:<8}", capability.status.as_str());
        let id = capability.capability.to_string();
        context.say(format!("      {} {id}: {}", context.data(colour, &word), shortened(&blame)));
    }
    if !program.to_conform.is_empty() {
        let tests: usize = program.to_conform.iter().map(|remedy| remedy.tests.len()).sum();
        let cases = crate::text::plural(tests, "case");
        context.say(context.data(Paint::Dim, &format!("      to conform: {cases} must pass")));
    }
}

/// A test with the cases that stand for it, or the names it ran under.
fn blamed(capability: &CapabilityScore, test: &TestId) -> String {
    let ran_as = capability.tests.iter().find(|one| one.test == *test).map_or(&[][..], |one| one.ran_as.as_slice());
    let names: Vec<_> = ran_as.iter().map(TestId::as_str).collect();
    if names.is_empty() { test.to_string() } else { format!("{test} ({})", names.join(", ")) }
}

fn shortened(tests: &[String]) -> String {
    const SHOWN: usize = 4;
    let head = tests.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match tests.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{head} and {more} more"),
        _ => head,
    }
}

/// Counts in one line.
#[must_use]
pub fn counts(s: &Summary) -> String {
    let mut text = format!(
        "{}: {} pass, {} fail, {} gap, {} error, {} skip, {} not run; {}",
        crate::text::plural(s.cases as usize, "case"),
        s.pass,
        s.fail,
        s.gap,
        s.error,
        s.skip,
        s.not_run,
        crate::text::plural(usize::try_from(s.exchanges).unwrap_or(usize::MAX), "request"),
    );
    if s.flaky > 0 {
        text.push_str(&format!("; {} flaky", s.flaky));
    }
    if s.leaks > 0 {
        text.push_str(&format!("; {} left behind", s.leaks));
    }
    text
}
