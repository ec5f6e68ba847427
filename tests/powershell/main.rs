//! Servers that are reached by PowerShell: the driver script itself, what a channel makes of a peer that misbehaves, a
//! peer whose servers are a lab's, and a real engine with stand-ins for Exchange, here and through a real sshd.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start processes and touch the disk"
)]

#[path = "../support/case.rs"]
mod case;
mod channel;
#[path = "../capture/clixml.rs"]
mod clixml;
mod contract;
mod crash;
mod engine;
mod examples;
#[path = "../capture/exported.rs"]
mod exported;
mod peer;
#[path = "../support/random.rs"]
mod random;
mod script;
mod sshd;
#[path = "../support/mod.rs"]
mod support;

/// This binary, run again, is the peer of the others. It does nothing unless its standard input tells it what to be.
#[test]
#[ignore = "the other end of the other tests"]
fn as_the_peer() {
    peer::play();
}
