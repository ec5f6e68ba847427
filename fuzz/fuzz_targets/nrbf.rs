//! `cargo +nightly fuzz run nrbf`: whatever the bytes are, decoding ends in an error or a blob; and what was decoded is
//! the same after it was encoded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use certwright::wire::{exchange_certificate, nrbf};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(message) = nrbf::read(bytes) {
        let root = message.root();
        let _ =
            (message.class_name(&root), message.library(&root), message.integer(&root), message.text(&root));
        let _ = format!("{message:?}");
    }
    if let Ok(blob) = exchange_certificate::decode(bytes) {
        assert_eq!(exchange_certificate::decode(&exchange_certificate::encode(&blob)), Ok(blob));
    }
});
