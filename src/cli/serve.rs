//! `assize serve`: the site of a ledger from a server on this computer.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use tokio::net::TcpListener;

use super::context::Context;
use super::exit::{CliError, Exit};
use super::publish;
use crate::ledger::Ledger;
use crate::serve::Server;
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
    /// Folder of the site, kept for the next time; a temporary one when left out.
    #[arg(long, value_name = "SITE")]
    pub site: Option<PathBuf>,
}

/// Serves until it is interrupted.
///
/// # Errors
/// When the address cannot be used or the site cannot be made.
pub async fn serve(context: &Context, args: &ServeArgs) -> Result<Exit, CliError> {
    if !args.listen.ip().is_loopback() && !args.public {
        return Err(CliError::new(Exit::Usage, format!("{} can be reached from other computers", args.listen.ip()))
            .hint("say so with --public, or listen on 127.0.0.1"));
    }
    let ledger = Ledger::open(&args.ledger).map_err(CliError::input)?;
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|error| CliError::input(format!("cannot listen on {}: {error}", args.listen)))?;
    let temporary = std::env::temp_dir().join(format!("assize-site-{}", std::process::id()));
    let folder = args.site.clone().unwrap_or_else(|| temporary.clone());
    if args.site.is_none() {
        // Not `create_dir_all`: somebody else may have put something there.
        std::fs::create_dir(&folder).map_err(|error| {
            CliError::input(format!("cannot make {}: {error}", folder.display())).hint("give --site")
        })?;
    }
    let started = Server::start(ledger, &folder, listener, |line| eprintln!("{line}")).map_err(publish::explained);
    let outcome = match started {
        Ok((server, summary)) => {
            context.tell(format!(
                "{}, {}; Ctrl-C ends it",
                plural(summary.reports, "report"),
                plural(summary.files, "file")
            ));
            context.say(format!("http://{}/", server.address()));
            let ended = tokio::signal::ctrl_c().await;
            ended.map(|()| Exit::Ok).map_err(|error| CliError::new(Exit::Bug, error.to_string()))
        }
        Err(error) => Err(error),
    };
    if args.site.is_none() {
        // Made by this process under a name of its own.
        let _ = std::fs::remove_dir_all(&temporary);
    }
    outcome
}
