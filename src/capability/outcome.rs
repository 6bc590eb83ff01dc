//! Outcomes of tests, their marks, and the life cycle of a capability.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A word that is not one of a closed list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not one of {}", known.join(", "))]
pub struct UnknownWord {
    /// What was read.
    pub word: String,
    /// What would have been accepted.
    pub known: &'static [&'static str],
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All values, in their order.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The spelling of each value, in the same order.
            pub const WORDS: &'static [&'static str] = &[$($word,)+];

            /// The spelling used in files, reports and on the terminal.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<$name, UnknownWord> {
                match word {
                    $($word => Ok($name::$variant),)+
                    _ => Err(UnknownWord { word: word.to_string(), known: $name::WORDS }),
                }
            }
        }
    };
}

words! {
    /// Which kind of API a target, a suite or a guideline is about.
    Family {
        /// OpenStack services.
        OpenStack = "openstack",
        /// Kubernetes clusters.
        Kubernetes = "kubernetes",
        /// Redfish services: server management controllers.
        Redfish = "redfish",
        /// Ironic: bare metal provisioning.
        Ironic = "ironic",
        /// Container engines with the Docker API.
        ContainerEngine = "container-engine",
        /// Registries of the OCI distribution specification.
        OciRegistry = "oci-registry",
        /// Digital Rebar provisioning.
        DigitalRebar = "digitalrebar",
    }
}

words! {
    /// Where a capability stands in a component. The order is that of strictness: the lowest wins when a capability
    /// is in several components of a program.
    LifeCycle {
        /// Counts for the verdict.
        Required = "required",
        /// Candidate for the next guideline; shown, does not count.
        Advisory = "advisory",
        /// Was required, goes next time; does not count.
        Deprecated = "deprecated",
        /// Gone; kept as history.
        Removed = "removed",
    }
}

words! {
    /// How a test ended. Only `pass` is passed.
    Outcome {
        /// Every check held.
        Pass = "pass",
        /// A check is false.
        Fail = "fail",
        /// The target proves that it lacks the feature.
        Gap = "gap",
        /// The operator chose not to run it.
        Skip = "skip",
        /// It could not be judged: transport, deadline, our own fault.
        Error = "error",
        /// It was never started.
        NotRun = "not-run",
    }
}

impl Outcome {
    /// Whether this is `pass`.
    pub fn is_pass(self) -> bool {
        self == Outcome::Pass
    }

    /// The outcome of a test that has several rows: fail > error > gap > not-run > skip > pass.
    #[must_use]
    pub fn worst(self, other: Outcome) -> Outcome {
        if other.badness() > self.badness() { other } else { self }
    }

    fn badness(self) -> u8 {
        match self {
            Outcome::Pass => 0,
            Outcome::Skip => 1,
            Outcome::NotRun => 2,
            Outcome::Gap => 3,
            Outcome::Error => 4,
            Outcome::Fail => 5,
        }
    }
}

/// Marks beside an outcome. They are always shown and never change the outcome itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Marks {
    /// The guideline says that the test does not count.
    #[serde(default, skip_serializing_if = "is_false")]
    pub flagged: bool,
    /// Passed on a retry only.
    #[serde(default, skip_serializing_if = "is_false")]
    pub flaky: bool,
    /// A waiver excuses what the outcome is.
    #[serde(default, skip_serializing_if = "is_false")]
    pub waived: bool,
}

impl Marks {
    /// Whether there is no mark.
    pub fn is_empty(&self) -> bool {
        *self == Marks::default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for outcome in Outcome::ALL {
            assert_eq!(outcome.as_str().parse::<Outcome>().unwrap(), *outcome);
            let json = serde_json::to_string(outcome).unwrap();
            assert_eq!(json, format!("\"{outcome}\""));
        }
        for family in Family::ALL {
            assert_eq!(family.as_str().parse::<Family>().unwrap(), *family);
        }
        let error = "passed".parse::<Outcome>().unwrap_err().to_string();
        assert!(error.contains("`passed` is not one of pass, fail, gap"), "{error}");
    }

    #[test]
    fn only_pass_is_pass() {
        let passing: Vec<_> = Outcome::ALL.iter().filter(|outcome| outcome.is_pass()).collect();
        assert_eq!(passing, [&Outcome::Pass]);
    }

    #[test]
    fn worst_follows_the_stated_order() {
        use Outcome::{Error, Fail, Gap, NotRun, Pass, Skip};
        let order = [Fail, Error, Gap, NotRun, Skip, Pass];
        for (i, worse) in order.iter().enumerate() {
            for better in &order[i..] {
                assert_eq!(worse.worst(*better), *worse);
                assert_eq!(better.worst(*worse), *worse);
            }
        }
    }

    #[test]
    fn strictness_is_the_order_of_the_life_cycle() {
        assert!(LifeCycle::Required < LifeCycle::Advisory);
        assert!(LifeCycle::Advisory < LifeCycle::Deprecated);
        assert!(LifeCycle::Deprecated < LifeCycle::Removed);
    }

    #[test]
    fn marks_that_are_not_set_are_not_written() {
        let marks = Marks { flaky: true, ..Marks::default() };
        assert_eq!(serde_json::to_string(&marks).unwrap(), r#"{"flaky":true}"#);
        assert!(Marks::default().is_empty() && !marks.is_empty());
    }
}
