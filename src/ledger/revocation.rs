//! Revocations: what no longer counts. A report is never deleted; it is revoked, with a reason that anybody can read.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Document;

/// `revocations/<name>.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Assize revocation")]
pub struct Revocation {
    /// `assize-revocation/1`.
    pub format: String,
    /// What is revoked.
    pub revoked: Revoked,
    /// From this day on.
    #[schemars(with = "String", extend("format" = "date"))]
    pub since: Date,
    /// Why.
    #[schemars(length(min = 1))]
    pub reason: String,
    /// Who decided.
    #[schemars(length(min = 1))]
    pub by: String,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^https://[^\s]+$"))]
    pub link: Option<String>,
}

/// What can be revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Revoked {
    /// One bundle, by the digest of its manifest.
    Bundle(#[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))] String),
    /// A key, by its fingerprint: whatever it signed does not count, since nobody knows who signed when.
    Key(#[schemars(regex(pattern = r"^SHA256:[A-Za-z0-9+/]{43}$"))] String),
    /// All reports of a product, `vendor/product`, or of one version, `vendor/product/version`.
    Product(#[schemars(regex(pattern = r"^[a-z0-9.+-]+/[a-z0-9.+-]+(/[a-z0-9.+-]+)?$"))] String),
    /// A set of suites, by its digest: its cases were found to be wrong.
    Suites(#[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))] String),
}

impl Document for Revocation {
    const FORMAT: &'static str = "assize-revocation/1";
    const WHAT: &'static str = "a revocation";
}

/// All revocations of a ledger.
#[derive(Debug, Clone, Default)]
pub struct Revocations(pub Vec<Revocation>);

impl Revocations {
    fn find(&self, on: Date, hit: impl Fn(&Revoked) -> bool) -> Option<&Revocation> {
        self.0.iter().find(|one| one.since <= on && hit(&one.revoked))
    }

    /// The revocation of a bundle.
    #[must_use]
    pub fn of_bundle(&self, digest: &str, on: Date) -> Option<&Revocation> {
        self.find(on, |revoked| matches!(revoked, Revoked::Bundle(own) if own == digest))
    }

    /// The revocation of a key.
    #[must_use]
    pub fn of_key(&self, fingerprint: &str, on: Date) -> Option<&Revocation> {
        self.find(on, |revoked| matches!(revoked, Revoked::Key(own) if own == fingerprint))
    }

    /// The revocation of a set of suites.
    #[must_use]
    pub fn of_suites(&self, digest: &str, on: Date) -> Option<&Revocation> {
        self.find(on, |revoked| matches!(revoked, Revoked::Suites(own) if own == digest))
    }

    /// The revocation of a product or of this version of it.
    #[must_use]
    pub fn of_product(&self, vendor: &str, product: &str, version: &str, on: Date) -> Option<&Revocation> {
        let (whole, one) = (format!("{vendor}/{product}"), format!("{vendor}/{product}/{version}"));
        self.find(on, |revoked| matches!(revoked, Revoked::Product(own) if *own == whole || *own == one))
    }
}
