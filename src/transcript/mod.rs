//! Transcripts: what was sent and what came back, one JSON document a line.
//!
//! The [`Writer`] takes only redacted exchanges, by type. The [`Reader`] keeps an index of line positions, not the
//! lines, so its memory does not grow with the bodies. Neither knows what a case is; `engine` writes and `judge`
//! interprets. Start reading at [`Record`].

mod reader;
mod record;
mod writer;

pub use reader::{AttemptEvents, Content, ReadError, Reader};
pub use record::{FORMAT, Record};
pub use writer::{WriteError, Writer};

#[cfg(test)]
mod tests;
