//! `assize audit`: which falsified answer each case notices.

use crate::capability::Outcome;
use crate::report::audit::{self, Audited};
use crate::report::rejudge::{self, Opened};
use crate::spread::spread;
use crate::text::plural;

use super::args::AuditArgs;
use super::context::{Context, Paint};
use super::exit::{CliError, Exit};

/// Judges every passed case of a bundle again with falsified answers.
///
/// # Errors
/// When the bundle cannot be read.
pub fn audit(context: &Context, args: &AuditArgs) -> Result<Exit, CliError> {
    let bundle = rejudge::open(&args.bundle).map_err(|error| {
        CliError::input(error).hint("give the folder of a run: it holds bundle.json, run.json and transcript.jsonl")
    })?;
    let wanted = |id: &String| args.case.is_empty() || args.case.iter().any(|text| id.contains(text.as_str()));
    let passed: Vec<String> = passed(&bundle).into_iter().filter(wanted).collect();
    if passed.is_empty() {
        return Err(CliError::new(Exit::NothingRan, "no case that passed is selected"));
    }
    let audited = all(&bundle, &passed);
    let blind = audited.iter().filter(|one| one.example.is_none()).count();
    if args.json {
        context.say(serde_json::to_string_pretty(&audited).unwrap_or_default());
    } else if args.markdown {
        context.say("| case | noticed | of | falsified answer | then |\n| --- | ---: | ---: | --- | --- |");
        audited.iter().for_each(|one| context.say(row(one)));
    } else {
        audited.iter().for_each(|one| context.say(lines(context, one)));
    }
    let (tried, noticed) = audited.iter().fold((0, 0), |sum, one| (sum.0 + one.tried, sum.1 + one.noticed));
    context.tell(format!(
        "{} that passed: {blind} would pass whatever the target answers; {noticed} of {tried} falsified answers noticed",
        plural(audited.len(), "case")
    ));
    Ok(if blind == 0 { Exit::Ok } else { Exit::NotConformant })
}

/// Ids of the cases that passed, in order.
fn passed(bundle: &Opened) -> Vec<String> {
    let judged = bundle.judge(&mut Vec::new());
    judged.entries().filter(|entry| entry.result.outcome == Outcome::Pass).map(|entry| entry.id).collect()
}

/// Audits on all cores; the result is in the order given.
fn all(bundle: &Opened, ids: &[String]) -> Vec<Audited> {
    let mut found = Vec::with_capacity(ids.len());
    let work = |at: usize| ids.get(at).and_then(|id| audit::audit(bundle, id));
    spread(ids.len(), 1, work, |at, audited| found.extend(audited.map(|one| (at, one))));
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, audited)| audited).collect()
}

fn lines(context: &Context, one: &Audited) -> String {
    let count = format!("{}/{}", one.noticed, one.tried);
    match &one.example {
        Some(example) => format!(
            "{} {count:>8} {}\n                 {}: {} -> {} ({})",
            context.data(Paint::Good, "notices"),
            one.case,
            example.request,
            example.falsified,
            example.outcome,
            example.reason
        ),
        None => format!("{} {count:>8} {}", context.data(Paint::Bad, "blind  "), one.case),
    }
}

fn row(one: &Audited) -> String {
    let cell = |text: &str| text.replace('|', "\\|");
    let (what, then) = match &one.example {
        Some(example) => (
            format!("`{}`: {}", example.request.replace('`', "'"), example.falsified),
            format!("{}: {}", example.outcome, example.reason),
        ),
        None => ("none".to_owned(), "passes whatever the target answers".to_owned()),
    };
    format!("| {} | {} | {} | {} | {} |", cell(&one.case), one.noticed, one.tried, cell(&what), cell(&then))
}
