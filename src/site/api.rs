//! The same as JSON: an index, a document for each report and each guideline, and the schema of all of them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use super::model::{GuidelineInfo, Model, Standing, day};
use super::report::Whole;
use super::shell;
use super::state::Output;
use crate::capability::{LifeCycle, Outcome};
use crate::ledger::{Identity, SignedBy};
use crate::score::{Score, Status, Verdict};

const FORMAT: &str = "assize-site/1";

/// `api/v1/index.json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Index<'m> {
    /// `assize-site/1`.
    format: &'static str,
    /// Who keeps the ledger.
    foundation: &'m str,
    /// Day of the newest admission.
    #[schemars(with = "Option<String>")]
    as_of: Option<Date>,
    /// The guidelines.
    guidelines: Vec<Link>,
    /// The reports, sorted by identity.
    reports: Vec<ReportLink<'m>>,
}

/// Where a document is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Link {
    /// `family/version`.
    id: String,
    /// Its page, from the root of the site.
    page: String,
    /// Its document, from the root of the site.
    json: String,
}

/// A report in the index.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReportLink<'m> {
    /// `family/guideline/vendor/product/version`.
    id: String,
    /// Name of the product.
    product: &'m str,
    /// Name of the vendor.
    vendor: &'m str,
    /// When it was admitted.
    #[schemars(with = "String")]
    admitted: Date,
    /// Whether it counts.
    standing: &'static str,
    /// Its page, from the root of the site.
    page: String,
    /// Its document, from the root of the site.
    json: String,
    /// Verdict of each program.
    verdicts: BTreeMap<&'m str, Verdict>,
}

/// `api/v1/reports/…json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReportDocument<'m> {
    /// `assize-site/1`.
    format: &'static str,
    /// What it is of.
    identity: &'m Identity,
    /// Name of the product.
    product: &'m str,
    /// Name of the vendor.
    vendor: &'m str,
    /// Whether it counts: `valid`, `aged` or `revoked`.
    standing: &'static str,
    /// Why it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<&'m str>,
    /// Day of the run.
    #[schemars(with = "String")]
    run: Date,
    /// When it was admitted.
    #[schemars(with = "String")]
    admitted: Date,
    /// Digest of the bundle's manifest.
    bundle: String,
    /// Digest of its guideline.
    guideline: String,
    /// Digest of its suites.
    suites: String,
    /// Who signed.
    signed_by: &'m [SignedBy],
    /// Its programs.
    programs: Vec<ProgramDocument<'m>>,
    /// Status of each capability.
    capabilities: BTreeMap<&'m str, Status>,
    /// Outcome of each case.
    cases: BTreeMap<&'m str, Outcome>,
}

/// A program of a report.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProgramDocument<'m> {
    /// Its name.
    program: &'m str,
    /// The verdict.
    verdict: Verdict,
    /// The score.
    score: Score,
    /// Required capabilities that are met.
    met: u32,
    /// Required capabilities.
    required: u32,
    /// Whether the vendor claims it.
    claimed: bool,
}

/// `api/v1/guidelines/…json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GuidelineDocument<'m> {
    /// `assize-site/1`.
    format: &'static str,
    /// `family/version`.
    id: &'m str,
    /// Digest of the file.
    digest: String,
    /// The capabilities.
    capabilities: Vec<CapabilityDocument<'m>>,
}

/// A capability of a guideline.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CapabilityDocument<'m> {
    /// Its id.
    id: &'m str,
    /// Its name.
    name: &'m str,
    /// Its level.
    level: LifeCycle,
    /// Its tests.
    tests: Vec<&'m str>,
    /// Products that pass it, each by its latest report.
    passing: usize,
    /// Products whose latest report says something about it.
    products: usize,
    /// Its page, from the root of the site.
    page: String,
}

/// An entry of `api/v1/search.json`: `[name, what it is, page]`.
type Hit = (String, String, String);

fn word(standing: &Standing) -> &'static str {
    match standing {
        Standing::Valid => "valid",
        Standing::Aged => "aged",
        Standing::Revoked { .. } => "revoked",
    }
}

fn file(path: String, document: &impl Serialize) -> Output {
    let mut bytes = serde_json::to_vec(document).unwrap_or_default();
    bytes.push(b'\n');
    Output { path, bytes }
}

fn report_file(id: &Identity) -> String {
    format!("api/v1/{}.json", shell::report_folder(id))
}

