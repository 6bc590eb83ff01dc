//! Whether a report may come into a ledger: the rules of the foundation against what the evidence gives.
//!
//! Start at [`decide`]. Nothing that a vendor wrote is believed: the bundle is judged again, and the product record, the
//! signatures and the claim are held against what follows. Every reason for a refusal has a stable code
//! ([`CODES`](crate::attest::CODES)) and is found in one go. [`write()`] adds files and edits none.

mod claim;
mod ledger;
mod time;
mod write;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use serde::Serialize;

use crate::attest::{self, Attested, Examined, Known, Problem, Role};
use crate::guideline::Waiver;
use crate::ledger::{
    Admission, AdmittedProgram, Document as _, Entry, Identity, Ledger, LedgerError, Product, Rules, RunFacts, SignedBy,
};
use crate::report::bundle::BundleError;
use crate::score::WaiverState;
use crate::sign::TrustedKeys;
use crate::text::Diagnostics;

pub use ledger::check_ledger;
pub use write::write;

/// What is handed in, and what it is held against.
pub struct Submission<'s> {
    /// Folder of the bundle.
    pub folder: &'s Path,
    /// The bundle, judged again.
    pub bundle: &'s Examined,
    /// The product record.
    pub product: &'s Product,
    /// The ledger.
    pub ledger: &'s Ledger,
    /// Its rules.
    pub rules: &'s Rules,
    /// Suites and guidelines that are known.
    pub known: Known,
    /// The day.
    pub on: Date,
}

/// Why nothing could be decided.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A file cannot be written.
    #[error("cannot write `{path}`: {source}")]
    Write {
        /// The file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
}

/// What was decided.
#[derive(Debug, Clone, Serialize)]
pub struct Decision {
    /// Where the report belongs; absent when the record cannot be read.
    pub identity: Option<Identity>,
    /// Why it is refused; empty when it is admitted.
    pub problems: Vec<Problem>,
    /// What is worth knowing all the same.
    pub notes: Vec<String>,
    /// The record for the ledger.
    #[serde(skip)]
    pub admission: Option<Admission>,
}

impl Decision {
    /// A refusal because a record or a bundle cannot be read.
    #[must_use]
    pub fn unreadable(problem: Problem) -> Self {
        Self { identity: None, problems: vec![problem], notes: Vec::new(), admission: None }
    }

    /// Whether the report may come in.
    #[must_use]
    pub fn is_admitted(&self) -> bool {
        self.problems.is_empty()
    }

    /// Labels for a pull request.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        let mut labels = vec![if self.is_admitted() { "assize/admissible" } else { "assize/refused" }.to_owned()];
        if let Some(identity) = &self.identity {
            labels.push(format!("assize/{}", identity.family));
        }
        let mut codes: Vec<&str> = self.problems.iter().map(|problem| problem.code).collect();
        codes.sort_unstable();
        codes.dedup();
        labels.extend(codes.into_iter().map(|code| format!("assize/{code}")));
        labels
    }
}

/// The problem of a product record that cannot be read.
#[must_use]
pub fn unreadable_record(problems: &Diagnostics) -> Problem {
    let lines: Vec<String> = problems
        .iter()
        .map(|one| {
            let place = one.position().map_or(String::new(), |(line, _)| format!("line {line}: "));
            format!("{place}{}", one.message)
        })
        .collect();
    let help = "`assize schema product` prints what a record has; the README of the ledger has an example";
    Problem::new("A301", lines.join("; "), help)
}

/// The problem of a bundle that cannot be read.
#[must_use]
pub fn unreadable_bundle(error: &BundleError) -> Problem {
    Problem::new("A105", error.to_string(), "hand in the folder as the run left it")
}

/// Decides.
///
/// # Errors
/// When the ledger or the signatures cannot be read.
pub fn decide(submission: &Submission<'_>) -> Result<Decision, AdmitError> {
    let identity = identity(submission.product);
    let mut problems = Vec::new();
    let mut notes = Vec::new();
    let attested = signatures(submission, &mut problems, &mut notes)?;
    problems.extend(claim::record(submission, &identity));
    problems.extend(claim::programs(submission));
    problems.extend(claim::observed(submission));
    problems.extend(claim::complete(submission));
    problems.extend(time::age(submission));
    problems.extend(time::guideline(submission));
    problems.extend(time::recorded(submission));
    problems.extend(waivers(submission)?);
    problems.extend(revoked(submission, &attested)?);
    let others = others(submission, &identity, &mut problems)?;
    problems.extend(time::challenge(submission, &others)?);
    problems.extend(duplicates(submission, &others));
    let admission = problems.is_empty().then(|| admission(submission, &identity, &attested)).flatten();
    Ok(Decision { identity: Some(identity), problems, notes, admission })
}

fn identity(product: &Product) -> Identity {
    Identity {
        family: product.family,
        guideline: product.guideline.clone(),
        vendor: product.vendor.id.clone(),
        product: product.product.id.clone(),
        version: product.version.clone(),
    }
}

