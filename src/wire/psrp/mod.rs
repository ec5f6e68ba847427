//! PSRP: how commands reach a PowerShell session on another machine ([MS-PSRP]), as far as this program needs it.
//! One runspace, one pipeline at a time, cmdlets with typed parameters and never script text.
//!
//! Nothing here reads or writes anything: [`RunspacePool`] turns wishes into fragments and fragments into events, and
//! `remoting` carries them. Random numbers are handed in.
//!
//! [MS-PSRP]: https://learn.microsoft.com/openspecs/windows_protocols/ms-psrp

mod command;
mod error;
mod fragment;
mod guid;
mod host;
mod message;
mod message_kind;
mod pool;
mod records;
mod secure_string;
mod writer;

pub use self::{
    command::{Argument, Command, NotAName},
    error::PsrpError,
    fragment::Defragmenter,
    guid::Guid,
    host::{Answer, Host, HostCall},
    message_kind::MessageKind,
    pool::{Event, PROTOCOL_VERSION, RunspacePool, Source},
    records::{ErrorCategory, ErrorRecord, ExceptionFacts, PipelineState, PoolState, Refusal},
    secure_string::SessionKey,
};
