//! Carrying plans out. The engine owns the traits it needs; adapters above it implement them.

pub mod apply;
pub mod artifacts;
pub mod declared;
pub mod driver;
pub mod issuer;
pub mod journal;
mod perform;
pub mod prober;
pub mod requests;
mod schedule;
pub mod verify;
