//! `cargo +nightly fuzz run journal`: whatever a journal's file holds, a run can be read from it or it is said why not.
#![no_main]

use std::fs;

use certwright::{journal::Store, plan::progress::progress};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let folder = std::env::temp_dir().join(format!("certwright-fuzz-{}", std::process::id()));
    let runs = folder.join("runs");
    fs::create_dir_all(&runs).expect("a temporary folder");
    fs::write(runs.join("20260302T091407Z.jsonl"), bytes).expect("a file there");
    if let Ok(entries) = Store::new(folder).read("20260302T091407Z") {
        let _ = progress(entries).map(|progress| (progress.done(), progress.in_doubt(), progress.is_over()));
    }
});
