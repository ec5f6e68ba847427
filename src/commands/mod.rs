//! One file for each subcommand: read the arguments, call the library, hand the result to a view. The only place where
//! the parts meet.
#![expect(
    clippy::disallowed_methods,
    reason = "commands read the clock, the environment and the files they are given"
)]

mod against;
pub mod apply;
mod apply_session;
mod authorities;
mod brought;
mod captures;
pub mod check;
mod checked;
mod cleanup;
mod confirm;
pub mod doctor;
pub mod drift;
mod error;
pub mod explain;
mod files;
pub mod fmt;
pub mod history;
pub mod import;
pub mod init;
mod interrupt;
pub mod lab;
mod live;
mod lost_requests;
mod manifest_places;
pub mod names;
mod next;
mod notifications;
pub mod observe;
mod outputs;
mod overwriting;
pub mod plan;
mod progress;
mod prove;
pub mod read_only_session;
mod rehearse;
pub mod rehearse_until;
mod repository;
pub mod rollback;
pub mod saved_plan;
pub mod schema;
mod scratch_dir;
mod secrets;
pub mod session;
mod session_roots;
pub mod show;
pub mod status;
pub mod targeting;
mod terminal;
mod tracked;
mod unfinished;
mod unfit_answers;
pub mod verify;

pub use self::{
    error::{CommandError, Exit},
    files::write as write_file,
    live::Verbosity,
    manifest_places::ManifestPlaces,
    outputs::{Outputs, ReportFile},
    terminal::{Display, Terminal, WhenColours},
};
pub use crate::manifest::NotifySpec;
pub use crate::process::rest_if_ending;
