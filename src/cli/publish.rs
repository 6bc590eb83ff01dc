//! `assize publish`: the site of a ledger.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use url::Url;

use super::context::Context;
use super::exit::{CliError, Exit};
use crate::ledger::Ledger;
use crate::site::{self, SiteError};
use crate::text::plural;

/// `assize publish`.
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// The ledger: a folder with rules.yaml.
    pub ledger: PathBuf,
    /// Folder of the site: a new or an empty one, or one that was published before.
    #[arg(short, long, value_name = "SITE")]
    pub output: PathBuf,
    /// Address that the site will have, as in https://interop.example/reports/. Feed readers want it.
    #[arg(long, value_name = "URL")]
    pub base: Option<Url>,
}

/// Makes the site, or what changed of it.
///
/// # Errors
/// When the ledger is not as it must be, or the folder is something else than a site.
pub fn publish(context: &Context, args: &PublishArgs) -> Result<Exit, CliError> {
    let began = Instant::now();
    let ledger = Ledger::open(&args.ledger).map_err(CliError::input)?;
    let done = site::publish(&ledger, &args.output, args.base.as_ref().map(Url::as_str)).map_err(explained)?;
    if done.left_out > 0 {
        let hint = format!("assize admit FOLDER --ledger {} --write", args.ledger.display());
        context.tell(format!("{} without a record of admission left out: {hint}", plural(done.left_out, "report")));
    }
    context.tell(format!(
        "{}: {}, {} written, {} removed, {:.2} s",
        plural(done.reports, "report"),
        plural(done.files, "file"),
        done.written,
        done.removed,
        began.elapsed().as_secs_f64()
    ));
    context.say(args.output.join("index.html").display().to_string());
    Ok(Exit::Ok)
}

/// With what can be done about it.
pub fn explained(error: SiteError) -> CliError {
    let hint = match &error {
        SiteError::Ledger(_) | SiteError::Reports(_) | SiteError::Report { .. } => {
            "`assize ledger LEDGER` checks every document of the ledger"
        }
        SiteError::NotASite(_) => "a folder that was published before is brought up to date",
        SiteError::Io { .. } => "look at the rights of the folder",
    };
    CliError::input(error).hint(hint)
}
