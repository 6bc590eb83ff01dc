//! What can be said of a bundle and signed: who tested what, with which suites, and what followed from it.
//!
//! Start at [`Examined`]: a bundle judged again, with everything that a signature or an admission speaks about.
//! [`issue()`] makes the statements and has them signed, [`check()`] holds signed statements against the evidence. Nothing
//! that a statement says is believed: all of it is computed again and compared.
//!
//! The files lie in `attestations/` of the bundle, one for each statement and key. The manifest does not cover them, so
//! that signing changes no digest and many can sign.
//!
//! The target has no digest of its own. [`Fingerprint`] stands for it: a function of the evidence alone, made of the
//! address, the certificates and what the endpoint says of itself.

mod check;
mod codes;
mod examine;
mod facts;
mod fingerprint;
mod issue;
mod known;
mod statement;

pub use check::{Attested, Verified, check, seen};
pub use codes::{CODES, Problem, rule};
pub use examine::{Examined, Freshness};
pub use facts::{Fact, facts_of};
pub use fingerprint::Fingerprint;
pub use issue::{IssueError, Issued, issue};
pub use known::Known;
pub use statement::{Conformance, Role, Statement, conformance_schema};

/// Media type of the payload of an envelope.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
