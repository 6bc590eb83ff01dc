//! Text as people write and read it: source files with spans, diagnostics, words for humans, YAML with spans.
//!
//! Everything that points into a file is a [`Diagnostic`]; readers collect them in [`Diagnostics`] and report all
//! problems at once. This module deliberately opens no file and prints nothing: callers hand in the text and decide
//! where the rendered form goes.

mod codes;
mod diagnostic;
mod source;
mod words;
pub mod yaml;

pub use codes::Code;
pub(crate) use codes::codes;
pub use diagnostic::{Diagnostic, Diagnostics, Label, Severity};
pub use source::{SourceFile, Span};
pub use words::{
    did_you_mean, format_duration, format_size, html_safe, is_html, one_line, parse_duration, parse_size, plural,
    xml_safe,
};
