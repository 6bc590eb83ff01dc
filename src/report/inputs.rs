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
    /// The runs that this one was put together from, in the order of their shards; their bundles are below `shards/`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shards: Vec<ShardRun>,
}

impl RunInputs {
    /// The seed that names are made from: shards of one run have the same seed and must not make the same names.
    #[must_use]
    pub fn own_seed(&self) -> String {
        match self.selection.shard {
            Some(shard) => format!("{}#{shard}", self.seed),
            None => self.seed.clone(),
        }
    }
}

/// One of the runs that a merged run was put together from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShardRun {
    /// Id of the run, and its folder below `shards/`.
    pub run: String,
    /// Which part it was.
    pub shard: Shard,
    /// Digest of its manifest `bundle.json`.
    pub manifest: String,
    /// Version of the tool that made it.
    pub tool: String,
    /// When it began, milliseconds since 1970.
    pub started_at_ms: i64,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at_ms: Option<i64>,
}

/// A part of a run: the cases whose number, the first 8 bytes of the SHA-256 of their test id without the row, divided by
/// `of` leaves `index` - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Shard {
    /// Which part, from 1.
    index: u32,
    /// Number of parts.
    of: u32,
}

/// A text that names no shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no shard; write for instance `2/3` for the second of three, with at most {MOST_SHARDS} in all")]
pub struct ParseShardError(String);

/// More parts than a test system has use for.
const MOST_SHARDS: u32 = 1000;

impl Shard {
    /// Which part, from 1.
    #[must_use]
    pub fn index(self) -> u32 {
        self.index
    }

    /// Number of parts.
    #[must_use]
    pub fn of(self) -> u32 {
        self.of
    }

    /// Whether a case id (with row) belongs to this part. Rows of a case stay together.
    #[must_use]
    pub fn takes(self, id: &str) -> bool {
        let test = id.split_once('[').map_or(id, |(test, _)| test);
        let digest = crate::canon::digest_bytes(test.as_bytes());
        let number = digest.as_bytes().iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        number % u64::from(self.of) == u64::from(self.index - 1)
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl std::str::FromStr for Shard {
    type Err = ParseShardError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((index, of)) if (1..=of).contains(&index) && of <= MOST_SHARDS => Ok(Self { index, of }),
            _ => Err(ParseShardError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Shard {
    type Error = ParseShardError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
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
    /// Of these only the cases of one part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

impl Selection {
    /// Whether a case id (with row) is selected.
    #[must_use]
    pub fn takes(&self, id: &str) -> bool {
        let hit = |pattern: &String| if self.exact { id == pattern } else { id.contains(pattern.as_str()) };
        (self.include.is_empty() || self.include.iter().any(hit))
            && !self.exclude.iter().any(|p| id.contains(p.as_str()))
            && self.shard.is_none_or(|shard| shard.takes(id))
    }
}

#[cfg(test)]
mod tests {
    use super::{Selection, Shard};

    #[test]
    fn selection() {
        let all = Selection::default();
        assert!(all.takes("redfish.power.on"));
        let some = Selection { include: vec!["power".into()], exclude: vec!["off".into()], ..all };
        assert!(some.takes("redfish.power.on") && !some.takes("redfish.power.off") && !some.takes("redfish.boot.once"));
        let exact = Selection { include: vec!["a.b".into()], exact: true, ..Selection::default() };
        assert!(exact.takes("a.b") && !exact.takes("a.b[1]"));
    }

    #[test]
    fn every_case_is_in_one_shard() {
        let shards: Vec<Shard> = ["1/3", "2/3", "3/3"].iter().map(|text| text.parse().unwrap()).collect();
        let mut sizes = [0; 3];
        for number in 0..300 {
            let id = format!("a.b.c{number}");
            let mine: Vec<usize> = (0..3).filter(|at| shards[*at].takes(&id)).collect();
            assert_eq!(mine.len(), 1, "{id}");
            assert!(shards[mine[0]].takes(&format!("{id}[row]")), "rows stay together");
            sizes[mine[0]] += 1;
        }
        assert!(sizes.iter().all(|size| (70..130).contains(size)), "{sizes:?}");
        // The division is part of the format: a merged run is recomputed years later.
        assert!("2/2".parse::<Shard>().unwrap().takes("redfish.power.on"));
        for wrong in ["", "1", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "1/1001", "a/b"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
