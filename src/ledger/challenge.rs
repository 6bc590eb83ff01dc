//! A challenge: the seed that a run must have to be admitted. Names that the run gives to things on the target are made
//! from it, so a run that was made before the challenge cannot be handed in for it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Document;

/// `challenges/<nonce>.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Assize challenge")]
pub struct Challenge {
    /// `assize-challenge/1`.
    pub format: String,
    /// The seed for `assize run --seed`; also the name of the file.
    #[schemars(regex(pattern = r"^[a-z0-9]{16,64}$"))]
    pub nonce: String,
    /// For whom.
    pub vendor: String,
    /// For what.
    pub product: String,
    /// For which version; any, when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// From when on.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub issued: Timestamp,
    /// Until when the run must have begun.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub expires: Timestamp,
}

impl Document for Challenge {
    const FORMAT: &'static str = "assize-challenge/1";
    const WHAT: &'static str = "a challenge";
}
