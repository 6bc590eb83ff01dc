//! Public keys and the check of a signature.

use std::fmt;

use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use rustls::pki_types::pem::{self, SectionKind};
use ssh_key::public::{EcdsaPublicKey, Ed25519PublicKey, KeyData};
use ssh_key::{Algorithm, HashAlg, Mpint, SshSig};

use super::NAMESPACE;

/// What stands before the 32 bytes of an Ed25519 key in a `SubjectPublicKeyInfo` (RFC 8410 §10.1).
const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// How the binary form of an SSH signature begins.
const SSHSIG: &[u8] = b"SSHSIG";

/// The SSH fingerprint of a key: `SHA256:` and 43 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    /// The fingerprint as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A public key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(KeyData);

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id())
    }
}

/// Why a text is no public key that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// Not an OpenSSH public key.
    #[error("not an OpenSSH public key: {0}")]
    Ssh(String),
    /// Not a PEM file with a public key.
    #[error("not a PEM public key: {0}")]
    Pem(String),
    /// A key of an algorithm that this release does not verify.
    #[error("keys of type {0} are not supported; use ssh-ed25519, ecdsa-sha2-nistp256, ecdsa-sha2-nistp384 or ssh-rsa")]
    Algorithm(String),
}

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The signature is not one of this key and these bytes.
    #[error("the signature is not one of this key over these bytes")]
    Wrong,
    /// The form of the signature.
    #[error("the signature is damaged: {0}")]
    Damaged(String),
    /// An SSH signature for another purpose.
    #[error("the signature was made for the namespace `{0}`, not `{NAMESPACE}`")]
    Namespace(String),
    /// An SSH signature by another key than the one asked about.
    #[error("the signature was made by the key {0}")]
    OtherKey(KeyId),
}

impl PublicKey {
    /// An Ed25519 key from its 32 bytes.
    #[must_use]
    pub fn ed25519(bytes: [u8; 32]) -> Self {
        Self(KeyData::Ed25519(Ed25519PublicKey(bytes)))
    }

    pub(super) fn of_data(data: KeyData) -> Result<Self, PublicKeyError> {
        match &data {
            KeyData::Ed25519(_) | KeyData::Rsa(_) => Ok(Self(data)),
            KeyData::Ecdsa(EcdsaPublicKey::NistP256(_) | EcdsaPublicKey::NistP384(_)) => Ok(Self(data)),
            other => Err(PublicKeyError::Algorithm(other.algorithm().to_string())),
        }
    }

    pub(super) fn data(&self) -> &KeyData {
        &self.0
    }

    /// Reads `TYPE BASE64`, as it stands in a `.pub` file, without what is around it.
    ///
    /// # Errors
    /// When it is not such a key, or of a type that is not supported.
    pub fn from_openssh(text: &str) -> Result<Self, PublicKeyError> {
        let key = ssh_key::PublicKey::from_openssh(text).map_err(|error| PublicKeyError::Ssh(error.to_string()))?;
        Self::of_data(key.key_data().clone())
    }

    /// Reads one `PUBLIC KEY` section of PEM.
    ///
    /// # Errors
    /// When there is none, or it holds no Ed25519 key.
    pub fn from_pem(text: &str) -> Result<Self, PublicKeyError> {
        let wrong = |why: &str| PublicKeyError::Pem(why.to_owned());
        let section = pem::from_buf(&mut text.as_bytes()).map_err(|error| PublicKeyError::Pem(error.to_string()))?;
        let Some((SectionKind::PublicKey, der)) = section else { return Err(wrong("there is no PUBLIC KEY section")) };
        let bytes = der.strip_prefix(&ED25519_SPKI).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes
            .map(Self::ed25519)
            .ok_or_else(|| wrong("only Ed25519 keys are read from PEM; give others in OpenSSH form"))
    }

    /// The SSH fingerprint.
    #[must_use]
    pub fn id(&self) -> KeyId {
        KeyId(self.0.fingerprint(HashAlg::Sha256).to_string())
    }

    /// `ssh-ed25519`, `ssh-rsa`, …
    #[must_use]
    pub fn algorithm(&self) -> String {
        self.0.algorithm().to_string()
    }

