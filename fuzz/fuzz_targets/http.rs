//! `cargo +nightly fuzz run http`: whatever comes over a connection, it ends in an error or in a response within bounds.
#![no_main]

use certwright::wire::wsman::http::ResponseReader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (step, bytes) = input;
    let mut reader = ResponseReader::new(1024);
    for piece in bytes.chunks(usize::from(step).max(1)) {
        match reader.take(piece) {
            Ok(None) => (),
            Ok(Some(response)) => {
                assert!(response.body.len() <= 1024);
                return;
            }
            Err(_) => return,
        }
    }
    let _ = reader.end();
});
