//! A local server for the site of a ledger: for a look before it is published. Read-only; made again when the ledger changed.
//!
//! Start at [`Server::start`]. It answers GET and HEAD only, for its own host names only (a page elsewhere cannot read it through a name
//! that leads here), and nothing but files of the site, which it looks up by name and never by path.

mod answer;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::ledger::Ledger;
use crate::site::{self, SiteError, Summary};

/// The ledger is looked at again after this time, when somebody asks.
const FRESH: Duration = Duration::from_secs(1);

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

/// The site as it is served.
#[derive(Debug)]
struct Site {
    ledger: Ledger,
    folder: PathBuf,
    names: Vec<String>,
    state: Mutex<State>,
    /// Receives a line when the site was made again, or could not be.
    tell: fn(String),
}

#[derive(Debug)]
struct State {
    looked: Instant,
    /// Files by path below the site, with their length and digest.
    files: Arc<BTreeMap<String, site::File>>,
}

impl Server {
    /// Publishes the ledger into `folder` and serves it at `address`; port 0 takes a free one. `tell` receives a line whenever the site was
    /// made again.
    ///
    /// # Errors
    /// When the site cannot be made.
    pub fn start(
        ledger: Ledger,
        folder: &Path,
        listener: TcpListener,
        tell: fn(String),
    ) -> Result<(Self, Summary), SiteError> {
        let summary = site::publish(&ledger, folder, None)?;
        let address = listener.local_addr().map_err(|source| SiteError::Io { path: folder.to_owned(), source })?;
        let names = vec![address.to_string(), format!("localhost:{}", address.port()), address.ip().to_string()];
        let state = State { looked: Instant::now(), files: Arc::new(site::files(folder)?) };
        let site = Site { ledger, folder: folder.to_owned(), names, state: Mutex::new(state), tell };
        let task = tokio::spawn(listen(listener, Arc::new(site)));
        Ok((Self { address, task }, summary))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Site {
    /// The files, after a look at the ledger.
    fn files(&self) -> Arc<BTreeMap<String, site::File>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= FRESH {
            match site::publish(&self.ledger, &self.folder, None) {
                Ok(summary) if summary.written > 0 || summary.removed > 0 => {
                    (self.tell)(format!(
                        "the ledger changed: {} written, {} removed",
                        summary.written, summary.removed
                    ));
                    if let Ok(files) = site::files(&self.folder) {
                        state.files = Arc::new(files);
                    }
                }
                Ok(_) => {}
                // What was there before is served on.
                Err(error) => (self.tell)(format!("the site is as before: {error}")),
            }
            state.looked = Instant::now();
        }
        Arc::clone(&state.files)
    }
}

async fn listen(listener: TcpListener, site: Arc<Site>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let site = Arc::clone(&site);
                    connections.spawn(async move {
                        let service = service_fn(|request| answer::answer(Arc::clone(&site), request));
                        // An error here is a client that went away.
                        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                    });
                }
                // Out of file descriptors, for instance: existing connections go on and free some.
                Err(_) => tokio::task::yield_now().await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
