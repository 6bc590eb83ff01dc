//! `assize ledger`: the reports of a ledger, and whether all its files are as they must be.

use serde_json::json;

use super::args::LedgerArgs;
use crate::admit::check_ledger;
use crate::cli::context::{Context, Paint};
use crate::cli::exit::{CliError, Exit};
use crate::ledger::Ledger;
use crate::text::plural;

/// Lists the reports and checks every document.
///
/// # Errors
/// When a folder cannot be read or a document is wrong.
pub fn ledger(context: &Context, args: &LedgerArgs) -> Result<Exit, CliError> {
    let ledger = Ledger::open(&args.ledger).map_err(CliError::input)?;
    let entries = ledger.entries().map_err(CliError::input)?;
    for entry in &entries {
        let admission = entry.admission().ok().flatten();
        if args.json {
            let document = json!({"identity": entry.identity, "admission": admission, "folder": entry.bundle()});
            context.say(document.to_string());
            continue;
        }
        let id = &entry.identity;
        let place = format!("{}/{}/{}/{}/{}", id.family, id.guideline, id.vendor, id.product, id.version);
        let text = admission.map_or_else(
            || "not admitted".to_owned(),
            |record| {
                let claims = record.programs.iter().filter(|program| program.claimed);
                let claims: Vec<_> = claims.map(|one| format!("{}: {}", one.program, one.verdict)).collect();
                let claims = if claims.is_empty() { "nothing claimed".to_owned() } else { claims.join(", ") };
                format!("admitted {}, {claims}", record.admitted)
            },
        );
        context.say(format!("{place}  {}", context.data(Paint::Dim, &text)));
    }
    let problems = check_ledger(&ledger, &entries);
    for problem in &problems {
        context.tell(format!("{} {problem}", context.talk(Paint::Bad, "wrong:")));
    }
    context.tell(format!(
        "{}: {}",
        plural(entries.len(), "report"),
        if problems.is_empty() { "no problems".to_owned() } else { plural(problems.len(), "problem") }
    ));
    Ok(if problems.is_empty() { Exit::Ok } else { Exit::InvalidInput })
}
