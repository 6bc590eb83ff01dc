//! `assize diff`: two runs, a run under another guideline, two guidelines, or the products of a ledger.

mod show;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::args::GuidelineDiffArgs;
use super::context::Context;
use super::exit::{CliError, Exit};
use super::inputs::{self, Loaded};
use super::score::{self as scored, Taken};
use super::{guideline_diff, publish};
use crate::capability::Outcome;
use crate::compare::{self, CaseSide, ProductStatus, Side};
use crate::guideline::{Guideline, Waivers};
use crate::ledger::Ledger;
use crate::report::bundle::{names, read_document};
use crate::report::document::ReportDocument;
use crate::score::{self, ProgramScore, Results};
use crate::site;
use crate::suite::embedded;

/// `assize diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A bundle, a report.json, results of another tool as for `score`; a guideline; or a ledger.
    #[arg(value_name = "BEFORE")]
    pub before: String,
    /// The other run; or a guideline: with a run before it that is a forecast, as with --against.
    #[arg(value_name = "AFTER")]
    pub after: Option<String>,
    /// Forecast: what this run would get under another guideline (`family/version`, a file, or `next`).
    #[arg(long, value_name = "ID|FILE|next", conflicts_with = "after")]
    pub against: Option<String>,
    /// The guideline of the run, where it does not name one; of a ledger, which of its guidelines.
    #[arg(long, short = 'g', value_name = "ID|FILE")]
    pub guideline: Option<String>,
    /// Of a ledger: only this capability, with the names of the products (may be repeated).
    #[arg(long, value_name = "ID")]
    pub capability: Vec<String>,
    /// Exit with 1 when the second run is worse: a verdict is; a case broke, became flaky, is new and does not pass, or passed
    /// and was left out although the suites are the same.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub fail_on: Option<FailOn>,
    /// Markdown, for a pull request.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// One JSON document; `assize schema diff` has its schema.
    #[arg(long)]
    pub json: bool,
    /// Folder with suites/ and capabilities/ to use instead of the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub suites: Option<PathBuf>,
}

/// What fails a comparison of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Cases that got worse.
    Regressions,
}

/// Shows what differs.
///
/// # Errors
/// When an input cannot be used, or there is nothing to compare with.
pub fn diff(context: &Context, args: &DiffArgs) -> Result<Exit, CliError> {
    let ledger = Path::new(&args.before);
    if ledger.join("rules.yaml").is_file() && args.after.is_none() {
        return field(context, args, ledger);
    }
    let loaded = inputs::catalogue(context, args.suites.as_deref())?;
    match (&args.after, &args.against) {
        (Some(after), _) if is_guideline(&loaded, &args.before) && is_guideline(&loaded, after) => {
            let args = GuidelineDiffArgs {
                old: args.before.clone(),
                new: Some(after.clone()),
                markdown: args.markdown,
                json: args.json,
            };
            guideline_diff::diff(context, &args)
        }
        // A guideline as the second word is what --against is.
        (Some(after), _) if is_guideline(&loaded, after) => forecast(context, args, &loaded, after),
        (Some(after), _) => runs(context, args, &loaded, after),
        (None, Some(against)) => forecast(context, args, &loaded, against),
        (None, None) => Err(CliError::new(Exit::Usage, "there is nothing to compare with")
            .hint("give a second run or guideline, --against GUIDELINE for a forecast, or the folder of a ledger")),
    }
}

/// Whether the word is a known guideline, or the file of one.
fn is_guideline(loaded: &Loaded, name: &str) -> bool {
    if Path::new(name).is_dir() {
        return false;
    }
    let Ok((bytes, shown)) = inputs::guideline_bytes(loaded.folder.as_deref(), name) else { return false };
    !scored::is_report(&bytes) && Guideline::read(&shown, &bytes).is_ok()
}

