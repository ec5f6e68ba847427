//! Where new certificates come from, apart from the servers themselves.

pub mod local_ca;
