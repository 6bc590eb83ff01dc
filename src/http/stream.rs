//! What happens on a stream after its opening: frames in both directions, silence, the end. Values without I/O.

use base64::Engine as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Body;
use crate::secret::{Redact, Vault};

/// One piece of a stream: a WebSocket message, an event, a line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// Channel, where the sub-protocol has channels; its byte is not part of the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<u8>,
    /// A binary WebSocket message, or bytes that were not cut into lines.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub binary: bool,
    /// Type of a server-sent event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Id of a server-sent event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it carries.
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub body: Body,
    /// When it arrived or was sent, in milliseconds since the attempt began.
    pub at_ms: u64,
}

/// Whether the first byte of each message names a channel: so it is under the sub-protocols `v4.channel.k8s.io` and its
/// like, except those whose messages are Base64 text.
#[must_use]
pub fn has_channels(protocol: Option<&str>) -> bool {
    let name = protocol.unwrap_or_default();
    (name == "channel.k8s.io" || name.ends_with(".channel.k8s.io")) && !name.contains("base64")
}

/// How the frames of a stream are shown to expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// The JSON document that the frame is.
    Json,
    /// A server-sent event: `event`, `data`, `id`, and `json` when the data is JSON.
    Event,
    /// `text`.
    Text,
    /// `base64`, and `text` when it is UTF-8; `channel` and `binary` of a WebSocket message.
    Message,
}

impl Frame {
    /// The frame as a value of expressions.
    #[must_use]
    pub fn to_json(&self, view: View) -> Value {
        match view {
            View::Json => self.body.json().unwrap_or_else(|| json!({"text": self.body.text()})),
            View::Event => {
                let mut value = json!({
                    "event": self.event.as_deref().unwrap_or("message"),
                    "data": self.body.text(),
                    "id": self.id,
                });
                if let (Some(document), Some(members)) = (self.body.json(), value.as_object_mut()) {
                    members.insert("json".to_owned(), document);
                }
                value
            }
            View::Text => json!({"text": self.body.text()}),
            View::Message => {
                let bytes = self.body.bytes();
                let mut members = serde_json::Map::new();
                members.insert("binary".to_owned(), self.binary.into());
                members.insert("base64".to_owned(), base64::prelude::BASE64_STANDARD.encode(bytes).into());
                if let Ok(text) = std::str::from_utf8(bytes) {
                    members.insert("text".to_owned(), text.into());
                }
                if let Some(channel) = self.channel {
                    members.insert("channel".to_owned(), channel.into());
                }
                Value::Object(members)
            }
        }
    }
}

/// Why a stream is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// The other side ended it in order: the end of the body, or a closing handshake.
    Closed,
    /// The case closed it.
    Left,
    /// The connection broke.
    Failed,
    /// More came than the harness keeps.
    Limit,
}

impl EndReason {
    /// The word used in checks (`end.reason == 'closed'`) and messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Left => "left",
            Self::Failed => "failed",
            Self::Limit => "limit",
        }
    }
}

/// The end of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamEnd {
    /// Why.
    pub reason: EndReason,
    /// Status code of the closing WebSocket message (RFC 6455 §7.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// The other side's reason, or ours in words; for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// When, in milliseconds since the attempt began.
    pub at_ms: u64,
}

impl StreamEnd {
    /// The end as a value of expressions.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"reason": self.reason.word(), "code": self.code, "text": self.detail, "at_ms": self.at_ms})
    }
}

/// One event on an open stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StreamEvent {
    /// A frame came, and the case took it.
    Received(Frame),
    /// A frame was sent.
    Sent(Frame),
    /// A frame could not be sent.
    Unsent {
        /// Why, in words.
        detail: String,
        /// When, in milliseconds since the attempt began.
        at_ms: u64,
    },
    /// No frame came while the case waited.
    Silence {
        /// When the waiting began, in milliseconds since the attempt began.
        from_ms: u64,
        /// When it was over.
        to_ms: u64,
    },
    /// The stream is over.
    Ended(StreamEnd),
}

impl Redact for Frame {
    fn redact(&mut self, vault: &Vault) {
        self.event.redact(vault);
        self.id.redact(vault);
        self.body.redact(vault);
    }
}

impl Redact for StreamEvent {
    fn redact(&mut self, vault: &Vault) {
        match self {
            Self::Received(frame) | Self::Sent(frame) => frame.redact(vault),
            Self::Ended(end) => end.detail.redact(vault),
            Self::Unsent { detail, .. } => detail.redact(vault),
            Self::Silence { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn frames_are_shown_as_what_they_are() {
        let frame = |bytes: &'static [u8]| Frame { body: Body::new(bytes), ..Frame::default() };
        assert_eq!(frame(b"{\"type\":\"ADDED\"}").to_json(View::Json), json!({"type": "ADDED"}));
        assert_eq!(frame(b"no json").to_json(View::Json), json!({"text": "no json"}));
        assert_eq!(frame(b"a").to_json(View::Text), json!({"text": "a"}));
        let event = Frame { event: Some("put".into()), id: Some("7".into()), ..frame(b"[1]") };
        assert_eq!(event.to_json(View::Event), json!({"event": "put", "data": "[1]", "id": "7", "json": [1]}));
        let message = Frame { channel: Some(1), binary: true, ..frame(b"\x90\x1f") };
        assert_eq!(message.to_json(View::Message), json!({"binary": true, "base64": "kB8=", "channel": 1}));
        assert_eq!(frame(b"hi").to_json(View::Message), json!({"binary": false, "base64": "aGk=", "text": "hi"}));
    }

    #[test]
    fn channels_go_with_the_protocol() {
        for name in ["channel.k8s.io", "v4.channel.k8s.io", "v5.channel.k8s.io"] {
            assert!(has_channels(Some(name)), "{name}");
        }
        for name in [None, Some("chat"), Some("v4.base64.channel.k8s.io"), Some("mychannel.k8s.io")] {
            assert!(!has_channels(name), "{name:?}");
        }
    }

    #[test]
    fn an_event_goes_to_the_transcript_without_secrets_and_comes_back() {
        let vault = Vault::new();
        let token = vault.learn("pw", &Secret::new("canary-secret"));
        let body = Body::new("say canary-secret");
        let sealed = vault.seal(StreamEvent::Received(Frame { channel: Some(2), body, at_ms: 5, ..Frame::default() }));
        let text = serde_json::to_string(&sealed).unwrap();
        let expected = json!({"received": {"channel": 2, "body": {"text": format!("say {token}")}, "at_ms": 5}});
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
        assert_eq!(serde_json::from_str::<StreamEvent>(&text).unwrap(), *sealed);
    }
}
