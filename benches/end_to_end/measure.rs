//! CPU time, wall time and peak memory of a whole process, as the kernel counts them when it is gone.
//!
//! The kernel reports the children of a process as a sum (CPU) and a maximum (memory). Hence one small process for each
//! contender, which has no other child: its sum is the contender's. It must stay small, since what a
//! process holds at the moment of `exec` counts as its peak.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

use crate::Fallible;

/// What a process used.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// From its start to its end.
    pub wall: Duration,
    /// User and system time of all its threads.
    pub cpu: Duration,
    /// Largest resident memory in KiB.
    pub peak_kib: u64,
}

/// Runs a command in the measuring process. A failure quotes the end of the command's output.
pub fn measure(command: &[String], log: &Path) -> Fallible<Usage> {
    let output = Command::new(std::env::current_exe()?)
        .arg("measure")
        .arg(log)
        .args(command)
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    let line = String::from_utf8(output.stdout)?;
    let numbers: Vec<u64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    match numbers[..] {
        [0, wall, cpu, peak_kib] if output.status.success() => {
            Ok(Usage { wall: Duration::from_micros(wall), cpu: Duration::from_micros(cpu), peak_kib })
        }
        _ => {
            let said = std::fs::read_to_string(log).unwrap_or_default();
            let lines: Vec<&str> = said.lines().collect();
            let end = lines[lines.len().saturating_sub(20)..].join("\n");
            Err(format!("{} failed:\n{end}", command.join(" ")).into())
        }
    }
}

/// The measuring process: `measure LOG PROGRAM ARGUMENTS…` prints exit code, wall µs, CPU µs, peak KiB.
pub fn main(arguments: &[String]) -> Fallible<()> {
    let [log, program, arguments @ ..] = arguments else { return Err("usage: measure LOG PROGRAM ARGUMENTS".into()) };
    let log = File::create(log)?;
    let start = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdout(log.try_clone()?)
        .stderr(log)
        .status()
        .map_err(|error| format!("{program}: {error}"))?;
    let wall = start.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = (usage.user_time() + usage.system_time()).num_microseconds();
    // Bytes on macOS, KiB elsewhere.
    let peak = if cfg!(target_os = "macos") { usage.max_rss() / 1024 } else { usage.max_rss() };
    println!("{} {} {cpu} {peak}", status.code().unwrap_or(255), wall.as_micros());
    Ok(())
}
