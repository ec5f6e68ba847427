//! `cargo +nightly fuzz run name`: a distinguished name that can be read is the same after it was written.
#![no_main]

use certwright::model::dn::DistinguishedName;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(name) = text.parse::<DistinguishedName>() {
        assert_eq!(name.to_string().parse::<DistinguishedName>().as_ref(), Ok(&name), "{name}");
    }
});
