//! `assize serve`: the site of a ledger from a server on this computer.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;

use super::context::Context;
use super::exit::{CliError, Exit};
use super::publish;
use super::signals::Signals;
use crate::ledger::Ledger;
use crate::serve::{Options, Server};
use crate::site::{SiteError, Summary};
use crate::text::plural;

/// `assize serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The ledger: a folder with rules.yaml. It is looked at again while somebody reads.
    pub ledger: PathBuf,
    /// Address and port; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Let other computers read too: needed for an address that is not of this computer alone.
    #[arg(long)]
    pub public: bool,
    /// Another name that leads here, such as that of a proxy. Requests for other names are refused.
    #[arg(long, value_name = "NAME")]
    pub host_name: Vec<String>,
    /// Folder of the site, kept for the next time; a temporary one when left out.
    #[arg(long, value_name = "SITE")]
    pub site: Option<PathBuf>,
}

/// The folder of the site while it is served.
struct Home {
    folder: PathBuf,
    is_temporary: bool,
}

impl Home {
    fn new(given: Option<&Path>) -> Result<Self, CliError> {
        if let Some(folder) = given {
            return Ok(Self { folder: folder.to_owned(), is_temporary: false });
        }
        let mut chance = [0; 8];
        getrandom::fill(&mut chance).map_err(|error| CliError::new(Exit::Bug, error.to_string()))?;
        let name = format!("assize-site-{:016x}", u64::from_ne_bytes(chance));
        let folder = std::env::temp_dir().join(name);
        // Not `create_dir_all`: somebody else may have put something there. A ledger may not be for everybody's eyes yet.
        #[cfg_attr(not(unix), expect(unused_mut))]
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder).map_err(|error| {
            CliError::input(format!("cannot make {}: {error}", folder.display())).hint("give a folder with --site")
        })?;
        Ok(Self { folder, is_temporary: true })
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.is_temporary {
            // Made by this process under a name of its own.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Serves until it is interrupted.
///
/// # Errors
/// When the address cannot be used or the site cannot be made.
pub async fn serve(context: &Context, args: &ServeArgs) -> Result<Exit, CliError> {
    let is_public = !args.listen.ip().is_loopback();
    if is_public && !args.public {
        return Err(CliError::new(Exit::Usage, format!("{} can be reached from other computers", args.listen.ip()))
            .hint("say so with --public, or listen on 127.0.0.1"));
    }
    let mut signals =
        Signals::new().ok_or_else(|| CliError::new(Exit::Bug, "the system takes no handler of signals"))?;
    let ledger = Ledger::open(&args.ledger).map_err(CliError::input)?;
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        CliError::input(format!("cannot listen on {}: {error}", args.listen)).hint("another port, or 0 for a free one")
    })?;
    let home = Home::new(args.site.as_deref())?;
    let own = context.clone();
    let options = Options {
        folder: home.folder.clone(),
        names: args.host_name.clone(),
        fresh: Duration::from_secs(1),
        tell: Box::new(move |line| own.tell(line)),
    };
    let Some(started) = unless_interrupted(context, &mut signals, Server::start(ledger, listener, options)).await
    else {
        return Ok(Exit::Ok);
    };
    let (server, summary) = started.map_err(publish::explained)?;
    if is_public {
        context.warn(format!("other computers that reach {} can read it too", server.address()));
    }
    context.tell(format!("{}, {}; Ctrl-C ends it", plural(summary.reports, "report"), plural(summary.files, "file")));
    context.say(format!("http://{}/", shown(server.address())));
    signals.next().await;
    server.end().await;
    Ok(Exit::Ok)
}

/// Waits for the site. It is made by threads that cannot be stopped half-way, so an interrupt waits for them; a second one does not.
async fn unless_interrupted(
    context: &Context,
    signals: &mut Signals,
    start: impl Future<Output = Result<(Server, Summary), SiteError>>,
) -> Option<Result<(Server, Summary), SiteError>> {
    tokio::pin!(start);
    tokio::select! { started = &mut start => return Some(started), () = signals.next() => {} }
    context.tell("ends as soon as the site is made; once more ends at once and leaves its folder behind");
    tokio::select! { _ = &mut start => None, () = signals.next() => std::process::exit(130) }
}

/// An address that a browser on this computer can open.
fn shown(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("localhost:{}", address.port()) } else { address.to_string() }
}
