//! The program. Everything it does is in the library.

use std::process::ExitCode;

// Organizations are made of many small pieces.
#[cfg(not(windows))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    certwright::cli::run(std::env::args_os())
}
