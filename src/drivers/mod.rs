//! The ways to an Exchange organization. Each driver implements [`Observer`](crate::ports::driver::Observer), and those
//! that can act [`Driver`](crate::ports::driver::Driver).

pub mod capture;
pub mod lab;
pub mod objects;
pub mod powershell;
