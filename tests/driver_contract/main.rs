//! The contract of drivers: what every driver that can write does, over each of them. The clauses are about one verb each
//! and begin with one server (`clauses.rs`); the sequences are whole manifests, one after the other, of servers that serve
//! (`sequences.rs` and the folders of `tests/contract`).
//!
//! A driver joins by a stage of its own (`stages.rs`). A new clause is a function in the list of `clauses.rs`, and a new
//! sequence a new folder.
//!
//! Not on Windows: its stages start an OpenSSH server of Debian and an engine that is found as on Unix. The lab, of which the
//! contract is too, is tried there by the scenarios.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start processes and touch the disk"
)]

mod clauses;
mod made_calls;
#[path = "../peers/mod.rs"]
mod peers;
mod sequences;
mod stages;
#[path = "../support/mod.rs"]
mod support;

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