/// Evidence, suites, guideline and statements; by the right keys.
fn signatures(
    submission: &Submission<'_>,
    problems: &mut Vec<Problem>,
    notes: &mut Vec<String>,
) -> Result<Vec<Attested>, AdmitError> {
    let Submission { ledger, product, rules, .. } = submission;
    let claims = !product.programs.is_empty();
    let vendor = ledger.vendor_keys(&product.vendor.id)?;
    let foundation = ledger.foundation_keys()?.unwrap_or_default();
    if vendor.is_none() && rules.vendor_signature.holds(claims) {
        let message = format!("there is no file of keys of `{}` in the ledger", product.vendor.id);
        problems.push(Problem::new("A602", message, "add vendors/<vendor>.keys with the public keys of the vendor"));
    }
    let vendor = vendor.unwrap_or_default();
    let mut keys = TrustedKeys::default();
    keys.extend(vendor.clone());
    keys.extend(foundation.clone());
    let known = submission.known.clone().with_sets(rules.suites.iter().cloned());
    let windows = rules.guidelines.iter();
    let known = known
        .with_guidelines(windows.flat_map(|one| one.digests.iter().map(|digest| (one.id.clone(), digest.clone()))));
    let verified = attest::check(submission.folder, submission.bundle, &keys, &known, submission.on)?;
    let unsigned = |problem: &Problem| problem.code == "A201" && !rules.vendor_signature.holds(claims);
    problems.extend(verified.problems.into_iter().filter(|problem| !unsigned(problem)));
    notes.extend(verified.notes);
    let has = |keys: &TrustedKeys, key: &str| keys.find(key).is_some();
    for one in &verified.attested {
        let (right, whose) = match one.role {
            Role::Vendor => (has(&vendor, &one.key), "this vendor"),
            Role::Foundation => (has(&foundation, &one.key), "the foundation"),
        };
        if !right {
            let message =
                format!("{} ({}) signed as {}, but is no key of {whose}", one.name, one.key, one.role.as_str());
            problems.push(Problem::new("A603", message, "sign with a key that is registered for the role"));
        }
    }
    let signed_as = |role: Role| verified.attested.iter().any(|one| one.role == role);
    let said = problems.iter().any(|problem| problem.code.starts_with("A2"));
    if rules.vendor_signature.holds(claims) && !signed_as(Role::Vendor) && !said {
        let message = "no key of the vendor has signed";
        problems.push(Problem::new("A201", message, "sign it: `assize sign BUNDLE --key FILE`"));
    }
    if rules.foundation_signature.holds(claims) && !signed_as(Role::Foundation) {
        let message = "no key of the foundation has signed";
        problems.push(Problem::new(
            "A211",
            message,
            "the foundation signs: `assize sign BUNDLE --as foundation --key FILE`",
        ));
    }
    Ok(verified.attested)
}

/// Waivers that excuse something: valid today, and granted.
fn waivers(submission: &Submission<'_>) -> Result<Vec<Problem>, AdmitError> {
    let Submission { bundle, ledger, product, rules, on, .. } = submission;
    let mut applied: Vec<&Waiver> = Vec::new();
    for one in bundle.programs.iter().flat_map(|program| &program.waivers) {
        if one.state == WaiverState::Applied && !applied.contains(&&one.waiver) {
            applied.push(&one.waiver);
        }
    }
    let granted = if applied.is_empty() { Vec::new() } else { ledger.waivers(&product.vendor.id)?.0 };
    let mut problems = Vec::new();
    for waiver in applied {
        let what = match &waiver.scope {
            crate::guideline::WaiverScope::Test(id) => id.to_string(),
            crate::guideline::WaiverScope::Capability(id) => id.to_string(),
        };
        if waiver.is_expired(*on) {
            let message = format!("the waiver of {what} ended on {}, now it is {on}", waiver.expires);
            problems.push(Problem::new("A501", message, "mend what it excused, or ask for another one, and run again"));
        }
        let is_granted = granted.iter().any(|own| own.scope == waiver.scope && own.expires >= waiver.expires);
        if rules.granted_waivers.holds(!product.programs.is_empty()) && !is_granted {
            let message = format!("the waiver of {what} until {} was not granted", waiver.expires);
            problems.push(Problem::new(
                "A502",
                message,
                "ask the foundation: it grants a waiver by a file in waivers/<vendor>/",
            ));
        }
    }
    Ok(problems)
}

fn revoked(submission: &Submission<'_>, attested: &[Attested]) -> Result<Vec<Problem>, AdmitError> {
    let Submission { bundle, ledger, product, on, .. } = submission;
    let all = ledger.revocations()?;
    let mut problems = Vec::new();
    let mut refuse = |code, what: String, found: Option<&crate::ledger::Revocation>| {
        if let Some(found) = found {
            let message = format!("{what} was revoked on {} by {}: {}", found.since, found.by, found.reason);
            problems.push(Problem::new(code, message, "what is revoked stays so; hand in another run"));
        }
    };
    refuse("A504", "the bundle".to_owned(), all.of_bundle(&bundle.manifest.to_string(), *on));
    let Product { vendor, product: info, version, .. } = product;
    let name = format!("{}/{}/{version}", vendor.id, info.id);
    refuse("A506", name, all.of_product(&vendor.id, &info.id, version, *on));
    refuse("A507", format!("the set of suites {}", bundle.suites), all.of_suites(&bundle.suites.to_string(), *on));
    for one in attested {
        refuse("A505", format!("the key {} of {}", one.key, one.name), all.of_key(&one.key, *on));
    }
    Ok(problems)
}

