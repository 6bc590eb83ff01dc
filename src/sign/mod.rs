//! Keys, signatures and the envelope they are in: Ed25519 in PEM, SSH keys, and whatever an SSH agent holds.
//!
//! Start at [`Envelope`] (DSSE: what is signed and by whom), [`PrivateKey`] and [`Agent`] (who signs), [`TrustedKeys`]
//! (whom a reader trusts). A key is known by its SSH fingerprint, `SHA256:…`, whatever file it came from.
//!
//! | key | signature in the envelope |
//! | --- | --- |
//! | Ed25519, PKCS#8 PEM | 64 bytes over the pre-authentication encoding |
//! | SSH key, file or agent | the binary form of an SSH signature of the same bytes in the namespace [`NAMESPACE`] |
//!
//! This module knows no file format of bundles, reads no file and opens no socket. A private key is never printed: its
//! types have no text, and no error holds a byte of it.

mod agent;
mod envelope;
mod key;
mod public;
mod trust;

pub use agent::{Agent, AgentError, Offered};
pub use envelope::{Checked, Envelope, EnvelopeError, EnvelopeSignature};
pub use key::{KeyError, PrivateKey};
pub use public::{KeyId, PublicKey, PublicKeyError, VerifyError};
pub use trust::{TrustError, TrustedKey, TrustedKeys};

/// The namespace of SSH signatures: one made for another purpose does not count.
pub const NAMESPACE: &str = "assize-attestation";

/// Somebody who can sign.
pub trait Signer {
    /// The key that the signature will be checked with.
    fn public(&self) -> &PublicKey;

    /// Signs a message; the bytes that the envelope holds.
    ///
    /// # Errors
    /// When the key or the agent refuses.
    fn sign(&mut self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The agent.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The form of an SSH signature cannot be written, which is a defect.
    #[error("the signature cannot be written: {0}")]
    Form(String),
}

#[cfg(test)]
mod tests;
