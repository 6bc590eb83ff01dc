//! One exchange as people read it: request line, header fields, body; status line, header fields, body.

use maud::{Markup, html};

use crate::http::{Body, Exchange, Headers};
use crate::judge::Evidence;

/// Bytes of a body that are shown.
const SHOWN: usize = 4000;

/// The exchange as a pair of text blocks.
pub(super) fn show(place: &Evidence, exchange: &Exchange) -> Markup {
    let request = &exchange.request;
    html! {
        details open {
            summary.dim { "Exchange " (place.n) @if let Some(fixture) = &place.fixture { " of fixture " (fixture) } ", " (exchange.done_ms.saturating_sub(exchange.sent_ms)) " ms" }
            pre { (request.method) " " (request.url) "\n" (headers(&request.headers)) (body(&request.body)) }
            @if let Some(response) = &exchange.response {
                pre { (response.version) " " (response.status) "\n" (headers(&response.headers)) (body(&response.body)) }
            }
            @if let Some(failure) = &exchange.failure {
                pre { "no response (" (failure.class.word()) "): " (failure.detail) }
            }
        }
    }
}

fn headers(headers: &Headers) -> String {
    headers.0.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}

fn body(body: &Body) -> String {
    if body.is_empty() {
        return String::new();
    }
    let text = match body.json() {
        Some(json) => serde_json::to_string_pretty(&json).unwrap_or_default(),
        None => body.text().into_owned(),
    };
    let shown = match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…\n({} bytes in all)", text.get(..end).unwrap_or_default(), body.bytes().len()),
        None => text,
    };
    format!("\n{shown}")
}
