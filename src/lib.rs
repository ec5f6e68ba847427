//! certwright keeps the TLS certificates of a Microsoft Exchange organization as its Git repository says.
//!
//! The map, from the bottom up; imports only go down (`tests/tidy.rs` sees to it):
//!
//! - [`model`]: plain data, parsed and named: manifests, observations, plans, journals.

pub mod model;
