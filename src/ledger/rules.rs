//! The rules of a foundation: what a report must be like to be admitted. Data, so that everybody can read them.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Document;
use crate::guideline::ApprovalStatus;

/// `rules.yaml`. What is left out has the strictest value that makes sense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Assize admission rules")]
pub struct Rules {
    /// `assize-rules/1`.
    pub format: String,
    /// Who decides by them.
    #[schemars(length(min = 1))]
    pub foundation: String,
    /// The run ended at most so many days before the admission.
    #[serde(default = "ninety")]
    #[schemars(range(min = 1, max = 3650))]
    pub max_age_days: u32,
    /// Whether the seed of the run must be the nonce of a challenge.
    #[serde(default)]
    pub challenge: Demand,
    /// Whether a key of the vendor must have signed.
    #[serde(default)]
    pub vendor_signature: Demand,
    /// Whether a key of the foundation must have signed too.
    #[serde(default = "optional")]
    pub foundation_signature: Demand,
    /// Whether the record must name something that the endpoint says of itself.
    #[serde(default)]
    pub observed: Demand,
    /// Whether a waiver that excuses something must have been granted in the ledger. `optional`: it must be valid only.
    #[serde(default)]
    pub granted_waivers: Demand,
    /// Whether a verdict with waivers is enough for a claim.
    #[serde(default)]
    pub waivers_conform: bool,
    /// Attempts that a case may have had.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 6))]
    pub max_attempts: u32,
    /// Whether reports without a claim are taken.
    #[serde(default)]
    pub results_only: bool,
    /// How far the target's clock may be from that of the run, in minutes.
    #[serde(default = "an_hour")]
    pub max_clock_skew_minutes: u32,
    /// The guidelines that reports are taken for.
    #[schemars(length(min = 1))]
    pub guidelines: Vec<GuidelineWindow>,
    /// Digests of further sets of suites that are taken, beside the one of this release.
    #[serde(default)]
    pub suites: Vec<String>,
}

/// A guideline, and when runs against it are taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuidelineWindow {
    /// `family/version`.
    #[schemars(regex(pattern = r"^[a-z0-9-]+/[a-z0-9.+-]+$"))]
    pub id: String,
    /// The run began on this day or later.
    #[schemars(with = "String", extend("format" = "date"))]
    pub from: Date,
    /// The run began on this day or earlier.
    #[schemars(with = "String", extend("format" = "date"))]
    pub until: Date,
    /// States of the guideline that are taken.
    #[serde(default = "approved")]
    pub status: Vec<ApprovalStatus>,
    /// Digests of further documents that are taken under this id, beside the one of this release.
    #[serde(default)]
    pub digests: Vec<String>,
}

/// Whether something must be there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Demand {
    /// It must be there.
    #[default]
    Required,
    /// It must be there when something is claimed.
    ForClaims,
    /// It need not be there; when it is, it must be right.
    Optional,
}

impl Demand {
    /// Whether it must be there for a report that claims something, or nothing.
    #[must_use]
    pub fn holds(self, claims: bool) -> bool {
        match self {
            Self::Required => true,
            Self::ForClaims => claims,
            Self::Optional => false,
        }
    }
}

fn ninety() -> u32 {
    90
}

fn one() -> u32 {
    1
}

fn an_hour() -> u32 {
    60
}

fn optional() -> Demand {
    Demand::Optional
}

fn approved() -> Vec<ApprovalStatus> {
    vec![ApprovalStatus::Approved]
}

impl Rules {
    /// The entry of a guideline.
    #[must_use]
    pub fn guideline(&self, id: &str) -> Option<&GuidelineWindow> {
        self.guidelines.iter().find(|one| one.id == id)
    }
}

impl Document for Rules {
    const FORMAT: &'static str = "assize-rules/1";
    const WHAT: &'static str = "a file of rules";
}
