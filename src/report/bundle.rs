//! A bundle: the folder of a run with a manifest that states the digest of every file.
//!
//! ```text
//! bundle.json        manifest
//! run.json           inputs of the run
//! suites/…           the suite files that were run
//! guideline.json     the guideline, when there is one
//! waivers.json       the waivers, when there are any
//! transcript.jsonl   every exchange, redacted
//! report.json        verdicts, scores, results
//! report.html junit.xml summary.md   the same for people and machines
//! shards/…           of a merged run, the bundles of its shards, in place of a transcript
//! journal.jsonl      undo journal: private to the run, not part of the evidence
//! cleanup/           what `assize cleanup` did: private too
//! attestations/      signed statements about the bundle: they name its digest, so the manifest cannot cover them
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::canon::{Digest, digest_bytes, digest_file};

use super::inputs::FORMAT;

/// File names inside a bundle.
pub mod names {
    /// Manifest.
    pub const MANIFEST: &str = "bundle.json";
    /// Inputs.
    pub const RUN: &str = "run.json";
    /// Report.
    pub const REPORT: &str = "report.json";
    /// Evidence.
    pub const TRANSCRIPT: &str = "transcript.jsonl";
    /// Guideline.
    pub const GUIDELINE: &str = "guideline.json";
    /// Waivers.
    pub const WAIVERS: &str = "waivers.json";
    /// Folder of suite files.
    pub const SUITES: &str = "suites";
    /// Folder of the bundles that a merged one was made from.
    pub const SHARDS: &str = "shards";
    /// Undo journal, not part of the evidence.
    pub const JOURNAL: &str = "journal.jsonl";
    /// Folder of clean-ups, not part of the evidence.
    pub const CLEANUP: &str = "cleanup/";
    /// Folder of signed statements, each named `<signer>.<kind>.json`. They are about the manifest and not in it.
    pub const ATTESTATIONS: &str = "attestations";
    /// JUnit.
    pub const JUNIT: &str = "junit.xml";
    /// HTML.
    pub const HTML: &str = "report.html";
    /// Markdown.
    pub const SUMMARY: &str = "summary.md";
}

/// `bundle.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Format version.
    pub format: u32,
    /// Every file of the bundle but this one and the journal.
    pub files: BTreeMap<String, FileEntry>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Digest of its bytes.
    #[schemars(with = "String")]
    pub digest: Digest,
    /// Its length; a string, since JSON numbers lose integers above 2^53.
    pub bytes: String,
}

/// What can be wrong with a bundle as a folder of files.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A file cannot be read or written.
    #[error("{path}: {source}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {message}", path = .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the remedy.
        message: String,
    },
}

impl BundleError {
    /// For `map_err` on file operations.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        |source| Self::Io { path, source }
    }

    /// A file with wrong content.
    pub fn invalid(path: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self::Invalid { path: path.into(), message: message.into() }
    }
}

/// Makes the manifest of a folder and writes it.
///
/// # Errors
/// When a file cannot be read or the manifest not written.
pub fn seal(folder: &Path) -> Result<Manifest, BundleError> {
    let mut files = BTreeMap::new();
    for name in list(folder)? {
        let path = folder.join(&name);
        let bytes = std::fs::metadata(&path).map_err(BundleError::io(&path))?.len().to_string();
        let digest = digest_file(&path).map_err(|e| BundleError::invalid(&path, e.to_string()))?;
        files.insert(name, FileEntry { digest, bytes });
    }
    let manifest = Manifest { format: FORMAT, files };
    let path = folder.join(names::MANIFEST);
    let mut text = serde_json::to_string_pretty(&manifest).map_err(|e| BundleError::invalid(&path, e.to_string()))?;
    text.push('\n');
    std::fs::write(&path, text).map_err(BundleError::io(&path))?;
    Ok(manifest)
}

/// The manifest of a folder, with the digest of its bytes.
///
/// # Errors
/// When it cannot be read or is newer than this tool.
pub fn manifest(folder: &Path) -> Result<(Manifest, Digest), BundleError> {
    let path = folder.join(names::MANIFEST);
    let text = std::fs::read_to_string(&path).map_err(BundleError::io(&path))?;
    Ok((read_document(&path, &text)?, digest_bytes(text.as_bytes())))
}

/// A file of a bundle, when it is the one that the manifest lists.
///
/// # Errors
/// When it cannot be read, is not listed, or was changed.
pub fn listed(folder: &Path, manifest: &Manifest, name: &str) -> Result<Vec<u8>, BundleError> {
    let path = folder.join(name);
    let bytes = std::fs::read(&path).map_err(BundleError::io(&path))?;
    unchanged(&path, manifest, name, digest_bytes(&bytes))?;
    Ok(bytes)
}

