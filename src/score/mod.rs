//! From results to verdicts: which capabilities of a program are met, by what right, and what is missing.
//!
//! Start at [`score`]. The rules:
//!
//! * a capability passes iff every test that counts passes; with no test that counts, or without evidence for one, it
//!   is [`Status::Unproven`], never passed;
//! * a waiver excuses a test that ended badly, in the open: the verdict is then at best
//!   [`Verdict::ConformantWithWaivers`]. It never stands in for evidence: a test that was not run stays unproven;
//! * the score is an exact fraction of weights; its percentage is cut, never rounded up to 100.0;
//! * nothing run = nothing passed;
//! * which result speaks of which test is settled once, by ids and names (`matching`); a result never speaks of two
//!   tests, and what cannot be told apart counts for none.
//!
//! [`defcore_rules`] is RefStack's own arithmetic beside ours, for comparison. This module is pure: no file, no clock
//! (the day of the run is an argument), the same input gives the same output for ever.

mod composite;
mod defcore;
mod foreign;
mod fraction;
mod matching;
mod program;
mod results;
mod types;

pub use composite::{CompositeScore, PartScore, compose};
pub use defcore::{DefcoreCounts, defcore_rules};
pub use fraction::{Percent, Score};
pub use program::{ScoreError, score};
pub use results::{Results, Row, TestResult};
pub use types::{CapabilityScore, ProgramScore, Remedy, Status, TestScore, Verdict, WaiverState, WaiverUse};

#[cfg(test)]
mod matching_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
