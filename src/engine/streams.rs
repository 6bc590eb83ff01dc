//! Streams that are open: a task for each takes in what arrives, also while the case does something else.
//!
//! The buffer is bounded; when it is full the stream is over for the case, which says so. Nothing is recorded here: a
//! frame is sealed and written when the case takes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message, Utf8Bytes};

use super::cutter::Cutter;
use super::failure::classify;
use super::opening::Rest;
use crate::http::{Body, EndReason, Frame};
use crate::suite::SecretPlace;

/// What arrived and was not taken yet may be this much.
const MOST_FRAMES: usize = 10_000;
const MOST_BYTES: usize = 32 << 20;
/// A closing message that cannot be sent by then is not sent.
const FAREWELL: Duration = Duration::from_secs(1);

type Socket = WebSocketStream<reqwest::Upgraded>;

/// Something that arrived; times come with it.
#[derive(Debug)]
pub(super) enum Arrived {
    /// A frame; its own time is not set.
    Frame(Frame),
    /// The end; nothing comes behind it.
    End {
        /// Why.
        reason: EndReason,
        /// Of a closing message.
        code: Option<u16>,
        /// In words.
        detail: String,
    },
}

/// One open stream. Dropping it ends it.
pub(super) struct OpenStream {
    arrived: UnboundedReceiver<(Instant, Arrived)>,
    /// Taken out of the channel, but not by the case.
    next: Option<(Instant, Arrived)>,
    held: Arc<Held>,
    task: JoinHandle<()>,
    writer: Option<SplitSink<Socket, Message>>,
    /// Where frames hold new secrets.
    pub(super) secrets: Vec<SecretPlace>,
    /// When the step that waits began to.
    pub(super) since: Instant,
}

/// How much is in the buffer.
#[derive(Debug, Default)]
struct Held {
    frames: AtomicUsize,
    bytes: AtomicUsize,
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl OpenStream {
    /// Begins to read. `channels` says that the first byte of each message names one.
    pub(super) fn start(rest: Rest, channels: bool, secrets: Vec<SecretPlace>) -> Self {
        let (sender, arrived) = unbounded_channel();
        let held = Arc::new(Held::default());
        let buffer = Buffer { sender, held: Arc::clone(&held) };
        let (task, writer) = match rest {
            Rest::Body(response, frames, longest) => {
                (tokio::spawn(read_body(response, Cutter::new(frames, longest), longest, buffer)), None)
            }
            Rest::Socket(socket) => {
                let (writer, reader) = (*socket).split();
                (tokio::spawn(read_socket(reader, channels, buffer)), Some(writer))
            }
        };
        Self { arrived, next: None, held, task, writer, secrets, since: Instant::now() }
    }

    /// When the next thing arrived; waits for it. It stays until [`take`](Self::take).
    pub(super) async fn ready(&mut self) -> Instant {
        if self.next.is_none() {
            let end = || Arrived::End {
                reason: EndReason::Failed,
                code: None,
                detail: "the task that read the stream is gone".to_owned(),
            };
            let arrived = self.arrived.recv().await;
            self.next = Some(arrived.unwrap_or_else(|| (Instant::now(), end())));
        }
        self.next.as_ref().map_or_else(Instant::now, |(at, _)| *at)
    }

    /// What [`ready`](Self::ready) saw.
    pub(super) fn take(&mut self) -> Option<(Instant, Arrived)> {
        let next = self.next.take()?;
        if let Arrived::Frame(frame) = &next.1 {
            self.held.frames.fetch_sub(1, Ordering::Relaxed);
            self.held.bytes.fetch_sub(frame.body.bytes().len(), Ordering::Relaxed);
        }
        Some(next)
    }

    /// Sends a message.
    pub(super) async fn send(&mut self, frame: &Frame, mut bytes: Vec<u8>, limit: Duration) -> Result<(), String> {
        let Some(writer) = &mut self.writer else { return Err("the stream takes no frames".to_owned()) };
        if let Some(channel) = frame.channel {
            bytes.insert(0, channel);
        }
        let message = if frame.binary {
            Message::Binary(bytes.into())
        } else {
            Message::Text(Utf8Bytes::from(String::from_utf8_lossy(&bytes).into_owned()))
        };
        match tokio::time::timeout(limit, writer.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("it was not taken within {limit:?}")),
        }
    }

    /// Says good-bye, as far as there is a way to, and ends the stream.
    pub(super) async fn close(mut self) {
        if let Some(writer) = &mut self.writer {
            let farewell = CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::default() };
            // Whether the other side still listens is all the same now.
            let _ = tokio::time::timeout(FAREWELL, writer.send(Message::Close(Some(farewell)))).await;
        }
    }
}

