//! Plain data: what manifests say, what servers hold, what plans do. Everything here is parsed once, at the border, and
//! trusted afterwards. No clock, no file, no process, no environment, no randomness.

pub mod action;
pub mod auth;
pub mod bundle;
pub mod cannot;
pub mod causes;
pub mod certificate;
pub mod certificate_id;
pub mod client_names;
pub mod connector;
pub mod desired;
pub mod diagnostic;
pub mod dn;
pub mod endpoint;
pub mod entry;
pub mod fact;
pub mod fact_key;
pub mod failure;
pub mod history;
pub mod key;
pub mod lack;
pub mod names;
pub mod no_way_back;
pub mod organization;
pub mod plan;
pub mod policy;
pub mod reason;
pub mod secret;
pub mod server;
pub mod service;
pub mod share;
pub mod site;
pub mod thumbprint;
pub mod time;
pub mod version;
pub mod warning;
