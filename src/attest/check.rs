//! Signed statements against the evidence.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::Value;

use super::statement::{CONFORMANCE, FORMAT, STATEMENT, SVR, TEST_RESULT, Terms, statements};
use super::{Conformance, Examined, Known, PAYLOAD_TYPE, Problem, Role, Statement};
use crate::canon::{Digest, digest_bytes};
use crate::report::bundle::{BundleError, names};
use crate::sign::{Envelope, EnvelopeError, TrustedKeys};

/// Largest file that is taken for a statement.
const LARGEST: u64 = 16 << 20;

/// A signer whose statements hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attested {
    /// Whose key.
    pub name: String,
    /// Its fingerprint.
    pub key: String,
    /// As whom.
    pub role: Role,
    /// When it was signed.
    pub signed: Timestamp,
    /// The last day on which it counts.
    pub valid_until: Date,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Verified {
    /// Whose statements hold.
    pub attested: Vec<Attested>,
    /// What does not.
    pub problems: Vec<Problem>,
    /// What could not be checked and need not be: statements by keys that are not trusted, beside one that is.
    pub notes: Vec<String>,
}

/// Holds a bundle and its statements against each other, against the keys that are trusted and the suites that are
/// known, as of a day.
///
/// # Errors
/// When the folder of statements cannot be read.
pub fn check(
    folder: &Path,
    bundle: &Examined,
    keys: &TrustedKeys,
    known: &Known,
    on: Date,
) -> Result<Verified, BundleError> {
    let mut verified = Verified::default();
    verified.problems.extend(of_evidence(bundle));
    verified.problems.extend(of_materials(bundle, known));
    of_statements(folder, bundle, keys, on, &mut verified)?;
    Ok(verified)
}

/// What verification without keys finds.
fn of_evidence(bundle: &Examined) -> impl Iterator<Item = Problem> + '_ {
    const FILES: &str = "take the bundle as the run wrote it; nothing in it may be edited";
    const EVIDENCE: &str = "run again: a report can only say what its evidence says";
    let files = bundle.findings.files.iter().map(|line| Problem::new("A101", line, FILES));
    files.chain(bundle.findings.evidence.iter().map(|line| Problem::new("A102", line, EVIDENCE)))
}

/// Suites and guideline are those that are known.
fn of_materials(bundle: &Examined, known: &Known) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(how) = known.departure(&bundle.inputs) {
        let message = format!("the suites are not those that are known: {how} (set {})", bundle.suites);
        let help = "give the suites of the release that made the run with --suites, or accept this set by its digest";
        problems.push(Problem::new("A103", message, help));
    }
    if let Some(((_, digest), id)) = bundle.guideline.as_ref().zip(bundle.guideline_id()) {
        let help = "run against the published guideline";
        match known.guideline(&id) {
            _ if known.has_guideline(&id, *digest) => {}
            Some(own) => {
                let message = format!("guideline {id} has the digest {digest}, the known one {own}");
                problems.push(Problem::new("A104", message, help));
            }
            None => problems.push(Problem::new("A104", format!("guideline {id} is not known"), help)),
        }
    }
    problems
}

