//! Differences as text and as Markdown.

use super::outcome;
use crate::cli::context::{Context, Paint};
use crate::compare::{
    CapabilityForecast, CaseChange, Change, Field, FieldRow, Forecast, Kind, Mark, ProgramForecast, RunsDifference,
    Standing,
};
use crate::score::Status;
use crate::text::{one_line, plural};

/// Rows of a Markdown table: with a reason each they stay below the limit of a job summary, 1 MiB.
const MOST_ROWS: usize = 500;

fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}

fn standing(standing: Option<&Standing>) -> String {
    standing.map_or_else(|| "not scored".to_owned(), |own| format!("{} ({} %)", own.verdict, own.score.percent))
}

/// Two runs.
pub fn runs(context: &Context, found: &RunsDifference, markdown: bool) {
    let heading = format!("{} → {}", found.before, found.after);
    let counts =
        [Change::Broken, Change::Flaky, Change::Fixed, Change::Steady, Change::Changed, Change::Appeared, Change::Gone];
    let counts: Vec<String> = counts
        .into_iter()
        .map(|change| (change, found.count(change)))
        .filter(|(_, n)| *n > 0)
        .map(|(change, n)| format!("{n} {}", change.as_str()))
        .chain([format!("{} as before", found.unchanged)])
        .collect();
    if markdown {
        context.say(format!("### {}\n\n{}", cell(&heading), counts.join(", ")));
        for note in &found.notes {
            context.say(format!("\n> Not comparable one to one: {}", cell(note)));
        }
        context.say("\n| program | before | after |\n| --- | --- | --- |");
        for program in &found.programs {
            let (old, new) = (standing(program.before.as_ref()), standing(program.after.as_ref()));
            context.say(format!("| {} | {old} | {new} |", cell(&program.program)));
        }
        if !found.cases.is_empty() {
            context.say("\n| | case | before | after | why |\n| --- | --- | --- | --- | --- |");
            for one in found.cases.iter().take(MOST_ROWS) {
                context.say(format!(
                    "| {} | `{}` | {} | {} | {} |",
                    one.change.as_str(),
                    cell(&one.case),
                    outcome(one.before.as_ref()),
                    outcome(one.after.as_ref()),
                    cell(why(one))
                ));
            }
            let more = found.cases.len().saturating_sub(MOST_ROWS);
            if more > 0 {
                context.say(format!("\nand {more} more: the list is cut, since summaries and comments have a limit."));
            }
        }
        return;
    }
    context.say(context.data(Paint::Bold, &heading));
    for note in &found.notes {
        context.say(format!("  not comparable one to one: {note}"));
    }
    for program in &found.programs {
        let (old, new) = (standing(program.before.as_ref()), standing(program.after.as_ref()));
        let change = if old == new { new } else { format!("{old} → {new}") };
        context.say(format!("  {}: {change}", program.program));
    }
    for one in &found.cases {
        let paint = match one.change {
            _ if one.is_regression() => Paint::Bad,
            Change::Fixed | Change::Steady => Paint::Good,
            _ => Paint::Doubt,
        };
        let word = context.data(paint, &format!("{:<9}", one.change.as_str()));
        let (old, new) = (outcome(one.before.as_ref()), outcome(one.after.as_ref()));
        let capability = one.capabilities.first().map(|id| format!(" [{id}]")).unwrap_or_default();
        context.say(format!("  {word} {}{capability}: {old} → {new}", one.case));
        if !why(one).is_empty() {
            context.say(context.data(Paint::Dim, &format!("            {}", one_line(why(one)))));
        }
    }
    context.tell(counts.join(", "));
}

fn why(one: &CaseChange) -> &str {
    one.after.as_ref().or(one.before.as_ref()).map_or("", |side| side.reason.as_str())
}

const FATES: [(Kind, &str); 6] = [
    (Kind::Keep, "keep"),
    (Kind::Lose, "lose"),
    (Kind::Gain, "gain that pass already"),
    (Kind::Untested, "untested"),
    (Kind::Missing, "missing"),
    (Kind::Dropped, "no longer required"),
];

/// `keep 71, lose 3, gain 9 that pass already, 5 untested`.
fn sentence(program: &ProgramForecast) -> String {
    let part = |(kind, word): (Kind, &str)| {
        let n = program.count(kind);
        match kind {
            Kind::Keep | Kind::Lose => Some(format!("{word} {n}")),
            Kind::Gain => Some(format!("gain {n} that pass already")),
            Kind::Untested => Some(format!("{n} untested")),
            Kind::Missing => (n > 0).then(|| format!("{n} missing as before or new")),
            Kind::Dropped => (n > 0).then(|| format!("{n} no longer required")),
        }
    };
    FATES.into_iter().filter_map(part).collect::<Vec<_>>().join(", ")
}

