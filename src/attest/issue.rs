//! Making statements and having them signed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::statement::{Role, Terms, statements};
use super::{Examined, PAYLOAD_TYPE};
use crate::canon::Digest;
use crate::sign::{Envelope, SignError, Signer};

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The evidence does not support the report.
    #[error("the evidence does not support the report, so nothing is signed: {0}")]
    Unsupported(String),
    /// The signature would be older than the run.
    #[error("the run ended at {0}, after the time of the signature")]
    TooEarly(String),
    /// The signer.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A statement cannot be written, which is a defect.
    #[error("the statement cannot be written: {0}")]
    Form(String),
}

/// A signed statement, ready to be written.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Name of the file in `attestations/`.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// Signs the statements of a role about a bundle. `seen` are the statements that lie there already.
///
/// # Errors
/// When the bundle does not verify, or the signer refuses.
pub fn issue(
    bundle: &Examined,
    role: Role,
    signed: Timestamp,
    valid_until: Date,
    seen: BTreeMap<String, Digest>,
    signer: &mut dyn Signer,
) -> Result<Vec<Issued>, IssueError> {
    if let Some(first) = bundle.findings.files.iter().chain(&bundle.findings.evidence).next() {
        return Err(IssueError::Unsupported(first.clone()));
    }
    if let Some(end) = bundle.inputs.finished_at_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok())
        && signed < end
    {
        return Err(IssueError::TooEarly(end.to_string()));
    }
    let terms = Terms { role, signed, valid_until, seen };
    let who = file_stem(role, signer);
    let mut issued = Vec::new();
    for (kind, statement) in statements(bundle, &terms) {
        let form = |error: serde_json::Error| IssueError::Form(error.to_string());
        let payload = serde_json::to_vec(&statement).map_err(form)?;
        let envelope = Envelope::sign(PAYLOAD_TYPE, &payload, signer)?;
        let text = serde_json::to_string_pretty(&envelope).map_err(form)? + "\n";
        issued.push(Issued { file: format!("{who}.{kind}.json"), text });
    }
    Ok(issued)
}

/// `vendor-` and the first 16 digits of the digest of the key: one signer, one name.
fn file_stem(role: Role, signer: &dyn Signer) -> String {
    let digest = crate::canon::digest_bytes(&signer.public().to_wire()).hex();
    format!("{}-{}", role.as_str(), digest.get(..16).unwrap_or(&digest))
}