fn of_statements(
    folder: &Path,
    bundle: &Examined,
    keys: &TrustedKeys,
    on: Date,
    verified: &mut Verified,
) -> Result<(), BundleError> {
    let files = attestations(folder)?;
    let digests: BTreeMap<String, Digest> =
        files.iter().map(|(name, bytes)| (name.clone(), digest_bytes(bytes))).collect();
    let mut strangers = Vec::new();
    // What each signer said in our own predicate, to be found again in the standard one.
    let mut own: BTreeMap<String, (Conformance, Terms)> = BTreeMap::new();
    let mut standard = Vec::new();
    for (file, bytes) in &files {
        let checked = match Envelope::read(bytes).and_then(|envelope| {
            envelope.check(PAYLOAD_TYPE, keys).map(|checked| {
                let key = checked.signers.first().map(|signer| (*signer).clone());
                (checked.payload, key)
            })
        }) {
            Ok((payload, Some(key))) => (payload, key),
            Ok((_, None)) => continue,
            Err(EnvelopeError::Unknown(key)) => {
                strangers.push((file, key));
                continue;
            }
            Err(error) => {
                verified.problems.push(of_envelope(file, &error));
                continue;
            }
        };
        let (payload, key) = checked;
        let statement: Statement = match serde_json::from_slice(&payload) {
            Ok(statement) => statement,
            Err(error) => {
                verified.problems.push(unknown(file, &format!("the payload is no statement: {error}")));
                continue;
            }
        };
        let found = about(file, &statement, bundle);
        let strange = !found.is_empty();
        verified.problems.extend(found);
        if strange {
            continue;
        }
        let id = key.key.id().to_string();
        match statement.predicate_type.as_str() {
            CONFORMANCE => {
                let predicate = match predicate(file, &statement.predicate) {
                    Ok(predicate) => predicate,
                    Err(problem) => {
                        verified.problems.push(problem);
                        continue;
                    }
                };
                let Conformance { role, signed, valid_until, seen, .. } = predicate.clone();
                let terms = Terms { role, signed, valid_until, seen };
                let problems = of_predicate(file, &statement, bundle, &terms, &digests);
                let late = of_time(file, bundle, &terms, on);
                let held = key.held_at(signed).then_some(());
                if held.is_none() {
                    let message = format!("{file}: the key of {} was not valid at {signed}, when it signed", key.name);
                    verified.problems.push(Problem::new("A204", message, "sign with a key that is valid"));
                }
                if problems.is_empty() && late.is_empty() && held.is_some() {
                    let (name, key) = (key.name.clone(), id.clone());
                    verified.attested.push(Attested { name, key, role, signed, valid_until });
                }
                verified.problems.extend(problems.into_iter().chain(late));
                own.insert(format!("{} {id}", role.as_str()), (predicate, terms));
            }
            TEST_RESULT | SVR => standard.push((file, id, statement)),
            other => verified.problems.push(unknown(file, &format!("the predicate `{other}` is not known"))),
        }
    }
    of_standard(bundle, &own, &standard, verified);
    if verified.attested.is_empty() && verified.problems.iter().all(|problem| !problem.code.starts_with("A2")) {
        verified.problems.push(match strangers.first() {
            Some((file, key)) => {
                let message = format!("{file}: signed by {key}, which is not among the trusted keys");
                Problem::new("A202", message, "add the key to the file of trusted keys, if you trust its owner")
            }
            None => Problem::new("A201", "the bundle is not signed", "sign it: `assize sign BUNDLE --key FILE`"),
        });
    } else {
        let notes = strangers
            .iter()
            .map(|(file, key)| format!("{file} is signed by {key}, which is not among the trusted keys"));
        verified.notes.extend(notes);
    }
    Ok(())
}

/// The standard statement of a signer says the same as our own, and is there.
fn of_standard(
    bundle: &Examined,
    own: &BTreeMap<String, (Conformance, Terms)>,
    standard: &[(&String, String, Statement)],
    verified: &mut Verified,
) {
    for (signer, (_, terms)) in own {
        let id = signer.split_once(' ').map_or(signer.as_str(), |(_, id)| id);
        let kind = if terms.role == Role::Vendor { TEST_RESULT } else { SVR };
        let Some((file, _, found)) = standard.iter().find(|(_, key, one)| key == id && one.predicate_type == kind)
        else {
            let message = format!("{id} has not signed the statement {kind} that belongs to its own");
            verified.problems.push(Problem::new("A210", message, "sign again with `assize sign`"));
            continue;
        };
        let wanted = statements(bundle, terms).into_iter().find(|(_, one)| one.predicate_type == kind);
        let Some((_, wanted)) = wanted else { continue };
        // The verifier's own version is its own affair.
        let ignored = if kind == SVR { "verifier" } else { "" };
        for member in differing(&wanted.predicate, &found.predicate, ignored) {
            let message = format!("{file}: `{member}` is not what the evidence gives");
            verified.problems.push(Problem::new(
                "A207",
                message,
                "sign again: a statement can only say what the evidence says",
            ));
        }
    }
}

/// Members of two objects that differ.
fn differing(wanted: &Value, found: &Value, ignored: &str) -> Vec<String> {
    let empty = serde_json::Map::new();
    let (wanted, found) = (wanted.as_object().unwrap_or(&empty), found.as_object().unwrap_or(&empty));
    let mut keys: Vec<&String> = wanted.keys().chain(found.keys().filter(|key| !wanted.contains_key(*key))).collect();
    keys.retain(|key| wanted.get(*key) != found.get(*key) && key.as_str() != ignored);
    keys.into_iter().cloned().collect()
}

fn of_envelope(file: &str, error: &EnvelopeError) -> Problem {
    let message = format!("{file}: {error}");
    match error {
        EnvelopeError::Forged { .. } => {
            Problem::new("A203", message, "somebody changed the statement or the signature")
        }
        EnvelopeError::Unsigned => Problem::new("A201", message, "sign it: `assize sign BUNDLE --key FILE`"),
        EnvelopeError::Purpose { .. } | EnvelopeError::Unknown(_) => {
            Problem::new("A202", message, "sign with a key that is trusted for this")
        }
        EnvelopeError::Form(_) | EnvelopeError::Type(_) => {
            Problem::new("A209", message, "remove the file, or sign again")
        }
    }
}

