//! A target made of a recording: serves the answers of a transcript over loopback HTTP, so that the harness can be
//! tried, shown and tested without any real system.
//!
//! A request is matched by the case it belongs to (the harness says so in `user-agent`) and its place in the case:
//! run with the seed of the recording, every case meets the answers that it met then. It deliberately checks no
//! credentials and invents nothing: what was not recorded is answered with status 599. Start reading at
//! [`Server::start`], then `book`.

mod book;
mod mask;
pub mod recording;
mod streams;

pub use mask::unmask;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::{JoinHandle, JoinSet};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use self::book::{Answer, Book, Homes, Question};
use crate::transcript::Reader;

/// Status of answers that were not recorded. No case expects it, so none passes by accident.
pub const UNRECORDED: u16 = 599;
/// A recorded time-out is served as silence, at most this long.
const SILENCE: Duration = Duration::from_secs(120);
/// Longer request bodies are refused.
const MAX_REQUEST: usize = 64 << 20;

/// Why the recording cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// No loopback port.
    #[error("cannot listen on the loopback interface: {0}")]
    Listen(#[from] std::io::Error),
    /// The URL of the recorded target makes no sense.
    #[error("`{0}` is not the base URL of a recorded target")]
    Base(String),
}

/// A running demo target. It ends when this value is dropped.
#[derive(Debug)]
pub struct Server {
    base: String,
    homes: Homes,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Serves a transcript. `recorded_base` is the base URL that the recorded target had: it is replaced by the
    /// server's own wherever an answer mentions it. Services at other addresses are served below a path of their own.
    ///
    /// # Errors
    /// When there is no loopback port, or the base is no URL.
    pub async fn start(transcript: Arc<Reader>, recorded_base: &str) -> Result<Server, DemoError> {
        let base = url::Url::parse(recorded_base).map_err(|_| DemoError::Base(recorded_base.to_owned()))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address: SocketAddr = listener.local_addr()?;
        let origin = format!("http://{address}");
        let own_base = format!("{origin}{}", base.path().trim_end_matches('/'));
        let homes = Homes::of(&transcript, &base, &origin);
        let book = Arc::new(Book::new(transcript, homes.clone()));
        let task = tokio::spawn(listen(listener, book));
        Ok(Server { base: own_base, homes, task })
    }

    /// A recorded text with our addresses instead of the recorded ones.
    #[must_use]
    pub fn at_home(&self, text: &str) -> String {
        self.homes.bring(text)
    }

    /// Base URL of the server.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }
}

async fn listen(listener: TcpListener, book: Arc<Book>) {
    // Dropping the set ends the connections together with the server.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&book)));
                }
                // Out of file descriptors, for instance: existing connections go on and free some.
                Err(_) => tokio::task::yield_now().await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, book: Arc<Book>) {
    let (talks, mut begun) = unbounded_channel();
    let service = service_fn(|request| respond(request, &book, &talks));
    let serving = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // An error here is a recorded failure or the harness going away.
    let _ = serving.with_upgrades().await;
    // What the connection may have become.
    while let Ok((upgrade, script, served)) = begun.try_recv() {
        streams::talk(upgrade, script, served).await;
    }
}

/// The connection is to be closed without an answer, as was recorded.
#[derive(Debug, thiserror::Error)]
#[error("the recorded request got no answer")]
struct NoAnswer;

type Body = UnsyncBoxBody<Bytes, NoAnswer>;
type Talk = (hyper::upgrade::OnUpgrade, streams::Script, streams::Served);

async fn respond(
    mut request: hyper::Request<Incoming>,
    book: &Book,
    talks: &UnboundedSender<Talk>,
) -> Result<hyper::Response<Body>, NoAnswer> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (head, body) = request.into_parts();
    let agent = head.headers.get("user-agent").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let is_head = head.method == hyper::Method::HEAD;
    let place = head.uri.path_and_query().map_or("/", |place| place.as_str()).to_owned();
    let Ok(body) = Limited::new(body, MAX_REQUEST).collect().await else { return Err(NoAnswer) };
    let question = Question { agent, method: head.method.to_string(), place, body: body.to_bytes() };
    match book.answer(&question) {
        Answer::Response { status, headers, body } => {
            let body = if is_head { Bytes::new() } else { body };
            Ok(response(status, headers, whole(body), is_head))
        }
        Answer::Stream { status: 101, headers, script, served } => {
            let Some(key) = head.headers.get("sec-websocket-key") else { return Err(NoAnswer) };
            let accept = derive_accept_key(key.as_bytes());
            // The receiver lives as long as the connection.
            let _ = talks.send((upgrade, script, served));
            Ok(switched(headers, &accept))
        }
        Answer::Stream { status, headers, script, served } => {
            Ok(response(status, headers, streams::body(script, served), is_head))
        }
        Answer::Closed => Err(NoAnswer),
        Answer::Silence => {
            tokio::time::sleep(SILENCE).await;
            Err(NoAnswer)
        }
    }
}

fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// The head after which the connection is a WebSocket.
fn switched(headers: Vec<(String, String)>, accept: &str) -> hyper::Response<Body> {
    let own = [("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-accept", accept)];
    let recorded = headers.into_iter().filter(|(name, _)| name != "sec-websocket-accept");
    let mut response = response(200, recorded.collect(), whole(Bytes::new()), false);
    *response.status_mut() = hyper::StatusCode::SWITCHING_PROTOCOLS;
    for (name, value) in own {
        if let Ok(value) = hyper::header::HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn response(status: u16, headers: Vec<(String, String)>, body: Body, is_head: bool) -> hyper::Response<Body> {
    let status = hyper::StatusCode::from_u16(status).ok().filter(|status| !status.is_informational());
    let mut response = hyper::Response::new(body);
    let Some(status) = status else {
        *response.status_mut() = hyper::StatusCode::BAD_GATEWAY;
        return response;
    };
    *response.status_mut() = status;
    for (name, value) in headers {
        // Framing belongs to this connection; the length of what HEAD would have got is a recorded fact.
        let framing = matches!(name.as_str(), "connection" | "transfer-encoding" | "keep-alive" | "upgrade");
        if framing || (name == "content-length" && !is_head) {
            continue;
        }
        let name = hyper::header::HeaderName::from_bytes(name.as_bytes());
        let value = hyper::header::HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests;
