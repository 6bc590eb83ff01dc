//! Triage notes: what is known about cases that do not pass. A note is shown beside a result and never alters a verdict:
//! nothing that scores reads it.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Document;

/// `<version>.triage/<name>.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Assize triage note")]
pub struct Triage {
    /// `assize-triage/1`.
    pub format: String,
    /// The cases it is about, with their rows; `case[*]` stands for all rows of a case.
    #[schemars(length(min = 1))]
    pub cases: Vec<String>,
    /// Whose matter it is.
    pub kind: TriageKind,
    /// The bug.
    #[schemars(regex(pattern = r"^https://[^\s]+$"))]
    pub link: String,
    /// What is known, in a sentence or two.
    #[schemars(length(min = 1))]
    pub note: String,
    /// Who says so.
    #[schemars(length(min = 1))]
    pub author: String,
    /// When.
    #[schemars(with = "String", extend("format" = "date"))]
    pub date: Date,
}

/// Whose matter a case that does not pass is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TriageKind {
    /// The product is wrong.
    Product,
    /// The case is wrong.
    Suite,
    /// The specification can be read in two ways.
    Specification,
    /// The place where the product was tested.
    Environment,
}

impl Triage {
    /// Whether the note is about this case.
    #[must_use]
    pub fn is_about(&self, case: &str) -> bool {
        self.cases.iter().any(|own| match own.strip_suffix("[*]") {
            Some(plain) => case == plain || case.strip_prefix(plain).is_some_and(|row| row.starts_with('[')),
            None => own == case,
        })
    }
}

impl Document for Triage {
    const FORMAT: &'static str = "assize-triage/1";
    const WHAT: &'static str = "a triage note";
}
