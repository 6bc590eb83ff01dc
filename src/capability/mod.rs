//! The words that every part shares: ids of capabilities and tests, families, life cycle, outcomes and marks.
//!
//! Start at [`Outcome`]: everything else hangs on what may count as passed. This module deliberately knows no
//! guideline, no suite and no file; it holds values and their spelling only.

mod id;
mod outcome;
mod sentence;
mod upstream;

pub use id::{CapabilityId, IdError, TestId};
pub use outcome::{Family, LifeCycle, Marks, Outcome, UnknownWord};
pub use sentence::{sentence_key, unescape};
pub use upstream::{is_uuid, upstream_id};
