//! The score as an exact fraction, and percentages that never flatter.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Weight passed out of weight required.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// Sum of the weights of the passed required capabilities.
    pub passed: u64,
    /// Sum of the weights of all required capabilities.
    pub total: u64,
    /// The same in percent, cut to one decimal.
    pub percent: Percent,
}

impl Score {
    /// The score of `passed` out of `total`.
    pub fn new(passed: u64, total: u64) -> Score {
        Score { passed, total, percent: Percent::cut(passed, total) }
    }

    /// Whether everything passed, and there was something.
    pub fn is_full(&self) -> bool {
        self.total > 0 && self.passed == self.total
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} ({} %)", self.passed, self.total, self.percent)
    }
}

/// A percentage in tenths: 874 is 87.4 %. In JSON it is the number 87.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Percent {
    tenths: u16,
}

impl Percent {
    /// Part of a whole, cut to one decimal: 100.0 only for the whole. Nothing of nothing is 0.0.
    pub fn cut(part: u64, whole: u64) -> Percent {
        let part = u128::from(part.min(whole));
        let tenths = (part * 1000).checked_div(u128::from(whole)).unwrap_or(0);
        Percent { tenths: u16::try_from(tenths).unwrap_or(0) }
    }

    /// The percentage times ten.
    pub fn tenths(self) -> u16 {
        self.tenths
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{}", self.tenths / 10, self.tenths % 10))
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.tenths) / 10.0)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Percent, D::Error> {
        let percent = f64::deserialize(deserializer)?;
        let tenths = (percent * 10.0).round();
        let exact = (0.0..=1000.0).contains(&tenths) && (percent * 10.0 - tenths).abs() < 1e-6;
        if !exact {
            return Err(serde::de::Error::custom("a percentage is a number from 0 to 100 with at most one decimal"));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be 0 to 1000")]
        Ok(Percent { tenths: tenths as u16 })
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number", "minimum": 0, "maximum": 100, "multipleOf": 0.1})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_flatters() {
        assert_eq!(Percent::cut(9999, 10000).to_string(), "99.9");
        assert_eq!(Percent::cut(u64::MAX - 1, u64::MAX).to_string(), "99.9");
        assert_eq!(Percent::cut(2, 3).to_string(), "66.6");
        assert_eq!(Percent::cut(3, 3).to_string(), "100.0");
        assert_eq!(Percent::cut(0, 0).to_string(), "0.0");
        assert_eq!(Score::new(7, 8).to_string(), "7/8 (87.5 %)");
        assert!(!Score::new(0, 0).is_full());
    }

    #[test]
    fn every_percentage_reads_back() {
        for tenths in 0..=1000u64 {
            let percent = Percent::cut(tenths, 1000);
            let json = serde_json::to_string(&percent).unwrap();
            assert_eq!(serde_json::from_str::<Percent>(&json).unwrap(), percent, "{json}");
        }
        for bad in ["-1", "100.1", "12.34", "\"5\""] {
            assert!(serde_json::from_str::<Percent>(bad).is_err(), "{bad}");
        }
    }
}
