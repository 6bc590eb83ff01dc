//! One request, one answer.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;

use super::Site;

/// What a page may load: its own style, script, pictures and documents.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

type Answer = Response<Full<Bytes>>;

/// Answers a request.
pub(super) async fn answer<B>(site: Arc<Site>, request: Request<B>) -> Result<Answer, Infallible> {
    // Reading a file, and now and then the ledger, is quick; this server is for one person.
    let is_head = request.method() == Method::HEAD;
    let mut answer = made(&site, &request);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if is_head {
        let body = std::mem::take(answer.body_mut());
        let length = hyper::body::Body::size_hint(&body).exact().unwrap_or_default();
        answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(answer)
}

fn made<B>(site: &Site, request: &Request<B>) -> Answer {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "this server only reads");
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !site.names.iter().any(|name| name == host) {
        return plain(StatusCode::MISDIRECTED_REQUEST, "this server has another name");
    }
    let Ok(path) = percent_decode_str(request.uri().path()).decode_utf8() else {
        return plain(StatusCode::BAD_REQUEST, "the path is not UTF-8");
    };
    let mut name = path.trim_start_matches('/').to_owned();
    if name.is_empty() || name.ends_with('/') {
        name.push_str("index.html");
    }
    let files = site.files();
    let (status, name) = match files.contains_key(&name) {
        true => (StatusCode::OK, name),
        false => (StatusCode::NOT_FOUND, "404.html".to_owned()),
    };
    let Some(file) = files.get(&name) else { return plain(StatusCode::NOT_FOUND, "there is no such page") };
    let tag = format!("\"{}\"", file.digest.to_string().trim_start_matches("sha256:"));
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
    let mut answer = if status == StatusCode::OK && known.split(',').any(|one| one.trim() == tag || one.trim() == "*") {
        let mut answer = Response::new(Full::default());
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        answer
    } else {
        let Ok(bytes) = std::fs::read(site.folder.join(&name)) else {
            return plain(StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be read");
        };
        let mut answer = Response::new(Full::new(Bytes::from(bytes)));
        *answer.status_mut() = status;
        answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(&name)));
        answer
    };
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    answer
}

fn plain(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("xml") => "application/atom+xml; charset=utf-8",
        _ => "application/octet-stream",
    }
}
