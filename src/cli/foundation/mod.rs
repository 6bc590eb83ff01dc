//! Commands of signing and of the foundation: `sign`, `facts`, `admit`, `challenge`, `ledger`, and what `verify --trust`
//! adds.

mod admit;
mod args;
mod challenge;
mod facts;
mod ledger;
mod sign;
mod trust;

pub use admit::admit;
pub use args::{AdmitArgs, ChallengeArgs, FactsArgs, LedgerArgs, SignArgs, TrustArgs};
pub use challenge::challenge;
pub use facts::facts;
pub use ledger::ledger;
pub use sign::sign;
pub use trust::{keys, known, shown, today};
