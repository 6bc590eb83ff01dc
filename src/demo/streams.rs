//! Streams of a recording, served again: as the body of an answer, or over a WebSocket.
//!
//! A frame that was recorded behind an exchange is held back until that exchange has been asked for again, and one behind
//! a message of the client until as many messages came. What was never recorded does not come: a stream whose end is not
//! on record stays open.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::NoAnswer;
use crate::http::{EndReason, Frame, StreamEnd, StreamEvent};
use crate::transcript::Content;

/// What comes behind a recorded silence comes so much later than the silence was over.
const BEHIND_SILENCE: Duration = Duration::from_millis(300);
/// The longest silence; a client with a replayed clock listens no longer.
const SILENCE: Duration = Duration::from_secs(5);

/// Numbers of the exchanges that were asked for.
pub(super) type Served = watch::Receiver<BTreeSet<u32>>;

/// What comes on a stream, in order.
pub(super) type Script = VecDeque<Line>;

/// One thing that comes.
#[derive(Debug)]
pub(super) struct Line {
    /// Behind this exchange.
    after: u32,
    /// Behind so many messages of the client.
    messages: usize,
    what: What,
}

#[derive(Debug)]
enum What {
    Frame(Frame),
    Silence(Duration),
    End(StreamEnd),
}

/// What came on the stream that event `of` opened; `home` rewrites texts.
pub(super) fn script(events: &BTreeMap<u32, Content>, of: u32, home: impl Fn(&str) -> String) -> Script {
    let (mut script, mut after, mut messages) = (Script::new(), of, 0);
    for (n, content) in events.range(of..) {
        let event = match content {
            Content::Exchange { .. } => {
                after = *n;
                continue;
            }
            Content::Stream { of: own, event, .. } if *own == of => &***event,
            _ => continue,
        };
        let what = match event {
            StreamEvent::Received(frame) => {
                let mut frame = frame.clone();
                if let Ok(text) = std::str::from_utf8(frame.body.bytes()) {
                    frame.body = crate::http::Body::new(home(text));
                }
                What::Frame(frame)
            }
            StreamEvent::Sent(_) => {
                messages += 1;
                continue;
            }
            StreamEvent::Silence { from_ms, to_ms } => {
                What::Silence(SILENCE.min(Duration::from_millis(to_ms.saturating_sub(*from_ms))) + BEHIND_SILENCE)
            }
            StreamEvent::Ended(end) if end.reason != EndReason::Left => What::End(end.clone()),
            StreamEvent::Ended(_) | StreamEvent::Unsent { .. } => continue,
        };
        // What waits for the client anyway need not wait for a time.
        let idle = script.back().is_some_and(|last| {
            matches!(last.what, What::Silence(_)) && (last.after, last.messages) != (after, messages)
        });
        if idle {
            script.pop_back();
        }
        script.push_back(Line { after, messages, what });
    }
    script
}

/// The stream as a body.
pub(super) fn body(script: Script, served: Served) -> UnsyncBoxBody<Bytes, NoAnswer> {
    let pieces = stream::unfold((script, served), |(mut script, mut served)| async move {
        loop {
            let Some(Line { after, what, .. }) = script.pop_front() else {
                // The client goes when it has seen enough.
                return std::future::pending().await;
            };
            // An error means that the server is going away.
            let _ = served.wait_for(|served| served.contains(&after)).await;
            let piece = match what {
                What::Silence(time) => {
                    tokio::time::sleep(time).await;
                    continue;
                }
                What::Frame(frame) => Ok(hyper::body::Frame::data(piece(&frame))),
                What::End(end) if end.reason == EndReason::Closed => return None,
                What::End(_) => Err(NoAnswer),
            };
            return Some((piece, (script, served)));
        }
    });
    StreamBody::new(pieces).boxed_unsync()
}

/// The bytes of a frame in a body.
fn piece(frame: &Frame) -> Bytes {
    let body = frame.body.bytes();
    let Some(event) = &frame.event else {
        let end: &[u8] = if frame.binary { b"" } else { b"\n" };
        return [body, end].concat().into();
    };
    let mut text = format!("event: {event}\n");
    if let Some(id) = &frame.id {
        text.push_str(&format!("id: {id}\n"));
    }
    for line in String::from_utf8_lossy(body).split('\n') {
        text.push_str(&format!("data: {line}\n"));
    }
    text.push('\n');
    text.into()
}

/// Talks on a WebSocket as was recorded, once the connection has become one.
pub(super) async fn talk(upgrade: OnUpgrade, mut script: Script, mut served: Served) {
    let Ok(upgraded) = upgrade.await else { return };
    let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    let mut messages = 0;
    while let Some(line) = script.pop_front() {
        while messages < line.messages || !served.borrow_and_update().contains(&line.after) {
            tokio::select! {
                message = socket.next() => match message {
                    Some(Ok(Message::Text(_) | Message::Binary(_))) => messages += 1,
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return,
                },
                changed = served.changed() => if changed.is_err() { return },
            }
        }
        match line.what {
            What::Silence(time) => tokio::time::sleep(time).await,
            What::Frame(frame) => {
                if socket.send(message(&frame)).await.is_err() {
                    return;
                }
            }
            What::End(end) if end.reason == EndReason::Closed => {
                let farewell =
                    |code: u16| CloseFrame { code: code.into(), reason: Utf8Bytes::from(end.detail.clone()) };
                let _ = socket.close(end.code.map(farewell)).await;
                break;
            }
            What::End(_) => return,
        }
    }
    while socket.next().await.is_some_and(|message| message.is_ok()) {}
}

fn message(frame: &Frame) -> Message {
    let mut bytes: Vec<u8> = frame.channel.into_iter().collect();
    bytes.extend_from_slice(frame.body.bytes());
    match String::from_utf8(bytes) {
        Ok(text) if !frame.binary => Message::Text(text.into()),
        Ok(text) => Message::Binary(text.into_bytes().into()),
        Err(error) => Message::Binary(error.into_bytes().into()),
    }
}
