//! `cargo +nightly fuzz run answer`: whatever a CA sends back (PEM, DER, PKCS#7), it is a certificate with its chain or an error.
#![no_main]

use certwright::pki::answer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(answer) = answer::read(bytes) {
        assert!(!answer.certificate.is_ca);
        assert!(answer.chain.len() < bytes.len());
    }
});
