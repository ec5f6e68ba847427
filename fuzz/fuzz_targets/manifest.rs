//! `cargo +nightly fuzz run manifest`: whatever a manifest is, it is read or its mistakes are told, each with its place.
#![no_main]

use certwright::{
    checks::check_rest,
    manifest::yaml::{self, Source},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let reading = yaml::manifest_and_mistakes(&[Source { file: "manifest.yaml".into(), bytes: bytes.to_vec() }]);
    if let Some(manifest) = &reading.value {
        let (findings, _) = check_rest(manifest, &reading.left_out);
        let _ = findings.into_iter().map(|finding| reading.places.locate(finding)).count();
    }
});
