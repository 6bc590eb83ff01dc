//! Which secrets there are, and the way from secrets to tokens and back.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Secret;
use super::search::{Entry, Hit, Index, SHORTEST};
use super::token::{self, Form};

const LONGEST_KEY: usize = 64;

/// Knows the secrets of a run and replaces them by tokens. Shared freely between threads; a secret learned by one is
/// redacted by all from then on.
///
/// A token is `{{secret:LABEL:HMAC:LENGTH}}`, with the length in characters. A secret found in another spelling gets
/// `{{secret:LABEL:HMAC:LENGTH:FORM}}`: `json`, `url`, `form`, `html`, `hex`, `hexu` (upper case), whole Base64 as
/// `b64`, `b64n` (no padding), `b64u` (URL-safe), `b64un`, or `skipN` (behind an overlapping token, without its first
/// N bytes). Revealing gives the usual spelling of that form, which decodes to the same secret. `part`, a piece of a
/// longer Base64 text or several encodings on top of each other, cannot be revealed.
pub struct Vault {
    /// Padded with zeros, which HMAC does anyway (RFC 2104 §2).
    key: [u8; LONGEST_KEY],
    index: RwLock<Arc<Index>>,
}

impl Vault {
    /// A vault with a random key. The key is never written anywhere, so tokens of two runs have nothing in common.
    #[expect(clippy::expect_used, reason = "without randomness no token is safe to publish")]
    pub fn new() -> Vault {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the system has a source of random bytes");
        Vault::with_key(key)
    }

    /// A vault with a given key, for tests that compare tokens.
    pub fn with_key(key: [u8; 32]) -> Vault {
        let mut padded = [0; LONGEST_KEY];
        for (slot, byte) in padded.iter_mut().zip(key) {
            *slot = byte;
        }
        Vault { key: padded, index: RwLock::default() }
    }

    /// Takes a secret in and returns its token. A secret keeps the token of the first time, whatever the label later.
    /// The label is public; it is reduced to lower-case letters, digits and hyphens.
    pub fn learn(&self, label: &str, secret: &Secret) -> String {
        let value = secret.expose();
        if let Some(known) = self.index().find(value) {
            return token::render(&known.stem, Form::Raw);
        }
        let hex = self.hmac(value);
        let stem = token::stem(&token::label(label, value), &hex, value.chars().count());
        let token = token::render(&stem, Form::Raw);
        let mut slot = self.index.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have been faster; then its token stands.
        if let Some(known) = slot.find(value) {
            return token::render(&known.stem, Form::Raw);
        }
        let entry = Entry { secret: value.to_string(), wanted_label: label.to_string(), stem };
        Arc::make_mut(&mut *slot).add(entry, hex);
        token
    }

    /// Labels of secrets too short to be searched for inside text. They are replaced only where they are a whole
    /// value: the whole text, or a JSON string.
    pub fn weak(&self) -> Vec<String> {
        let index = self.index();
        let weak = index.entries.iter().filter(|entry| entry.secret.len() < SHORTEST);
        weak.map(|entry| entry.wanted_label.clone()).collect()
    }

    /// The text with every secret replaced by its token; borrowed when there is none.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.redact_bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // Secrets are whole characters, so this is UTF-8; should it ever not be, nothing is brought back.
            Cow::Owned(bytes) => Cow::Owned(match String::from_utf8(bytes) {
                Ok(clean) => clean,
                Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            }),
        }
    }

    /// The bytes with every secret replaced by its token; borrowed when there is none.
    pub fn redact_bytes<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        let index = self.index();
        if let Some(token) = exact(&index, bytes) {
            return Cow::Owned(token.into_bytes());
        }
        let hits = index.hits(bytes);
        if hits.is_empty() {
            return Cow::Borrowed(bytes);
        }
        Cow::Owned(replace(&index, bytes, &hits))
    }

    /// Whether any secret stands in the bytes, in any spelling, outside of tokens.
    pub fn contains_secret(&self, bytes: &[u8]) -> bool {
        let index = self.index();
        exact(&index, bytes).is_some() || !index.hits(bytes).is_empty()
    }

    /// The text with the tokens of this vault replaced by what they stand for. Only for what is about to be sent, and
    /// before it is encoded: a secret with a quote in it must not be put into finished JSON. Other tokens stay.
    pub(crate) fn reveal<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.reveal_bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // Text and secrets are UTF-8 and tokens are ASCII.
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// [`reveal`](Vault::reveal) for bytes.
    pub(crate) fn reveal_bytes<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        let index = self.index();
        let mut out = Vec::new();
        let mut copied = 0;
        for (range, number, form) in index.tokens(bytes) {
            let entry = index.entries.get(number);
            let Some(value) = entry.and_then(|entry| token::encode(&entry.secret, form)) else {
                continue;
            };
            out.extend_from_slice(bytes.get(copied..range.start).unwrap_or_default());
            out.extend_from_slice(value.as_bytes());
            copied = range.end;
        }
        if copied == 0 {
            return Cow::Borrowed(bytes);
        }
        out.extend_from_slice(bytes.get(copied..).unwrap_or_default());
        Cow::Owned(out)
    }

    fn index(&self) -> Arc<Index> {
        Arc::clone(&self.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The first half of HMAC-SHA256, enough that no two secrets of a run meet.
    fn hmac(&self, value: &str) -> String {
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&self.key.into());
        mac.update(value.as_bytes());
        let bytes = mac.finalize().into_bytes();
        bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Default for Vault {
    fn default() -> Vault {
        Vault::new()
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({} secrets)", self.index().entries.len())
    }
}

/// The token of a text that is a short secret as a whole.
fn exact(index: &Index, bytes: &[u8]) -> Option<String> {
    if bytes.is_empty() || bytes.len() >= SHORTEST {
        return None;
    }
    let known = index.find(std::str::from_utf8(bytes).ok()?)?;
    Some(token::render(&known.stem, Form::Raw))
}

/// Puts tokens over the hits, which are sorted by their start, the longest first.
fn replace(index: &Index, bytes: &[u8], hits: &[Hit]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 64);
    let mut done = 0;
    for hit in hits {
        if hit.end <= done {
            continue;
        }
        let form = if hit.start >= done {
            out.extend_from_slice(bytes.get(done..hit.start).unwrap_or_default());
            hit.form
        } else if hit.form == Form::Raw {
            Form::Skip(done - hit.start)
        } else {
            Form::Part
        };
        if let Some(entry) = index.entries.get(hit.entry) {
            out.extend_from_slice(token::render(&entry.stem, form).as_bytes());
        }
        done = hit.end;
    }
    out.extend_from_slice(bytes.get(done..).unwrap_or_default());
    out
}
