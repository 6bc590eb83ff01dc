//! What the site needs of one report, read once and kept in the state of the site: small, since there may be ten thousand.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::SiteError;
use crate::canon::{Digest, digest_bytes};
use crate::capability::{LifeCycle, Outcome};
use crate::ledger::{Admission, Entry, Identity, ProductKind, SignedBy};
use crate::report::bundle::{self, names};
use crate::score::{Score, Status, Verdict};

/// A report, as all pages but its own show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// What it is of.
    pub identity: Identity,
    /// Name of the vendor.
    pub vendor: String,
    /// Home page of the vendor.
    pub vendor_url: String,
    /// Name of the product.
    pub product: String,
    /// Home page of the product.
    pub product_url: String,
    /// What it is.
    pub description: String,
    /// What kind of product.
    pub kind: ProductKind,
    /// When it was admitted.
    pub admitted: Date,
    /// When the run began, milliseconds since 1970.
    pub started_at_ms: i64,
    /// Digest of the bundle's manifest.
    pub bundle: Digest,
    /// Digest of its guideline.
    pub guideline: Digest,
    /// Digest of its suites.
    pub suites: Digest,
    /// Who signed.
    pub signed_by: Vec<SignedBy>,
    /// Its programs.
    pub programs: Vec<ProgramFacts>,
    /// The capabilities that a program lists, by the digest of the list; equal lists are kept once, see [`Lists`].
    pub capabilities: Digest,
    /// Status of each; a letter each.
    pub statuses: String,
    /// The cases, by the digest of the list.
    pub cases: Digest,
    /// Outcome of each; a letter each.
    pub outcomes: String,
}

/// A program in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramFacts {
    /// Its name.
    pub program: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The score.
    pub score: Score,
    /// Required capabilities that are met.
    pub met: u32,
    /// Required capabilities.
    pub required: u32,
    /// Whether the vendor claims it.
    pub claimed: bool,
}

impl Facts {
    /// `family/guideline`.
    pub fn guideline_id(&self) -> String {
        format!("{}/{}", self.identity.family, self.identity.guideline)
    }

    /// `vendor/product`.
    pub fn product_id(&self) -> String {
        format!("{}/{}", self.identity.vendor, self.identity.product)
    }
}

/// Lists of ids, by their digest.
pub type Lists = BTreeMap<Digest, Vec<String>>;

/// Status of a capability in a report.
pub fn status(lists: &Lists, facts: &Facts, capability: &str) -> Option<Status> {
    let list = lists.get(&facts.capabilities)?;
    let at = list.binary_search_by(|id| id.as_str().cmp(capability)).ok()?;
    facts.statuses.as_bytes().get(at).and_then(|letter| status_of(*letter))
}

/// Cases with their outcome, as letters.
pub fn outcomes<'f>(lists: &'f Lists, facts: &'f Facts) -> impl Iterator<Item = (&'f str, char)> {
    lists.get(&facts.cases).into_iter().flatten().map(String::as_str).zip(facts.outcomes.chars())
}

const STATUSES: [(u8, Status); 5] = [
    (b'p', Status::Passed),
    (b'w', Status::Waived),
    (b'f', Status::Failed),
    (b'g', Status::Gap),
    (b'u', Status::Unproven),
];

fn status_of(letter: u8) -> Option<Status> {
    STATUSES.iter().find(|(own, _)| *own == letter).map(|(_, status)| *status)
}

fn status_letter(status: Status) -> char {
    STATUSES.iter().find(|(_, own)| *own == status).map_or('u', |(letter, _)| char::from(*letter))
}

/// One letter for an outcome.
pub fn letter(outcome: Outcome) -> char {
    match outcome {
        Outcome::Pass => 'p',
        Outcome::Fail => 'f',
        Outcome::Gap => 'g',
        Outcome::Error => 'e',
        Outcome::Skip => 's',
        Outcome::NotRun => 'n',
    }
}

/// `report.json`, as much of it as pages show.
#[derive(Debug, Deserialize)]
pub struct SlimReport {
    /// Verdicts.
    pub programs: Vec<SlimProgram>,
    /// Cases.
    pub cases: Vec<SlimCase>,
}

/// A scored program.
#[derive(Debug, Deserialize)]
pub struct SlimProgram {
    /// Its name.
    pub program: String,
    /// Required capabilities.
    pub required: Vec<SlimCapability>,
    /// The others.
    pub optional: Vec<SlimCapability>,
    /// Components of which nothing is known.
    #[serde(default)]
    pub missing_components: Vec<String>,
    /// Used waivers.
    #[serde(default)]
    pub waivers: Vec<SlimWaiver>,
}

/// A scored capability.
#[derive(Debug, Deserialize)]
pub struct SlimCapability {
    /// Its id.
    pub capability: String,
    /// Its level in the program.
    pub level: LifeCycle,
    /// Whether it is met.
    pub status: Status,
}

/// A waiver that was used.
#[derive(Debug, Deserialize)]
pub struct SlimWaiver {
    /// The waiver.
    pub waiver: SlimWaiverText,
}

