//! The ways to an Exchange organization. Each driver implements [`Observer`](crate::ports::driver::Observer), and those
//! that can act [`Driver`](crate::ports::driver::Driver). [`open`] knows them all.

pub mod capture;
mod handle;
pub mod lab;
pub mod objects;
mod opening;
pub mod powershell;
mod registry;

pub use self::{
    handle::DriverHandle,
    opening::{OpenError, Opening},
    registry::{capture as open_capture, lab as open_lab, open},
};
