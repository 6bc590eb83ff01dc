//! `assize verify` and `assize score`.

use crate::guideline::{Guideline, Waivers};
use crate::report::document::ReportDocument;
use crate::report::rejudge;
use crate::score::{ProgramScore, Results, TestResult, Verdict, defcore_rules, score};

use crate::text::one_line;

use super::args::{ScoreArgs, VerifyArgs};
use super::context::{Context, Paint};
use super::exit::{CliError, Exit};
use super::{inputs, verdict};

/// Recomputes every outcome of a bundle.
///
/// # Errors
/// When the bundle cannot be read.
pub fn verify(context: &Context, args: &VerifyArgs) -> Result<Exit, CliError> {
    let started = std::time::Instant::now();
    let found = rejudge::verify(&args.bundle).map_err(|error| {
        CliError::input(error).hint("give the folder of a run: it holds bundle.json, run.json and transcript.jsonl")
    })?;
    let seconds = started.elapsed().as_secs_f64();
    if args.json {
        let document = serde_json::json!({
            "supported": found.is_clean(),
            "cases": found.cases,
            "exchanges": found.exchanges,
            "files": found.files,
            "evidence": found.evidence,
        });
        context.say(document.to_string());
    } else {
        for line in found.files.iter().chain(&found.evidence) {
            context.say(format!("{} {}", context.data(Paint::Bad, "differs"), one_line(line)));
        }
    }
    if !found.is_clean() {
        let number = found.files.len() + found.evidence.len();
        let message =
            format!("the evidence does not support the report: {}", crate::text::plural(number, "difference"));
        return Err(CliError::new(Exit::Unsupported, message));
    }
    if !args.json {
        let cases = crate::text::plural(found.cases as usize, "case");
        context.say(format!(
            "{} {cases} judged again from {} exchanges: every outcome and the report are byte-identical",
            context.data(Paint::Good, "supported"),
            found.exchanges
        ));
        context.tell(format!("{:.2} s, {:.0} cases/s", seconds, f64::from(found.cases) / seconds.max(1e-9)));
    }
    Ok(Exit::Ok)
}

/// Scores the results of a bundle or a report.
///
/// # Errors
/// When the results or the guideline cannot be used.
pub fn rescore(context: &Context, args: &ScoreArgs) -> Result<Exit, CliError> {
    let loaded = inputs::catalogue(context, args.suites.as_deref())?;
    let Taken { results, stated, date, guideline, waivers } = results(args)?;
    let guideline = match (guideline, &args.guideline) {
        (Some(own), None) => own,
        (_, named) => {
            let name = named.clone().or(stated).ok_or_else(|| {
                CliError::new(Exit::Usage, "the results name no guideline")
                    .hint("add --guideline FAMILY/VERSION or a file")
            })?;
            inputs::guideline(context, &loaded, &name)?.guideline
        }
    };
    let waivers = match &args.waivers {
        Some(path) => inputs::waivers_of(context, Some(path))?.0,
        None => waivers,
    };
    if args.defcore_rules {
        return defcore(context, args, &guideline, &results);
    }
    let date = date.parse().map_err(|_| CliError::input(format!("`{date}` is not a date")))?;
    let usage = |error: crate::score::ScoreError| CliError::new(Exit::Usage, error.to_string());
    let mut programs: Vec<ProgramScore> = Vec::new();
    if args.program.is_empty() {
        programs = score(&guideline, None, &results, &waivers, date).map_err(usage)?;
    }
    for program in &args.program {
        programs.extend(score(&guideline, Some(program), &results, &waivers, date).map_err(usage)?);
    }
    if args.json {
        let text = serde_json::to_string_pretty(&programs).map_err(|e| CliError::new(Exit::Bug, e.to_string()))?;
        context.say(text);
    } else {
        programs.iter().for_each(|program| verdict::program(context, program));
    }
    let conformant = programs.iter().all(|program| program.verdict == Verdict::Conformant);
    Ok(if conformant { Exit::Ok } else { Exit::NotConformant })
}

/// What a bundle or a report gives.
struct Taken {
    results: Results,
    /// Name of the guideline.
    stated: Option<String>,
    /// Date of the run.
    date: String,
    /// The bundle's own guideline and waivers.
    guideline: Option<Guideline>,
    waivers: Waivers,
}

fn results(args: &ScoreArgs) -> Result<Taken, CliError> {
    if args.results.is_dir() {
        let bundle = rejudge::open(&args.results).map_err(CliError::input)?;
        let mut odd = Vec::new();
        let collected = bundle.judge(&mut odd);
        if let Some(first) = odd.first() {
            let message = format!("the evidence does not fit the suites: {first}");
            return Err(CliError::new(Exit::Unsupported, message).hint("`assize verify` lists everything"));
        }
        let results = collected.results();
        let (stated, date) = (bundle.inputs.guideline.clone(), bundle.inputs.date.clone());
        drop(collected);
        return Ok(Taken { results, stated, date, guideline: bundle.guideline, waivers: bundle.waivers });
    }
    let text = inputs::read(&args.results)?;
    let text = String::from_utf8_lossy(&text);
    let report: ReportDocument = crate::report::bundle::read_document(&args.results, &text).map_err(CliError::input)?;
    let mut results = Results::new();
    for entry in &report.cases {
        let plain = entry.id.split('[').next().unwrap_or(&entry.id);
        let id = plain.parse().map_err(|_| CliError::input(format!("`{plain}` is not a test id")))?;
        results.add(id, TestResult { outcome: entry.result.outcome, flaky: entry.flaky });
    }
    let (stated, date) = (report.run.guideline, report.run.date);
    Ok(Taken { results, stated, date, guideline: None, waivers: Waivers::none() })
}

fn defcore(context: &Context, args: &ScoreArgs, guideline: &Guideline, results: &Results) -> Result<Exit, CliError> {
    let passed: Vec<String> =
        results.iter().filter(|(_, result)| result.outcome.is_pass()).map(|(id, _)| id.to_string()).collect();
    let passed = passed.iter().map(String::as_str).collect();
    let all: Vec<String> = guideline.programs.iter().map(|program| program.name.clone()).collect();
    let programs = if args.program.is_empty() { &all } else { &args.program };
    let (mut counts, mut yes) = (serde_json::Map::new(), true);
    for program in programs {
        let count = defcore_rules(guideline, program, &passed)
            .map_err(|error| CliError::new(Exit::Usage, error.to_string()))?;
        yes &= count.compliance;
        let value = serde_json::to_value(count).map_err(|e| CliError::new(Exit::Bug, e.to_string()))?;
        counts.insert(program.clone(), value);
    }
    let text = serde_json::to_string_pretty(&counts).map_err(|e| CliError::new(Exit::Bug, e.to_string()))?;
    context.say(text);
    Ok(if yes { Exit::Ok } else { Exit::NotConformant })
}
