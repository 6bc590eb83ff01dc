//! The `assize` program; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(assize::cli::main(std::env::args_os(), |name| std::env::var(name).ok()))
}
