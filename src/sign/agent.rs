//! A client of the SSH agent protocol (draft-ietf-sshm-ssh-agent): list keys, sign. The stream is opened by the caller.

use std::io::{self, Read, Write};

use ssh_encoding::{Decode as _, Encode as _};
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, Signature, SshSig};

use super::key::enveloped;
use super::{NAMESPACE, PublicKey, SignError, Signer};

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// RSA keys sign with SHA-512; SHA-1, the default of the protocol, is not accepted.
const RSA_SHA2_512: u32 = 4;
/// Longest message that is taken from an agent.
const LONGEST: u32 = 256 << 10;

/// Why an agent gave no signature.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The connection.
    #[error("the SSH agent cannot be spoken with: {0}")]
    Io(#[from] io::Error),
    /// It says something that is not in the protocol.
    #[error("the SSH agent gives an answer that cannot be understood: {0}")]
    Answer(String),
    /// It refuses to sign.
    #[error("the SSH agent refuses to sign with {0}")]
    Refused(String),
    /// It does not hold the key.
    #[error("the SSH agent does not hold the key {wanted}; it holds {}", if held.is_empty() { "none that can be used".to_owned() } else { held.join(", ") })]
    Absent {
        /// The key.
        wanted: String,
        /// What it holds.
        held: Vec<String>,
    },
}

/// A key that an agent offers.
#[derive(Debug, Clone)]
pub struct Offered {
    /// The key.
    pub key: PublicKey,
    /// Its remark.
    pub comment: String,
}

/// A key in an agent.
pub struct Agent<S> {
    stream: S,
    key: PublicKey,
}

impl<S: Read + Write> Agent<S> {
    /// Takes one key of an agent: the one that is wanted.
    ///
    /// # Errors
    /// When the agent does not hold it.
    pub fn with_key(mut stream: S, wanted: &PublicKey) -> Result<Self, AgentError> {
        let offered = offered(&mut stream)?;
        if offered.iter().any(|one| one.key == *wanted) {
            return Ok(Self { stream, key: wanted.clone() });
        }
        let held = offered.iter().map(|one| one.key.id().to_string()).collect();
        Err(AgentError::Absent { wanted: wanted.id().to_string(), held })
    }
}

/// The keys of an agent that this release can use.
///
/// # Errors
/// When the agent cannot be spoken with.
pub fn offered(stream: &mut (impl Read + Write)) -> Result<Vec<Offered>, AgentError> {
    let answer = ask(stream, &[REQUEST_IDENTITIES])?;
    let Some((&IDENTITIES_ANSWER, mut rest)) = answer.split_first() else {
        return Err(AgentError::Answer("no list of keys".to_owned()));
    };
    let damaged = |error: ssh_encoding::Error| AgentError::Answer(error.to_string());
    let count = u32::decode(&mut rest).map_err(damaged)?;
    let mut keys = Vec::new();
    for _ in 0..count {
        let blob = Vec::<u8>::decode(&mut rest).map_err(damaged)?;
        let comment = String::decode(&mut rest).map_err(damaged)?;
        // Certificates and hardware keys are in the list too; they are passed over.
        if let Ok(data) = KeyData::decode(&mut blob.as_slice())
            && let Ok(key) = PublicKey::of_data(data)
        {
            keys.push(Offered { key, comment });
        }
    }
    Ok(keys)
}

fn ask(stream: &mut (impl Read + Write), message: &[u8]) -> Result<Vec<u8>, AgentError> {
    let length = u32::try_from(message.len()).map_err(|_| AgentError::Answer("the request is too long".to_owned()))?;
    let framed = [&length.to_be_bytes()[..], message].concat();
    stream.write_all(&framed)?;
    stream.flush()?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length == 0 || length > LONGEST {
        return Err(AgentError::Answer(format!("a message of {length} bytes")));
    }
    let mut answer = vec![0; length as usize];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

impl<S: Read + Write> Signer for Agent<S> {
    fn public(&self) -> &PublicKey {
        &self.key
    }

    fn sign(&mut self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let form = |error: ssh_key::Error| SignError::Form(error.to_string());
        let encoding = |error: ssh_encoding::Error| SignError::Form(error.to_string());
        let signed = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, message).map_err(form)?;
        let flags = if matches!(self.key.data(), KeyData::Rsa(_)) { RSA_SHA2_512 } else { 0 };
        let mut request = vec![SIGN_REQUEST];
        self.key.to_wire().encode(&mut request).map_err(encoding)?;
        signed.encode(&mut request).map_err(encoding)?;
        flags.encode(&mut request).map_err(encoding)?;
        let answer = ask(&mut self.stream, &request)?;
        let Some((&SIGN_RESPONSE, mut rest)) = answer.split_first() else {
            return Err(AgentError::Refused(self.key.id().to_string()).into());
        };
        let damaged = |error: String| SignError::from(AgentError::Answer(error));
        let blob = Vec::<u8>::decode(&mut rest).map_err(|error| damaged(error.to_string()))?;
        let signature = Signature::try_from(blob.as_slice()).map_err(|error| damaged(error.to_string()))?;
        enveloped(&self.key, signature)
    }
}
