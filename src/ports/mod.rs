//! What certwright needs from outside, as traits and their types: servers, load balancers, CAs, the network, journals.
//! Adapters implement them; `verify` and `apply` use them.

pub mod artifacts;
pub mod balancer;
pub mod driver;
pub mod enrolment;
pub mod evidence;
pub mod health;
pub mod issuer;
pub mod journal;
pub mod mail;
pub mod prober;

/// Any error, on its way up.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Whose a server is that is found drained already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundDrained {
    /// Somebody else's, who is at work there: it is left as it is, and nothing is done.
    Foreign,
    /// An earlier attempt's that was cut off: it is taken up, and ended.
    Own,
}
