//! What a suite is: the typed model, its reader and linter, the catalogue of all suites. Nothing here executes anything.
//!
//! Start reading at [`Suite`] (the model) and [`keys`] (what may be written in a file); [`read_suite`] turns one into the
//! other and reports every problem at once. [`Catalogue`] holds all suites and resolves what they say about each other.

mod catalogue;
pub mod codes;
mod deferred;
mod embedded;
mod expected;
mod family;
pub mod keys;
mod lint;
mod model;
mod reader;
pub mod reference;
pub mod schema;

pub use catalogue::{Catalogue, InstanceRef, MOST_KEPT, lint_files};
pub use deferred::{StoredFile, SuiteFile, Whole};
pub use embedded::{embedded, embedded_suites};
pub use family::*;
pub use model::*;
pub use reader::{read_family, read_suite};

#[cfg(test)]
mod tests;
