//! Requests, responses and exchanges as values. No I/O, no client: the engine performs them, the judge reads them, the
//! transcript stores them.
//!
//! Header names are lower-case, as HTTP/2 requires (RFC 9113 §8.2) and as the client library reports them; the order of
//! repeated headers is kept. Bodies are recorded as received, never re-serialised.

mod stream;

pub use stream::{EndReason, Frame, StreamEnd, StreamEvent, View, has_channels};

use base64::Engine as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::canon::{Digest, digest_bytes};
use crate::secret::{Redact, Vault};

/// Header fields in order of appearance; names are lower-case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// The first value of a field; `name` is compared without regard to case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// All values of a field joined by `, ` (RFC 9110 §5.3), or `None` when the field is absent.
    #[must_use]
    pub fn joined(&self, name: &str) -> Option<String> {
        let mut values = self.0.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str());
        let first = values.next()?.to_owned();
        Some(values.fold(first, |acc, v| acc + ", " + v))
    }

    /// Adds a field; the name is lower-cased.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_ascii_lowercase(), value.into()));
    }

    /// Replaces every field of that name by one value.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.push(name, value);
    }

    /// Removes every field of that name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// All fields as a JSON object, repeated fields joined.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let mut map = serde_json::Map::new();
        for (name, _) in &self.0 {
            if !map.contains_key(name) {
                map.insert(name.clone(), self.joined(name).unwrap_or_default().into());
            }
        }
        serde_json::Value::Object(map)
    }
}

/// The bytes of a message body, with how much of it was kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body {
    bytes: bytes::Bytes,
    /// Number of bytes received when the body was longer than the limit and its rest was dropped.
    truncated_at: Option<u64>,
}

impl Body {
    /// A complete body.
    #[must_use]
    pub fn new(bytes: impl Into<bytes::Bytes>) -> Self {
        Self { bytes: bytes.into(), truncated_at: None }
    }

    /// The kept beginning of a body that exceeded the limit after `received` bytes.
    #[must_use]
    pub fn truncated(bytes: impl Into<bytes::Bytes>, received: u64) -> Self {
        Self { bytes: bytes.into(), truncated_at: Some(received) }
    }

    /// The kept bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the body exceeded the limit, so that only its beginning is here.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        self.truncated_at.is_some()
    }

    /// Whether nothing was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The body as text, with invalid UTF-8 replaced.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// The body as JSON (RFC 8259), or `None` when it is not JSON or was cut off.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Value> {
        if self.is_truncated() || self.bytes.is_empty() {
            return None;
        }
        serde_json::from_slice(&self.bytes).ok()
    }

    /// Digest of the kept bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        digest_bytes(&self.bytes)
    }
}

/// How a body is written in a transcript: text where it is UTF-8, otherwise Base64.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BodyRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    /// Bytes received before the limit stopped the reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    truncated_at: Option<u64>,
}

impl Serialize for Body {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (text, base64) = match std::str::from_utf8(&self.bytes) {
            Ok(text) => (Some(text.to_owned()), None),
            Err(_) => (None, Some(base64::prelude::BASE64_STANDARD.encode(&self.bytes))),
        };
        BodyRecord { text, base64, truncated_at: self.truncated_at }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let record = BodyRecord::deserialize(deserializer)?;
        let bytes = match (record.text, record.base64) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(encoded)) => {
                base64::prelude::BASE64_STANDARD.decode(encoded).map_err(serde::de::Error::custom)?
            }
            (None, None) => Vec::new(),
            (Some(_), Some(_)) => return Err(serde::de::Error::custom("a body is either `text` or `base64`")),
        };
        Ok(Self { bytes: bytes.into(), truncated_at: record.truncated_at })
    }
}

/// One request as it is put on the wire (secrets as tokens once it is recorded).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Upper-case method; any token is allowed, so that unknown methods can be tried.
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// Header fields, without those the client adds itself (`host`, `content-length`).
    pub headers: Headers,
    /// Body to send.
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub body: Body,
}

