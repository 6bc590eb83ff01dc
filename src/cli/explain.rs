//! A program capability by capability, test by test.

use crate::capability::Outcome;
use crate::score::{CapabilityScore, ProgramScore, Status, TestScore};
use crate::text::{one_line, plural};

use super::context::{Context, Paint};
use super::verdict;

/// The verdict as for a run, then what is known of each required capability: those that are not met, or all.
pub fn program(context: &Context, program: &ProgramScore, all: bool) {
    verdict::program(context, program);
    if let Some(why) = &program.incomplete {
        context.say(context.data(Paint::Doubt, &format!("      incomplete: {}", one_line(why))));
    }
    let shown = |one: &&CapabilityScore| all || !one.status.is_met();
    for capability in program.required.iter().filter(shown) {
        self::capability(context, capability, all);
    }
    if all {
        program.optional.iter().for_each(|capability| self::capability(context, capability, all));
    }
    remedies(context, program, all);
}

fn capability(context: &Context, one: &CapabilityScore, all: bool) {
    let colour = match one.status {
        Status::Passed => Paint::Good,
        Status::Failed => Paint::Bad,
        Status::Waived | Status::Gap | Status::Unproven => Paint::Doubt,
    };
    let word = format!("{:<8}", one.status.as_str());
    context.say(format!(
        "\n    {} {} ({}): {}",
        context.data(colour, &word),
        one.capability,
        one.level,
        counts(&one.tests)
    ));
    let plain = |test: &TestScore| test.outcome.is_pass() && test.note.is_none() && test.marks.is_empty();
    for test in one.tests.iter().filter(|test| all || !plain(test)) {
        self::test(context, test);
    }
}

/// How many tests ended how; flagged ones apart.
fn counts(tests: &[TestScore]) -> String {
    let counted = |outcome: Outcome, flagged: bool| {
        tests.iter().filter(|test| test.outcome == outcome && test.marks.flagged == flagged).count()
    };
    let words = |flagged: bool| {
        let outcomes = Outcome::ALL.iter().map(|outcome| (counted(*outcome, flagged), *outcome));
        let some = outcomes.filter(|(count, _)| *count > 0);
        some.map(|(count, outcome)| format!("{count} {outcome}")).collect::<Vec<_>>().join(", ")
    };
    match (words(false), words(true)) {
        (counting, flagged) if counting.is_empty() && flagged.is_empty() => "it has no tests".to_owned(),
        (counting, flagged) if flagged.is_empty() => counting,
        (counting, flagged) if counting.is_empty() => format!("no test counts; flagged: {flagged}"),
        (counting, flagged) => format!("{counting}; flagged: {flagged}"),
    }
}

fn test(context: &Context, test: &TestScore) {
    let mut marks = String::new();
    for (set, mark) in [(test.marks.flagged, " flagged"), (test.marks.flaky, " flaky"), (test.marks.waived, " waived")]
    {
        if set {
            marks.push_str(mark);
        }
    }
    let word = format!("{:<7}", test.outcome);
    let marks = context.data(Paint::Doubt, &marks);
    context.say(format!("      {}{marks} {}", context.data(verdict::paint(test.outcome), &word), test.test));
    let talk = |text: String| context.say(context.data(Paint::Dim, &format!("              {text}")));
    if !test.ran_as.is_empty() {
        let names: Vec<_> = test.ran_as.iter().map(ToString::to_string).collect();
        talk(format!("ran as {}", names.join(", ")));
    }
    for text in [&test.note, &test.reason].into_iter().flatten() {
        talk(one_line(text));
    }
}

/// Longest list of tests that is shown unasked: they stand above as well.
const FEW: usize = 20;

/// The smallest set of tests that would make the program conformant.
fn remedies(context: &Context, program: &ProgramScore, all: bool) {
    if program.to_conform.is_empty() {
        return;
    }
    let count: usize = program.to_conform.iter().map(|remedy| remedy.tests.len()).sum();
    let tests = plural(count, "test");
    if !all && count > FEW {
        context
            .say(format!("\n    To conform, {tests} must pass; --explain lists them, the cheapest capability first."));
        return;
    }
    context.say(format!("\n    {}", context.data(Paint::Bold, &format!("To conform, {tests} must pass:"))));
    for remedy in &program.to_conform {
        if let Some(why) = &remedy.blocked {
            context.say(format!("      {}: {why}", remedy.capability));
        }
        for test in &remedy.tests {
            context.say(format!("      {}: {test}", remedy.capability));
        }
    }
}
