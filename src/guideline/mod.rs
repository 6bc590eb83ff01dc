//! Versioned guidelines: programs → components → capabilities → tests, in the shape of the OpenStack interop schema 2.0,
//! for every family.
//!
//! Start at [`Guideline`]; [`Guideline::read`] reads our own files and OpenStack interop guidelines, [`lint`] and
//! [`lint_together`] find what is well-formed but wrong, [`worksheet`] computes score sheets, [`test_list`] lists tests,
//! [`schema()`] is the JSON Schema for editors, [`waivers`] the files of exceptions. This module deliberately scores no
//! results and knows no suite: the linter is told which tests exist.
//!
//! # Our keys beside those of schema 2.0
//!
//! | key | meaning |
//! | --- | --- |
//! | `metadata.assize.format` | `assize-guideline/1`; a newer number is refused |
//! | `metadata.assize.family` | which kind of API, as in [`Family`](crate::capability::Family) |
//! | `metadata.assize.min_tool` | oldest release of this tool that scores the file rightly |
//! | `metadata.approval` | as `os_trademark_approval`, for families without that trademark |
//! | `metadata.assize.derived` | parent (`family/version`), its digest, and each difference with reason and owner |
//! | `metadata.approval.content` | digest of what was approved |
//! | `components.*.description` | plain words |
//! | `capabilities.*.name`, `.spec` | short title; list of `document: section` |
//! | `capabilities.*.weight` | whole number from 1; default: sum of the weights of its criteria or achievements, else 1 |
//! | `capabilities.*.criteria` | the worksheet: 1, 0 or `"?"` for each criterion, or `{score, note}` |
//! | `capabilities.*.total` | sum of the weights of the criteria met |
//! | `capabilities.*.note` | a remark, such as why it was dropped |
//! | `capabilities.*.inferred` | what is not certain, and what it was inferred from |
//! | `metadata.assize.accept`, `capabilities.*.accept` | codes of the linter that stay, with the reason |
//! | `capabilities.*.attempts` | `any` (default): a pass on a retry counts and is marked; `first`: it does not |
//! | `capabilities.*.tests.*.flagged.owner` | who answers for the flag |
//!
//! There is no key that lets a gap count as passed: a required capability that a target lacks is not met.

pub mod codes;
pub mod composite;
mod difference;
mod fields;
mod foreign;
mod lint;
mod model;
mod places;
mod read;
mod schema;
mod test_list;
pub mod waivers;
pub mod worksheet;

pub use difference::{Difference, Part, content_digest, differences};
pub use foreign::{
    Entry as ConformanceEntry, PROGRAM as CONFORMANCE_PROGRAM, Release, entries as conformance_entries, is_guideline,
};
pub use lint::{lint, lint_change, lint_derived, lint_together};
pub use model::{
    Approval, ApprovalStatus, Attempts, Capability, ChangeKind, Component, ComponentRef, Criterion, Derived,
    DerivedChange, DesignatedSection, Flag, Guideline, GuidelineId, Judgement, Metadata, Origin, Program, Scoring,
    Section, Test, TestRepository,
};
pub use places::Places;
pub use read::FORMAT;
pub use schema::schema;
pub use test_list::{TestListOptions, test_list};
pub use waivers::{Waiver, WaiverScope, Waivers};

#[cfg(test)]
mod tests;
