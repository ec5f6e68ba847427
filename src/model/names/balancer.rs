//! Load balancers, which have endpoints and certificates as servers have.

use std::{fmt, str::FromStr};

use super::{NameError, ServerName, shortened};

/// The name a manifest gives a load balancer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BalancerName(String);

/// Who of an organization has endpoints and certificates. No server and load balancer of a manifest have the same name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerName {
    /// A server.
    Server(ServerName),
    /// A load balancer.
    Balancer(BalancerName),
}

impl fmt::Display for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(name) => write!(f, "{name}"),
            Self::Balancer(name) => write!(f, "{name}"),
        }
    }
}

impl BalancerName {
    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BalancerName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let fine = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
        let good = (1..=63).contains(&text.len()) && text.chars().all(fine) && !text.starts_with('-');
        if good { Ok(Self(text.to_owned())) } else { Err(NameError::Balancer(shortened(text))) }
    }
}

impl fmt::Display for BalancerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for BalancerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BalancerName({:?})", self.0)
    }
}

text_type!(
    BalancerName,
    "The name of a load balancer in this manifest.",
    Some("^[A-Za-z0-9_][A-Za-z0-9_-]{0,62}$")
);