/// The writing end of the buffer.
struct Buffer {
    sender: UnboundedSender<(Instant, Arrived)>,
    held: Arc<Held>,
}

impl Buffer {
    /// Takes a frame in; `false` when nobody wants any more.
    fn frame(&self, frame: Frame) -> bool {
        let bytes = frame.body.bytes().len();
        let frames = self.held.frames.fetch_add(1, Ordering::Relaxed) + 1;
        let held = self.held.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if frames > MOST_FRAMES || held > MOST_BYTES {
            let detail = format!("more than {MOST_FRAMES} frames or {} MiB came unread", MOST_BYTES >> 20);
            return self.end(EndReason::Limit, None, detail);
        }
        self.sender.send((Instant::now(), Arrived::Frame(frame))).is_ok()
    }

    fn end(&self, reason: EndReason, code: Option<u16>, detail: impl Into<String>) -> bool {
        // Nobody listens any more when the case is over.
        let _ = self.sender.send((Instant::now(), Arrived::End { reason, code, detail: detail.into() }));
        false
    }
}

async fn read_body(mut response: reqwest::Response, mut cutter: Cutter, longest: u64, buffer: Buffer) {
    let mut frames = Vec::new();
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            Err(error) => {
                buffer.end(EndReason::Failed, None, classify(error).detail);
                return;
            }
        };
        let cut = cutter.push(&chunk, &mut frames);
        if !frames.drain(..).all(|frame| buffer.frame(frame)) {
            return;
        }
        if cut.is_err() {
            buffer.end(EndReason::Limit, None, format!("a frame is longer than {longest} bytes (`max_body`)"));
            return;
        }
    }
    cutter.finish(&mut frames);
    if frames.drain(..).all(|frame| buffer.frame(frame)) {
        buffer.end(EndReason::Closed, None, "");
    }
}

async fn read_socket(mut reader: SplitStream<Socket>, channels: bool, buffer: Buffer) {
    loop {
        let going = match reader.next().await {
            Some(Ok(Message::Text(text))) => buffer.frame(message(Bytes::from(text), false, channels)),
            Some(Ok(Message::Binary(bytes))) => buffer.frame(message(bytes, true, channels)),
            // Answered by the library.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => true,
            Some(Ok(Message::Close(close))) => {
                let (code, reason) = match close {
                    Some(close) => (Some(u16::from(close.code)), close.reason.as_str().to_owned()),
                    None => (None, String::new()),
                };
                buffer.end(EndReason::Closed, code, reason)
            }
            Some(Err(SocketError::ConnectionClosed)) | None => buffer.end(EndReason::Closed, None, ""),
            Some(Err(SocketError::Capacity(error))) => {
                buffer.end(EndReason::Limit, None, format!("{error} (`max_body`)"))
            }
            Some(Err(error)) => buffer.end(EndReason::Failed, None, error.to_string()),
        };
        if !going {
            // The library answers a closing message when it is asked once more.
            while let Ok(Some(Ok(_))) = tokio::time::timeout(FAREWELL, reader.next()).await {}
            return;
        }
    }
}

/// A message; with channels its first byte is one.
fn message(mut bytes: Bytes, binary: bool, channels: bool) -> Frame {
    let channel = if channels && !bytes.is_empty() { Some(bytes.split_to(1)) } else { None };
    let channel = channel.and_then(|byte| byte.first().copied());
    Frame { channel, binary, body: Body::new(bytes), ..Frame::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_is_bounded() {
        let fill = |size: usize| {
            let (sender, mut arrived) = unbounded_channel();
            let buffer = Buffer { sender, held: Arc::default() };
            let frame = || Frame { body: Body::new(vec![b'x'; size]), ..Frame::default() };
            let taken = (0..=MOST_FRAMES).take_while(|_| buffer.frame(frame())).count();
            let last = std::iter::from_fn(|| arrived.try_recv().ok()).last().unwrap().1;
            assert!(
                matches!(&last, Arrived::End { reason: EndReason::Limit, detail, .. } if detail.contains("unread"))
            );
            taken
        };
        assert_eq!(fill(1), MOST_FRAMES);
        assert_eq!(fill(8 << 20), 4);
    }

    #[test]
    fn a_message_is_parted_from_its_channel() {
        let parted = message(Bytes::from_static(b"\x01out"), true, true);
        assert_eq!((parted.channel, parted.body.bytes()), (Some(1), &b"out"[..]));
        assert_eq!(message(Bytes::from_static(b"\x01out"), true, false).channel, None);
        assert_eq!(message(Bytes::new(), true, true).channel, None);
    }
}
