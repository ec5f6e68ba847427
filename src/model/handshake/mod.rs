//! What a TLS handshake may show: versions, alerts, why it did not come to its end, and what is wrong with what was served.

pub mod distrust;
pub mod endpoint_finding;
pub mod probe_error;
pub mod tls;
