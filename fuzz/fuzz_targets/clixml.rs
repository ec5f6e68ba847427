//! `cargo +nightly fuzz run clixml`: whatever the bytes are, reading ends in an error or a document that can be asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use certwright::wire::clixml;

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = clixml::read(bytes) else { return };
    assert!(document.object_count() <= bytes.len());
    for root in document.roots() {
        let properties = document.properties(root).map(|property| &property.value);
        for value in properties.chain(document.items(root).unwrap_or_default()).chain([root]) {
            let _ = (
                document.text(value),
                document.integer(value),
                document.bytes(value),
                document.moment(value),
            );
            let _ =
                (document.get(value, "Identity"), document.enumeration(value), document.entry(value, "Name"));
        }
    }
    let _ = format!("{document:?}");
});