/// What a waiver says.
#[derive(Debug, Deserialize)]
pub struct SlimWaiverText {
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Until when.
    pub expires: Date,
}

/// A case.
#[derive(Debug, Deserialize)]
pub struct SlimCase {
    /// Full id.
    pub id: String,
    /// What it checks.
    pub title: String,
    /// What it is evidence for.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// Whether it passed only when it was tried again.
    #[serde(default)]
    pub flaky: bool,
    /// The result.
    pub result: SlimResult,
}

/// A result.
#[derive(Debug, Deserialize)]
pub struct SlimResult {
    /// The outcome.
    pub outcome: Outcome,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// Makes sure that the manifest is the one that was admitted.
///
/// # Errors
/// When it is not, or cannot be read.
pub fn admitted(entry: &Entry, admission: &Admission) -> Result<(), SiteError> {
    let path = entry.bundle().join(names::MANIFEST);
    let digest = digest_bytes(&std::fs::read(&path).map_err(SiteError::io(&path))?);
    if digest == admission.bundle {
        return Ok(());
    }
    let admitted = admission.bundle;
    let why = format!(
        "its digest is {digest}, what was admitted is {admitted}; put the bundle back as it was, or admit it anew"
    );
    Err(SiteError::Report { path, why })
}

/// The report of a bundle, which is the one that its manifest lists.
///
/// # Errors
/// When the file is missing, was changed, or is not a report.
pub fn report(folder: &Path) -> Result<SlimReport, SiteError> {
    let bytes = bundle::listed(folder, &bundle::manifest(folder)?.0, names::REPORT)?;
    serde_json::from_slice(&bytes)
        .map_err(|error| SiteError::Report { path: folder.join(names::REPORT), why: error.to_string() })
}

/// A report that was read.
#[derive(Debug)]
pub struct Read {
    /// What is kept.
    pub facts: Facts,
    /// The lists that it names.
    pub lists: [Vec<String>; 2],
    /// The report itself, for its own page.
    pub report: SlimReport,
}

/// Digest of a list of ids.
pub fn list_digest(ids: &[String]) -> Digest {
    digest_bytes(ids.join("\n").as_bytes())
}

/// Reads what belongs to a report.
///
/// # Errors
/// When a document is missing or wrong.
pub fn read(entry: &Entry, admission: &Admission) -> Result<Read, SiteError> {
    let product = entry.product()?.ok_or_else(|| SiteError::Report {
        path: entry.place().product(),
        why: "the product record of an admitted report is missing".to_owned(),
    })?;
    let folder = entry.bundle();
    let report = report(&folder)?;
    let programs = admission.programs.iter().map(|admitted| {
        let scored = report.programs.iter().find(|one| one.program == admitted.program);
        let met = |one: &SlimProgram| one.required.iter().filter(|capability| capability.status.is_met()).count();
        let all = |one: &SlimProgram| one.required.len() + one.missing_components.len();
        ProgramFacts {
            program: admitted.program.clone(),
            verdict: admitted.verdict,
            score: admitted.score,
            met: scored.map_or(0, met).try_into().unwrap_or(u32::MAX),
            required: scored.map_or(0, all).try_into().unwrap_or(u32::MAX),
            claimed: admitted.claimed,
        }
    });
    let mut capabilities: Vec<(String, Status)> = Vec::new();
    for one in report.programs.iter().flat_map(|program| program.required.iter().chain(&program.optional)) {
        capabilities.push((one.capability.clone(), one.status));
    }
    capabilities.sort_by(|one, other| one.0.cmp(&other.0));
    capabilities.dedup_by(|one, other| one.0 == other.0);
    let listed: Vec<String> = capabilities.iter().map(|(id, _)| id.clone()).collect();
    let cases: Vec<String> = report.cases.iter().map(|case| case.id.clone()).collect();
    let facts = Facts {
        identity: entry.identity.clone(),
        vendor: product.vendor.name,
        vendor_url: product.vendor.url,
        product: product.product.name,
        product_url: product.product.url,
        description: product.product.description,
        kind: product.product.kind,
        admitted: admission.admitted,
        started_at_ms: admission.run.started_at_ms,
        bundle: admission.bundle,
        guideline: admission.guideline,
        suites: admission.suites,
        signed_by: admission.signed_by.clone(),
        programs: programs.collect(),
        capabilities: list_digest(&listed),
        statuses: capabilities.iter().map(|(_, status)| status_letter(*status)).collect(),
        cases: list_digest(&cases),
        outcomes: report.cases.iter().map(|case| letter(case.result.outcome)).collect(),
    };
    Ok(Read { lists: [listed, cases], facts, report })
}

/// The outcome of a letter.
pub fn outcome_of(letter: char) -> Outcome {
    let all = [Outcome::Pass, Outcome::Fail, Outcome::Gap, Outcome::Error, Outcome::Skip];
    all.into_iter().find(|outcome| self::letter(*outcome) == letter).unwrap_or(Outcome::NotRun)
}
