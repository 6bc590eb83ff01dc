//! Values that hold no secret any more, by type.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Deref;

use bytes::Bytes;
use serde::Serialize;

use super::Vault;

/// Replaces every secret in a value by its token, in place.
pub trait Redact {
    /// Does so with the secrets of this vault.
    fn redact(&mut self, vault: &Vault);
}

/// A value without secrets. Raw data gets in only through [`Vault::seal`], so a writer that takes `Redacted<T>` cannot
/// be handed anything else by mistake. There is no mutable access.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    /// Wraps a value that was read from a transcript, which holds redacted values only. Not for anything received from
    /// a target or configured by an operator.
    pub fn from_evidence(value: T) -> Redacted<T> {
        Redacted(value)
    }

    /// The value, still without secrets, but no longer with the proof.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Redacted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl Vault {
    /// Redacts a raw value and wraps it. The only way from raw data to [`Redacted`].
    pub fn seal<T: Redact>(&self, mut value: T) -> Redacted<T> {
        value.redact(self);
        Redacted(value)
    }
}

impl Redact for String {
    fn redact(&mut self, vault: &Vault) {
        if let Cow::Owned(clean) = vault.redact(self) {
            *self = clean;
        }
    }
}

impl Redact for Vec<u8> {
    fn redact(&mut self, vault: &Vault) {
        if let Cow::Owned(clean) = vault.redact_bytes(self) {
            *self = clean;
        }
    }
}

impl Redact for Bytes {
    fn redact(&mut self, vault: &Vault) {
        if let Cow::Owned(clean) = vault.redact_bytes(self) {
            *self = clean.into();
        }
    }
}

impl<T: Redact> Redact for Vec<T> {
    fn redact(&mut self, vault: &Vault) {
        for item in self {
            item.redact(vault);
        }
    }
}

impl<T: Redact> Redact for Option<T> {
    fn redact(&mut self, vault: &Vault) {
        if let Some(value) = self {
            value.redact(vault);
        }
    }
}

impl<A: Redact, B: Redact> Redact for (A, B) {
    fn redact(&mut self, vault: &Vault) {
        self.0.redact(vault);
        self.1.redact(vault);
    }
}

impl<K: Redact + Ord, V: Redact> Redact for BTreeMap<K, V> {
    fn redact(&mut self, vault: &Vault) {
        *self = std::mem::take(self)
            .into_iter()
            .map(|mut entry| {
                entry.redact(vault);
                entry
            })
            .collect();
    }
}

/// Keys too. A number that spells a secret becomes a string, since a token is no number.
impl Redact for serde_json::Value {
    fn redact(&mut self, vault: &Vault) {
        match self {
            serde_json::Value::String(text) => text.redact(vault),
            serde_json::Value::Array(items) => items.redact(vault),
            serde_json::Value::Object(entries) => {
                *entries = std::mem::take(entries)
                    .into_iter()
                    .map(|mut entry| {
                        entry.redact(vault);
                        entry
                    })
                    .collect();
            }
            serde_json::Value::Number(number) => {
                if let Cow::Owned(clean) = vault.redact(&number.to_string()) {
                    *self = serde_json::Value::String(clean);
                }
            }
            serde_json::Value::Null | serde_json::Value::Bool(_) => {}
        }
    }
}
