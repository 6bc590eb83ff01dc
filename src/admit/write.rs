//! Adding an admitted report to the ledger: files are added, none is edited.

use std::fs;
use std::path::{Path, PathBuf};

use super::{AdmitError, Decision, Submission};
use crate::ledger::LedgerError;
use crate::report::bundle;

/// Adds bundle, product record and admission record; gives what was added. The record of admission comes last, so that a
/// copy that was broken off is not taken for an admitted report.
///
/// # Errors
/// When the report is not admitted, or a file cannot be written.
pub fn write(submission: &Submission<'_>, decision: &Decision, record: &[u8]) -> Result<Vec<PathBuf>, AdmitError> {
    let (Some(identity), Some(admission)) = (&decision.identity, &decision.admission) else { return Ok(Vec::new()) };
    let place = submission.ledger.place(identity)?;
    let mut added = Vec::new();
    let product = place.product();
    match fs::read(&product) {
        Ok(bytes) if bytes == record => {}
        Ok(_) => {
            let why = "another record of this version is there; hand in that one, or remove it".to_owned();
            return Err(LedgerError::Place { path: product, why }.into());
        }
        Err(_) => {
            put(&product, record)?;
            added.push(product);
        }
    }
    let target = place.bundle();
    if !target.exists() {
        let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let partial = target.with_file_name(format!(".{name}.partial"));
        for file in bundle::published(submission.folder)? {
            copy(&submission.folder.join(&file), &partial.join(&file))?;
        }
        fs::rename(&partial, &target).map_err(failed(&target))?;
        added.push(target);
    }
    let text = serde_json::to_string_pretty(admission).unwrap_or_default() + "\n";
    put(&place.admission(), text.as_bytes())?;
    added.push(place.admission());
    Ok(added)
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> AdmitError + use<> {
    let path = path.display().to_string();
    move |source| AdmitError::Write { path, source }
}

fn copy(from: &Path, to: &Path) -> Result<(), AdmitError> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(failed(parent))?;
    }
    fs::copy(from, to).map(|_| ()).map_err(failed(to))
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), AdmitError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed(parent))?;
    }
    fs::write(path, bytes).map_err(failed(path))
}
