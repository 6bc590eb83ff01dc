//! The command line: arguments, commands, exit codes, terminal. The only module that reads the environment or prints.
//!
//! Data goes to stdout, talk to stderr. Every command is a function from arguments to [`Exit`] or [`CliError`].

mod args;
mod audit;
mod cleanup;
mod clouds;
mod composite;
mod context;
mod covers;
mod demo;
mod diff;
mod exit;
mod explain;
mod files;
mod foundation;
mod guideline;
mod guideline_diff;
mod harness;
mod inputs;
mod kube;
mod lint;
mod list;
mod merge;
mod output;
mod plan;
mod progress;
mod publish;
mod run;
mod score;
mod serve;
mod signals;
mod submission;
mod verdict;
mod verify;

use clap::Parser as _;

pub use args::Cli;
pub use exit::{CliError, Exit};

use args::Command;
use context::Context;

/// Runs the program with these arguments; gives the exit code.
pub fn main(arguments: impl IntoIterator<Item = std::ffi::OsString>, variable: fn(&str) -> Option<String>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage as u8 } else { Exit::Ok as u8 };
        }
    };
    let context = Context::new(variable, cli.color);
    let exit = match dispatch(&context, cli.command) {
        Ok(code) => return code,
        Err(error) => {
            context.error(&error);
            error.exit
        }
    };
    exit as u8
}

fn dispatch(context: &Context, command: Command) -> Result<u8, CliError> {
    let exit = match command {
        Command::List(args) if args.covers => covers::covers(context, &args),
        Command::List(args) => list::list(context, &args),
        Command::Lint(args) => lint::lint(context, &args),
        Command::Score(args) => score::score(context, &args),
        Command::Submission(args) => submission::submission(context, &args),
        Command::Verify(args) => verify::verify(context, &args),
        Command::Sign(args) => foundation::sign(context, &args),
        Command::Facts(args) => foundation::facts(context, &args),
        Command::Admit(args) => foundation::admit(context, &args),
        Command::Challenge(args) => foundation::challenge(context, &args),
        Command::Ledger(args) => foundation::ledger(context, &args),
        Command::Diff(args) => diff::diff(context, &args),
        Command::Publish(args) => publish::publish(context, &args),
        Command::Guideline { command } => guideline::guideline(context, &command),
        Command::Merge(args) => merge::merge(context, &args),
        Command::Audit(args) => audit::audit(context, &args),
        Command::Schema(args) => lint::schema(context, &args),
        Command::Serve(args) => threads()?.block_on(serve::serve(context, &args)),
        Command::Run(args) => runtime()?.block_on(run::run(context, &args)),
        Command::Cleanup(args) => runtime()?.block_on(cleanup::cleanup(context, &args)),
        Command::Harness(args) => return harness::harness(context, &args, &threads()?),
    }?;
    Ok(exit as u8)
}

/// One thread: it drives requests as fast as two and costs two fifths less, since no case is handed from one to the other.
fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    built(&mut tokio::runtime::Builder::new_current_thread())
}

/// Goes on while the main thread is busy with something else.
fn threads() -> Result<tokio::runtime::Runtime, CliError> {
    built(tokio::runtime::Builder::new_multi_thread().worker_threads(2))
}

fn built(builder: &mut tokio::runtime::Builder) -> Result<tokio::runtime::Runtime, CliError> {
    builder
        .enable_all()
        .build()
        .map_err(|error| CliError::new(Exit::Bug, format!("the runtime cannot be started: {error}")))
}
