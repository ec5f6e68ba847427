//! `cargo +nightly fuzz run psrp`: whatever a server sends as fragments, it ends in an error or in events.
#![no_main]

use certwright::wire::psrp::{Guid, Host, RunspacePool, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (step, bytes) = input;
    let mut pool = RunspacePool::new(Guid::NIL, Host::None, 1 << 16);
    pool.open().expect("a new pool can be opened");
    for piece in bytes.chunks(usize::from(step).max(1)) {
        let Ok(events) = pool.take(Source::Pool, piece) else { return };
        let _ = format!("{events:?}");
    }
});