/// One response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Protocol version, `HTTP/1.1` or `HTTP/2`.
    pub version: String,
    /// Header fields as received.
    pub headers: Headers,
    /// Body as received, up to the limit.
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub body: Body,
    /// Facts of the TLS connection, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFacts>,
}

/// What is known of the peer's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFacts {
    /// SHA-256 of the peer's end-entity certificate (DER).
    pub certificate: Digest,
    /// Whether the certificate was verified against a trust anchor; `false` when the operator switched it off.
    pub verified: bool,
}

/// Why no response was obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// Nobody listens, or no route.
    Connect,
    /// The name does not resolve.
    Resolve,
    /// TLS could not be agreed or the certificate was refused.
    Tls,
    /// No (complete) answer in time.
    Timeout,
    /// The connection ended in the middle, or the answer is not HTTP.
    Protocol,
    /// The request could not be built (for instance an invalid URL computed by the case).
    Request,
}

impl FailureClass {
    /// The word used in checks (`failure: timeout`) and messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Resolve => "resolve",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::Request => "request",
        }
    }
}

/// A request that got no response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What kind of failure.
    pub class: FailureClass,
    /// For people; never compared.
    pub detail: String,
}

/// One request with what came back, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// What was sent.
    pub request: Request,
    /// What came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Response>,
    /// Why nothing came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// When the request was sent, in milliseconds since the case began.
    pub sent_ms: u64,
    /// When the answer was complete, in milliseconds since the case began.
    pub done_ms: u64,
    /// Wall clock when the answer was complete, in milliseconds since 1970-01-01T00:00:00Z.
    pub at_ms: i64,
}

impl Redact for Headers {
    fn redact(&mut self, vault: &Vault) {
        for (_, value) in &mut self.0 {
            if let std::borrow::Cow::Owned(redacted) = vault.redact(value) {
                *value = redacted;
            }
        }
    }
}

impl Redact for Body {
    fn redact(&mut self, vault: &Vault) {
        if let std::borrow::Cow::Owned(redacted) = vault.redact_bytes(&self.bytes) {
            self.bytes = plain_tokens(redacted).into();
        }
    }
}

/// In a JSON document the token of an escaped secret stands for the same string as the token of the secret itself, so
/// both are spelled alike: checks compare what the strings mean.
fn plain_tokens(redacted: Vec<u8>) -> Vec<u8> {
    const ESCAPED: &str = ":json}}";
    let Ok(text) = std::str::from_utf8(&redacted) else { return redacted };
    if !text.contains(ESCAPED) || serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        return redacted;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(ESCAPED) {
        out.push_str(before);
        let in_token = before.rfind("{{secret:").is_some_and(|at| !before.get(at..).unwrap_or_default().contains("}}"));
        out.push_str(if in_token { "}}" } else { ESCAPED });
        rest = after;
    }
    out.push_str(rest);
    out.into_bytes()
}

impl Redact for Exchange {
    fn redact(&mut self, vault: &Vault) {
        if let std::borrow::Cow::Owned(redacted) = vault.redact(&self.request.url) {
            self.request.url = redacted;
        }
        self.request.headers.redact(vault);
        self.request.body.redact(vault);
        if let Some(response) = &mut self.response {
            response.headers.redact(vault);
            response.body.redact(vault);
        }
        if let Some(failure) = &mut self.failure
            && let std::borrow::Cow::Owned(redacted) = vault.redact(&failure.detail)
        {
            failure.detail = redacted;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn an_escaped_secret_in_json_is_the_same_secret() {
        let vault = Vault::new();
        let token = vault.learn("pw", &Secret::new("quote\"and\\slash"));
        let value = serde_json::json!({"a": "quote\"and\\slash", "b": "x:json}}", "c": "<quote\"and\\slash>"});
        let mut body = Body::new(value.to_string());
        body.redact(&vault);
        let expected = serde_json::json!({"a": token, "b": "x:json}}", "c": format!("<{token}>")});
        assert_eq!(body.json().unwrap(), expected);
        let mut text = Body::new("say quote\\\"and\\\\slash");
        text.redact(&vault);
        assert!(text.text().ends_with(":json}}"), "{}", text.text());
    }
}
