//! The target `demo`: a recorded real service, replayed over loopback HTTP.
//!
//! The demo runs the suites and the seed of the recording, so that its requests are those that were recorded; its clock
//! is that of the recording, and waiting takes no time.

use std::sync::Arc;

use crate::demo::{Server, recording};
use crate::engine::Clock;
use crate::report::bundle::names;
use crate::report::inputs::RunInputs;
use crate::suite::Catalogue;
use crate::target::{Target, TargetOptions};
use crate::transcript::Reader;

use super::args::RunArgs;
use super::context::Context;
use super::exit::{CliError, Exit};
use super::inputs::{Loaded, heed, texts};
use super::run::{Prepared, go, identity, prepare};

/// Runs against the demo target.
///
/// # Errors
/// As every run.
pub async fn run(context: &Context, args: &RunArgs) -> Result<Exit, CliError> {
    let (prepared, server) = demo(context, args).await?;
    context.tell(format!("Replaying a recorded service at {}", server.base()));
    go(context, args, prepared).await
}

/// Starts the replay and prepares a run against it. The replay ends when the server is dropped.
///
/// # Errors
/// When this build carries no recording, or no loopback port is to be had.
pub async fn demo(context: &Context, args: &RunArgs) -> Result<(Prepared, Server), CliError> {
    let missing = || {
        CliError::new(Exit::Bug, "this build carries no recording for the demo")
            .hint("build it from a complete checkout: the recording lies in reports/")
    };
    let recorded: RunInputs = serde_json::from_slice(recording::file(names::RUN).ok_or_else(missing)?)
        .map_err(|e| CliError::new(Exit::Bug, e.to_string()))?;
    let transcript = recording::file(names::TRANSCRIPT).ok_or_else(missing)?;
    let texts = texts(recording::suites().map(|(name, text)| (name.to_owned(), text.to_owned())));
    let (catalogue, problems) = Catalogue::read(texts.values().cloned());
    heed(context, &problems, "the suites of the recording")?;
    let (_, id) = identity(None)?;
    // The reader wants a file; it is gone as soon as it is open.
    let path = std::env::temp_dir().join(format!("assize-demo-{id}.jsonl"));
    let failed = |error: String| CliError::new(Exit::Bug, format!("the recording cannot be opened: {error}"));
    std::fs::write(&path, transcript).map_err(|error| failed(error.to_string()))?;
    let reader = Reader::open(&path).map_err(|error| failed(error.to_string()));
    let _ = std::fs::remove_file(&path);
    let base = recorded.target["base"].as_str().unwrap_or_default().to_owned();
    let server = Server::start(Arc::new(reader?), &base).await.map_err(|error| failed(error.to_string()))?;

    let family = catalogue.family(&recorded.family).ok_or_else(missing)?;
    let mut options = TargetOptions::new(family, server.base());
    for (key, value) in recorded.target["options"].as_object().into_iter().flatten() {
        options.options.insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
    }
    let target = Target::from_options(options).map_err(|error| failed(error.to_string()))?;
    let clock = Clock::Virtual { start_ms: recorded.started_at_ms };
    let loaded = Loaded { catalogue, texts, folder: None };
    let mut prepared = prepare(args, loaded, target, recorded.seed, id, clock)?;
    if args.guideline.is_none() {
        prepared.inputs.guideline = recorded.guideline;
    }
    Ok((prepared, server))
}
