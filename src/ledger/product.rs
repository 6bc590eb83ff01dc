//! The product record: who makes what, and what the vendor claims of one version.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Document;
use crate::capability::Family;

/// A product record, `<version>.product.yaml`. There is one for each version, so that a new version adds a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Assize product record")]
pub struct Product {
    /// `assize-product/1`.
    pub format: String,
    /// Who makes it.
    pub vendor: VendorInfo,
    /// What it is.
    pub product: ProductInfo,
    /// Version of the product; also the name of the folder of the bundle.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9.+-]{0,79}$"))]
    pub version: String,
    /// Which kind of API was tested.
    pub family: Family,
    /// Version of the guideline, as in `2026.11`.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9.+-]{0,79}$"))]
    pub guideline: String,
    /// Programs that the vendor claims to conform to. Empty: results are published, nothing is claimed.
    pub programs: Vec<String>,
    /// What the endpoint says of itself: name of a fact and its value. `assize facts BUNDLE` lists what was observed.
    pub observed: BTreeMap<String, String>,
    /// Digest of the target fingerprint, when the vendor wants the claim tied to one endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub fingerprint: Option<String>,
    /// How others can do the run again.
    #[schemars(length(min = 1))]
    pub reproduce: String,
}

/// Who makes a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VendorInfo {
    /// Name of its folder and of its file of keys.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9.+-]{0,79}$"))]
    pub id: String,
    /// Its name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Its address on the web.
    #[schemars(regex(pattern = r"^https://[^\s]+$"))]
    pub url: String,
    /// Who answers questions about the report: a mail address.
    #[schemars(regex(pattern = r"^[^@\s]+@[^@\s]+$"))]
    pub contact: String,
}

/// What a product is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductInfo {
    /// Name of its folder.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9.+-]{0,79}$"))]
    pub id: String,
    /// Its name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// What kind of thing it is.
    pub kind: ProductKind,
    /// One sentence.
    #[schemars(length(min = 1))]
    pub description: String,
    /// Where to read about it.
    #[schemars(regex(pattern = r"^https://[^\s]+$"))]
    pub url: String,
    /// Where its documentation is.
    #[schemars(regex(pattern = r"^https://[^\s]+$"))]
    pub documentation: String,
    /// Where its sources are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^https://[^\s]+$"))]
    pub sources: Option<String>,
}

/// Kinds of products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProductKind {
    /// Software that users install.
    Distribution,
    /// A service that the vendor runs.
    HostedService,
    /// Something that installs or composes others' software.
    Installer,
    /// Hardware with its firmware.
    Appliance,
    /// A stand-in for development and tests.
    Emulator,
    /// A laboratory of a project.
    Laboratory,
}

impl Document for Product {
    const FORMAT: &'static str = "assize-product/1";
    const WHAT: &'static str = "a product record";
}
