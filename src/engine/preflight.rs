//! One request before the run: does anybody answer, and are the credentials accepted? Not part of the evidence.

use std::time::Duration;

use url::Url;

use crate::http::Failure;
use crate::target::{IdentityUse, MAIN, Proof, Target, TargetError};

use super::failure::classify;

/// Asks the target for a path as the identity `main`; gives the status of the answer.
///
/// # Errors
/// When the client cannot be built.
pub async fn preflight(target: &Target, path: &str) -> Result<Result<u16, Failure>, TargetError> {
    let address = format!("{}{path}", target.base());
    let url = Url::parse(&address).map_err(|error| TargetError::Url { url: address, why: error.to_string() })?;
    let (proof, anonymous) = match target.credential(MAIN) {
        IdentityUse::Known(proof) => (proof, false),
        _ => (Proof::default(), true),
    };
    let client = target.client(&url, proof.certificate.as_ref(), anonymous)?;
    let mut request = match target.on_wire(&url) {
        Some((wire, host)) => client.get(wire).header(reqwest::header::HOST, host),
        None => client.get(url),
    };
    request = request.timeout(Duration::from_secs(20));
    for (name, value) in &proof.headers {
        request = request.header(name, value);
    }
    if let Some(credential) = &proof.credential {
        request = request.header(&credential.name, credential.value.expose());
    }
    // The body is not read: it may be endless.
    Ok(request.send().await.map(|response| response.status().as_u16()).map_err(classify))
}
