//! Documents in and out: the bundle, `report.json`, JUnit, HTML, the job summary; and the verifier that makes them again
//! from the evidence.
//!
//! Start reading at [`assemble`] (from results to a report) and [`rejudge`] (from a bundle to results). Nothing here
//! talks to a target.

pub mod assemble;
pub mod audit;
pub mod bundle;
pub mod document;
mod falsify;
pub mod github;
pub mod html;
pub mod inputs;
pub mod junit;
pub mod merge;
pub mod rejudge;
pub mod retrial;
