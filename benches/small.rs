//! A small program with clap, which does next to nothing: what starting up is compared with.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program of its own that reads and prints"
)]

use std::{fs, io, path::PathBuf};

use clap::Parser;

/// Says how long a file is.
#[derive(Parser)]
#[command(name = "small", version)]
struct Arguments {
    /// The file
    file: Option<PathBuf>,
    /// cargo says so of every bench
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> io::Result<()> {
    let Arguments { file, bench: _ } = Arguments::parse();
    if let Some(file) = file {
        println!("{} bytes", fs::read(file)?.len());
    }
    Ok(())
}