/// Makes sure that a file, given by its digest, is the one that the manifest lists.
///
/// # Errors
/// When it is not.
pub fn unchanged(path: &Path, manifest: &Manifest, name: &str, digest: Digest) -> Result<(), BundleError> {
    let message = match manifest.files.get(name) {
        Some(entry) if entry.digest == digest => return Ok(()),
        Some(entry) => {
            let stated = entry.digest;
            format!("its digest is {digest}, {} says {stated}; put the file back as it was", names::MANIFEST)
        }
        None => format!("{} does not list it; put the bundle back as it was", names::MANIFEST),
    };
    Err(BundleError::invalid(path, message))
}

/// Compares a folder with its manifest; every difference is one line. An empty list means that nothing was changed
/// since the bundle was sealed.
///
/// # Errors
/// When the manifest cannot be read or is newer than this tool, or something is not a regular file.
pub fn compare(folder: &Path) -> Result<Vec<String>, BundleError> {
    let mut differences = Vec::new();
    let present = list(folder)?;
    let (manifest, _) = manifest(folder)?;
    for name in &present {
        if !manifest.files.contains_key(name) {
            differences.push(format!("{name}: not in the manifest"));
        }
    }
    for (name, entry) in &manifest.files {
        if !present.contains(name) {
            differences.push(format!("{name}: missing"));
            continue;
        }
        let path = folder.join(name);
        let bytes = std::fs::metadata(&path).map_err(BundleError::io(&path))?.len().to_string();
        if bytes != entry.bytes {
            differences.push(format!("{name}: has {bytes} bytes, the manifest says {}", entry.bytes));
        }
        let digest = digest_file(&path).map_err(|e| BundleError::invalid(&path, e.to_string()))?;
        if digest != entry.digest {
            differences.push(format!("{name}: digest is {digest}, the manifest says {}", entry.digest));
        }
    }
    Ok(differences)
}

/// Relative names of all files that are handed on: evidence, manifest and signed statements, not what is private to the run.
///
/// # Errors
/// When something is not a regular file, or the folder cannot be listed.
pub fn published(folder: &Path) -> Result<Vec<String>, BundleError> {
    let mut names = list(folder)?;
    names.push(names::MANIFEST.to_owned());
    let path = folder.join(names::ATTESTATIONS);
    if path.is_dir() {
        for entry in std::fs::read_dir(&path).map_err(BundleError::io(&path))? {
            let name = format!(
                "{}/{}",
                names::ATTESTATIONS,
                entry.map_err(BundleError::io(&path))?.file_name().to_string_lossy()
            );
            if is_attestation(&name) {
                names.push(name);
            }
        }
    }
    names.sort();
    Ok(names)
}

/// Makes sure that everything in a folder is a regular file or a folder, before any of it is read: what may never end
/// must not be begun.
///
/// # Errors
/// When it is not, or cannot be listed.
pub fn all_regular(folder: &Path) -> Result<(), BundleError> {
    list(folder).map(|_| ())
}

/// Reads a JSON document of ours that carries a `format` number; refuses what is newer than this tool.
///
/// # Errors
/// When it is not JSON, not of that shape, or too new.
pub fn read_document<T: serde::de::DeserializeOwned>(path: &Path, text: &str) -> Result<T, BundleError> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let version: Version = serde_json::from_str(text)
        .map_err(|e| BundleError::invalid(path, format!("not a document of this tool: {e}")))?;
    if version.format > FORMAT {
        let found = version.format;
        let message = format!("format {found} is newer than this tool understands ({FORMAT}); use a newer assize");
        return Err(BundleError::invalid(path, message));
    }
    serde_json::from_str(text).map_err(|e| BundleError::invalid(path, format!("damaged document: {e}")))
}

/// Whether a file is a signed statement. Only names that are given to those are: nothing else hides in their folder.
fn is_attestation(name: &str) -> bool {
    let Some((names::ATTESTATIONS, file)) = name.split_once('/') else { return false };
    let Some(stem) = file.strip_suffix(".json") else { return false };
    !stem.is_empty()
        && stem.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte))
}

/// Relative names of all regular files that belong to the evidence, sorted.
pub(super) fn list(folder: &Path) -> Result<Vec<String>, BundleError> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(inner) = open.pop() {
        let path = folder.join(&inner);
        for entry in std::fs::read_dir(&path).map_err(BundleError::io(&path))? {
            let entry = entry.map_err(BundleError::io(&path))?;
            let relative = inner.join(entry.file_name());
            let kind = entry.file_type().map_err(BundleError::io(entry.path()))?;
            if kind.is_dir() {
                open.push(relative);
            } else if !kind.is_file() {
                // A link may lead anywhere, a pipe may never end.
                return Err(BundleError::invalid(entry.path(), "it is not a regular file, as all of a bundle must be"));
            } else {
                let name: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
                let name = name.join("/");
                let private = name == names::JOURNAL || name.starts_with(names::CLEANUP);
                if name != names::MANIFEST && !private && !is_attestation(&name) {
                    found.push(name);
                }
            }
        }
    }
    found.sort();
    Ok(found)
}
