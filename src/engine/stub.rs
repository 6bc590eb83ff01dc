//! A target for tests: speaks HTTP/1.1 byte by byte, so that it can also speak it badly.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// A request as the stub saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Seen {
    /// `METHOD /path`.
    pub(crate) fn what(&self) -> &str {
        self.line.rsplit_once(' ').unwrap().0
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

pub(crate) enum Reply {
    /// Status, further header lines, body.
    Full(u16, &'static str, String),
    /// Bytes, then the connection is closed.
    Raw(&'static [u8]),
    /// Further header lines, and a body without end, whatever they say of its length.
    Endless(&'static str),
    /// Nothing ever.
    Hang,
    /// As long as others wait too.
    Together(Arc<Barrier>, Box<Reply>),
    /// Further header lines, and a body in pieces as they come. It ends when their sender is gone; nothing instead of a
    /// piece tears the connection.
    Feed(&'static str, UnboundedReceiver<Option<String>>),
    /// A WebSocket with this sub-protocol, and what is said on it.
    Socket(Option<&'static str>, Talk),
}

/// What the target says on a WebSocket.
pub(crate) type Talk = Box<dyn FnOnce(WebSocketStream<TcpStream>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

pub(crate) fn json(status: u16, body: &str) -> Reply {
    Reply::Full(status, "content-type: application/json\r\n", body.to_owned())
}

type Handler = dyn Fn(&Seen) -> Reply + Send + Sync;

pub(crate) struct Stub {
    pub(crate) base: String,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
    /// Highest number of requests at the same time.
    pub(crate) peak: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Stub {
    pub(crate) async fn start(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Stub {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (peak, now) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let handler: Arc<Handler> = Arc::new(handler);
        let (log, top) = (Arc::clone(&seen), Arc::clone(&peak));
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { break };
                stream.set_nodelay(true).unwrap();
                let (handler, log, top, now) = (handler.clone(), log.clone(), top.clone(), Arc::clone(&now));
                tokio::spawn(async move {
                    let _ = serve(stream, &*handler, &log, &top, &now).await;
                });
            }
        });
        Stub { base, seen, peak, task }
    }

    /// `METHOD /path` of all requests so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|seen: &Seen| seen.what().to_owned()).collect()
    }
}

async fn serve(
    mut stream: TcpStream,
    handler: &Handler,
    log: &Mutex<Vec<Seen>>,
    peak: &AtomicUsize,
    now: &AtomicUsize,
) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let Some(seen) = read_request(&mut stream, &mut buffer).await? else { return Ok(()) };
        log.lock().unwrap().push(seen.clone());
        peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let mut reply = handler(&seen);
        // Others get a chance to be here at the same time.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        if let Reply::Together(barrier, inner) = reply {
            barrier.wait().await;
            reply = *inner;
        }
        let is_head = seen.line.starts_with("HEAD ");
        now.fetch_sub(1, Ordering::SeqCst);
        if let Reply::Socket(protocol, talk) = reply {
            let accept = derive_accept_key(seen.header("sec-websocket-key").unwrap_or_default().as_bytes());
            let protocol = protocol.map(|name| format!("sec-websocket-protocol: {name}\r\n")).unwrap_or_default();
            let head = format!(
                "HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {accept}\r\n{protocol}\r\n"
            );
            stream.write_all(head.as_bytes()).await?;
            talk(WebSocketStream::from_raw_socket(stream, Role::Server, None).await).await;
            return Ok(());
        }
        if !answer(&mut stream, reply, is_head).await? {
            return Ok(());
        }
    }
}

async fn answer(stream: &mut TcpStream, reply: Reply, is_head: bool) -> std::io::Result<bool> {
    match reply {
        Reply::Full(status, headers, body) => {
            let head = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).await?;
            if !is_head {
                stream.write_all(body.as_bytes()).await?;
            }
            Ok(true)
        }
        Reply::Raw(bytes) => {
            stream.write_all(bytes).await?;
            stream.shutdown().await?;
            Ok(false)
        }
        Reply::Endless(headers) => {
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{headers}\r\n").as_bytes()).await?;
            let chunk = [b'x'; 16 << 10];
            loop {
                stream.write_all(&chunk).await?;
            }
        }
        Reply::Feed(headers, mut pieces) => {
            let head = format!("HTTP/1.1 200 OK\r\n{headers}transfer-encoding: chunked\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            while let Some(piece) = pieces.recv().await {
                let Some(piece) = piece else { return Ok(false) };
                stream.write_all(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes()).await?;
            }
            stream.write_all(b"0\r\n\r\n").await?;
            Ok(true)
        }
        Reply::Hang | Reply::Together(..) | Reply::Socket(..) => {
            std::future::pending::<()>().await;
            Ok(false)
        }
    }
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Option<Seen>> {
    let mut chunk = [0; 4096];
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let (line, head) = head.split_once("\r\n").unwrap_or((&head, ""));
            let mut seen = Seen { line: line.to_owned(), head: head.to_owned(), body: String::new() };
            let length: usize = seen.header("content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
            while buffer.len() < end + 4 + length {
                let count = stream.read(&mut chunk).await?;
                buffer.extend_from_slice(&chunk[..count]);
            }
            seen.body = String::from_utf8_lossy(&buffer[end + 4..end + 4 + length]).into_owned();
            buffer.drain(..end + 4 + length);
            return Ok(Some(seen));
        }
        let count = stream.read(&mut chunk).await?;
        if count == 0 {
            return Ok(None);
        }
        buffer.extend_from_slice(&chunk[..count]);
        // The first byte of a TLS handshake; a server without TLS finds that it is no HTTP.
        if buffer[0] == 0x16 {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await?;
            return Ok(None);
        }
    }
}