/// The index, what the search looks through, and the schema.
pub fn index(model: &Model) -> Vec<Output> {
    let guidelines = model.guidelines.keys().map(|id| Link {
        id: id.clone(),
        page: shell::guideline_page(id),
        json: format!("api/v1/guidelines/{id}.json"),
    });
    let reports = model.reports.iter().enumerate().map(|(at, facts)| ReportLink {
        id: shell::report_folder(&facts.identity).trim_start_matches("reports/").to_owned(),
        product: &facts.product,
        vendor: &facts.vendor,
        admitted: facts.admitted,
        standing: word(model.standing(at)),
        page: shell::report_page(&facts.identity),
        json: report_file(&facts.identity),
        verdicts: facts.programs.iter().map(|own| (own.program.as_str(), own.verdict)).collect(),
    });
    let index = Index {
        format: FORMAT,
        foundation: &model.shell.foundation,
        as_of: model.as_of,
        guidelines: guidelines.collect(),
        reports: reports.collect(),
    };
    vec![
        file("api/v1/index.json".to_owned(), &index),
        file("api/v1/search.json".to_owned(), &hits(model)),
        file("api/v1/schema.json".to_owned(), &schema()),
    ]
}

fn hits(model: &Model) -> Vec<Hit> {
    let guidelines = model.guidelines.keys().map(|id| (id.clone(), "guideline".to_owned(), shell::guideline_page(id)));
    let products = model.products.iter().filter_map(|(id, places)| {
        let facts = model.reports.get(*places.first()?)?;
        Some((facts.product.clone(), format!("product of {}", facts.vendor), shell::product_page(id)))
    });
    let capabilities = model.guidelines.values().flat_map(|info| {
        info.columns.iter().map(|(id, _)| {
            let name = if info.name(id) == id.as_str() { id.to_string() } else { format!("{} ({id})", info.name(id)) };
            (name, format!("capability of {}", info.id), shell::capability_page(&info.id, id.as_str()))
        })
    });
    guidelines.chain(products).chain(capabilities).collect()
}

/// The document of a report.
pub fn report(whole: &Whole<'_>) -> Output {
    let Whole { facts, report, standing, .. } = whole;
    let capabilities = report.programs.iter().flat_map(|program| program.required.iter().chain(&program.optional));
    let revoked = if let Standing::Revoked { why, .. } = *standing { Some(why.as_str()) } else { None };
    let programs = facts.programs.iter().map(|own| ProgramDocument {
        program: &own.program,
        verdict: own.verdict,
        score: own.score,
        met: own.met,
        required: own.required,
        claimed: own.claimed,
    });
    let document = ReportDocument {
        format: FORMAT,
        identity: &facts.identity,
        product: &facts.product,
        vendor: &facts.vendor,
        standing: word(standing),
        revoked,
        run: day(facts.started_at_ms),
        admitted: facts.admitted,
        bundle: facts.bundle.to_string(),
        guideline: facts.guideline.to_string(),
        suites: facts.suites.to_string(),
        signed_by: &facts.signed_by,
        programs: programs.collect(),
        capabilities: capabilities.map(|one| (one.capability.as_str(), one.status)).collect(),
        cases: report.cases.iter().map(|case| (case.id.as_str(), case.result.outcome)).collect(),
    };
    file(report_file(&facts.identity), &document)
}

/// The document of a guideline.
pub fn guideline(model: &Model, info: &GuidelineInfo) -> Output {
    let capabilities = info.columns.iter().map(|(id, level)| {
        let (passing, products) = model.share(&info.id, id);
        let tests = info.guideline.capabilities.get(id).into_iter().flat_map(|one| one.tests.keys());
        CapabilityDocument {
            id: id.as_str(),
            name: info.name(id),
            level: *level,
            tests: tests.map(|test| test.as_str()).collect(),
            passing,
            products,
            page: shell::capability_page(&info.id, id.as_str()),
        }
    });
    let document = GuidelineDocument {
        format: FORMAT,
        id: &info.id,
        digest: info.digest.to_string(),
        capabilities: capabilities.collect(),
    };
    file(format!("api/v1/guidelines/{}.json", info.id), &document)
}

/// The JSON Schema of all documents: of the index, of a report, of a guideline.
#[must_use]
pub fn schema() -> serde_json::Value {
    #[derive(JsonSchema)]
    #[schemars(title = "Assize site, JSON API version 1", extend("$id" = "urn:assize:site:1"))]
    #[serde(untagged)]
    #[expect(dead_code, reason = "only its schema is wanted")]
    enum Any<'m> {
        Index(Index<'m>),
        Report(Box<ReportDocument<'m>>),
        Guideline(GuidelineDocument<'m>),
    }
    schemars::schema_for!(Any<'static>).to_value()
}
