//! `assize verify`.

use crate::report::rejudge;
use crate::text::one_line;

use super::args::VerifyArgs;
use super::context::{Context, Paint};
use super::exit::{CliError, Exit};

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
