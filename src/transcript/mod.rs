//! x
mod record;
pub use record::{FORMAT, Record};
