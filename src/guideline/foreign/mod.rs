//! Guidelines of other projects as they were published: OpenStack interop guidelines, schema 1.0 to 2.0, add-ons and verticals
//! included, and Kubernetes' list of conformance tests.
//!
//! Start at [`read`]. The documents have misspelt keys, keys of other versions and empty ids. What can be understood is
//! understood and reported as a warning; nothing is refused but a schema that is newer than all of them. What is
//! well-formed but wrong is not looked for here: that is the linter's work.
//!
//! | schema | shape | module |
//! | --- | --- | --- |
//! | 1.0 | capabilities with `core`, no components | `v1` |
//! | 1.2 | components; a capability lists its tests and its flagged tests by name | `v1` |
//! | 1.3 to 1.6 | tests with `idempotent_id`, `aliases`, `flagged` | `v1` |
//! | 2.0 | `metadata`, `platforms` or `add-ons`, components with their designated sections | `v2` |
//! | none | a list of entries with `codename` | `conformance` |

mod conformance;
mod parts;
mod renames;
mod v1;
mod v2;
mod walk;

use std::sync::Arc;

use crate::text::{Diagnostic, Diagnostics, SourceFile, did_you_mean, yaml::Node};

use super::model::Guideline;
use super::places::Places;
use walk::Walk;

pub use conformance::{Entry, PROGRAM, Release, entries};

/// Which shape a document has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Generation {
    /// 1.0.
    Core,
    /// 1.2.
    Lists,
    /// 1.3 to 1.6.
    Maps,
    /// 2.0.
    Grouped,
}

fn schema_of(root: &Node) -> Option<(&Node, &str)> {
    let node = root.get("schema").or_else(|| root.get("metadata")?.get("schema"))?;
    Some((node, node.as_str()?))
}

/// Whether a document is to be read here: it names a schema and does not claim to be ours.
pub(super) fn is_foreign(root: &Node) -> bool {
    if conformance::is_list(root) {
        return true;
    }
    let keys = root.get("metadata").and_then(Node::as_map).unwrap_or_default();
    let claims = did_you_mean("assize", keys.iter().map(|(key, _)| key.text.as_str())).is_some();
    let ours = keys.iter().any(|(key, _)| key.text == "assize") || claims;
    schema_of(root).is_some() && !ours && root.get("capabilities").is_some()
}

/// Whether a document is a guideline that this release reads, ours or foreign. It may still be wrong.
pub fn is_guideline(bytes: &[u8]) -> bool {
    let source = SourceFile::new("", String::from_utf8_lossy(bytes));
    let Ok(root) = crate::text::yaml::parse(&source) else {
        return false;
    };
    let ours = root.get("metadata").is_some_and(|metadata| metadata.get("assize").is_some());
    ours || conformance::is_list(&root) || (is_foreign(&root) && generation(&root).is_ok())
}

/// Reads a foreign guideline. All diagnostics are warnings, unless the schema is unknown.
pub(super) fn read(source: &Arc<SourceFile>, root: &Node) -> Result<(Guideline, Diagnostics), Diagnostics> {
    if conformance::is_list(root) {
        return Ok(conformance::read(source, root));
    }
    let generation = generation(root).map_err(|problem| Diagnostics::from(problem.source(source)))?;
    let mut walk = Walk::new(source);
    walk.demand_json();
    let mut guideline = match generation {
        Generation::Grouped => v2::document(&mut walk, root),
        _ => v1::document(&mut walk, root, generation),
    };
    guideline.places = Places::new(source);
    Ok((guideline, walk.found))
}

fn generation(root: &Node) -> Result<Generation, Diagnostic> {
    let (node, schema) = schema_of(root).unwrap_or((root, ""));
    match schema {
        "1.0" => Ok(Generation::Core),
        "1.1" | "1.2" => Ok(Generation::Lists),
        "1.3" | "1.4" | "1.5" | "1.6" => Ok(Generation::Maps),
        "2.0" if root.get("metadata").is_some() => Ok(Generation::Grouped),
        _ => Err(Diagnostic::error("G002", format!("schema `{schema}` is not one of 1.0, 1.2 to 1.6, 2.0"))
            .label(node.span, "")
            .help("a guideline of ours has `metadata.assize.format`; a newer interop schema needs a newer assize")),
    }
}

#[cfg(test)]
mod tests;
