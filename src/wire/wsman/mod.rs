//! WS-Management ([MS-WSMV]), as far as a PowerShell session needs it: envelopes to create a shell and a command, to send
//! and receive, to signal and to delete; what servers answer; bodies that are sealed; and the HTTP around them. Nothing
//! here reads or writes anything.
//!
//! [MS-WSMV]: https://learn.microsoft.com/openspecs/windows_protocols/ms-wsmv

pub mod answer;
mod envelope;
mod error;
pub mod http;
pub mod sealed;
mod xml;

pub use self::{
    answer::Received,
    envelope::{Envelopes, Input, Question, Signal},
    error::{Fault, FaultKind, WsmanError},
    sealed::Sealed,
};
