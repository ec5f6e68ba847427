//! certwright keeps the TLS certificates of a Microsoft Exchange organization in the state that is declared in Git.
//!
//! The map, from the bottom up; imports only go down (`tests/tidy.rs` sees to it):
//!
//! - [`model`]: plain data, parsed and named: organizations, what is desired of them, plans, journals.
//! - [`schemas`]: the JSON schemas of all files, carried as texts.
//! - [`explain`]: the catalogue of every code that certwright prints.
//! - [`manifest`]: the manifest language: its words, its strict reader, its findings.
//! - [`wire`]: the formats in which PowerShell and .NET write objects down, and their protocols, read with bounds.
//! - [`exchange`]: what Exchange does with certificates, as pure functions.
//! - [`checks`]: what can be said about a manifest alone, and the way from it to what is desired.
//! - [`import`]: a manifest for what is there.
//! - [`plan`]: which steps lead from what is to what should be; `plan::plan` is the place to start reading.
//! - [`ports`]: what the core needs from outside, as traits: servers, load balancers, CAs, journals, the network.
//! - [`verify`]: what endpoints serve, compared with what is declared and configured.
//! - [`apply`]: carrying a plan out, with every step in the journal before and after.
//! - [`json`]: JSON read and written, with the place of a mistake.
//! - [`durable`]: files that are written whole or not at all.
//! - [`process`]: programs that are started: bounded in time and output, ended with all that they started.
//! - [`remoting`]: PowerShell on another machine, without PowerShell on this one.
//! - [`notify`]: telling webhooks and programs, in bounded time.
//! - [`pki`], [`drivers`], [`balancers`], [`issuers`], [`journal`], [`probe`]: the adapters behind the ports.
//! - [`views`]: every way in which a result is printed.
//! - [`commands`], [`cli`]: from the words of a command line to a result and its exit code.

#[macro_use]
mod text_types;

pub mod apply;
pub mod balancers;
pub mod checks;
pub mod cli;
pub mod commands;
pub mod drivers;
pub mod durable;
pub mod exchange;
pub mod explain;
pub mod import;
pub mod issuers;
pub mod journal;
pub mod json;
pub mod manifest;
pub mod model;
pub mod notify;
pub mod pki;
pub mod plan;
pub mod ports;
pub mod probe;
pub mod process;
pub mod remoting;
pub mod schemas;
pub mod verify;
pub mod views;
pub mod wire;
