//! Writes an organization of any size into a directory, to measure the program on:
//! `cargo bench --bench fleet -- DIRECTORY SERVERS spelled-out|profile|files all-due|none-due lab|observed|capture [SEED]`.
//!
//! `lab` is set up by the first command that uses it. `observed` has `observed.json` beside the manifest. `capture` has the
//! folder `capture` too, with the same organization in CLIXML, one file for each cmdlet.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a program of its own that writes files"
)]

#[path = "../tests/capture/clixml.rs"]
mod clixml;
#[allow(dead_code, reason = "the tests of captures use the rest")]
#[path = "../tests/capture/exported.rs"]
mod exported;
#[path = "fleet/mod.rs"]
mod fleet;

use std::{env, fs, path::Path, process::ExitCode};

use fleet::{Due, Fleet, Layout};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    write(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).unwrap_or_else(|| {
        eprintln!(
            "fleet DIRECTORY SERVERS spelled-out|profile|files all-due|none-due lab|observed|capture [SEED]"
        );
        ExitCode::FAILURE
    })
}

fn write(arguments: &[&str]) -> Option<ExitCode> {
    let (directory, servers, layout, due, form, seed) = match *arguments {
        [directory, servers, layout, due, form] => (directory, servers, layout, due, form, "0"),
        [directory, servers, layout, due, form, seed] => (directory, servers, layout, due, form, seed),
        _ => return None,
    };
    let layout = match layout {
        "spelled-out" => Layout::SpelledOut,
        "profile" => Layout::Profile,
        "files" => Layout::Files,
        _ => return None,
    };
    let due = match due {
        "all-due" => Due::All,
        "none-due" => Due::None,
        _ => return None,
    };
    let fleet = Fleet { servers: servers.parse().ok()?, due, seed: seed.parse().ok()? };
    let directory = Path::new(directory);
    fs::create_dir_all(directory).unwrap();
    match form {
        "lab" => {
            for (name, text) in fleet::manifest(fleet.servers, layout) {
                fs::write(directory.join(name), text).unwrap();
            }
            fleet::write_lab(&fleet, &directory.join("lab"));
        }
        "observed" => drop(fleet::observed::write(&fleet, layout, directory)),
        "capture" => {
            let observed = fleet::observed::write(&fleet, layout, directory);
            exported::export_joined(&observed.organization, observed.at, &directory.join("capture"));
        }
        _ => return None,
    }
    Some(ExitCode::SUCCESS)
}
