//! `cargo +nightly fuzz run pfx`: whatever a file is, it is a PFX file with a key or an error. The seeds have the password `tests`.
#![no_main]

use certwright::{model::secret::Secret, pki::pfx};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(bundle) = pfx::read(bytes, &Secret::new(b"tests".to_vec())) {
        assert!(bundle.key.is_some());
    }
});
