//! What one case costs, end to end: the release binary against a loopback server, in one run beside a raw reqwest
//! loop and, when it is installed, hurl. `cargo bench` prints one table and says which budgets are kept.
//!
//! Every contender is a process of its own that does the same number of GETs for the same document and looks at
//! status and two values of it. Its CPU time (user and system), wall time and peak memory are taken from outside and in the same
//! way for all; the server is a further process that nobody is charged for. Rounds interleave the contenders, so that a
//! machine that is busy for a while disturbs all of them.
//!
//! Not a test: a missed budget is printed and the exit code stays 0. What breaks (a case that does not pass, a
//! contender that fails) ends the run with an error.

#[cfg(unix)]
mod contender;
#[cfg(unix)]
mod measure;
#[cfg(unix)]
mod raw;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod table;
#[cfg(unix)]
mod workload;

#[cfg(unix)]
use std::process::ExitCode;

/// What a contender or helper of this bench can end with.
#[cfg(unix)]
type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

#[cfg(unix)]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.first().map(String::as_str) {
        Some("serve") => server::main(),
        Some("raw") => raw::main(&arguments[1..]),
        Some("measure") => measure::main(&arguments[1..]),
        // Without this argument it is `cargo test --benches` that calls, unoptimised.
        _ if !arguments.iter().any(|argument| argument == "--bench") => Ok(()),
        _ => compare(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(unix))]
fn main() {
    println!("skipped: CPU time and peak memory of a child process are read as Unix tells them");
}

/// Rounds when `cargo bench -- --rounds N` does not say otherwise.
#[cfg(unix)]
const ROUNDS: usize = 3;

#[cfg(unix)]
fn compare(arguments: &[String]) -> Fallible<()> {
    let rounds = match arguments.iter().position(|argument| argument == "--rounds") {
        Some(at) => arguments.get(at + 1).ok_or("--rounds needs a number")?.parse()?,
        None => ROUNDS,
    };
    if rounds == 0 {
        return Err("--rounds must be at least 1".into());
    }
    let server = server::Server::start()?;
    let folder = tempfile::Builder::new().prefix("end_to_end-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let contenders = contender::all(&server.base(), folder.path())?;
    let mut samples = vec![Vec::new(); contenders.len()];
    for round in 1..=rounds {
        for (contender, samples) in contenders.iter().zip(&mut samples) {
            eprintln!("round {round} of {rounds}: {}", contender.name);
            samples.push(contender.run(folder.path())?);
        }
    }
    print!("{}", table::render(&contenders, &samples));
    Ok(())
}
