//! `assize score`: results that exist already, of ours or of other tools, against a guideline.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use crate::guideline::{Guideline, Waivers};
use crate::report::assemble::cover;
use crate::report::document::ReportDocument;
use crate::report::inputs::RunInputs;
use crate::report::rejudge;
use crate::results::{Collected, collect, collect_files};
use crate::score::{self, ProgramScore, Results, TestResult, Verdict, defcore_rules};
use crate::suite::Suite;
use crate::text::plural;

use super::args::ScoreArgs;
use super::context::Context;
use super::exit::{CliError, Exit};
use super::inputs::{self, Loaded};
use super::{composite, explain, files, verdict};

/// Scores results.
///
/// # Errors
/// When the results or the guideline cannot be used.
pub fn score(context: &Context, args: &ScoreArgs) -> Result<Exit, CliError> {
    let loaded = inputs::catalogue(context, args.suites.as_deref())?;
    if let Some(guideline) = composite::named(context, args.guideline.as_deref())? {
        return composite::score(context, args, &loaded, &guideline);
    }
    let [path] = args.results.as_slice() else {
        return Err(CliError::new(Exit::Usage, "several results are scored with a composite guideline only")
            .hint("give one bundle or file, or --guideline with the file of a composite"));
    };
    let Taken { results, stated, date, guideline, waivers, foreign, family: _ } = results(context, path, &loaded)?;
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
    let exit = if args.defcore_rules {
        defcore(context, args, &guideline, &results)?
    } else {
        let programs = programs(args, &guideline, &results, &waivers, &date)?;
        show(context, args, &programs, foreign)?
    };
    match results.why_incomplete() {
        None => Ok(exit),
        Some(why) => Err(CliError::input(format!("{why}; what was read before is scored above"))
            .hint("get the whole file: a complete one may say more, also of tests that passed here")),
    }
}

fn programs(
    args: &ScoreArgs,
    guideline: &Guideline,
    results: &Results,
    waivers: &Waivers,
    date: &str,
) -> Result<Vec<ProgramScore>, CliError> {
    let date = date.parse().map_err(|_| CliError::input(format!("`{date}` is not a date")))?;
    let scored = |program: Option<&str>| {
        score::score(guideline, program, results, waivers, date)
            .map_err(|error| CliError::new(Exit::Usage, error.to_string()))
    };
    if args.program.is_empty() {
        return scored(None);
    }
    let mut programs = Vec::new();
    for program in &args.program {
        programs.extend(scored(Some(program))?);
    }
    Ok(programs)
}

fn show(context: &Context, args: &ScoreArgs, programs: &[ProgramScore], foreign: bool) -> Result<Exit, CliError> {
    if args.json {
        let text = serde_json::to_string_pretty(programs).map_err(|e| CliError::new(Exit::Bug, e.to_string()))?;
        context.say(text);
    } else if foreign || args.explain {
        programs.iter().for_each(|program| explain::program(context, program, args.explain));
    } else {
        programs.iter().for_each(|program| verdict::program(context, program));
    }
    let conformant = programs.iter().all(|program| program.verdict == Verdict::Conformant);
    Ok(if conformant { Exit::Ok } else { Exit::NotConformant })
}

/// What is scored.
pub(super) struct Taken {
    pub(super) results: Results,
    /// Family of the run; empty when it is not known.
    pub(super) family: String,
    /// Name of the guideline.
    pub(super) stated: Option<String>,
    /// Date of the run.
    pub(super) date: String,
    /// The bundle's own guideline and waivers.
    pub(super) guideline: Option<Guideline>,
    pub(super) waivers: Waivers,
    /// Of another tool.
    foreign: bool,
}

pub(super) fn results(context: &Context, path: &Path, loaded: &Loaded) -> Result<Taken, CliError> {
    if path.is_dir() {
        let is_bundle = ["bundle.json", "run.json"].iter().any(|name| path.join(name).is_file());
        if !is_bundle && files::any(path) {
            return of_others(context, path);
        }
        return of_bundle(path);
    }
    let mut file = open(path)?;
    let mut beginning = Vec::new();
    let read = (&mut file).take(1024).read_to_end(&mut beginning);
    read.map_err(|error| CliError::input(format!("cannot read `{}`: {error}", path.display())))?;
    if is_report(&beginning) {
        return of_report(context, path, loaded);
    }
    of_others(context, path)
}

fn open(path: &Path) -> Result<File, CliError> {
    File::open(path).map_err(|error| CliError::input(format!("cannot read `{}`: {error}", path.display())))
}

