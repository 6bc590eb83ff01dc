//! DSSE envelopes: a payload, its type, and signatures over both.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SignError, Signer, TrustedKey, TrustedKeys, VerifyError};

/// A signed payload. The bytes of the payload are what is signed; nothing is put in a canonical form first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Envelope {
    /// The payload in Base64.
    pub payload: String,
    /// What the payload is.
    pub payload_type: String,
    /// Who signed it.
    pub signatures: Vec<EnvelopeSignature>,
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvelopeSignature {
    /// SSH fingerprint of the key.
    pub keyid: String,
    /// The signature in Base64.
    pub sig: String,
}

/// Why an envelope proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The text is no envelope.
    #[error("it is no DSSE envelope: {0}")]
    Form(String),
    /// The payload is of another type.
    #[error("the payload is of type `{0}`")]
    Type(String),
    /// Nobody signed.
    #[error("it is not signed")]
    Unsigned,
    /// The key is not among those that are trusted.
    #[error("the key {0} is not among the trusted keys")]
    Unknown(String),
    /// The signature does not fit.
    #[error("the signature of {name} ({key}) does not hold: {why}")]
    Forged {
        /// Whose it claims to be.
        name: String,
        /// The key.
        key: String,
        /// What is wrong.
        why: VerifyError,
    },
    /// The key is trusted for other purposes only.
    #[error("{name} ({key}) is not trusted for the namespace `{namespace}`", namespace = super::NAMESPACE)]
    Purpose {
        /// Whose key.
        name: String,
        /// The key.
        key: String,
    },
}

/// An envelope whose signatures hold.
#[derive(Debug)]
pub struct Checked<'k> {
    /// The payload.
    pub payload: Vec<u8>,
    /// Who signed, in the order of the signatures.
    pub signers: Vec<&'k TrustedKey>,
}

impl Envelope {
    /// Signs a payload.
    ///
    /// # Errors
    /// When the signer refuses.
    pub fn sign(payload_type: &str, payload: &[u8], signer: &mut dyn Signer) -> Result<Self, SignError> {
        let sig = signer.sign(&encoded(payload_type, payload))?;
        let keyid = signer.public().id().to_string();
        Ok(Self {
            payload: BASE64_STANDARD.encode(payload),
            payload_type: payload_type.to_owned(),
            signatures: vec![EnvelopeSignature { keyid, sig: BASE64_STANDARD.encode(sig) }],
        })
    }

    /// Reads an envelope.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        serde_json::from_slice(bytes).map_err(|error| EnvelopeError::Form(error.to_string()))
    }

    /// The payload, not checked in any way.
    ///
    /// # Errors
    /// When it is not Base64.
    pub fn payload(&self) -> Result<Vec<u8>, EnvelopeError> {
        BASE64_STANDARD.decode(&self.payload).map_err(|error| EnvelopeError::Form(format!("payload: {error}")))
    }

    /// Checks every signature. One that does not hold, or of a stranger, spoils the envelope: a reader must not have to
    /// find out which of several signatures counted.
    ///
    /// # Errors
    /// When there is none, or one does not hold.
    pub fn check<'k>(&self, payload_type: &str, keys: &'k TrustedKeys) -> Result<Checked<'k>, EnvelopeError> {
        if self.payload_type != payload_type {
            return Err(EnvelopeError::Type(self.payload_type.clone()));
        }
        let payload = self.payload()?;
        if self.signatures.is_empty() {
            return Err(EnvelopeError::Unsigned);
        }
        let message = encoded(payload_type, &payload);
        let mut signers = Vec::new();
        for signature in &self.signatures {
            let Some(trusted) = keys.find(&signature.keyid) else {
                return Err(EnvelopeError::Unknown(signature.keyid.clone()));
            };
            let (name, key) = (trusted.name.clone(), signature.keyid.clone());
            if !trusted.may_attest {
                return Err(EnvelopeError::Purpose { name, key });
            }
            let sig = BASE64_STANDARD.decode(&signature.sig);
            let sig = sig.map_err(|error| EnvelopeError::Form(format!("signature: {error}")))?;
            trusted.key.verify(&message, &sig).map_err(|why| EnvelopeError::Forged { name, key, why })?;
            signers.push(trusted);
        }
        Ok(Checked { payload, signers })
    }
}

/// The pre-authentication encoding of DSSE 1.0: what is signed.
fn encoded(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}
