//! Opens a stream: sends the request, and tells an answer that goes on from a refusal.

use std::time::Duration;

use reqwest::header::HeaderValue;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::client::{Client, Prepared, head, in_time, receive};
use super::failure::{classify, failure};
use crate::http::{Failure, FailureClass, Response};
use crate::suite::Frames;

/// What of an answer comes after its head.
pub(super) enum Rest {
    /// The body, with the longest frame that is allowed.
    Body(reqwest::Response, Frames, u64),
    /// Messages in both directions.
    Socket(Box<WebSocketStream<reqwest::Upgraded>>),
}

impl Client {
    /// Sends the request, `limit` at most. A refusal is read to its end.
    pub(super) async fn open(
        &self,
        mut prepared: Prepared,
        frames: Frames,
        max_body: u64,
        limit: Duration,
    ) -> Result<(Response, Option<Rest>), Failure> {
        let socket = frames == Frames::Websocket;
        let key = if socket { handshake(&mut prepared.request)? } else { String::new() };
        let offered = prepared.request.headers().get("sec-websocket-protocol").cloned();
        let url = prepared.request.url();
        let client = if socket {
            self.target.upgrade_client(url, prepared.certificate.as_ref(), prepared.anonymous)
        } else {
            self.target.client(url, prepared.certificate.as_ref(), prepared.anonymous)
        };
        let client = client.map_err(|e| failure(FailureClass::Request, e.to_string()))?;
        let verified = self.target.verifies_certificates();
        in_time(limit, async {
            let response = client.execute(prepared.request).await.map_err(classify)?;
            let status = response.status();
            if !socket && status.is_success() {
                return Ok((head(&response, verified), Some(Rest::Body(response, frames, max_body))));
            }
            if !socket || status != reqwest::StatusCode::SWITCHING_PROTOCOLS {
                return Ok((receive(response, max_body, verified).await?, None));
            }
            let answer = head(&response, verified);
            agreed(&answer, &key, offered.as_ref())?;
            let upgraded = response.upgrade().await.map_err(classify)?;
            let longest = usize::try_from(max_body).ok();
            let config = WebSocketConfig::default().max_message_size(longest).max_frame_size(longest);
            let stream = WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await;
            Ok((answer, Some(Rest::Socket(Box::new(stream)))))
        })
        .await
    }
}

/// Adds what asks for a WebSocket (RFC 6455 §4.1), and returns the key.
fn handshake(request: &mut reqwest::Request) -> Result<String, Failure> {
    let key = generate_key();
    let value = HeaderValue::from_str(&key).map_err(|e| failure(FailureClass::Request, e.to_string()))?;
    let headers = request.headers_mut();
    headers.insert("connection", HeaderValue::from_static("Upgrade"));
    headers.insert("upgrade", HeaderValue::from_static("websocket"));
    headers.insert("sec-websocket-version", HeaderValue::from_static("13"));
    headers.insert("sec-websocket-key", value);
    Ok(key)
}

/// What the client must refuse (RFC 6455 §4.1): an answer to another key, and a sub-protocol nobody offered.
fn agreed(answer: &Response, key: &str, offered: Option<&HeaderValue>) -> Result<(), Failure> {
    if answer.headers.get("sec-websocket-accept") != Some(derive_accept_key(key.as_bytes()).as_str()) {
        let detail = "status 101 without the `sec-websocket-accept` that belongs to the request";
        return Err(failure(FailureClass::Protocol, detail));
    }
    let Some(chosen) = answer.headers.get("sec-websocket-protocol") else { return Ok(()) };
    let offered = offered.and_then(|value| value.to_str().ok()).unwrap_or_default();
    if offered.split(',').any(|one| one.trim() == chosen) {
        return Ok(());
    }
    let detail = format!("status 101 with the sub-protocol `{chosen}`, which was not offered");
    Err(failure(FailureClass::Protocol, detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Body, Headers};

    #[test]
    fn an_answer_must_belong_to_the_request() {
        // RFC 6455 §1.3.
        let key = "dGhlIHNhbXBsZSBub25jZQ==";
        let answer = |fields: &[(&str, &str)]| {
            let mut headers = Headers::default();
            fields.iter().for_each(|(name, value)| headers.push(name, *value));
            Response { status: 101, version: "HTTP/1.1".into(), headers, body: Body::default(), tls: None }
        };
        let accept = ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let offered = HeaderValue::from_static("v5.x, v4.x");
        assert!(agreed(&answer(&[accept]), key, None).is_ok());
        assert!(agreed(&answer(&[accept, ("sec-websocket-protocol", "v4.x")]), key, Some(&offered)).is_ok());
        assert!(agreed(&answer(&[accept, ("sec-websocket-protocol", "v3.x")]), key, Some(&offered)).is_err());
        assert!(agreed(&answer(&[accept, ("sec-websocket-protocol", "v4.x")]), key, None).is_err());
        assert!(agreed(&answer(&[]), key, None).is_err());
        assert!(agreed(&answer(&[("sec-websocket-accept", "x")]), key, None).is_err());
    }
}