fn unknown(file: &str, why: &str) -> Problem {
    Problem::new("A209", format!("{file}: {why}"), "use a newer assize, or remove the file")
}

/// The subjects are this bundle and this target.
fn about(file: &str, statement: &Statement, bundle: &Examined) -> Vec<Problem> {
    let mut problems = Vec::new();
    if statement.kind != STATEMENT {
        problems.push(unknown(file, &format!("the statement is of type `{}`", statement.kind)));
        return problems;
    }
    let digest = |name: &str| {
        let subject = statement.subject.iter().find(|one| one.name == name)?;
        subject.digest.get("sha256").map(String::as_str)
    };
    let wanted = bundle.manifest.hex();
    if digest("bundle.json") != Some(wanted.as_str()) {
        let message =
            format!("{file}: it is about the bundle {}, this one is {wanted}", digest("bundle.json").unwrap_or("none"));
        problems.push(Problem::new(
            "A205",
            message,
            "a statement cannot be carried over to another bundle: sign this one",
        ));
    }
    let wanted = bundle.fingerprint.digest().hex();
    if digest("target") != Some(wanted.as_str()) {
        let message = format!(
            "{file}: it is about the target {}, the evidence is of {wanted}",
            digest("target").unwrap_or("none")
        );
        problems.push(Problem::new("A206", message, "sign again: the target follows from the evidence"));
    }
    problems
}

fn predicate(file: &str, value: &Value) -> Result<Conformance, Problem> {
    let format = value.get("format").and_then(Value::as_str).unwrap_or_default();
    if format != FORMAT {
        return Err(unknown(file, &format!("the predicate has the format `{format}`, this release reads `{FORMAT}`")));
    }
    serde_json::from_value(value.clone()).map_err(|error| unknown(file, &format!("the predicate is damaged: {error}")))
}

/// What a statement says, member by member, against what follows from the evidence.
fn of_predicate(
    file: &str,
    statement: &Statement,
    bundle: &Examined,
    terms: &Terms,
    digests: &BTreeMap<String, Digest>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, digest) in &terms.seen {
        let now = match digests.get(name) {
            Some(own) if own == digest => continue,
            Some(_) => "was changed since",
            None => "is gone",
        };
        let message = format!("{file}: the statement {name}, which its signer had seen, {now}");
        problems.push(Problem::new(
            "A207",
            message,
            "put the statement back: nobody can take back what another one counter-signed",
        ));
    }
    let wanted = statements(bundle, terms).into_iter().find(|(_, one)| one.predicate_type == CONFORMANCE);
    let wanted = wanted.map(|(_, statement)| statement.predicate).unwrap_or_default();
    for member in differing(&wanted, &statement.predicate, "") {
        let message = format!("{file}: `{member}` is not what the evidence gives");
        problems.push(Problem::new("A207", message, "sign again: a statement can only say what the evidence says"));
    }
    problems
}

/// The time of a statement: after the run, not in the future, not over.
fn of_time(file: &str, bundle: &Examined, terms: &Terms, on: Date) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut refuse = |message: String, help| problems.push(Problem::new("A208", message, help));
    let end = bundle.inputs.finished_at_ms.unwrap_or(bundle.inputs.started_at_ms);
    if terms.signed.as_millisecond() < end {
        refuse(format!("{file}: signed at {}, before the run ended", terms.signed), "sign after the run");
    }
    let day = terms.signed.to_zoned(TimeZone::UTC).date();
    if day > on {
        refuse(format!("{file}: signed on {day}, which is after {on}"), "is the clock right that signed?");
    }
    if terms.valid_until < on {
        refuse(format!("{file}: it counted until {}, now it is {on}", terms.valid_until), "run again and sign anew");
    }
    problems
}

/// The signed statements of a bundle, by name.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn attestations(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, BundleError> {
    let path = folder.join(names::ATTESTATIONS);
    let entries = match std::fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(BundleError::io(&path)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(BundleError::io(&path))?;
        let (name, path) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
        let facts = entry.metadata().map_err(BundleError::io(&path))?;
        if !facts.is_file() || facts.len() > LARGEST {
            return Err(BundleError::invalid(&path, "a statement is a regular file of reasonable size"));
        }
        found.push((name, std::fs::read(&path).map_err(BundleError::io(&path))?));
    }
    found.sort();
    Ok(found)
}

/// The digests of the statements that lie in a bundle.
///
/// # Errors
/// When the folder cannot be read.
pub fn seen(folder: &Path) -> Result<BTreeMap<String, Digest>, BundleError> {
    Ok(attestations(folder)?.into_iter().map(|(name, bytes)| (name, digest_bytes(&bytes))).collect())
}
