//! One file for each subcommand: read the arguments, call the library, hand the result to a view. The only place where
//! the parts meet.
#![expect(
    clippy::disallowed_methods,
    reason = "commands read the clock, the environment and the files they are given"
)]

pub mod apply;
pub mod check;
pub mod drift;
mod error;
pub mod explain;
mod files;
pub mod import;
pub mod lab;
pub mod observe;
pub mod plan;
mod reach;
mod rehearse;
mod saved_plan;
pub mod schema;
mod secrets;
pub mod session;
mod terminal;
pub mod verify;
pub mod watch;

pub use self::{
    error::{CommandError, Exit},
    reach::Reach,
    terminal::Terminal,
};