    /// `TYPE BASE64`.
    #[must_use]
    pub fn to_openssh(&self) -> String {
        ssh_key::PublicKey::new(self.0.clone(), "").to_openssh().unwrap_or_default().trim_end().to_owned()
    }

    /// The key in the binary form of the SSH protocol.
    #[must_use]
    pub fn to_wire(&self) -> Vec<u8> {
        ssh_key::PublicKey::new(self.0.clone(), "").to_bytes().unwrap_or_default()
    }

    /// Checks a signature as an envelope holds it: an SSH signature in its binary form, or 64 bytes of Ed25519.
    ///
    /// # Errors
    /// When it is not one of this key over this message, for our namespace.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), VerifyError> {
        if signature.starts_with(SSHSIG) {
            return self.verify_ssh(message, signature);
        }
        let KeyData::Ed25519(key) = &self.0 else {
            return Err(VerifyError::Damaged("a key of this type signs in the SSH form only".to_owned()));
        };
        check(&signature::ED25519, &key.0, message, signature)
    }

    fn verify_ssh(&self, message: &[u8], signature: &[u8]) -> Result<(), VerifyError> {
        let damaged = |error: ssh_key::Error| VerifyError::Damaged(error.to_string());
        let signature = decode(signature).map_err(damaged)?;
        if signature.namespace() != NAMESPACE {
            return Err(VerifyError::Namespace(signature.namespace().to_owned()));
        }
        if signature.public_key() != &self.0 {
            let id = signature.public_key().fingerprint(HashAlg::Sha256).to_string();
            return Err(VerifyError::OtherKey(KeyId(id)));
        }
        let signed = SshSig::signed_data(NAMESPACE, signature.hash_alg(), message).map_err(damaged)?;
        let bytes = signature.signature_bytes();
        match (&self.0, signature.signature().algorithm()) {
            (KeyData::Ed25519(key), Algorithm::Ed25519) => check(&signature::ED25519, &key.0, &signed, bytes),
            (KeyData::Ecdsa(key), Algorithm::Ecdsa { curve }) if key.curve() == curve => {
                let (algorithm, size): (&'static dyn VerificationAlgorithm, usize) = match key {
                    EcdsaPublicKey::NistP256(_) => (&signature::ECDSA_P256_SHA256_FIXED, 32),
                    EcdsaPublicKey::NistP384(_) => (&signature::ECDSA_P384_SHA384_FIXED, 48),
                    EcdsaPublicKey::NistP521(_) => return Err(VerifyError::Wrong),
                };
                let bytes = fixed(bytes, size).ok_or(VerifyError::Wrong)?;
                check(algorithm, key.as_sec1_bytes(), &signed, &bytes)
            }
            (KeyData::Rsa(key), Algorithm::Rsa { hash: Some(hash) }) => {
                let algorithm = match hash {
                    HashAlg::Sha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                    _ => &signature::RSA_PKCS1_2048_8192_SHA512,
                };
                let (Some(n), Some(e)) = (key.n.as_positive_bytes(), key.e.as_positive_bytes()) else {
                    return Err(VerifyError::Wrong);
                };
                let key = signature::RsaPublicKeyComponents { n, e };
                key.verify(algorithm, &signed, bytes).map_err(|_| VerifyError::Wrong)
            }
            _ => Err(VerifyError::Wrong),
        }
    }
}

fn check(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), VerifyError> {
    UnparsedPublicKey::new(algorithm, key).verify(message, signature).map_err(|_| VerifyError::Wrong)
}

fn decode(bytes: &[u8]) -> Result<SshSig, ssh_key::Error> {
    use ssh_encoding::{Decode as _, Reader as _};
    let mut reader = bytes;
    let signature = SshSig::decode(&mut reader)?;
    Ok(reader.finish(signature)?)
}

/// The two numbers of an ECDSA signature, each in `size` bytes.
fn fixed(mut bytes: &[u8], size: usize) -> Option<Vec<u8>> {
    use ssh_encoding::Decode as _;
    let mut out = Vec::with_capacity(size * 2);
    for _ in 0..2 {
        let number = Mpint::decode(&mut bytes).ok()?;
        let digits = number.as_positive_bytes()?;
        out.resize(out.len() + size.checked_sub(digits.len())?, 0);
        out.extend_from_slice(digits);
    }
    bytes.is_empty().then_some(out)
}
