//! Commands of signing and of the foundation: `sign`, `facts`, `admit`, `challenge`, and what `verify --trust` adds.

mod args;
mod facts;
mod sign;
mod trust;

pub use args::{AsRole, FactsArgs, SignArgs, TrustArgs};
pub use facts::facts;
pub use sign::sign;
pub use trust::{keys, known, shown, today};
