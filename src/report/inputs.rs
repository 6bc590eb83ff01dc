//! `run.json`: what a run was asked to do. With suites, guideline and transcript it determines the report.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::expr::Json;
use crate::suite::Risk;

/// Version of the bundle's own files (`run.json`, `report.json`, `bundle.json`).
pub const FORMAT: u32 = 1;

/// Inputs of a run. No secret is among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunInputs {
    /// Format version.
    pub format: u32,
    /// Version of the tool that made the run.
    pub tool: String,
    /// Id of the run; also in the user agent of every request.
    pub id: String,
    /// Seed of names and random bytes.
    pub seed: String,
    /// Family of the target.
    pub family: String,
    /// The variable `target`.
    pub target: Json,
    /// Header fields of the family.
    pub headers: Vec<(String, String)>,
    /// Which cases were selected.
    pub selection: Selection,
    /// Highest risk that the operator allowed.
    pub allow: Risk,
    /// Attempts that a case has to pass.
    pub attempts: u32,
    /// Id of the guideline that the run is scored against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guideline: Option<String>,
    /// Programs that are scored; empty means all of the guideline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<String>,
    /// Digest of every suite file, by file name.
    pub suites: BTreeMap<String, String>,
    /// When the run began, milliseconds since 1970.
    pub started_at_ms: i64,
    /// Date of the run (UTC), for the expiry of waivers.
    pub date: String,
    /// When the run ended; absent while it runs, or when it was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at_ms: Option<i64>,
    /// Why the run did not reach its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<String>,
}

/// Which cases take part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Selection {
    /// Only cases whose id contains one of these; empty means all of the family.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// No case whose id contains one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// `include` names ids exactly.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub exact: bool,
}

impl Selection {
    /// Whether a case id (with row) is selected.
    #[must_use]
    pub fn takes(&self, id: &str) -> bool {
        let hit = |pattern: &String| if self.exact { id == pattern } else { id.contains(pattern.as_str()) };
        (self.include.is_empty() || self.include.iter().any(hit))
            && !self.exclude.iter().any(|p| id.contains(p.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::Selection;

    #[test]
    fn selection() {
        let all = Selection::default();
        assert!(all.takes("redfish.power.on"));
        let some = Selection { include: vec!["power".into()], exclude: vec!["off".into()], exact: false };
        assert!(some.takes("redfish.power.on") && !some.takes("redfish.power.off") && !some.takes("redfish.boot.once"));
        let exact = Selection { include: vec!["a.b".into()], exclude: vec![], exact: true };
        assert!(exact.takes("a.b") && !exact.takes("a.b[1]"));
    }
}
