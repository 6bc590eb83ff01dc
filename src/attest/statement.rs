//! in-toto statements about a bundle, and the predicates in them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Examined, Fingerprint};
use crate::canon::Digest;
use crate::capability::Outcome;
use crate::score::{Score, Verdict};

/// The type of every statement.
pub const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The standard predicate for results of tests.
pub const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";
/// The standard predicate of somebody who has verified.
pub const SVR: &str = "https://in-toto.io/attestation/svr/v0.1";
/// Our own predicate.
pub const CONFORMANCE: &str = "urn:assize:conformance:1";
/// The format inside our own predicate.
pub const FORMAT: &str = "assize-conformance/1";

/// An in-toto statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// [`STATEMENT`].
    #[serde(rename = "_type")]
    pub kind: String,
    /// The bundle and the target.
    pub subject: Vec<Subject>,
    /// What the predicate is.
    pub predicate_type: String,
    /// The predicate.
    pub predicate: Value,
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// `bundle.json` or `target`.
    pub name: String,
    /// Digests by algorithm, in hexadecimal digits.
    pub digest: BTreeMap<String, String>,
}

impl Subject {
    fn new(name: &str, digest: Digest) -> Self {
        Self { name: name.to_owned(), digest: BTreeMap::from([("sha256".to_owned(), digest.hex())]) }
    }
}

/// As whom one signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Who made the run and claims what follows.
    Vendor,
    /// Who has verified it.
    Foundation,
}

impl Role {
    /// The spelling used in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vendor => "vendor",
            Self::Foundation => "foundation",
        }
    }
}

/// The predicate `urn:assize:conformance:1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Assize conformance predicate")]
pub struct Conformance {
    /// `assize-conformance/1`.
    pub format: String,
    /// As whom it was signed.
    pub role: Role,
    /// When.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub signed: Timestamp,
    /// The last day on which it counts.
    #[schemars(with = "String", extend("format" = "date"))]
    pub valid_until: Date,
    /// The run.
    pub run: Run,
    /// Digest of the set of suites.
    #[schemars(with = "String")]
    pub suites: Digest,
    /// Id of the guideline and its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guideline: Option<Material>,
    /// Digest of the waivers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub waivers: Option<Digest>,
    /// Digest of the evidence.
    #[schemars(with = "String")]
    pub transcript: Digest,
    /// What stands for the target; its digest is the second subject.
    pub target: Fingerprint,
    /// Verdicts.
    pub programs: Vec<ProgramVerdict>,
    /// Number of cases by outcome.
    pub outcomes: BTreeMap<Outcome, u32>,
    /// Statements that lay there before, which this signer has seen: file name and digest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub seen: BTreeMap<String, Digest>,
}

/// The run of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// Its seed.
    pub seed: String,
    /// Version of the tool.
    pub tool: String,
    /// Day on which it began.
    pub date: String,
}

/// A file that mattered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// Its id.
    pub id: String,
    /// Its digest.
    #[schemars(with = "String")]
    pub digest: Digest,
}

/// A program with its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgramVerdict {
    /// Its name.
    pub program: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The score.
    pub score: Score,
}

/// JSON Schema of our own predicate.
#[must_use]
pub fn conformance_schema() -> Value {
    let mut schema = schemars::schema_for!(Conformance).to_value();
    if let Some(top) = schema.as_object_mut() {
        top.insert("$id".to_owned(), CONFORMANCE.into());
    }
    schema
}

/// What is not in the evidence: as whom, when, how long, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Terms {
    pub role: Role,
    pub signed: Timestamp,
    pub valid_until: Date,
    pub seen: BTreeMap<String, Digest>,
}

fn subjects(bundle: &Examined) -> Vec<Subject> {
    vec![Subject::new("bundle.json", bundle.manifest), Subject::new("target", bundle.fingerprint.digest())]
}

fn statement(bundle: &Examined, predicate_type: &str, predicate: Value) -> Statement {
    let (kind, predicate_type) = (STATEMENT.to_owned(), predicate_type.to_owned());
    Statement { kind, subject: subjects(bundle), predicate_type, predicate }
}