/// What identifies a report that is in the ledger.
struct Other {
    name: String,
    run: String,
    seed: String,
    bundle: String,
    transcript: Option<String>,
}

/// All other reports of the ledger. A submission may lie in its place already, as in a pull request.
fn others(
    submission: &Submission<'_>,
    identity: &Identity,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Other>, AdmitError> {
    let ledger = submission.ledger;
    let place = match ledger.place(identity) {
        Ok(place) => place,
        Err(error) => {
            problems.push(Problem::new("A302", error.to_string(), "ids of the record name folders"));
            return Ok(Vec::new());
        }
    };
    let real = |path: &Path| path.canonicalize().ok();
    let in_place = real(submission.folder).is_some_and(|own| Some(own) == real(&place.bundle()));
    let taken =
        if in_place { place.admission().exists() } else { place.bundle().exists() || place.admission().exists() };
    if taken {
        let message = format!("{} is in the ledger already", place.bundle().display());
        problems.push(Problem::new(
            "A601",
            message,
            "a report is never replaced: hand in another version, or revoke it first",
        ));
    }
    let mut others = Vec::new();
    for entry in ledger.entries()? {
        if entry.identity != *identity {
            others.push(other(&entry)?);
        }
    }
    Ok(others)
}

fn other(entry: &Entry) -> Result<Other, AdmitError> {
    let Identity { family, guideline, vendor, product, version } = &entry.identity;
    let name = format!("{family}/{guideline}/{vendor}/{product}/{version}");
    if let Some(Admission { run, bundle, transcript, .. }) = entry.admission()? {
        let (bundle, transcript) = (bundle.to_string(), Some(transcript.to_string()));
        return Ok(Other { name, run: run.id, seed: run.seed, bundle, transcript });
    }
    let text = |file: &str| std::fs::read_to_string(entry.bundle().join(file)).unwrap_or_default();
    let (run, manifest) = (text("run.json"), text("bundle.json"));
    let member = |key: &str| {
        let value: Option<serde_json::Value> = serde_json::from_str(&run).ok();
        value.and_then(|value| Some(value.get(key)?.as_str()?.to_owned())).unwrap_or_default()
    };
    let transcript: Option<serde_json::Value> = serde_json::from_str(&manifest).ok();
    let transcript =
        transcript.and_then(|value| Some(value.pointer("/files/transcript.jsonl/digest")?.as_str()?.to_owned()));
    let bundle = crate::canon::digest_bytes(manifest.as_bytes()).to_string();
    Ok(Other { name, run: member("id"), seed: member("seed"), bundle, transcript })
}

fn duplicates(submission: &Submission<'_>, others: &[Other]) -> Option<Problem> {
    let bundle = submission.bundle;
    let (own, transcript) = (bundle.manifest.to_string(), bundle.transcript.to_string());
    let same = others.iter().find(|other| {
        other.bundle == own || other.run == bundle.inputs.id || other.transcript.as_deref() == Some(transcript.as_str())
    })?;
    let message = format!("the run {} is in the ledger as {}", bundle.inputs.id, same.name);
    Some(Problem::new("A408", message, "one run is evidence for one version of one product: run again"))
}

fn admission(submission: &Submission<'_>, identity: &Identity, attested: &[Attested]) -> Option<Admission> {
    let Submission { bundle, product, rules, on, .. } = submission;
    let (_, guideline) = bundle.guideline.as_ref()?;
    let observed: BTreeMap<String, Vec<String>> = bundle
        .fingerprint
        .facts
        .iter()
        .map(|(name, values)| (name.clone(), values.iter().cloned().collect()))
        .collect();
    let claimed = |name: &str| product.programs.iter().any(|own| own == name);
    Some(Admission {
        format: Admission::FORMAT.to_owned(),
        identity: identity.clone(),
        admitted: *on,
        rules: crate::canon::digest_json(rules).ok()?,
        bundle: bundle.manifest,
        transcript: bundle.transcript,
        guideline: *guideline,
        suites: bundle.suites,
        fingerprint: bundle.fingerprint.digest(),
        observed,
        run: RunFacts {
            id: bundle.inputs.id.clone(),
            seed: bundle.inputs.seed.clone(),
            tool: bundle.inputs.tool.clone(),
            started_at_ms: bundle.inputs.started_at_ms,
            finished_at_ms: bundle.inputs.finished_at_ms,
        },
        programs: bundle
            .programs
            .iter()
            .map(|one| AdmittedProgram {
                program: one.program.clone(),
                verdict: one.verdict,
                score: one.score,
                claimed: claimed(&one.program),
            })
            .collect(),
        outcomes: bundle.outcomes(),
        signed_by: attested
            .iter()
            .map(|one| SignedBy { name: one.name.clone(), key: one.key.clone(), role: one.role.as_str().to_owned() })
            .collect(),
    })
}
