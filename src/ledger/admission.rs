//! The record of an admission: what the evidence gave on that day. Written by the tool; the site is made from it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Document;
use crate::canon::Digest;
use crate::capability::{Family, Outcome};
use crate::score::{Score, Verdict};

/// `<version>.admission.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Assize admission record")]
pub struct Admission {
    /// `assize-admission/1`.
    pub format: String,
    /// What was admitted.
    pub identity: Identity,
    /// When.
    #[schemars(with = "String", extend("format" = "date"))]
    pub admitted: Date,
    /// Digest of the rules that were applied.
    #[schemars(with = "String")]
    pub rules: Digest,
    /// Digest of the bundle's manifest.
    #[schemars(with = "String")]
    pub bundle: Digest,
    /// Digest of its evidence.
    #[schemars(with = "String")]
    pub transcript: Digest,
    /// Digest of its guideline.
    #[schemars(with = "String")]
    pub guideline: Digest,
    /// Digest of its set of suites.
    #[schemars(with = "String")]
    pub suites: Digest,
    /// Digest of the target fingerprint.
    #[schemars(with = "String")]
    pub fingerprint: Digest,
    /// What the endpoint said of itself.
    pub observed: BTreeMap<String, Vec<String>>,
    /// The run.
    pub run: RunFacts,
    /// Verdict of every program that was scored.
    pub programs: Vec<AdmittedProgram>,
    /// Number of cases by outcome.
    pub outcomes: BTreeMap<Outcome, u32>,
    /// Who signed.
    pub signed_by: Vec<SignedBy>,
}

/// Where a report belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Kind of API.
    pub family: Family,
    /// Version of the guideline.
    pub guideline: String,
    /// Vendor.
    pub vendor: String,
    /// Product.
    pub product: String,
    /// Version of the product.
    pub version: String,
}

/// What identifies a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunFacts {
    /// Its id.
    pub id: String,
    /// Its seed; the nonce of the challenge, where there was one.
    pub seed: String,
    /// Version of the tool.
    pub tool: String,
    /// When it began, milliseconds since 1970.
    pub started_at_ms: i64,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at_ms: Option<i64>,
}

/// A program with its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdmittedProgram {
    /// Its name.
    pub program: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The score.
    pub score: Score,
    /// Whether the vendor claims it.
    pub claimed: bool,
}

/// A signature that held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedBy {
    /// Whose key.
    pub name: String,
    /// Its fingerprint.
    pub key: String,
    /// `vendor` or `foundation`.
    pub role: String,
}

impl Document for Admission {
    const FORMAT: &'static str = "assize-admission/1";
    const WHAT: &'static str = "an admission record";
}
