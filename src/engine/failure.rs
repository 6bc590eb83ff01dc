//! Why a request got no answer, in our own words: the client library's error texts are not stable and hold URLs.

use std::error::Error as StdError;
use std::io;

use crate::http::{Failure, FailureClass};

/// Longer explanations are cut.
const LONGEST_DETAIL: usize = 300;

/// Classifies an error of the HTTP client.
pub(super) fn classify(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let class = class_of(&error);
    Failure { class, detail: shorten(detail_of(&error)) }
}

/// A failure in our own words.
pub(super) fn failure(class: FailureClass, detail: impl Into<String>) -> Failure {
    Failure { class, detail: shorten(detail.into()) }
}

fn class_of(error: &reqwest::Error) -> FailureClass {
    if error.is_builder() {
        return FailureClass::Request;
    }
    let causes: Vec<&(dyn StdError + 'static)> = causes(error);
    if causes.iter().any(|cause| is_tls(*cause)) {
        return FailureClass::Tls;
    }
    if error.is_dns() || causes.iter().any(|cause| cause.to_string() == "dns error") {
        return FailureClass::Resolve;
    }
    if error.is_connect() {
        return FailureClass::Connect;
    }
    if error.is_timeout() {
        return FailureClass::Timeout;
    }
    let is_ours =
        |cause: &&(dyn StdError + 'static)| cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_user);
    if causes.iter().any(is_ours) {
        return FailureClass::Request;
    }
    FailureClass::Protocol
}

fn is_tls(cause: &(dyn StdError + 'static)) -> bool {
    if cause.is::<rustls::Error>() {
        return true;
    }
    let Some(io) = cause.downcast_ref::<io::Error>() else { return false };
    io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) || io.to_string().contains("tls handshake")
}

/// Every cause below the error itself. An I/O error's own `source` skips what it wraps, hence the detour.
fn causes<'e>(error: &'e (dyn StdError + 'static)) -> Vec<&'e (dyn StdError + 'static)> {
    let mut all = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        all.push(cause);
        let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => cause.source(),
        };
    }
    all
}

/// The causes in one line. The outermost text (`error sending request`) says nothing.
fn detail_of(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in causes(error) {
        let text = cause.to_string();
        if !text.starts_with("client error") && !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
    }
    if parts.is_empty() { error.to_string() } else { parts.join(": ") }
}

fn shorten(mut detail: String) -> String {
    if detail.len() > LONGEST_DETAIL {
        let cut = (0..=LONGEST_DETAIL).rev().find(|at| detail.is_char_boundary(*at));
        detail.truncate(cut.unwrap_or_default());
        detail.push('…');
    }
    detail
}
