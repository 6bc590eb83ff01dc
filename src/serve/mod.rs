//! A local server for the site of a ledger: for a look before it is published. Read-only; made again when the ledger changed.
//!
//! Start at [`Server::start`]. It answers GET and HEAD only, for its own host names only (see [`host`]), and nothing but files of the site,
//! which it looks up by name and never by path.

mod answer;
mod host;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::ledger::Ledger;
use crate::site::{self, SiteError, Summary};

/// Connections at a time. A browser opens six.
const MOST_CONNECTIONS: usize = 256;

/// A client that takes longer for the head of a request is gone.
const PATIENCE: Duration = Duration::from_secs(15);

/// Pause when the system has no connection to give, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// How to serve.
pub struct Options {
    /// Where the site is made.
    pub folder: PathBuf,
    /// Host names that are the server's own, besides `localhost` and its addresses.
    pub names: Vec<String>,
    /// The ledger is looked at again after this time, when somebody asks; at every request when it is zero. A look that takes long is
    /// taken less often.
    pub fresh: Duration,
    /// Receives a line when the site was made again, or could not be.
    pub tell: Box<dyn Fn(String) + Send + Sync>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("folder", &self.folder).field("names", &self.names).finish_non_exhaustive()
    }
}

/// A running server; it ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    site: Arc<Site>,
    task: tokio::task::JoinHandle<()>,
}

/// The site as it is served.
#[derive(Debug)]
struct Site {
    ledger: Ledger,
    options: Options,
    /// Read while a file is read, written while the site is made again: nobody gets half of a file.
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    looked: Instant,
    /// How long the last look took.
    took: Duration,
    /// Why the site could not be made again, the last time.
    broken: Option<String>,
    /// It is not made any more.
    closed: bool,
    /// Files by path below the site, with their length and digest.
    files: BTreeMap<String, site::File>,
}

impl Server {
    /// Publishes the ledger, which may take a while, and serves it at the listener's address.
    ///
    /// # Errors
    /// When the site cannot be made.
    pub async fn start(ledger: Ledger, listener: TcpListener, options: Options) -> Result<(Self, Summary), SiteError> {
        let wrong = |path: &Path| {
            let path = path.to_owned();
            |source| SiteError::Io { path, source }
        };
        let address = listener.local_addr().map_err(wrong(&options.folder))?;
        let folder = options.folder.clone();
        let made = tokio::task::spawn_blocking(move || Site::make(ledger, options)).await;
        let (site, summary) = made.map_err(|error| wrong(&folder)(io::Error::other(error)))??;
        let site = Arc::new(site);
        let task = tokio::spawn(listen(listener, Arc::clone(&site)));
        Ok((Self { address, site, task }, summary))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it, and returns when nothing is written to the folder any more.
    pub async fn end(self) {
        self.task.abort();
        let site = Arc::clone(&self.site);
        let closed = move || site.state.write().unwrap_or_else(PoisonError::into_inner).closed = true;
        // The only error is a panic in there, which there is none of.
        let _ = tokio::task::spawn_blocking(closed).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Site {
    fn make(ledger: Ledger, options: Options) -> Result<(Self, Summary), SiteError> {
        let began = Instant::now();
        let summary = site::publish(&ledger, &options.folder, None)?;
        let files = site::files(&options.folder)?;
        let state =
            RwLock::new(State { looked: Instant::now(), took: began.elapsed(), broken: None, closed: false, files });
        Ok((Self { ledger, options, state }, summary))
    }

    /// The site as the ledger is now, held fast. Blocks.
    fn now(&self) -> RwLockReadGuard<'_, State> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if !self.is_due(&state) {
            return state;
        }
        drop(state);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have looked meanwhile.
        if self.is_due(&state) {
            self.look(&mut state);
        }
        drop(state);
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_due(&self, state: &State) -> bool {
        let fresh = self.options.fresh;
        !state.closed && (fresh.is_zero() || state.looked.elapsed() >= fresh.max(state.took * 4))
    }

    fn look(&self, state: &mut State) {
        let began = Instant::now();
        let made = site::publish(&self.ledger, &self.options.folder, None);
        let made = made.and_then(|summary| Ok((summary, site::files(&self.options.folder)?)));
        match made {
            Ok((summary, files)) => {
                let mended = state.broken.take().is_some();
                if mended || summary.written > 0 || summary.removed > 0 {
                    let Summary { written, removed, .. } = summary;
                    (self.options.tell)(format!("the ledger changed: {written} written, {removed} removed"));
                }
                state.files = files;
            }
            Err(error) => {
                let why = error.to_string();
                if state.broken.as_ref() != Some(&why) {
                    (self.options.tell)(format!("the ledger changed, and the site cannot be made: {why}"));
                }
                state.broken = Some(why);
                // Pages may have been written before what is wrong was found.
                if let Ok(files) = site::files(&self.options.folder) {
                    state.files = files;
                }
            }
        }
        state.took = began.elapsed();
        state.looked = Instant::now();
    }
}

async fn listen(listener: TcpListener, site: Arc<Site>) {
    // Dropping the set ends the connections together with the server.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MOST_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&site)));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, site: Arc<Site>) {
    let Ok(address) = stream.local_addr() else { return };
    let service = service_fn(|request| answer::answer(Arc::clone(&site), address.ip(), request));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    // An error here is a client that went away.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}
