//! The ledger: admitted reports and what belongs to them, as files in git.
//!
//! ```text
//! rules.yaml                         what is admitted                    assize-rules/1
//! foundation.keys                    keys of the foundation              lines of OpenSSH, PEM
//! vendors/<vendor>.keys              keys of a vendor                    lines of OpenSSH, PEM
//! challenges/<nonce>.yaml            who may submit a run with this seed assize-challenge/1
//! waivers/<vendor>/<name>.yaml       exceptions that were granted        assize-waivers/1
//! revocations/<name>.yaml            what no longer counts               assize-revocation/1
//! worksheets/<name>.txt              score sheets, for the site          as `guideline worksheet` reads them
//! <family>/<guideline>/<vendor>/<product>/
//!     <version>/                     the bundle, with attestations/
//!     <version>.product.yaml         product record and claim            assize-product/1
//!     <version>.admission.json       what was found at admission         assize-admission/1
//!     <version>.triage/<name>.yaml   remarks on cases that do not pass   assize-triage/1
//! ```
//!
//! Start at [`Ledger`]. To add a report, a vendor, a waiver, a remark or a revocation is to add files; nothing that is
//! there is edited, so two additions never conflict. A walk reads names only, and of a report no more than what is asked
//! for: [`Entry::admission`] is a page, [`Entry::bundle`] only a path.
//!
//! This module judges nothing: whether a report may come in is decided elsewhere. Nothing here changes a verdict.

mod admission;
mod challenge;
mod document;
mod layout;
mod product;
mod revocation;
mod rules;
mod triage;

pub use admission::{Admission, AdmittedProgram, Identity, RunFacts, SignedBy};
pub use challenge::Challenge;
pub use document::{Document, read, schema};
pub use layout::{Entry, Ledger, LedgerError, Place, is_slug};
pub use product::{Product, ProductInfo, ProductKind, VendorInfo};
pub use revocation::{Revocation, Revocations, Revoked};
pub use rules::{Demand, GuidelineWindow, Rules};
pub use triage::{Triage, TriageKind};

#[cfg(test)]
mod tests;
