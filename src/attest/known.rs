//! Suites and guidelines that a reader knows by their own copy: of a release, or of a folder.

use std::collections::BTreeMap;

use crate::canon::{Digest, digest_bytes, digest_json};
use crate::report::inputs::RunInputs;

/// What is known.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Digest of each suite file, by its name below `suites/`.
    suites: BTreeMap<String, String>,
    /// Digest of each guideline, by `family/version`.
    guidelines: BTreeMap<String, Digest>,
    /// Digests of further sets of suites.
    sets: Vec<String>,
    /// Digests of further documents under the id of a guideline.
    documents: Vec<(String, String)>,
}

impl Known {
    /// Takes files by their names: `suites/<family>/<name>.yaml` and `capabilities/<family>/<version>.json`.
    pub fn of_files<'f>(files: impl IntoIterator<Item = (&'f str, &'f [u8])>) -> Self {
        let mut known = Self::default();
        for (name, bytes) in files {
            if let Some(name) = name.strip_prefix("suites/") {
                known.suites.insert(name.to_owned(), digest_bytes(bytes).to_string());
            } else if let Some(id) = name.strip_prefix("capabilities/").and_then(|name| name.strip_suffix(".json")) {
                known.guidelines.insert(id.to_owned(), digest_bytes(bytes));
            }
        }
        known
    }

    /// Accepts further sets of suites, by their digests.
    #[must_use]
    pub fn with_sets(mut self, sets: impl IntoIterator<Item = String>) -> Self {
        self.sets.extend(sets);
        self
    }

    /// Accepts further documents, by id of the guideline and digest.
    #[must_use]
    pub fn with_guidelines(mut self, documents: impl IntoIterator<Item = (String, String)>) -> Self {
        self.documents.extend(documents);
        self
    }

    /// The digest of the guideline with that id.
    #[must_use]
    pub fn guideline(&self, id: &str) -> Option<Digest> {
        self.guidelines.get(id).copied()
    }

    /// Whether a document is known under the id of a guideline.
    #[must_use]
    pub fn has_guideline(&self, id: &str, digest: Digest) -> bool {
        let text = digest.to_string();
        self.guideline(id) == Some(digest) || self.documents.iter().any(|(own, known)| own == id && *known == text)
    }

    /// How the suites of a run depart from those known; `None` when they do not.
    #[must_use]
    pub fn departure(&self, inputs: &RunInputs) -> Option<String> {
        if self.sets.contains(&set_digest(inputs).to_string()) {
            return None;
        }
        let of_family = |name: &&String| name.split('/').next() == Some(inputs.family.as_str());
        let changed = inputs.suites.iter().filter(|(name, digest)| self.suites.get(*name) != Some(digest));
        let changed: Vec<&str> = changed.map(|(name, _)| name.as_str()).collect();
        let absent = self.suites.keys().filter(of_family).filter(|name| !inputs.suites.contains_key(*name)).count();
        if changed.is_empty() && absent == 0 {
            return None;
        }
        let mut text = format!("{} of {} files are others", changed.len(), inputs.suites.len());
        if let Some(first) = changed.first() {
            text.push_str(&format!(", such as {first}"));
        }
        if absent > 0 {
            text.push_str(&format!("; {absent} are missing"));
        }
        Some(text)
    }
}

/// The digest of a set of suites: of the canonical JSON of `{name: digest}`.
#[must_use]
pub fn set_digest(inputs: &RunInputs) -> Digest {
    // Texts only: there is always a canonical form.
    digest_json(&inputs.suites).unwrap_or_else(|_| digest_bytes(b""))
}
