//! What no endpoint shows: certificates that are named and are not there, and broken subscriptions.

use std::fmt;

use crate::model::{
    diagnostic::{Diagnostic, Severity, Subject},
    edge_distrust::EdgeDistrust,
    ending::{MissingAuth, MissingFederation, MissingInternalTransport},
    names::ServerName,
    without_certificate::WithoutCertificate,
};

/// Something that is missing or broken, whatever endpoints serve.
#[derive(Clone, Copy, Debug)]
pub enum Absence<'a> {
    /// The Auth certificate is missing.
    Auth(&'a MissingAuth),
    /// The internal transport certificate of a server is missing.
    InternalTransport(&'a MissingInternalTransport),
    /// A place names a certificate and presents none.
    Place(&'a WithoutCertificate),
    /// An Edge server and a server of its site do not trust each other.
    EdgeTrust(&'a EdgeDistrust),
    /// A server lacks the certificate of the federation trust.
    Federation(&'a MissingFederation),
}

impl<'a> Absence<'a> {
    /// Its stable code, which `certwright explain` knows.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Auth(_) => "auth-certificate-missing",
            Self::InternalTransport(_) => "internal-transport-missing",
            Self::Place(_) => "place-without-certificate",
            Self::EdgeTrust(_) => "edge-distrusts",
            Self::Federation(_) => "federation-certificate-missing",
        }
    }

    /// How it is, in a word or two.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Auth(_) | Self::InternalTransport(_) | Self::Federation(_) => "missing",
            Self::Place(_) => "presents none",
            Self::EdgeTrust(_) => "subscription",
        }
    }

    /// What is missing or broken there.
    pub fn what(&self) -> String {
        match self {
            Self::Auth(_) => "Auth certificate".into(),
            Self::InternalTransport(missing) => {
                format!("internal transport certificate of {}", missing.server)
            }
            Self::Place(without) => format!("certificate of {}", without.place),
            Self::EdgeTrust(distrust) => format!("Edge subscription: {distrust}"),
            Self::Federation(missing) => format!("federation certificate on {}", missing.server),
        }
    }

    /// The server that it is about; none where it is about the organization.
    pub fn server(&self) -> Option<&'a ServerName> {
        match self {
            Self::Auth(_) => None,
            Self::InternalTransport(missing) => Some(&missing.server),
            Self::Place(without) => Some(&without.server),
            Self::EdgeTrust(distrust) => Some(distrust.edge()),
            Self::Federation(missing) => Some(&missing.server),
        }
    }

    /// The sentence, with what to do about it or what follows.
    pub fn told(&self) -> String {
        match self {
            Self::Auth(_) => format!("{self}; {AUTH_ADVICE}"),
            Self::InternalTransport(missing) => format!("{self}; {}", missing.advice()),
            Self::Place(without) => format!("{self}; {}", without.advice()),
            Self::EdgeTrust(distrust) => format!("{self}: {}", distrust.follows()),
            Self::Federation(_) => format!("{self}; {}", MissingFederation::ADVICE),
        }
    }

    /// It in the shape that all messages share.
    pub fn diagnostic(&self) -> Diagnostic {
        let subject = self.server().map_or_else(Subject::default, Subject::server);
        let subject = match self {
            Self::Auth(missing) => subject.thumbprint(missing.certificate),
            Self::InternalTransport(missing) => Subject { thumbprint: missing.certificate, ..subject },
            Self::Place(without) => {
                Subject { thumbprint: without.why.certificate(), ..subject }.place(&without.place)
            }
            Self::EdgeTrust(_) => subject,
            Self::Federation(missing) => subject.thumbprint(missing.certificate),
        };
        Diagnostic::new(self.code(), Severity::Error, subject, self.to_string())
    }
}

impl fmt::Display for Absence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auth(missing) => missing.fmt(f),
            Self::InternalTransport(missing) => missing.fmt(f),
            Self::Place(without) => without.fmt(f),
            Self::EdgeTrust(distrust) => distrust.fmt(f),
            Self::Federation(missing) => missing.fmt(f),
        }
    }
}

const AUTH_ADVICE: &str = "`authCertificate` in the manifest has the plan bring one there";
