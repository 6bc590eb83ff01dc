//! Assize: a harness that runs capability-tagged cases against any infrastructure endpoint and scores the results
//! against versioned interop guidelines. A verdict is a pure function of (suite, transcript).
//!
//! Start reading at [`suite`] (what a case is), [`judge`] (how it is judged) and [`engine`] (how it is run);
//! `ARCHITECTURE.md` holds the map of modules and the invariants.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![warn(clippy::unwrap_used, clippy::expect_used)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

// Layer 0
pub mod canon;
pub mod secret;
pub mod spread;
pub mod text;
// Layer 1
pub mod capability;
pub mod expr;
pub mod http;
pub mod sign;
// Layer 2
pub mod guideline;
pub mod results;
pub mod suite;
pub mod transcript;
// Layer 3
pub mod judge;
pub mod score;
pub mod submission;
pub mod target;
// Layer 4
pub mod compare;
pub mod engine;
pub mod ledger;
pub mod report;
// Layer 5
pub mod attest;
pub mod demo;
pub mod harness;
pub mod site;
// Layer 6
pub mod admit;
pub mod serve;
// Layer 7
pub mod cli;