fn runs(context: &Context, args: &DiffArgs, loaded: &Loaded, after: &str) -> Result<Exit, CliError> {
    let before = side(context, args, loaded, &args.before)?;
    let after = side(context, args, loaded, after)?;
    let found = compare::runs(before, after);
    if args.json {
        context.say(json(&found)?);
    } else {
        show::runs(context, &found, args.markdown);
    }
    context.tell("as the reports say; `assize verify` tells whether their evidence supports them");
    Ok(if found.is_worse() && args.fail_on.is_some() { Exit::NotConformant } else { Exit::Ok })
}

/// One of two runs. Of our own reports every row is a case, and what is stated counts: `assize verify` is there to check it.
fn side(context: &Context, args: &DiffArgs, loaded: &Loaded, name: &str) -> Result<Side, CliError> {
    let path = Path::new(name);
    let file = if path.is_dir() { path.join(names::REPORT) } else { path.to_owned() };
    if let Some(report) = own_report(&file)? {
        let cases = report.cases.into_iter().map(|entry| {
            let side = CaseSide {
                outcome: entry.result.outcome,
                flaky: entry.flaky,
                reason: entry.result.reason,
                capabilities: entry.capabilities,
            };
            (entry.id, side)
        });
        let suites: Vec<String> = report.run.suites.iter().map(|(name, digest)| format!("{name} {digest}")).collect();
        let suites = crate::canon::digest_bytes(suites.join("\n").as_bytes());
        let conditions = [
            ("family", report.run.family.clone()),
            ("guideline", report.run.guideline.clone().unwrap_or_else(|| "none".to_owned())),
            ("suites", suites.to_string()),
            ("tool", report.run.tool.clone()),
        ];
        return Ok(Side {
            name: format!("{name} ({})", report.run.id),
            conditions: conditions.into(),
            cases: cases.collect(),
            programs: report.programs,
        });
    }
    let taken = scored::results(context, path, loaded)?;
    let programs = match &args.guideline {
        Some(guideline) => programs(&inputs::guideline(context, loaded, guideline)?.guideline, &taken)?,
        None => Vec::new(),
    };
    let cases = taken.results.iter().map(|(test, result)| {
        let side =
            CaseSide { outcome: result.outcome, flaky: result.flaky, reason: String::new(), capabilities: Vec::new() };
        (test.to_string(), side)
    });
    Ok(Side { name: name.to_owned(), conditions: BTreeMap::new(), cases: cases.collect(), programs })
}

fn own_report(file: &Path) -> Result<Option<ReportDocument>, CliError> {
    let Ok(bytes) = std::fs::read(file) else { return Ok(None) };
    if !scored::is_report(&bytes) {
        return Ok(None);
    }
    read_document(file, &String::from_utf8_lossy(&bytes)).map(Some).map_err(CliError::input)
}

fn forecast(context: &Context, args: &DiffArgs, loaded: &Loaded, against: &str) -> Result<Exit, CliError> {
    let mut taken = scored::results(context, Path::new(&args.before), loaded)?;
    let before = match (&args.guideline, taken.guideline.take(), taken.stated.clone()) {
        (Some(name), _, _) => inputs::guideline(context, loaded, name)?.guideline,
        (None, Some(own), _) => own,
        (None, None, Some(stated)) => inputs::guideline(context, loaded, &stated)?.guideline,
        (None, None, None) => {
            return Err(CliError::new(Exit::Usage, "the results name no guideline")
                .hint("add --guideline: the one that they were made for"));
        }
    };
    let after = match against {
        "next" => next(context, loaded, &before)?,
        name => inputs::guideline(context, loaded, name)?.guideline,
    };
    let (old, new) = (programs(&before, &taken)?, programs(&after, &taken)?);
    let found = compare::forecast(args.before.clone(), (&before, &old), (&after, &new));
    if args.json {
        context.say(json(&found)?);
    } else {
        show::forecast(context, &found, args.markdown);
    }
    Ok(Exit::Ok)
}

