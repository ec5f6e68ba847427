//! Programs that certwright starts: bounded in time and in what they print, with little of our environment, and ended
//! together with everything that they started.
//!
//! [`run`] and [`output`] are for a program that does one thing; [`Child`] is for one that is talked to. None of them
//! puts a secret into the arguments, which every user of the machine can read: what is secret goes through stdin.
#![expect(clippy::disallowed_methods, reason = "here processes are started and waited for")]

mod child;
mod error;
mod group;
mod interrupt;
mod living;
mod program;
mod streams;
mod whole;

pub use self::{
    child::Child,
    error::ProcessError,
    group::Group,
    interrupt::{OnInterrupt, catch},
    living::{end_all, rest_if_ending},
    program::{Bounds, Program, Stderr},
    whole::{output, run},
};

#[cfg(all(test, unix))]
mod tests;
