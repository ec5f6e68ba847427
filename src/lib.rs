//! certwright keeps the TLS certificates of a Microsoft Exchange organization as its Git repository says.
//!
//! The map, from the bottom up; imports only go down (`tests/tidy.rs` sees to it):
//!
//! - [`model`]: plain data, parsed and named: manifests, observations, plans, journals.
//! - [`wire`]: the formats in which PowerShell and .NET write objects down, read with bounds.
//! - [`exchange`]: what Exchange does with certificates, as pure functions.
//! - [`checks`]: what can be said about a manifest alone, and the way from it to what is desired.
//! - [`import`]: a manifest for what is there.
//! - [`plan`]: which steps lead from what is to what should be; `plan::plan` is the place to start reading.

pub mod balancers;
pub mod checks;
pub mod cli;
pub mod commands;
pub mod drivers;
pub mod engine;
pub mod exchange;
pub mod import;
pub mod issuers;
pub mod journal;
pub mod model;
pub mod pki;
pub mod plan;
pub mod probe;
pub mod views;
pub mod wire;
