//! `cargo +nightly fuzz run certificate`: whatever the bytes are, reading ends in an error or a certificate.
#![no_main]

use libfuzzer_sys::fuzz_target;
use certwright::model::certificate::Certificate;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(certificate) = Certificate::from_der(bytes) {
        let _ = (format!("{certificate:?}"), certificate.is_self_signed(), certificate.is_for_servers());
    }
});
