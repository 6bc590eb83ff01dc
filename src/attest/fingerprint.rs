//! The fingerprint of a target: what stands for an endpoint, which has no digest of its own.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::canon::{Digest, digest_json};

/// The format of the document whose digest is the subject of statements.
pub const FORMAT: &str = "assize-fingerprint/1";

/// A function of the evidence: whoever has the bundle computes the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// `assize-fingerprint/1`.
    pub format: String,
    /// Kind of API.
    pub family: String,
    /// Scheme, host and port of the endpoint, as the run was given it.
    pub base: String,
    /// Digests of the certificates that were presented, sorted.
    pub certificates: BTreeSet<String>,
    /// What the endpoint says of itself: name of the fact, and all values seen, sorted.
    pub facts: BTreeMap<String, BTreeSet<String>>,
}

impl Fingerprint {
    /// A fingerprint without facts yet.
    #[must_use]
    pub fn new(family: &str, base: &str) -> Self {
        Self {
            format: FORMAT.to_owned(),
            family: family.to_owned(),
            base: base.to_owned(),
            certificates: BTreeSet::new(),
            facts: BTreeMap::new(),
        }
    }

    /// SHA-256 of its canonical JSON.
    #[must_use]
    pub fn digest(&self) -> Digest {
        // It holds texts only, so it always has a canonical form.
        digest_json(self).unwrap_or_else(|_| crate::canon::digest_bytes(b""))
    }
}
