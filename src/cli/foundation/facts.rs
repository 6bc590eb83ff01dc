//! `assize facts`: what a bundle shows of its target and of itself; what a product record and rules refer to.

use serde_json::json;

use super::args::FactsArgs;
use crate::attest::Examined;
use crate::cli::context::{Context, Paint};
use crate::cli::exit::{CliError, Exit};
use crate::text::one_line;

/// Prints them.
///
/// # Errors
/// When the bundle cannot be read or does not verify.
pub fn facts(context: &Context, args: &FactsArgs) -> Result<Exit, CliError> {
    let bundle = Examined::of(&args.bundle).map_err(|error| {
        CliError::input(error).hint("give the folder of a run: it holds bundle.json, run.json and transcript.jsonl")
    })?;
    if !bundle.findings.is_clean() {
        return Err(CliError::new(Exit::Unsupported, "the evidence does not support the report")
            .hint("`assize verify` lists everything"));
    }
    let (fresh, print) = (&bundle.freshness, &bundle.fingerprint);
    if args.json {
        let document = json!({
            "bundle": bundle.manifest,
            "target": print.digest(),
            "fingerprint": print,
            "suites": bundle.suites,
            "guideline": bundle.guideline_id(),
            "guideline_digest": bundle.guideline.as_ref().map(|(_, digest)| digest),
            "run": {"id": bundle.inputs.id, "seed": bundle.inputs.seed, "date": bundle.inputs.date},
            "names_from_seed": {"sent": fresh.sent, "came_back": fresh.echoed},
        });
        context.say(document.to_string());
        return Ok(Exit::Ok);
    }
    let line = |name: &str, value: &str| context.say(format!("{:<22} {}", name, one_line(value)));
    line("bundle", &bundle.manifest.to_string());
    line("target", &print.digest().to_string());
    line("suites", &bundle.suites.to_string());
    if let Some(((_, digest), id)) = bundle.guideline.as_ref().zip(bundle.guideline_id()) {
        line("guideline", &format!("{digest} ({id})"));
    }
    line("run", &format!("{}, seed {}", bundle.inputs.id, bundle.inputs.seed));
    line("names from the seed", &format!("{} sent, {} came back", fresh.sent, fresh.echoed));
    context.say(context.data(Paint::Bold, "\nThe endpoint"));
    line("base", &print.base);
    for certificate in &print.certificates {
        line("certificate", certificate);
    }
    for (name, values) in &print.facts {
        line(name, &values.iter().cloned().collect::<Vec<_>>().join(", "));
    }
    Ok(Exit::Ok)
}
