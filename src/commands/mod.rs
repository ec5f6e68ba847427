//! One file for each subcommand: read the arguments, call the library, hand the result to a view. The only place where
//! the parts meet.
#![expect(
    clippy::disallowed_methods,
    reason = "commands read the clock, the environment and the files they are given"
)]

pub mod apply;
pub mod check;
mod confirm;
pub mod drift;
mod error;
pub mod explain;
mod files;
pub mod history;
pub mod import;
mod interrupt;
pub mod lab;
mod leftovers;
pub mod narrow;
pub mod observe;
pub mod plan;
mod progress;
mod reach;
mod rehearse;
pub mod rollback;
mod running;
mod saved_plan;
pub mod schema;
mod secrets;
pub mod session;
mod temporary;
mod terminal;
mod unfinished;
pub mod verify;
pub mod watch;

pub use self::{
    error::{CommandError, Exit},
    reach::Reach,
    terminal::Terminal,
};