/// Our own reports begin with their format.
pub(super) fn is_report(beginning: &[u8]) -> bool {
    let text = String::from_utf8_lossy(beginning);
    let Some(inner) = text.trim_start().strip_prefix('{') else { return false };
    inner.trim_start().starts_with("\"format\"")
}

pub(super) fn of_bundle(folder: &Path) -> Result<Taken, CliError> {
    let bundle = rejudge::open(folder).map_err(CliError::input)?;
    let mut odd = Vec::new();
    let collected = bundle.judge(&mut odd);
    if let Some(first) = odd.first() {
        let message = format!("the evidence does not fit the suites: {first}");
        return Err(CliError::new(Exit::Unsupported, message).hint("`assize verify` lists everything"));
    }
    let results = collected.results(bundle.guideline.as_ref());
    let (stated, date) = (bundle.inputs.guideline.clone(), bundle.inputs.date.clone());
    let family = bundle.inputs.family.clone();
    drop(collected);
    Ok(Taken { results, family, stated, date, guideline: bundle.guideline, waivers: bundle.waivers, foreign: false })
}

/// A report alone does not say which upstream tests its cases stand for: the suites at hand do.
fn of_report(context: &Context, path: &Path, loaded: &Loaded) -> Result<Taken, CliError> {
    let text = inputs::read(path)?;
    let text = String::from_utf8_lossy(&text);
    let report: ReportDocument = crate::report::bundle::read_document(path, &text).map_err(CliError::input)?;
    let mut results = Results::new();
    for entry in &report.cases {
        let plain = entry.id.split('[').next().unwrap_or(&entry.id);
        let odd = |_| CliError::input(format!("`{}` is not a test id", entry.id));
        let result = TestResult { outcome: entry.result.outcome, flaky: entry.flaky };
        results.add(plain.parse().map_err(odd)?, result);
        results.add_part(entry.id.parse().map_err(odd)?, result);
    }
    if loaded.catalogue.suites().iter().any(|suite| is_other(suite, &report.run)) {
        context.warn("the suites at hand are not those of the run: its cases may have stood for other upstream tests");
    }
    cover(&mut results, &loaded.catalogue, &report.run.family);
    let (stated, date, family) = (report.run.guideline, report.run.date, report.run.family);
    Ok(Taken { results, family, stated, date, guideline: None, waivers: Waivers::none(), foreign: false })
}

/// Whether a suite of the run's family is another one now, or is new.
fn is_other(suite: &Suite, run: &RunInputs) -> bool {
    let name = suite.source.name.strip_prefix("suites/").unwrap_or(&suite.source.name);
    suite.family == run.family && run.suites.get(name) != Some(&suite.digest.to_string())
}

fn of_others(context: &Context, path: &Path) -> Result<Taken, CliError> {
    let shown = path.display();
    let read = if path.is_dir() {
        collect_files(files::below(path))
    } else {
        collect(BufReader::with_capacity(64 << 10, open(path)?))
    };
    let collected = read.map_err(|error| CliError::input(format!("`{shown}`: {error}")))?;
    context.tell(summary(&collected));
    for note in &collected.notes {
        context.warn(note);
    }
    if collected.rows.is_empty() && collected.set_ups.is_empty() {
        return Err(match &collected.damage {
            Some(damage) => CliError::input(format!("`{shown}` holds no result that can be read: {damage}")),
            None => CliError::new(Exit::NothingRan, format!("`{shown}` holds no result")),
        });
    }
    // Waivers are asked with the date of the run; without times in the results it is taken to be today.
    let day = collected.latest.unwrap_or_else(jiff::Timestamp::now).to_zoned(jiff::tz::TimeZone::UTC).date();
    Ok(Taken {
        results: Results::of_others(&collected),
        family: String::new(),
        stated: None,
        date: day.to_string(),
        guideline: None,
        waivers: Waivers::none(),
        foreign: true,
    })
}

/// What was read, in one line.
fn summary(collected: &Collected) -> String {
    let mut counts = std::collections::BTreeMap::new();
    for row in collected.rows.values() {
        *counts.entry(row.outcome).or_insert(0_usize) += 1;
    }
    let counts: Vec<_> = counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
    let tests = plural(collected.rows.len(), "test");
    let mut text = format!("read as {}: {tests}", collected.format);
    if !counts.is_empty() {
        text.push_str(&format!(": {}", counts.join(", ")));
    }
    if !collected.set_ups.is_empty() {
        let groups = plural(collected.set_ups.len(), "class or module");
        text.push_str(&format!("; without set-up: {groups}"));
    }
    text
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
