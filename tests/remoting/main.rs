//! PowerShell on another machine. The other machine is played by a server that shares no code with certwright: Python,
//! with PSRP of psrpcore and Kerberos of the system (`tests/peers/psrp.py`), and by servers that mean no good
//! (`hostile.rs`).
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests start servers and read files")]

mod basic;
mod driver;
mod hostile;
#[path = "../peers/hostile.rs"]
mod hostile_texts;
// A KDC of MIT: what Windows has of its own, PowerShell uses there.
#[cfg(unix)]
mod kerberos;
mod mutated;
#[path = "../peers/psrp.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod peer;
