//! `assize lint` and `assize schema`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::capability::TestId;
use crate::guideline::{self, Guideline};
use crate::ledger;
use crate::suite::{Catalogue, embedded, embedded_suites, lint_files};
use crate::text::Diagnostics;

use super::args::{LintArgs, SchemaArgs, SchemaOf};
use super::context::Context;
use super::exit::{CliError, Exit};
use super::inputs::read;

/// Files to lint, by kind.
#[derive(Default)]
struct Files {
    suites: Vec<(String, String)>,
    /// Single files were named: the suites beside them are read as context.
    alone: bool,
    guidelines: Vec<(String, Vec<u8>)>,
}

/// Lints files and reports all problems at once.
///
/// # Errors
/// When a file cannot be read, or there are errors.
pub fn lint(context: &Context, args: &LintArgs) -> Result<Exit, CliError> {
    let mut files = Files::default();
    if args.paths.is_empty() {
        files.suites = embedded_suites().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        let guidelines = embedded().filter(|(name, _)| name.starts_with("capabilities/") && name.ends_with(".json"));
        files.guidelines = guidelines.map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect();
    }
    files.alone = !args.paths.is_empty() && args.paths.iter().all(|path| path.is_file());
    for path in &args.paths {
        gather(path, &mut files)?;
    }
    if files.suites.is_empty() && files.guidelines.is_empty() {
        return Err(CliError::new(Exit::NothingRan, "there is no suite or guideline to lint")
            .hint("suites end in .yaml, guidelines in .json"));
    }
    let number = files.suites.len() + files.guidelines.len();
    let problems = check(files);
    if args.json {
        context.say(problems.to_json().to_string());
    } else if !problems.is_empty() {
        context.tell(problems.render(context.colored_talk()));
    }
    let errors = problems.has_errors();
    if !args.json {
        context.tell(format!(
            "{}: {}",
            crate::text::plural(number, "file"),
            if problems.is_empty() { "no problems".to_owned() } else { crate::text::plural(problems.len(), "problem") }
        ));
    }
    Ok(if errors { Exit::InvalidInput } else { Exit::Ok })
}

fn check(files: Files) -> Diagnostics {
    // Suites given alone may need fixtures of the built-in ones.
    let (catalogue, mut problems) = match files.alone {
        true => (Catalogue::default(), lint_files(files.suites.iter().map(|(name, _)| name))),
        false => Catalogue::load(files.suites),
    };
    let mut known: BTreeSet<TestId> = test_ids(&catalogue);
    if known.is_empty() {
        known = test_ids(&Catalogue::load(embedded_suites()).0);
    }
    let mut read = Vec::new();
    for (name, bytes) in files.guidelines {
        match Guideline::read(&name, &bytes) {
            Ok((guideline, found)) => {
                problems.extend(found);
                problems.extend(guideline::lint(&guideline, Some(&known)));
                read.push(guideline);
            }
            Err(found) => problems.extend(found),
        }
    }
    problems.extend(guideline::lint_together(&read.iter().collect::<Vec<_>>()));
    problems
}

fn test_ids(catalogue: &Catalogue) -> BTreeSet<TestId> {
    catalogue.cases().filter_map(|(suite, case)| format!("{}.{}", suite.id, case.id).parse().ok()).collect()
}

fn gather(path: &Path, files: &mut Files) -> Result<(), CliError> {
    if path.is_dir() {
        let failed = |error: std::io::Error| CliError::input(format!("cannot read `{}`: {error}", path.display()));
        let mut entries: Vec<PathBuf> =
            std::fs::read_dir(path).map_err(failed)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        entries.sort();
        return entries.iter().try_for_each(|entry| gather(entry, files));
    }
    let name = path.display().to_string();
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("yaml" | "yml") => {
            let text =
                String::from_utf8(read(path)?).map_err(|_| CliError::input(format!("`{name}` is not UTF-8 text")))?;
            files.suites.push((name, text));
        }
        Some("json") => files.guidelines.push((name, read(path)?)),
        _ => {}
    }
    Ok(())
}

/// Prints the JSON Schema of a format.
///
/// # Errors
/// Never in practice: a schema is always JSON.
pub fn schema(context: &Context, args: &SchemaArgs) -> Result<Exit, CliError> {
    let schema = match args.format {
        SchemaOf::Suite => crate::suite::schema::schema(),
        SchemaOf::Guideline => guideline::schema(),
        SchemaOf::Report => crate::report::document::schema(),
        SchemaOf::Product => ledger::schema::<ledger::Product>(),
        SchemaOf::Admission => ledger::schema::<ledger::Admission>(),
        SchemaOf::Rules => ledger::schema::<ledger::Rules>(),
        SchemaOf::Challenge => ledger::schema::<ledger::Challenge>(),
        SchemaOf::Revocation => ledger::schema::<ledger::Revocation>(),
        SchemaOf::Triage => ledger::schema::<ledger::Triage>(),
        SchemaOf::Composite => guideline::composite::schema(),
        SchemaOf::Waivers => guideline::waivers::schema(),
        SchemaOf::Conformance => crate::attest::conformance_schema(),
        SchemaOf::Diff => crate::compare::schema(),
        SchemaOf::Site => crate::site::schema(),
    };
    context.say(serde_json::to_string_pretty(&schema).map_err(|e| CliError::new(Exit::Bug, e.to_string()))?);
    Ok(Exit::Ok)
}
