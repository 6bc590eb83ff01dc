//! `assize admit`: whether a report may come into a ledger.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::args::AdmitArgs;
use super::trust::{known, shown, today};
use crate::admit::{self, Decision, Submission, unreadable_bundle, unreadable_record};
use crate::attest::{Examined, Problem};
use crate::cli::context::{Context, Paint};
use crate::cli::exit::{CliError, Exit};
use crate::cli::inputs::read;
use crate::ledger::{self, Ledger, Product, Rules};
use crate::text::{one_line, plural};

/// Decides, and adds the report when asked to.
///
/// # Errors
/// When the ledger, its rules or a file to be written cannot be used. A refusal is no error but exit code 1.
pub fn admit(context: &Context, args: &AdmitArgs) -> Result<Exit, CliError> {
    let ledger = Ledger::open(&args.ledger).map_err(CliError::input)?;
    let rules = match &args.rules {
        None => ledger
            .rules()
            .map_err(|error| CliError::input(error).hint("`assize schema rules` says what rules.yaml has"))?,
        Some(path) => ledger::read::<Rules>(&path.display().to_string(), &read(path)?).map_err(CliError::input)?,
    };
    let known = known(&args.known)?;
    let path = record_of(args);
    let bytes = read(&path);
    let mut added = Vec::new();
    let product = bytes.as_ref().map_err(|error| {
        let help = "hand in a product record: --product FILE; the README of the ledger has an example";
        Problem::new("A301", error.message.clone(), help)
    });
    let product = product.and_then(|bytes| {
        ledger::read::<Product>(&path.display().to_string(), bytes).map_err(|problems| unreadable_record(&problems))
    });
    let decision = match (Examined::of(&args.bundle), product) {
        (Err(error), _) => Decision::unreadable(unreadable_bundle(&error)),
        (_, Err(problem)) => Decision::unreadable(problem),
        (Ok(bundle), Ok(product)) => {
            let on = today(args.date);
            let submission = Submission {
                folder: &args.bundle,
                bundle: &bundle,
                product: &product,
                ledger: &ledger,
                rules: &rules,
                known,
                on,
            };
            let decided = admit::decide(&submission).map_err(CliError::input)?;
            if args.write && decided.is_admitted() {
                added = admit::write(&submission, &decided, bytes.as_deref().unwrap_or_default())
                    .map_err(CliError::input)?;
            }
            decided
        }
    };
    tell(context, args, &decision, &added)
}

/// The record that was given, or the one beside a bundle that lies in its place.
fn record_of(args: &AdmitArgs) -> PathBuf {
    args.product.clone().unwrap_or_else(|| {
        let name = args.bundle.file_name().unwrap_or_default().to_string_lossy();
        args.bundle.with_file_name(format!("{name}.product.yaml"))
    })
}

fn tell(context: &Context, args: &AdmitArgs, decision: &Decision, added: &[PathBuf]) -> Result<Exit, CliError> {
    let labels = decision.labels();
    if let Some(path) = &args.labels {
        write(path, &(labels.join("\n") + "\n"))?;
    }
    if args.json {
        let document = json!({
            "admitted": decision.is_admitted(),
            "identity": decision.identity,
            "problems": decision.problems,
            "notes": decision.notes,
            "labels": labels,
            "added": added,
        });
        context.say(document.to_string());
    } else {
        shown(context, &decision.problems);
        decision.notes.iter().for_each(|note| context.tell(one_line(note)));
        match (decision.is_admitted(), added.is_empty()) {
            (true, true) => {
                context.say(format!("{} add it with --write", context.data(Paint::Good, "admissible:")));
            }
            (true, false) => {
                let files: Vec<_> = added.iter().map(|path| path.display().to_string()).collect();
                context.say(format!("{} {}", context.data(Paint::Good, "admitted:"), files.join(", ")));
            }
            (false, _) => {
                let number = plural(decision.problems.len(), "reason");
                context.say(format!("{} {number}", context.data(Paint::Bad, "refused:")));
            }
        }
    }
    Ok(if decision.is_admitted() { Exit::Ok } else { Exit::NotConformant })
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    std::fs::write(path, text).map_err(|error| CliError::input(format!("cannot write `{}`: {error}", path.display())))
}
