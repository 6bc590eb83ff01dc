//! `assize merge`: the bundles of the shards of one run become one bundle.

use crate::report::merge::{self, MergeError};

use super::args::MergeArgs;
use super::context::Context;
use super::exit::{CliError, Exit};
use super::{output, verdict};

impl From<MergeError> for CliError {
    fn from(error: MergeError) -> Self {
        let message = error.to_string();
        match error {
            MergeError::Bundle(_) => Self::input(message)
                .hint("give the folders of runs: each holds bundle.json, run.json and transcript.jsonl"),
            MergeError::Foreign { .. } => Self::input(message),
            MergeError::Unsupported { folder, .. } => Self::new(Exit::Unsupported, message)
                .hint(format!("`assize verify {}` lists all of it", folder.display())),
        }
    }
}

/// Puts shards together.
///
/// # Errors
/// When they are not the shards of one run, their evidence does not support their reports, or files cannot be written.
pub fn merge(context: &Context, args: &MergeArgs) -> Result<Exit, CliError> {
    let folder = &args.output_dir;
    super::run::empty_folder(folder)?;
    let shards = merge::open(&args.bundles)?;
    let (inputs, catalogue) = merge::write(folder, &shards)?;
    let collected = merge::collect(&catalogue, &inputs, &shards);
    let first = shards.first().map(|shard| &shard.opened);
    let programs = match first {
        Some(first) => collected
            .programs(first.guideline.as_ref(), &first.waivers)
            .map_err(|error| CliError::new(Exit::Usage, error.to_string()))?,
        None => Vec::new(),
    };
    collected.with_report(programs, |report| {
        let evidence = |entry: &str, owner: &str, n: u32| {
            let own = shards.iter().find(|shard| shard.opened.inputs.selection.takes(entry))?;
            output::shown(&own.opened.transcript, owner, n)
        };
        output::documents(context, folder, report, &evidence)?;
        verdict::print(context, report);
        Ok::<_, CliError>(())
    })?;
    context.say(format!("\nMerged from {} shards: {}", shards.len(), folder.display()));
    Ok(Exit::Ok)
}
