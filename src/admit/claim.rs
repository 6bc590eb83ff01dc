//! What the vendor says against what the evidence gives.

use std::path::Path;

use super::Submission;
use crate::attest::{Problem, facts_of};
use crate::capability::Family;
use crate::ledger::Identity;
use crate::report::inputs::Selection;
use crate::score::Verdict;
use crate::text::did_you_mean;

/// The record, the bundle and the ledger speak of the same product.
pub(super) fn record(submission: &Submission<'_>, identity: &Identity) -> Vec<Problem> {
    const HELP: &str = "write in the record what the run was made against";
    let Submission { bundle, product, rules, .. } = submission;
    let mut problems = Vec::new();
    let mut differ = |what: &str, record: &str, found: &str| {
        if record != found {
            let message = format!("{what}: the record says {record}, the bundle {found}");
            problems.push(Problem::new("A302", message, HELP));
        }
    };
    differ("family", product.family.as_str(), &bundle.inputs.family);
    match &bundle.guideline {
        Some((guideline, _)) => differ("guideline", &product.guideline, &guideline.metadata.id.0),
        None => differ("guideline", &product.guideline, "none"),
    }
    if let Some(problem) = misplaced(submission.folder, identity) {
        problems.push(problem);
    }
    if product.programs.is_empty() && !rules.results_only {
        let message = "the record claims no program, and the rules take no results without a claim";
        problems.push(Problem::new("A301", message, "name the program that is claimed under `programs`"));
    }
    problems
}

/// A bundle that lies in a ledger, this one or a copy of it, lies where its record says.
fn misplaced(folder: &Path, identity: &Identity) -> Option<Problem> {
    let own = folder.canonicalize().ok()?;
    let parts: Vec<&str> = own.iter().rev().take(5).filter_map(|part| part.to_str()).collect();
    let [version, product, vendor, guideline, family] = parts.as_slice() else { return None };
    let Identity { guideline: wanted, vendor: by, product: what, version: which, .. } = identity;
    let wanted = [which.as_str(), what, by, wanted, identity.family.as_str()];
    if !Family::WORDS.contains(family) || wanted == [*version, product, vendor, guideline, family] {
        return None;
    }
    let message = format!(
        "the bundle lies in {family}/{guideline}/{vendor}/{product}/{version}, the record belongs to {}",
        wanted.iter().rev().copied().collect::<Vec<_>>().join("/")
    );
    Some(Problem::new("A302", message, "the folder is <family>/<guideline>/<vendor>/<product>/<version> of the record"))
}

/// Every program that is claimed is conformant.
pub(super) fn programs(submission: &Submission<'_>) -> Vec<Problem> {
    let Submission { bundle, product, rules, .. } = submission;
    let mut problems = Vec::new();
    for claimed in &product.programs {
        let Some((guideline, _)) = &bundle.guideline else { break };
        if guideline.program(claimed).is_none() {
            let names: Vec<&str> = guideline.programs.iter().map(|one| one.name.as_str()).collect();
            let near = did_you_mean(claimed, names.iter().copied());
            let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            let message = format!("the guideline has no program `{claimed}`{near}");
            problems.push(Problem::new("A303", message, "`assize guideline show` lists its programs"));
            continue;
        }
        let Some(found) = bundle.programs.iter().find(|one| one.program == *claimed) else {
            let message = format!("`{claimed}` is claimed, but was not scored");
            problems.push(Problem::new("A304", message, "run without --program, or with this one"));
            continue;
        };
        let enough = match found.verdict {
            Verdict::Conformant => true,
            Verdict::ConformantWithWaivers => rules.waivers_conform,
            Verdict::NotConformant | Verdict::Unproven => false,
        };
        if !enough {
            let (met, all) = found.required_met();
            let message = format!("`{claimed}` is {}: {met} of {all} required capabilities", found.verdict);
            problems.push(Problem::new(
                "A304",
                message,
                "claim what the evidence shows, or mend the product and run again",
            ));
        }
    }
    problems
}

/// The endpoint says of itself what the record says.
pub(super) fn observed(submission: &Submission<'_>) -> Vec<Problem> {
    let Submission { bundle, product, rules, .. } = submission;
    let seen = &bundle.fingerprint.facts;
    let mut problems = Vec::new();
    for (name, value) in &product.observed {
        let help = "`assize facts BUNDLE` lists what was observed";
        let Some(values) = seen.get(name) else {
            let near = did_you_mean(name, seen.keys().map(String::as_str));
            let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            let message = format!("the record says that `{name}` is {value}, the endpoint says nothing of it{near}");
            problems.push(Problem::new("A305", message, help));
            continue;
        };
        let found = values.iter().cloned().collect::<Vec<_>>().join(", ");
        if found != *value {
            let message = format!("the record says that `{name}` is {value}, the endpoint says {found}");
            problems.push(Problem::new("A305", message, help));
        }
    }
    if rules.observed.holds(!product.programs.is_empty()) && product.observed.is_empty() && !seen.is_empty() {
        let message = "the record names nothing that the endpoint says of itself";
        problems.push(Problem::new("A306", message, "write under `observed` what `assize facts BUNDLE` lists"));
    }
    let versions = facts_of(product.family).iter().filter(|fact| fact.is_version);
    for fact in versions.filter(|fact| seen.contains_key(fact.name) && !product.observed.contains_key(fact.name)) {
        if rules.observed.holds(!product.programs.is_empty()) && !product.observed.is_empty() {
            let message = format!("the endpoint states `{}`, the record does not", fact.name);
            problems.push(Problem::new(
                "A308",
                message,
                "write every version under `observed` that `assize facts BUNDLE` lists",
            ));
        }
    }
    let own = bundle.fingerprint.digest().to_string();
    if let Some(stated) = product.fingerprint.as_ref().filter(|stated| **stated != own) {
        let message = format!("the record is about the target {stated}, the evidence is of {own}");
        problems.push(Problem::new("A307", message, "`assize facts BUNDLE` prints the digest of the target"));
    }
    problems
}

/// The whole family was run, to the end, and no case more often than allowed.
pub(super) fn complete(submission: &Submission<'_>) -> Vec<Problem> {
    let Submission { bundle, rules, .. } = submission;
    let mut problems = Vec::new();
    if bundle.inputs.selection != Selection::default() {
        let message = format!("only a part of the family was run: {} cases", bundle.cases.len());
        problems.push(Problem::new("A309", message, "run without --case, --skip and --required"));
    }
    if let Some(why) = &bundle.inputs.interrupted {
        let message = format!("the run did not reach its end: {why}");
        problems.push(Problem::new("A309", message, "run again"));
    } else if bundle.inputs.finished_at_ms.is_none() {
        problems.push(Problem::new("A309", "the run has no end", "run again"));
    }
    if bundle.inputs.attempts > rules.max_attempts {
        let message = format!("a case had {} attempts, the rules allow {}", bundle.inputs.attempts, rules.max_attempts);
        problems.push(Problem::new("A310", message, "run with fewer --retries"));
    }
    problems
}
