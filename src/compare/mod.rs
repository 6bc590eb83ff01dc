//! Differences: of two runs, of one run under two guidelines (a forecast), and of many products on one capability.
//!
//! Start at [`runs`], [`forecast`] and [`field`]. Pure: results and guidelines in, documents out. Two guidelines are compared by
//! [`crate::guideline::differences`].

mod field;
mod forecast;
mod runs;

pub use field::{Field, FieldRow, Mark, ProductStatus, field};
pub use forecast::{CapabilityForecast, FlagChange, Forecast, Kind, ProgramForecast, forecast};
pub use runs::{CaseChange, CaseSide, Change, ProgramChange, RunsDifference, Side, runs};

use schemars::JsonSchema;
use serde::Serialize;

use crate::score::{ProgramScore, Score, Verdict};

/// `assize-diff/1`.
pub const FORMAT: &str = "assize-diff/1";

/// Verdict and score of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Standing {
    /// The verdict.
    pub verdict: Verdict,
    /// The score.
    pub score: Score,
}

impl From<&ProgramScore> for Standing {
    fn from(program: &ProgramScore) -> Self {
        Self { verdict: program.verdict, score: program.score }
    }
}

/// The JSON Schema of what `assize diff --json` prints.
#[must_use]
pub fn schema() -> serde_json::Value {
    #[derive(JsonSchema)]
    #[schemars(title = "Assize difference", extend("$id" = "urn:assize:diff:1"))]
    #[serde(untagged)]
    #[expect(dead_code, reason = "only its schema is wanted")]
    enum Any {
        Runs(RunsDifference),
        Forecast(Forecast),
        Field(Field),
    }
    schemars::schema_for!(Any).to_value()
}
