//! One request before the run: does anybody answer, and are the credentials accepted? Not part of the evidence.

use std::time::Duration;

use url::Url;

use crate::http::Failure;
use crate::target::{IdentityUse, MAIN, Target, TargetError};

use super::failure::classify;

/// Asks the target for a path as the identity `main`; gives the status of the answer.
///
/// # Errors
/// When the client cannot be built.
pub async fn preflight(target: &Target, path: &str) -> Result<Result<u16, Failure>, TargetError> {
    let address = format!("{}{path}", target.base());
    let url = Url::parse(&address).map_err(|error| TargetError::Url { url: address, why: error.to_string() })?;
    let mut request = target.client(&url, true)?.get(url.clone()).timeout(Duration::from_secs(20));
    if let IdentityUse::Known(Some(credential)) = target.credential(MAIN) {
        request = request.header(&credential.name, credential.value.expose());
    }
    // The body is not read: it may be endless.
    Ok(request.send().await.map(|response| response.status().as_u16()).map_err(classify))
}
