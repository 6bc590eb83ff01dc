//! Private keys from files.

use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls::pki_types::pem::{self, SectionKind};
use ssh_key::private::KeypairData;
use ssh_key::{Algorithm, HashAlg, Signature, SshSig};

use super::{NAMESPACE, PublicKey, SignError, Signer};
use crate::secret::Secret;

/// A private Ed25519 key. It has no text and no `Debug`.
pub struct PrivateKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
    /// Signs in the form of SSH, as the file is one of SSH.
    ssh: bool,
}

/// Why a file holds no private key that can be used. No variant holds any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Protected by a passphrase.
    #[error("the key is protected by a passphrase, which is not asked for")]
    Encrypted,
    /// A public key.
    #[error("it is a public key; signing needs the private one")]
    Public,
    /// Another algorithm.
    #[error("a key of type {0} cannot be used from a file, only Ed25519 can")]
    Algorithm(String),
    /// No key at all.
    #[error("it holds no private key: neither PKCS#8 in PEM nor an OpenSSH private key")]
    Unknown,
    /// A key that is damaged.
    #[error("the private key is damaged")]
    Damaged,
}

impl KeyError {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Encrypted | Self::Algorithm(_) => {
                "add it to an agent with `ssh-add FILE`, then sign with `--agent` and the public key: --key FILE.pub"
            }
            Self::Public => "give the file without `.pub`; with `--agent` the public key is the right one",
            Self::Unknown | Self::Damaged => {
                "make one with `ssh-keygen -t ed25519 -f FILE` or `openssl genpkey -algorithm ed25519 -out FILE`"
            }
        }
    }
}

impl PrivateKey {
    /// Reads an Ed25519 key: PKCS#8 in PEM, or an OpenSSH private key without passphrase.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(text: &Secret) -> Result<Self, KeyError> {
        let text = text.expose();
        if text.contains("BEGIN OPENSSH PRIVATE KEY") {
            return Self::openssh(text);
        }
        if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(KeyError::Encrypted);
        }
        match pem::from_buf(&mut text.as_bytes()) {
            Ok(Some((SectionKind::PrivateKey, der))) => Self::pkcs8(&der),
            Ok(Some((SectionKind::RsaPrivateKey, _))) => Err(KeyError::Algorithm("ssh-rsa".to_owned())),
            Ok(Some((SectionKind::EcPrivateKey, _))) => Err(KeyError::Algorithm("ecdsa".to_owned())),
            Ok(Some((SectionKind::PublicKey, _))) => Err(KeyError::Public),
            _ if text.starts_with("ssh-") || text.starts_with("ecdsa-") => Err(KeyError::Public),
            Err(_) => Err(KeyError::Damaged),
            Ok(_) => Err(KeyError::Unknown),
        }
    }

    fn pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        // The object identifier of Ed25519; without it the key is of another kind.
        if !der.windows(3).any(|bytes| bytes == [0x2b, 0x65, 0x70]) {
            return Err(KeyError::Algorithm("other than Ed25519".to_owned()));
        }
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| KeyError::Damaged)?;
        Self::of(pair, false)
    }

    fn openssh(text: &str) -> Result<Self, KeyError> {
        let key = ssh_key::PrivateKey::from_openssh(text).map_err(|_| KeyError::Damaged)?;
        match key.key_data() {
            KeypairData::Ed25519(pair) => {
                let own = Ed25519KeyPair::from_seed_and_public_key(pair.private.as_ref(), &pair.public.0);
                Self::of(own.map_err(|_| KeyError::Damaged)?, true)
            }
            _ if key.is_encrypted() => Err(KeyError::Encrypted),
            _ => Err(KeyError::Algorithm(key.algorithm().to_string())),
        }
    }

    fn of(pair: Ed25519KeyPair, ssh: bool) -> Result<Self, KeyError> {
        let bytes = <[u8; 32]>::try_from(pair.public_key().as_ref()).map_err(|_| KeyError::Damaged)?;
        Ok(Self { pair, public: PublicKey::ed25519(bytes), ssh })
    }
}

impl Signer for PrivateKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&mut self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        if !self.ssh {
            return Ok(self.pair.sign(message).as_ref().to_vec());
        }
        let form = |error: ssh_key::Error| SignError::Form(error.to_string());
        let signed = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, message).map_err(form)?;
        let signature = Signature::new(Algorithm::Ed25519, self.pair.sign(&signed).as_ref()).map_err(form)?;
        enveloped(&self.public, signature)
    }
}

/// The binary form of an SSH signature.
pub(super) fn enveloped(key: &PublicKey, signature: Signature) -> Result<Vec<u8>, SignError> {
    use ssh_encoding::Encode as _;
    let form = |error: ssh_key::Error| SignError::Form(error.to_string());
    let whole = SshSig::new(key.data().clone(), NAMESPACE, HashAlg::Sha512, signature).map_err(form)?;
    let mut bytes = Vec::new();
    whole.encode(&mut bytes).map_err(|error| SignError::Form(error.to_string()))?;
    Ok(bytes)
}
