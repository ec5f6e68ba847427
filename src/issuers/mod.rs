//! Where new certificates come from, apart from the servers themselves.
#![expect(clippy::disallowed_methods, reason = "requests and answers are files")]

pub mod csr;
pub mod local_ca;
pub mod pfx;
