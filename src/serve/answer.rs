//! One request, one answer.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;

use super::Site;
use super::host::{self, Refused};

/// What is said in every answer. A page may load its own style, script, pictures and documents.
const ALWAYS: [(header::HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-cache"),
];

/// The page for what is not there.
const MISSING: &str = "404.html";

type Answer = Response<Full<Bytes>>;

/// What is asked for.
struct Question {
    is_head: bool,
    path: String,
    /// `If-None-Match`.
    known: Vec<String>,
}

/// Answers a request that came in at the address `local`.
pub(super) async fn answer<B>(site: Arc<Site>, local: IpAddr, request: Request<B>) -> Result<Answer, Infallible> {
    let mut answer = match asked(&site, local, &request) {
        Err((status, why)) => plain(status, why),
        // A look at the ledger may take a second, and reading a file is not for this thread either.
        Ok(question) => tokio::task::spawn_blocking(move || made(&site, &question))
            .await
            .unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be made")),
    };
    if answer.status() == StatusCode::METHOD_NOT_ALLOWED {
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    for (name, value) in ALWAYS {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(answer)
}

/// What is asked for, or why it gets no answer.
fn asked<B>(site: &Site, local: IpAddr, request: &Request<B>) -> Result<Question, (StatusCode, &'static str)> {
    let headers = request.headers();
    host::check(headers, request.uri(), local, &site.options.names).map_err(|refused| match refused {
        Refused::Unclear => (StatusCode::BAD_REQUEST, "name one host"),
        Refused::Foreign => (
            StatusCode::MISDIRECTED_REQUEST,
            "this server has another name: use its address, or give it this name with --host-name",
        ),
    })?;
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err((StatusCode::METHOD_NOT_ALLOWED, "this server only reads"));
    }
    let path = percent_decode_str(request.uri().path()).decode_utf8();
    let path = path.map_err(|_| (StatusCode::BAD_REQUEST, "the path is not UTF-8"))?.into_owned();
    Ok(Question { is_head: request.method() == Method::HEAD, path, known: known(headers) })
}

/// The tags that the client has. Weak ones count, as the standard says for reading.
fn known(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    let tags = lines.flat_map(|line| line.split(',')).map(str::trim);
    tags.map(|tag| tag.strip_prefix("W/").unwrap_or(tag).to_owned()).collect()
}

/// The answer from the files of the site. Blocks.
fn made(site: &Site, question: &Question) -> Answer {
    let state = site.now();
    let mut name = question.path.strip_prefix('/').unwrap_or_default().to_owned();
    if name.is_empty() || name.ends_with('/') {
        name.push_str("index.html");
    }
    let (status, name) = match state.files.contains_key(&name) {
        true => (StatusCode::OK, name.as_str()),
        // As hosts of static sites do.
        false if state.files.contains_key(&format!("{name}/index.html")) => return elsewhere(&name),
        false => (StatusCode::NOT_FOUND, MISSING),
    };
    let Some(file) = state.files.get(name) else { return plain(StatusCode::NOT_FOUND, "there is no such page") };
    let tag = format!("\"{}\"", file.digest.to_string().trim_start_matches("sha256:"));
    let is_known = status == StatusCode::OK && question.known.iter().any(|one| *one == tag || one == "*");
    let mut answer = if is_known {
        let mut answer = Response::new(Full::default());
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        answer
    } else {
        let body = match question.is_head {
            true => Bytes::new(),
            false => match std::fs::read(site.options.folder.join(name)) {
                Ok(bytes) => Bytes::from(bytes),
                Err(_) => return plain(StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be read"),
            },
        };
        let mut answer = Response::new(Full::new(body));
        *answer.status_mut() = status;
        answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(name)));
        if question.is_head {
            answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(file.bytes));
        }
        answer
    };
    if let (StatusCode::OK | StatusCode::NOT_MODIFIED, Ok(tag)) = (answer.status(), HeaderValue::from_str(&tag)) {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    answer
}

/// Leads to the page of a folder, which is one of the site: nothing of the request but its name gets into the answer.
fn elsewhere(folder: &str) -> Answer {
    match HeaderValue::from_str(&format!("/{folder}/")) {
        Ok(target) => {
            let mut answer = plain(StatusCode::FOUND, "see the folder");
            answer.headers_mut().insert(header::LOCATION, target);
            answer
        }
        Err(_) => plain(StatusCode::NOT_FOUND, "there is no such page"),
    }
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
