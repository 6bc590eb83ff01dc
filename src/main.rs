//! The `assize` program; everything is in the library.

use std::process::ExitCode;

/// Judging makes and drops many small values on several threads; with the system's allocator that is a quarter of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(assize::cli::main(std::env::args_os(), |name| std::env::var(name).ok()))
}
