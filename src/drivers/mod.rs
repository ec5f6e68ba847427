//! The ways to an Exchange organization. Each driver implements [`Observer`](crate::engine::driver::Observer), and those
//! that can act [`Driver`](crate::engine::driver::Driver).

pub mod capture;
pub mod lab;
pub mod objects;
