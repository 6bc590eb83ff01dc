//! `assize verify`.

use crate::attest::{self, Examined, Verified};
use crate::report::rejudge::{self, Findings};
use crate::text::one_line;

use super::args::VerifyArgs;
use super::context::{Context, Paint};
use super::exit::{CliError, Exit};
use super::foundation;

/// Recomputes every outcome of a bundle, and checks who signed it when keys are given.
///
/// # Errors
/// When the bundle cannot be read.
pub fn verify(context: &Context, args: &VerifyArgs) -> Result<Exit, CliError> {
    let started = std::time::Instant::now();
    let unreadable = |error: crate::report::bundle::BundleError| {
        CliError::input(error).hint("give the folder of a run: it holds bundle.json, run.json and transcript.jsonl")
    };
    let (found, signed) = if args.trust.trust.is_empty() {
        (rejudge::verify(&args.bundle).map_err(unreadable)?, None)
    } else {
        let keys = foundation::keys(&args.trust.trust)?;
        let known = foundation::known(&args.trust.known)?;
        let bundle = Examined::of(&args.bundle).map_err(unreadable)?;
        let on = foundation::today(args.trust.date);
        let verified = attest::check(&args.bundle, &bundle, &keys, &known, on).map_err(unreadable)?;
        (bundle.findings, Some(verified))
    };
    let seconds = started.elapsed().as_secs_f64();
    if args.json {
        context.say(document(&found, signed.as_ref()).to_string());
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
    signed.map_or(Ok(Exit::Ok), |verified| trusted(context, &verified, args.json))
}

fn document(found: &Findings, signed: Option<&Verified>) -> serde_json::Value {
    let mut document = serde_json::json!({
        "supported": found.is_clean(),
        "cases": found.cases,
        "exchanges": found.exchanges,
        "files": found.files,
        "evidence": found.evidence,
    });
    if let Some(verified) = signed {
        document["trusted"] = verified.problems.is_empty().into();
        document["signed_by"] = serde_json::json!(verified.attested);
        document["problems"] = serde_json::json!(verified.problems);
        document["notes"] = serde_json::json!(verified.notes);
    }
    document
}

fn trusted(context: &Context, verified: &Verified, json: bool) -> Result<Exit, CliError> {
    if !json {
        for one in &verified.attested {
            let (role, name, key) = (one.role.as_str(), one_line(&one.name), &one.key);
            let text = format!("as {role} by {name} ({key}) on {}, until {}", one.signed, one.valid_until);
            context.say(format!("{} {text}", context.data(Paint::Good, "signed")));
        }
        foundation::shown(context, &verified.problems);
        verified.notes.iter().for_each(|note| context.tell(one_line(note)));
    }
    if verified.problems.is_empty() {
        return Ok(Exit::Ok);
    }
    let number = crate::text::plural(verified.problems.len(), "problem");
    Err(CliError::new(Exit::Unsupported, format!("the bundle cannot be trusted: {number}")))
}
