//! What a finding was made on, as people read it: an exchange with request line, header fields, body and the same of the
//! answer; a stream with its opening and a line for each frame.

use maud::{Markup, html};

use super::Shown;
use crate::http::{Body, Exchange, Frame, Headers, StreamEvent};
use crate::judge::Evidence;
use crate::text::{html_safe, is_html};

/// Bytes of a body that are shown.
const SHOWN: usize = 4000;
/// Events of a stream that are shown, the latest ones.
const SHOWN_EVENTS: usize = 50;
/// Bytes of a frame that are shown.
const SHOWN_OF_FRAME: usize = 600;

/// An exchange as a pair of text blocks, a stream with one more.
pub(super) fn show(place: &Evidence, shown: &Shown) -> Markup {
    match shown {
        Shown::Exchange(exchange) => pair(place, exchange),
        Shown::Stream { opening, events } => html! {
            (pair(place, opening))
            @let hidden = events.len().saturating_sub(SHOWN_EVENTS);
            @if hidden > 0 { p.dim { (hidden) " earlier frames are in the transcript." } }
            pre { @for (n, event) in events.iter().skip(hidden) { (line(*n, event)) "\n" } }
        },
    }
}

/// What happened on a stream, in a line: event number, time, direction, channel, content.
fn line(n: u32, event: &StreamEvent) -> String {
    let frame = |arrow: &str, frame: &Frame| {
        let channel = frame.channel.map(|channel| format!(" channel {channel}")).unwrap_or_default();
        let kind = frame.event.as_deref().map(|event| format!(" {event}")).unwrap_or_default();
        let content = match std::str::from_utf8(frame.body.bytes()) {
            Ok(text) => cut(&text.escape_debug().to_string(), SHOWN_OF_FRAME),
            Err(_) => format!("{} bytes: {}", frame.body.bytes().len(), cut(&hex(frame.body.bytes()), SHOWN_OF_FRAME)),
        };
        format!("{} ms {arrow}{channel}{kind} {content}", frame.at_ms)
    };
    let what = match event {
        StreamEvent::Received(received) => frame("←", received),
        StreamEvent::Sent(sent) => frame("→", sent),
        StreamEvent::Unsent { detail, at_ms } => format!("{at_ms} ms a frame could not be sent: {detail}"),
        StreamEvent::Silence { from_ms, to_ms } => {
            format!("{to_ms} ms nothing came for {} ms", to_ms.saturating_sub(*from_ms))
        }
        StreamEvent::Ended(end) => {
            let code = end.code.map(|code| format!(", code {code}")).unwrap_or_default();
            let detail = if end.detail.is_empty() { String::new() } else { format!(": {}", end.detail) };
            format!("{} ms end of the stream ({}{code}){detail}", end.at_ms, end.reason.word())
        }
    };
    format!("{n}: {what}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(SHOWN_OF_FRAME).map(|byte| format!("{byte:02x}")).collect()
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn pair(place: &Evidence, exchange: &Exchange) -> Markup {
    html! {
        details open {
            summary.dim { "Event " (place.n) @if let Some(fixture) = &place.fixture { " of fixture " (fixture) } ", " (exchange.done_ms.saturating_sub(exchange.sent_ms)) " ms" }
            (blocks(exchange))
        }
    }
}

/// Request and answer.
pub(crate) fn blocks(exchange: &Exchange) -> Markup {
    let request = &exchange.request;
    html! {
        pre { (request.method) " " (request.url) "\n" (headers(&request.headers)) (body(&request.body)) }
        @if let Some(response) = &exchange.response {
            pre { (response.version) " " (response.status) "\n" (headers(&response.headers)) (body(&response.body)) }
        }
        @if let Some(failure) = &exchange.failure {
            pre { "no response (" (failure.class.word()) "): " (failure.detail) }
        }
    }
}

fn headers(headers: &Headers) -> String {
    html_safe(headers.0.iter().map(|(name, value)| format!("{name}: {value}\n")).collect())
}

fn body(body: &Body) -> String {
    if body.is_empty() {
        return String::new();
    }
    let text = match body.json() {
        Some(json) => html_safe(serde_json::to_string_pretty(&json).unwrap_or_default()),
        None => body.text().into_owned(),
    };
    if !text.chars().all(is_html) {
        let bytes = body.bytes();
        return format!("\n{} bytes, not text: {}", bytes.len(), cut(&hex(bytes), SHOWN_OF_FRAME));
    }
    let shown = match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…\n({} bytes in all)", text.get(..end).unwrap_or_default(), body.bytes().len()),
        None => text,
    };
    format!("\n{shown}")
}
