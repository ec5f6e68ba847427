//! `cargo +nightly fuzz run soap`: whatever a server answers, it ends in an error or in what an answer holds.
#![no_main]

use certwright::wire::{
    psrp::Guid,
    wsman::{Sealed, answer, sealed},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = (answer::created(bytes, Guid::NIL), answer::command_created(bytes, Guid::NIL));
    let _ = (answer::done(bytes, Guid::NIL), answer::fault(bytes));
    if let Ok(received) = answer::received(bytes, Guid::NIL) {
        assert!(received.streams.iter().map(|(_, stream)| stream.len()).sum::<usize>() < bytes.len());
    }
    if let Ok(read) = Sealed::read(&sealed::content_type(), bytes) {
        assert!(read.header.len() + read.data.len() < bytes.len());
    }
});
