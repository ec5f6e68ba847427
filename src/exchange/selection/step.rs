//! The steps of a selection, as facts; their sentences are made when somebody reads them.

use std::fmt;

use crate::{
    exchange::events::SEND_CONNECTOR_WITHOUT_CERTIFICATE,
    model::{
        dn::TlsCertificateName,
        names::{DnsName, ServerName},
        server::StoredCertificate,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
};

/// What was looked at or decided.
#[derive(Clone, Copy, Debug)]
pub enum SelectionStep<'a> {
    /// This server does not send through the connector.
    NoSourceServer(&'a ServerName),
    /// The connector is disabled.
    Disabled,
    /// `AuthMechanism` contains this.
    Offers(&'static str),
    /// `AuthMechanism` does not contain `Tls`.
    NoStartTls,
    /// `AuthMechanism` does not contain `ExchangeServer`, or X-ANONYMOUSTLS is suppressed.
    NoAnonymousTls,
    /// `SmartHosts` contains the host that stands for the Mailbox servers of a site, or not.
    EdgeSync(bool),
    /// `TlsCertificateName` is this, or empty.
    TlsCertificateName(Option<&'a TlsCertificateName>),
    /// The connector's `Fqdn` is this.
    Fqdn(&'a DnsName),
    /// The connector has no `Fqdn`, and this is the server's.
    OwnName(&'a DnsName),
    /// The name that was asked about.
    Asked(&'a DnsName),
    /// The directory names this internal transport certificate, or none.
    InternalTransport(Option<Thumbprint>),
    /// The certificate is not in the store.
    NotInStore,
    /// It expired, and is used all the same.
    ExpiredInUse(Timestamp),
    /// It expired, and is presented all the same.
    ExpiredPresented(Timestamp),
    /// The server does not have the service.
    NoService,
    /// `X509CertificateName` is this, or empty.
    X509CertificateName(Option<&'a DnsName>),
    /// It fits.
    Fits(&'a StoredCertificate),
    /// It fits and has no private key; whether it was asked for by `TlsCertificateName`.
    // facts 5.9
    Keyless(&'a StoredCertificate, bool),
    /// The server cannot build its chain.
    Untrusted(&'a StoredCertificate),
    /// It was chosen.
    Chosen(&'a StoredCertificate, ChosenAs),
    /// It is not enabled for SMTP.
    NotEnabled,
    /// No certificate fits, and what follows.
    NoneFits(NoneFits),
}

/// Why a certificate comes before the others that fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChosenAs {
    /// It is the newest valid one of a CA.
    ValidOfCa,
    /// No valid one of a CA is there, and it is the newest self-signed one.
    SelfSigned,
    /// Nothing is valid, and it is the newest.
    Expired,
}

/// What follows from finding no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoneFits {
    /// STARTTLS is not offered.
    NotOffered,
    /// Mail waits.
    MailWaits,
    /// The server proves itself with none.
    NoProof,
    /// Nothing more.
    Nothing,
}

impl fmt::Display for SelectionStep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSourceServer(server) => {
                write!(f, "{server} is not among the connector's source servers: it does not send")
            }
            Self::Disabled => f.write_str("the connector is disabled"),
            Self::Offers(mechanism) => write!(f, "AuthMechanism contains {mechanism}"),
            Self::NoStartTls => f.write_str("AuthMechanism does not contain Tls: STARTTLS is not offered"),
            Self::NoAnonymousTls => f.write_str(
                "AuthMechanism does not contain ExchangeServer, or SuppressXAnonymousTls is set: not offered",
            ),
            Self::EdgeSync(true) => write!(f, "SmartHosts contains {EDGE_SYNC_HOST}"),
            Self::EdgeSync(false) => {
                write!(f, "SmartHosts does not contain {EDGE_SYNC_HOST}: X-ANONYMOUSTLS is not used")
            }
            Self::TlsCertificateName(Some(name)) => write!(f, "TlsCertificateName is {name}"),
            Self::TlsCertificateName(None) => f.write_str("TlsCertificateName is empty"),
            Self::Fqdn(fqdn) => write!(f, "the connector's Fqdn is {fqdn}"),
            Self::OwnName(fqdn) => {
                write!(f, "the connector's Fqdn is empty, so the server's own name counts: {fqdn}")
            }
            Self::Asked(name) => write!(f, "the name is {name}"),
            Self::InternalTransport(Some(thumbprint)) => {
                write!(f, "the directory names {}", thumbprint.short())
            }
            Self::InternalTransport(None) => {
                f.write_str("the directory names no internal transport certificate")
            }
            Self::NotInStore => f.write_str("it is not in the server's store"),
            Self::ExpiredInUse(ended) => {
                write!(f, "it expired {}, and is used all the same", ended.date())
            }
            Self::ExpiredPresented(ended) => {
                write!(f, "it expired {}, and is presented all the same", ended.date())
            }
            Self::NoService => f.write_str("the server does not have the service"),
            Self::X509CertificateName(Some(name)) => write!(f, "X509CertificateName is {name}"),
            Self::X509CertificateName(None) => f.write_str("X509CertificateName is empty"),
            Self::Fits(stored) => {
                write!(f, "{} fits, valid from {}", Shown(stored), stored.certificate.not_before.date())
            }
            Self::Keyless(stored, false) => {
                write!(f, "{} fits and has no private key: left out", Shown(stored))
            }
            Self::Keyless(stored, true) => write!(
                f,
                "{} fits and has no private key: left out by what is documented, and yet seen to be taken (`NoCredentials` in the \
                 protocol log), so remove it, `certutil -delstore My {}`",
                Shown(stored),
                stored.certificate.thumbprint
            ),
            Self::Untrusted(stored) => {
                write!(f, "{} has no valid chain on this server: left out", Shown(stored))
            }
            Self::Chosen(stored, why) => write!(f, "chosen: {}, {why}", Shown(stored)),
            Self::NotEnabled => {
                f.write_str("it is not enabled for SMTP: it is chosen all the same, and the handshake fails")
            }
            Self::NoneFits(what_follows) => write!(f, "no certificate fits{what_follows}"),
        }
    }
}

impl fmt::Display for ChosenAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ValidOfCa => "the newest valid certificate of a CA",
            Self::SelfSigned => "no valid certificate of a CA; the newest self-signed one",
            Self::Expired => "nothing valid; the newest expired one",
        })
    }
}

impl fmt::Display for NoneFits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOffered => f.write_str(": STARTTLS is not offered"),
            Self::MailWaits => write!(f, ": mail waits with \"{SEND_CONNECTOR_WITHOUT_CERTIFICATE}\""),
            Self::NoProof => f.write_str(": the server proves itself with none"),
            Self::Nothing => Ok(()),
        }
    }
}

/// A certificate, short enough for a step.
struct Shown<'a>(&'a StoredCertificate);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let certificate = &self.0.certificate;
        let kind = if certificate.is_self_signed() { "self-signed" } else { "CA" };
        write!(f, "{} ({}, {kind})", certificate.thumbprint.short(), certificate.subject)
    }
}

/// The smart host that stands for the Mailbox servers of a subscribed site (facts 10).
pub const EDGE_SYNC_HOST: &str = "--";
