//! From the answers of cmdlets to an organization. Each answer shows a part of it, in which all else is unknown; parts are
//! joined by [`Merger`]. Files of a capture and answers of a live shell go the same way.

mod answer;
mod merge;
mod organization;
mod part;
mod reading;
mod server;
mod servers;

pub use self::{
    answer::{CmdletAnswer, ServerHint},
    merge::Merger,
    part::Part,
    servers::KnownServers,
};
