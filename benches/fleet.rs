//! Writes an organization of any size into a directory, to measure the program on:
//! `cargo bench --bench fleet -- DIRECTORY SERVERS spelled-out|profile|files all-due|none-due`.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a program of its own that writes files"
)]

#[path = "fleet/mod.rs"]
mod fleet;

use std::{env, fs, path::Path, process::ExitCode};

use fleet::{Due, Layout};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [directory, servers, layout, due] = arguments.as_slice() else { return usage() };
    let layout = match layout.as_str() {
        "spelled-out" => Layout::SpelledOut,
        "profile" => Layout::Profile,
        "files" => Layout::Files,
        _ => return usage(),
    };
    let due = match due.as_str() {
        "all-due" => Due::All,
        "none-due" => Due::None,
        _ => return usage(),
    };
    let Ok(servers) = servers.parse() else { return usage() };
    let directory = Path::new(directory);
    let lab = directory.join("lab");
    fs::create_dir_all(lab.join("keys")).unwrap();
    for (name, text) in fleet::manifest(servers, layout) {
        fs::write(directory.join(name), text).unwrap();
    }
    fs::write(lab.join("lab.yaml"), fleet::lab(servers, due)).unwrap();
    for key in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys")).unwrap() {
        let key = key.unwrap();
        fs::copy(key.path(), lab.join("keys").join(key.file_name())).unwrap();
    }
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("fleet DIRECTORY SERVERS spelled-out|profile|files all-due|none-due");
    ExitCode::FAILURE
}
