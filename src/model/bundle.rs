//! A certificate with its private key, on its way from one place to another.

use std::collections::BTreeMap;

use super::{
    certificate::{Certificate, Der},
    secret::Secret,
    thumbprint::Thumbprint,
};

/// The certificates above others, nearest first.
pub type Chains = BTreeMap<Thumbprint, Vec<Der>>;

/// What a CA sends back: a certificate and, often, the chain above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The certificate.
    pub certificate: Certificate,
    /// The certificates above it, nearest first.
    pub chain: Vec<Der>,
}

/// A certificate, the chain above it, and its private key when that may leave. It never reaches a plan or a journal.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The certificate.
    pub certificate: Certificate,
    /// The certificates above it, nearest first, without the root where that is known.
    pub chain: Vec<Der>,
    /// The private key in PKCS#8; absent when only the certificate could be had.
    pub key: Option<Secret>,
}
