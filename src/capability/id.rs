//! Ids as newtypes, so that a test cannot be passed where a capability is meant.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longer ids are refused: they would not fit a file name or a badge.
const LONGEST_CAPABILITY: usize = 120;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is empty.
    #[error("an id cannot be empty")]
    Empty,
    /// A capability id is not in kebab case.
    #[error(
        "`{0}` is not a capability id: use letters and digits in groups joined by single hyphens, as in `power-on-off`"
    )]
    NotKebab(String),
    /// A capability id is too long.
    #[error("a capability id of {0} characters is too long: at most {LONGEST_CAPABILITY}")]
    TooLong(usize),
    /// A test id holds white space at an end or a control character.
    #[error("`{0}` is not a test id: remove control characters and spaces at the ends")]
    NotPrintable(String),
}

/// The id of a capability, in kebab case: `power-on-off`.
///
/// Capital letters are accepted because OpenStack's own guidelines have them (`networks-l3-CRUD`); ids are compared
/// as they are spelt. [`CapabilityId::is_lower_case`] tells the linter of our own files.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct CapabilityId(String);

impl CapabilityId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the id is spelt as our own guidelines demand.
    pub fn is_lower_case(&self) -> bool {
        !self.0.bytes().any(|byte| byte.is_ascii_uppercase())
    }
}

impl FromStr for CapabilityId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<CapabilityId, IdError> {
        if text.is_empty() {
            return Err(IdError::Empty);
        }
        if text.len() > LONGEST_CAPABILITY {
            return Err(IdError::TooLong(text.chars().count()));
        }
        let kebab =
            text.split('-').all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        if kebab { Ok(CapabilityId(text.to_string())) } else { Err(IdError::NotKebab(text.to_string())) }
    }
}

/// The id of a test. Ours are `suite.case`, as in `redfish.power.reset-on`; foreign ones (Tempest, Ginkgo, gabbi) are
/// whatever their project calls them. A copy shares the text: guideline, results and scores of one run hold the same ids.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct TestId(Arc<str>);

impl TestId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of one of our cases.
    pub fn of_case(suite: &str, case: &str) -> Result<TestId, IdError> {
        if suite.is_empty() || case.is_empty() {
            return Err(IdError::Empty);
        }
        format!("{suite}.{case}").parse()
    }

    /// Suite and case of one of our ids. A foreign id may give parts too; only the known suites can tell.
    pub fn suite_and_case(&self) -> Option<(&str, &str)> {
        self.0.rsplit_once('.').filter(|(suite, case)| !suite.is_empty() && !case.is_empty())
    }
}

impl FromStr for TestId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<TestId, IdError> {
        if text.is_empty() {
            return Err(IdError::Empty);
        }
        if text.trim() != text || text.chars().any(char::is_control) {
            return Err(IdError::NotPrintable(text.escape_debug().to_string()));
        }
        Ok(TestId(text.into()))
    }
}

macro_rules! text_id {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<$name, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                String::from(&*id.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id!(CapabilityId);
text_id!(TestId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capability_ids_are_kebab() {
        for good in ["power-on-off", "a", "networks-l3-CRUD", "x2"] {
            assert_eq!(good.parse::<CapabilityId>().unwrap().to_string(), good);
        }
        for bad in ["", "-a", "a-", "a--b", "a_b", "a b", "ä", "a.b", "a\n"] {
            assert!(bad.parse::<CapabilityId>().is_err(), "{bad:?}");
        }
        assert!("a".repeat(121).parse::<CapabilityId>().is_err());
        assert!(!"networks-l3-CRUD".parse::<CapabilityId>().unwrap().is_lower_case());
    }

    #[test]
    fn test_ids_are_any_clean_text() {
        let native = TestId::of_case("redfish.power", "reset-on").unwrap();
        assert_eq!(native.as_str(), "redfish.power.reset-on");
        assert_eq!(native.suite_and_case(), Some(("redfish.power", "reset-on")));
        let foreign = "[sig-node] Pods should run [Conformance]";
        assert_eq!(foreign.parse::<TestId>().unwrap().as_str(), foreign);
        for bad in ["", " a", "a ", "a\nb", "\u{1b}[31m"] {
            assert!(bad.parse::<TestId>().is_err(), "{bad:?}");
        }
        assert!(TestId::of_case("", "x").is_err());
    }

    #[test]
    fn serde_refuses_what_parsing_refuses() {
        assert!(serde_json::from_str::<CapabilityId>("\"a_b\"").is_err());
        let id: TestId = serde_json::from_str("\"a.b\"").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"a.b\"");
    }
}
