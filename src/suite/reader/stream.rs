//! The steps of streams: `open`, `receive`, `send`, `close`.

use std::time::Duration;

use super::super::codes;
use super::super::model::{Frames, OpenStep, ReceiveStep, SendBody, StepKind, Wait};
use super::Reader;
use super::fields::Fields;
use super::scope::FRAMES;
use crate::text::did_you_mean;

impl Reader {
    pub(super) fn open(&mut self, fields: &Fields<'_>) -> Option<StepKind> {
        let node = fields.get("open")?;
        let stream = self.id(node);
        let request = self.request(fields, false);
        let words = ["json-lines", "sse", "lines", "bytes", "websocket"];
        let frames = fields.get("frames").and_then(|node| self.word(node, &words)).map(|word| match word {
            "json-lines" => Frames::JsonLines,
            "sse" => Frames::Sse,
            "lines" => Frames::Lines,
            "bytes" => Frames::Bytes,
            _ => Frames::Websocket,
        });
        let protocols: Vec<String> = fields
            .get("protocols")
            .map(|node| self.one_or_many(node).iter().filter_map(|item| self.text(item)).collect())
            .unwrap_or_default();
        if !protocols.is_empty() && frames.is_some_and(|frames| frames != Frames::Websocket) {
            let span = fields.key_span("protocols");
            self.error(codes::KEY_CONFLICT, span, "only a WebSocket has sub-protocols", "write `frames: websocket`");
        }
        let stream = stream?;
        if !self.streams.insert(stream.clone()) {
            let message = format!("stream `{stream}` is already open");
            self.error(codes::STREAM, node.span, message, "close it first, or choose another name");
        }
        Some(StepKind::Open(Box::new(OpenStep { stream, request: request?, frames: frames?, protocols })))
    }

    /// The name of a stream that must be open.
    pub(super) fn stream(&mut self, fields: &Fields<'_>, key: &str) -> Option<String> {
        let node = fields.get(key)?;
        let stream = self.id(node)?;
        if !self.in_group && !self.streams.contains(&stream) {
            let help = match did_you_mean(&stream, self.streams.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("open it first: `open: {stream}`"),
            };
            self.error(codes::STREAM, node.span, format!("stream `{stream}` is not open here"), help);
        }
        Some(stream)
    }

    pub(super) fn receive(&mut self, fields: &Fields<'_>) -> Option<StepKind> {
        let stream = self.stream(fields, "receive");
        let silent = fields.get("none_within").is_some();
        if silent {
            for name in ["until", "within"] {
                if fields.get(name).is_some() {
                    let message = format!("`{name}` has no effect beside `none_within`");
                    let help = "wait for frames, or for none: make two steps of it";
                    self.error(codes::KEY_CONFLICT, fields.key_span(name), message, help);
                }
            }
        }
        let key = if silent { "none_within" } else { "within" };
        let within = self.duration_or(fields, key, Duration::from_secs(60));
        let place = fields.get("until").map_or(fields.key_span("receive"), |node| node.span);
        let (wait, expect, save) = self.with_bound(fields.key_span("receive"), FRAMES, |reader| {
            let wait = match fields.get("until") {
                _ if silent => Some(Wait::Silence),
                Some(node) => reader.program(node).map(Wait::Until),
                None => Some(Wait::Frame),
            };
            let expect = fields.get("expect").map(|node| reader.expects(node)).unwrap_or_default();
            (wait, expect, reader.saves(fields))
        });
        let receive = ReceiveStep { stream: stream?, wait: wait?, within, expect, save, span: place };
        Some(StepKind::Receive(Box::new(receive)))
    }

    pub(super) fn send(&mut self, fields: &Fields<'_>) -> Option<StepKind> {
        let stream = self.stream(fields, "send");
        let channel = self.integer(fields, "channel").and_then(|number| u8::try_from(number).ok());
        let close = self.integer(fields, "close_channel").and_then(|number| u8::try_from(number).ok());
        if close.is_some() && channel.is_some() {
            let message = "`channel` has no effect beside `close_channel`";
            let help = "`close_channel` names the channel itself; remove `channel`";
            self.error(codes::KEY_CONFLICT, fields.key_span("channel"), message, help);
        }
        let body = match (fields.get("text"), fields.get("base64"), close) {
            (Some(node), _, _) => SendBody::Text(self.template(node)?),
            (None, Some(node), _) => SendBody::Base64(self.template(node)?),
            (None, None, close) => SendBody::CloseChannel(close?),
        };
        Some(StepKind::Send { stream: stream?, channel, body })
    }
}