/// The known guideline that replaces this one, directly or through others that are not known.
fn next(context: &Context, loaded: &Loaded, before: &Guideline) -> Result<Guideline, CliError> {
    let family = before.metadata.family.to_string();
    let names = embedded().filter_map(|(name, _)| name.strip_prefix("capabilities/")?.strip_suffix(".json"));
    let names: Vec<&str> = names.filter(|name| name.starts_with(&format!("{family}/"))).collect();
    let mut later = Vec::new();
    for name in &names {
        let guideline = inputs::guideline(context, loaded, name)?.guideline;
        if guideline.metadata.approval.replaces.as_deref() == Some(before.metadata.id.0.as_str()) {
            return Ok(guideline);
        }
        if guideline.metadata.id > before.metadata.id {
            later.push(guideline);
        }
    }
    later.sort_by(|one, other| one.metadata.id.cmp(&other.metadata.id));
    later.into_iter().next().ok_or_else(|| {
        CliError::input(format!("no guideline is known that follows {}", before.full_id()))
            .hint(format!("name one with --against; known: {}", names.join(", ")))
    })
}

fn programs(guideline: &Guideline, taken: &Taken) -> Result<Vec<ProgramScore>, CliError> {
    let date = taken.date.parse().map_err(|_| CliError::input(format!("`{}` is not a date", taken.date)))?;
    let results: &Results = &taken.results;
    let waivers: &Waivers = &taken.waivers;
    score::score(guideline, None, results, waivers, date).map_err(|error| CliError::new(Exit::Usage, error.to_string()))
}

fn field(context: &Context, args: &DiffArgs, path: &Path) -> Result<Exit, CliError> {
    let ledger = Ledger::open(path).map_err(CliError::input)?;
    let current = site::current(&ledger).map_err(publish::explained)?;
    let known: Vec<&str> = current.keys().map(String::as_str).collect();
    let wanted = match (&args.guideline, known.as_slice()) {
        (Some(name), _) => name.clone(),
        (None, [one]) => (*one).to_owned(),
        (None, _) => {
            return Err(CliError::new(Exit::Usage, "the ledger has reports against several guidelines")
                .hint(format!("choose with --guideline: {}", known.join(", "))));
        }
    };
    let Some((capabilities, products)) = current.get(&wanted) else {
        return Err(CliError::input(format!("the ledger has no report against `{wanted}`"))
            .hint(format!("it has some against {}", known.join(", "))));
    };
    let chosen: Vec<_> = capabilities
        .iter()
        .filter(|(id, _)| args.capability.is_empty() || args.capability.contains(id))
        .cloned()
        .collect();
    if let Some(unknown) = args.capability.iter().find(|id| !capabilities.iter().any(|(known, _)| known == *id)) {
        let names = capabilities.iter().map(|(id, _)| id.as_str());
        let close = crate::text::did_you_mean(unknown, names).map(|close| format!("did you mean `{close}`?"));
        return Err(CliError::input(format!("{wanted} has no capability `{unknown}`"))
            .hint(close.unwrap_or_else(|| format!("`assize guideline show {wanted}` lists them"))));
    }
    let products: &[ProductStatus] = products;
    let found = compare::field(wanted, &chosen, products);
    if args.json {
        context.say(json(&found)?);
    } else {
        show::field(context, &found, args.markdown, !args.capability.is_empty());
    }
    Ok(Exit::Ok)
}

fn json(document: &impl serde::Serialize) -> Result<String, CliError> {
    serde_json::to_string_pretty(document).map_err(|error| CliError::new(Exit::Bug, error.to_string()))
}

/// The word of an outcome, with a mark when it was flaky.
fn outcome(side: Option<&CaseSide>) -> String {
    let word = |outcome: Outcome| outcome.as_str();
    side.map_or_else(
        || "–".to_owned(),
        |side| if side.flaky { "flaky".to_owned() } else { word(side.outcome).to_owned() },
    )
}