/// A run under two guidelines.
pub fn forecast(context: &Context, found: &Forecast, markdown: bool) {
    let heading = format!("{}: {} → {}", found.run, found.before, found.after);
    if markdown {
        context.say(format!("### {}", cell(&heading)));
    } else {
        context.say(context.data(Paint::Bold, &heading));
    }
    for program in &found.programs {
        let (old, new) = (standing(program.before.as_ref()), standing(Some(&program.after)));
        let told: Vec<&CapabilityForecast> = program.capabilities.iter().filter(|one| one.kind != Kind::Keep).collect();
        if markdown {
            context.say(format!("\n**{}**: {}  \n{old} → {new}", cell(&program.program), sentence(program)));
            if !told.is_empty() {
                context.say("\n| | capability | tests that decide |\n| --- | --- | --- |");
            }
            for one in told {
                let tests: Vec<String> = one.tests.iter().map(|test| format!("`{test}`")).collect();
                context.say(format!(
                    "| {} | {}{} | {} |",
                    one.kind.as_str(),
                    cell(one.capability.as_str()),
                    remark(one),
                    cell(&tests.join(" "))
                ));
            }
            for doubt in doubts(program) {
                context.say(format!("\n> {}", cell(&doubt)));
            }
            continue;
        }
        context.say(format!("\n{}: {}", context.data(Paint::Bold, &program.program), sentence(program)));
        context.say(format!("  {old} → {new}"));
        for one in told {
            let paint = match one.kind {
                Kind::Lose | Kind::Missing => Paint::Bad,
                Kind::Untested => Paint::Doubt,
                Kind::Gain | Kind::Keep => Paint::Good,
                Kind::Dropped => Paint::Dim,
            };
            let word = context.data(paint, &format!("{:<9}", one.kind.as_str()));
            context.say(format!("  {word} {}{}{}", one.capability, remark(one), tests(one)));
        }
        for doubt in doubts(program) {
            context.say(format!("  {}", context.data(Paint::Doubt, &doubt)));
        }
    }
    if !found.gone.is_empty() {
        context.say(format!("\nPrograms that {} does not have: {}", found.after, found.gone.join(", ")));
    }
    if !found.flags.is_empty() {
        let tests: Vec<&str> = found.flags.iter().take(8).map(|one| one.test.as_str()).collect();
        let more = found.flags.len().saturating_sub(tests.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        context.say(format!("\nFlagged in one of the two only: {}{more}", tests.join(", ")));
    }
    let open = found.programs.iter().map(|program| program.count(Kind::Untested)).sum::<usize>();
    if open > 0 && !markdown {
        context.tell(format!("to test the rest: assize run TARGET --guideline {} --required", found.after));
    }
}

/// What the word alone does not say.
fn remark(one: &CapabilityForecast) -> String {
    match (one.kind, one.level) {
        (Kind::Dropped, Some(level)) => format!(" ({level} then)"),
        (Kind::Dropped, None) => " (not there then)".to_owned(),
        (Kind::Untested, _) if one.before.is_some_and(Status::is_met) => {
            " (met now; tests that were not run count then)".to_owned()
        }
        (Kind::Missing, _) if one.before.is_none() || !one.was_required => " (newly required)".to_owned(),
        _ => String::new(),
    }
}

/// Why the forecast may say less than it should.
fn doubts(program: &ProgramForecast) -> Vec<String> {
    let missing = program.missing_components.iter().map(|name| format!("the component `{name}` is not defined"));
    let incomplete = program.incomplete.iter().map(|why| format!("the results are not whole: {why}"));
    missing.chain(incomplete).collect()
}

/// The first few tests.
fn tests(one: &CapabilityForecast) -> String {
    if one.tests.is_empty() {
        return String::new();
    }
    let shown: Vec<String> = one.tests.iter().take(4).map(ToString::to_string).collect();
    let more = one.tests.len().saturating_sub(shown.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!(": {}{more}", shown.join(", "))
}

/// Products of a ledger.
pub fn field(context: &Context, found: &Field, markdown: bool, names: bool) {
    let heading = format!(
        "{}: {}, each by its latest report that counts; % of those that tested it",
        found.guideline,
        plural(found.products, "product")
    );
    if markdown {
        context.say(format!("### {}\n", cell(&heading)));
        context.say("| capability | level | pass | of | % | |\n| --- | --- | ---: | ---: | ---: | --- |");
    } else {
        context.say(context.data(Paint::Bold, &heading));
    }
    for row in &found.capabilities {
        let percent = row.percent.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string);
        let mark = row.mark.map_or("", Mark::as_str);
        let (pass, tested, level) = (row.pass.len(), row.tested, row.level);
        if markdown {
            context.say(format!("| {} | {level} | {pass} | {tested} | {percent} | {mark} |", cell(&row.capability)));
        } else {
            let paint = match row.mark {
                Some(Mark::Candidate) => Paint::Good,
                Some(Mark::AtRisk) => Paint::Bad,
                None => Paint::Dim,
            };
            let mark = context.data(paint, &format!("{mark:<9}"));
            context.say(format!("  {mark} {percent:>5} % {pass:>4} of {tested:<4} {level:<10} {}", row.capability));
        }
        if names && !markdown {
            who(context, row, markdown);
        }
    }
    // Behind the table, which a list in between would end.
    if names && markdown {
        for row in &found.capabilities {
            context.say(format!("\n**{}**", cell(&row.capability)));
            who(context, row, markdown);
        }
    }
}

/// Who passes, and who would break if it became required.
fn who(context: &Context, row: &FieldRow, markdown: bool) {
    let broken: Vec<&str> = row.fail.iter().chain(&row.gap).map(String::as_str).collect();
    let lists = [
        ("passes", row.pass.iter().map(String::as_str).collect::<Vec<_>>()),
        ("fails", row.fail.iter().map(String::as_str).collect()),
        ("lacks it", row.gap.iter().map(String::as_str).collect()),
        ("did not test it", row.untested.iter().map(String::as_str).collect()),
        ("would break if it became required", broken),
    ];
    for (word, products) in lists {
        let products = if products.is_empty() { "nobody".to_owned() } else { products.join(", ") };
        if markdown {
            context.say(format!("\n- {word}: {}", cell(&products)));
        } else {
            context.say(format!("      {word}: {products}"));
        }
    }
}
