//! `assize harness`: the cases as a Rust test binary.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::{self, Journal, Plan, RunEvent, RunOptions};
use crate::harness::{arguments, name, run};
use crate::report::assemble::selected;
use crate::report::bundle::names;
use crate::report::rejudge;
use crate::transcript::Writer;

use super::args::{HarnessArgs, RunArgs, SuiteArgs};
use super::context::Context;
use super::exit::{CliError, Exit};
use super::inputs::{self, Loaded};
use super::output;
use super::run::{Prepared, identity, prepare};

/// Runs the trials; gives libtest's exit code.
///
/// # Errors
/// When suites or target cannot be used.
pub fn harness(context: &Context, args: &HarnessArgs, runtime: &tokio::runtime::Runtime) -> Result<u8, CliError> {
    let run_args = run_arguments(args);
    let (prepared, _server) = if super::demo::is_demo(args.target.target.as_deref()) {
        let (prepared, server) = runtime.block_on(super::demo::demo(context, &run_args))?;
        (prepared, Some(server))
    } else {
        let loaded = inputs::catalogue(context, args.suites.as_deref())?;
        let target = inputs::target(context, &loaded.catalogue, &args.target, None, BTreeMap::new())?;
        let (seed, id) = identity(None)?;
        (prepare(&run_args, loaded, target, seed, id, engine::Clock::System)?, None)
    };
    let mut libtest = arguments(&args.libtest);
    let Prepared { loaded, target, vault, inputs, clock } = prepared;
    let Loaded { catalogue, texts, .. } = loaded;
    let named = name(&catalogue, selected(&catalogue, &inputs));
    let jobs = catalogue.family(&inputs.family).map_or(4, |family| family.concurrency as usize);
    // Threads of libtest only wait; the engine's own concurrency counts.
    let jobs = libtest.test_threads.unwrap_or(jobs);
    libtest.test_threads = Some(jobs);
    let catalogue = Arc::new(catalogue);
    let mut fault = None;
    let mut engine_task = None;
    let code = run(&libtest, &named, |instances, mut results| {
        let begun = begin(&inputs, &texts);
        let (writer, journal) = match begun {
            Ok(files) => files,
            Err(error) => {
                fault = Some(error);
                return;
            }
        };
        let plan = Plan {
            catalogue: catalogue.clone(),
            target: Arc::new(target),
            vault,
            env: rejudge::env(&inputs, &catalogue),
            writer: Arc::new(writer),
            journal: Arc::new(journal),
        };
        let mut options = RunOptions::new(inputs.id.clone());
        options.jobs = jobs;
        options.allow = inputs.allow;
        options.clock = clock;
        engine_task = Some(runtime.spawn(async move {
            let mut sink = |event: RunEvent| {
                if let RunEvent::CaseDone(done) = event {
                    results.done(done.instance, done.result);
                }
            };
            engine::run(plan, instances.into_iter(), options, &mut sink).await
        }));
    });
    if let Some(error) = fault {
        return Err(error);
    }
    // The trials may be done before the fixtures are torn down.
    if let Some(task) = engine_task {
        let ended = runtime.block_on(task).map_err(|error| CliError::new(Exit::Bug, error.to_string()))?;
        ended.map_err(|error| CliError::new(Exit::Bug, error.to_string()))?;
    }
    Ok(code)
}

fn begin(inputs: &crate::report::inputs::RunInputs, texts: &inputs::Texts) -> Result<(Writer, Journal), CliError> {
    let folder = std::path::PathBuf::from("assize-runs").join(&inputs.id);
    output::begin(&folder, inputs, texts, None, None)?;
    let writer = Writer::create(&folder.join(names::TRANSCRIPT), &inputs.id).map_err(CliError::input)?;
    let journal = Journal::create(&folder.join(names::JOURNAL), &inputs.id).map_err(CliError::input)?;
    Ok((writer, journal))
}

fn run_arguments(args: &HarnessArgs) -> RunArgs {
    RunArgs {
        target: args.target.clone(),
        suites: SuiteArgs { suites: args.suites.clone(), case: Vec::new(), skip: Vec::new() },
        guideline: None,
        program: Vec::new(),
        required: false,
        waivers: None,
        allow: args.allow,
        jobs: None,
        rate: None,
        retries: 0,
        shard: None,
        seed: None,
        output_dir: None,
        gate: Vec::new(),
        min_score: None,
        dry_run: false,
    }
}
