//! `cargo +nightly fuzz run manifest`: whatever a manifest is, it is read or its mistakes are told, each with its place.
#![no_main]

use certwright::{
    checks::check_rest,
    manifest::yaml::{self, Source},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let sources = || vec![Source { file: "manifest.yaml".into(), bytes: bytes.to_vec() }];
    // What is read straight into types the reader with places reads the same.
    if let Some(manifest) = yaml::without_mistakes(&sources()) {
        let reading = yaml::manifest_with_places(sources());
        assert!(reading.findings.is_empty() && reading.value == Some(manifest));
    }
    let reading = yaml::manifest_and_mistakes(sources());
    if let Some(manifest) = &reading.value {
        let (findings, _) = check_rest(manifest, &reading.left_out);
        let _ = reading.places.locate(findings);
    }
});
