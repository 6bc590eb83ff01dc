//! Secrets: values that never print, and a vault that replaces them by stable tokens wherever they turn up.
//!
//! A token such as `{{secret:admin-password:3f…:12}}` keeps what checks may ask about a value: equality (one secret,
//! one token within a vault) and length. Its digits are an HMAC under a key that lives only in memory, so a published
//! token does not help to guess the secret. Start at [`Vault`]; [`Redacted`] carries the proof of redaction in the type.
//!
//! # What is found
//!
//! The secret itself; JSON escapes, percent-encoding, form encoding and HTML/XML entities in any mixture and spelling,
//! also nested twice; hexadecimal in lower or upper case; Base64 with both alphabets, with and without padding, also
//! in the middle of longer encoded text, also of the JSON-escaped or percent-encoded secret. Own tokens, as written,
//! are never looked into.
//!
//! # What is not
//!
//! Secrets shorter than four bytes inside longer text (see [`Vault::weak`]); encryption, compression, hashes, other
//! character sets, Base64 broken into lines, a secret cut in pieces.

mod redacted;
mod search;
mod token;
mod vault;
mod views;

use std::fmt;

use serde::{Deserialize, Deserializer};

pub use redacted::{Redact, Redacted};
pub use vault::Vault;

/// A value that must not be shown: it prints as `[secret]`, cannot be serialised, and opens only inside this crate.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// Takes the value in.
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(value.into())
    }

    /// Whether there is no value at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value itself. Only for what is about to be sent, or compared with something that was received.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Secret {
        Secret(value)
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Secret {
        Secret(value.to_string())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret)
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