/// Our own predicate, as it follows from the evidence.
pub(super) fn conformance(bundle: &Examined, terms: &Terms) -> Conformance {
    let inputs = &bundle.inputs;
    let guideline = bundle.guideline.as_ref().zip(bundle.guideline_id());
    Conformance {
        format: FORMAT.to_owned(),
        role: terms.role,
        signed: terms.signed,
        valid_until: terms.valid_until,
        run: Run {
            id: inputs.id.clone(),
            seed: inputs.seed.clone(),
            tool: inputs.tool.clone(),
            date: inputs.date.clone(),
        },
        suites: bundle.suites,
        guideline: guideline.map(|((_, digest), id)| Material { id, digest: *digest }),
        waivers: bundle.waivers_digest,
        transcript: bundle.transcript,
        target: bundle.fingerprint.clone(),
        programs: bundle
            .programs
            .iter()
            .map(|one| ProgramVerdict { program: one.program.clone(), verdict: one.verdict, score: one.score })
            .collect(),
        outcomes: bundle.outcomes(),
        seen: terms.seen.clone(),
    }
}

/// The statements of a role, each with the word that its file is named with.
pub(super) fn statements(bundle: &Examined, terms: &Terms) -> Vec<(&'static str, Statement)> {
    let own = serde_json::to_value(conformance(bundle, terms)).unwrap_or_default();
    let other = match terms.role {
        Role::Vendor => ("test-result", statement(bundle, TEST_RESULT, test_result(bundle))),
        Role::Foundation => ("svr", statement(bundle, SVR, svr(bundle, terms))),
    };
    vec![("conformance", statement(bundle, CONFORMANCE, own)), other]
}

/// `PASSED` when every program that was scored is conformant.
fn test_result(bundle: &Examined) -> Value {
    let all = |wanted: &[Verdict]| bundle.programs.iter().all(|one| wanted.contains(&one.verdict));
    let result = match bundle.programs.is_empty() {
        true if bundle.cases.iter().all(|(_, outcome, _)| outcome.is_pass()) => "PASSED",
        true => "FAILED",
        false if all(&[Verdict::Conformant]) => "PASSED",
        false if all(&[Verdict::Conformant, Verdict::ConformantWithWaivers]) => "WARNED",
        false => "FAILED",
    };
    let named = |wanted: fn(Outcome, bool) -> bool| -> Vec<&str> {
        let cases = bundle.cases.iter().filter(|(_, outcome, flaky)| wanted(*outcome, *flaky));
        cases.map(|(id, _, _)| id.as_str()).collect()
    };
    let mut configuration = vec![
        json!({"name": "suites", "digest": {"sha256": bundle.suites.hex()}}),
        json!({"name": "assize", "uri": format!("pkg:cargo/assize@{}", bundle.inputs.tool)}),
    ];
    if let Some(((_, digest), id)) = bundle.guideline.as_ref().zip(bundle.guideline_id()) {
        configuration.insert(0, json!({"name": format!("guideline {id}"), "digest": {"sha256": digest.hex()}}));
    }
    if let Some(digest) = bundle.waivers_digest {
        configuration.push(json!({"name": "waivers", "digest": {"sha256": digest.hex()}}));
    }
    json!({
        "result": result,
        "configuration": configuration,
        "passedTests": named(|outcome, flaky| outcome.is_pass() && !flaky),
        "warnedTests": named(|outcome, flaky| outcome.is_pass() && flaky),
        "failedTests": named(|outcome, _| matches!(outcome, Outcome::Fail | Outcome::Gap | Outcome::Error)),
    })
}

fn svr(bundle: &Examined, terms: &Terms) -> Value {
    let mut properties = vec!["ASSIZE_EVIDENCE_SUPPORTS_REPORT".to_owned()];
    let verdict = |one: &crate::score::ProgramScore| {
        format!("ASSIZE_{}:{}", one.verdict.as_str().replace('-', "_").to_uppercase(), one.program)
    };
    properties.extend(bundle.programs.iter().map(verdict));
    json!({
        "verifier": {"id": format!("urn:assize:verifier:{}", env!("CARGO_PKG_VERSION"))},
        "timeCreated": terms.signed.to_string(),
        "properties": properties,
    })
}
