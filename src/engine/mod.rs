//! Carrying plans out. The engine owns the traits it needs; adapters above it implement them.

pub mod apply;
pub mod artifacts;
pub mod balancer;
pub mod cause;
mod chain;
pub mod declared;
pub mod drift;
pub mod driver;
pub mod health;
pub mod issuer;
pub mod journal;
pub mod judge;
mod perform;
pub mod prober;
pub mod problem;
mod queue;
pub mod requests;
mod schedule;
pub mod served;
pub mod smtp_log;
pub mod tls;
pub mod trust;
pub mod verdict;
pub mod verify;

/// An error with its causes, as one line; what a cause only repeats is not said again.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = cause.source();
    }
    text
}
