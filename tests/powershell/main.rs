//! Servers that are reached by PowerShell: the driver script itself, what a channel makes of a peer that misbehaves, a
//! server that lies, a real engine, a real sshd, and the main job with everything killed. What every driver does is the
//! contract's (`tests/driver_contract`).
//!
//! Not on Windows: an OpenSSH server of Debian, peers that are killed by their numbers, files with modes.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start processes and touch the disk"
)]

#[path = "../support/case.rs"]
mod case;
mod channel;
mod commands;
mod crash;
mod engine;
mod examples;
mod faults;
mod hostile;
#[path = "../peers/mod.rs"]
mod peers;
#[path = "../support/random.rs"]
mod random;
mod script;
mod sessions;
mod sshd;
#[path = "../support/mod.rs"]
mod support;
mod ways;

/// This binary, run again, is the peer of the others. It does nothing unless its standard input tells it what to be.
#[test]
#[ignore = "the other end of the other tests"]
fn as_the_peer() {
    peers::script::play();
}

/// This binary, run again, carries out cmdlets of Exchange. It does nothing unless its environment tells it.
#[test]
#[ignore = "the other end of the other tests"]
fn as_exchange() {
    peers::cmdlets::serve();
}
