//! Which certificate SMTP, POP3 and IMAP4 choose (facts 5, 3.4): the documented algorithms, step by step.

use crate::model::{
    connector::{AuthMechanism, ReceiveConnector},
    dn::TlsCertificateName,
    fact::Fact,
    names::DnsName,
    server::{CertificateStatus, CertificateStore, MailAccess, Server, StoredCertificate},
    service::Service,
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// A choice and how it was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// What was looked at and decided, in order, as sentences for people.
    pub steps: Vec<String>,
    /// What a client gets.
    pub presented: Presented,
    /// What Exchange writes into the event log about it.
    pub event: Option<Event>,
}

/// What a client gets from a place that should present a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// This certificate.
    Certificate(Thumbprint),
    /// A handshake that fails, because the certificate that was chosen cannot be used.
    Failing {
        /// The certificate.
        certificate: Thumbprint,
        /// Why it cannot be used.
        why: Failing,
    },
    /// No TLS at all.
    Nothing(Nothing),
    /// It cannot be foreseen, because this is not known.
    Unknown(String),
}

/// Why a certificate that was chosen cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// It is not in the store.
    NotInStore,
    /// It has no private key (`NoCredentials` in the protocol log).
    NoPrivateKey,
    /// The network service may not read its key: SMTP is not enabled for it (`UnknownCredentials`).
    NoKeyAccess,
}

/// Why TLS is not offered at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// The server has no such connector, service or binding.
    NotThere,
    /// It is switched off.
    Disabled,
    /// The connector's `AuthMechanism` does not contain the mechanism.
    NotInAuthMechanism(&'static str),
    /// No certificate fits this name.
    NoMatch(String),
    /// Nothing says which certificate.
    NotConfigured,
}

/// Events of MSExchangeTransport about certificates (facts 5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// 12012: the internal transport certificate cannot be read from the directory.
    NoInternalTransport,
    /// 12013: it is not in the store.
    InternalTransportNotInStore,
    /// 12014: no certificate for STARTTLS.
    NoStarttlsCertificate,
    /// 12015: the internal transport certificate is expired; it is used all the same.
    InternalTransportExpired,
    /// 12016: the STARTTLS certificate is expired; it is used all the same.
    StarttlsExpired,
}

/// What a search looks for.
enum Wanted<'a> {
    Name(&'a TlsCertificateName),
    Host(&'a DnsName),
}

/// The certificate a receive connector presents after STARTTLS (facts 5.1).
pub fn inbound_starttls(server: &Server, connector: &ReceiveConnector, now: Timestamp) -> Selection {
    let mut steps = Vec::new();
    if !connector.enabled {
        return nothing(steps, "the connector is disabled", Nothing::Disabled, None);
    }
    if !connector.auth.contains(&AuthMechanism::Tls) {
        let step = "AuthMechanism does not contain Tls: STARTTLS is not offered";
        return nothing(steps, step, Nothing::NotInAuthMechanism("Tls"), None);
    }
    steps.push("AuthMechanism contains Tls".into());
    if let Some(name) = &connector.tls_certificate_name {
        steps.push(format!("TlsCertificateName is {name}"));
        return search(server, &Wanted::Name(name), steps, now);
    }
    steps.push("TlsCertificateName is empty".into());
    if let Some(fqdn) = &connector.fqdn {
        steps.push(format!("the connector's Fqdn is {fqdn}"));
        return search(server, &Wanted::Host(fqdn), steps, now);
    }
    by_server_name(server, "the connector's Fqdn is empty", steps, now)
}

/// The certificate that is chosen for a name, as `Get-ExchangeCertificate -DomainName` puts it first (facts 1.2).
pub fn for_name(server: &Server, name: &DnsName, now: Timestamp) -> Selection {
    search(server, &Wanted::Host(name), vec![format!("the name is {name}")], now)
}

/// The certificate by which a source server proves itself through a send connector (facts 5.4).
pub fn outbound_starttls(
    server: &Server,
    tls_certificate_name: Option<&TlsCertificateName>,
    fqdn: Option<&DnsName>,
    now: Timestamp,
) -> Selection {
    let mut steps = Vec::new();
    if let Some(name) = tls_certificate_name {
        steps.push(format!("TlsCertificateName is {name}"));
        return search(server, &Wanted::Name(name), steps, now);
    }
    steps.push("TlsCertificateName is empty".into());
    if let Some(fqdn) = fqdn {
        steps.push(format!("the connector's Fqdn is {fqdn}"));
        return search(server, &Wanted::Host(fqdn), steps, now);
    }
    by_server_name(server, "the connector's Fqdn is empty", steps, now)
}

/// The certificate presented after X-ANONYMOUSTLS: the internal transport certificate or nothing (facts 5.2). Names,
/// issuer and chain play no role.
pub fn anonymous_tls(server: &Server, connector: &ReceiveConnector, now: Timestamp) -> Selection {
    let mut steps = Vec::new();
    if !connector.enabled {
        return nothing(steps, "the connector is disabled", Nothing::Disabled, None);
    }
    if !connector.auth.contains(&AuthMechanism::ExchangeServer) || connector.suppress_anonymous_tls {
        let step =
            "AuthMechanism does not contain ExchangeServer, or SuppressXAnonymousTls is set: not offered";
        return nothing(steps, step, Nothing::NotInAuthMechanism("ExchangeServer"), None);
    }
    steps.push("AuthMechanism contains ExchangeServer".into());
    internal_transport(server, steps, now)
}

/// The internal transport certificate, as the services of the server use it.
pub fn internal_transport(server: &Server, mut steps: Vec<String>, now: Timestamp) -> Selection {
    let thumbprint = match &server.internal_transport {
        Fact::Unknown(why) => return unknown(steps, &why.why),
        Fact::Known(None) => {
            let step = "the directory names no internal transport certificate";
            return nothing(steps, step, Nothing::NotConfigured, Some(Event::NoInternalTransport));
        }
        Fact::Known(Some(thumbprint)) => *thumbprint,
    };
    steps.push(format!("the directory names {}", thumbprint.short()));
    let store = match &server.certificates {
        Fact::Unknown(why) => return unknown(steps, &why.why),
        Fact::Known(store) => store,
    };
    let Some(stored) = store.0.get(&thumbprint) else {
        steps.push("it is not in the server's store".into());
        let presented = Presented::Failing { certificate: thumbprint, why: Failing::NotInStore };
        return Selection { steps, presented, event: Some(Event::InternalTransportNotInStore) };
    };
    let expired = stored.certificate.not_after < now;
    if expired {
        steps.push(format!("it expired {}, and is used all the same", stored.certificate.not_after.date()));
    }
    let presented = usable(stored, Fact::Known(true));
    Selection { steps, presented, event: expired.then_some(Event::InternalTransportExpired) }
}

/// The certificate of POP3 or IMAP4: one that has the configured `X509CertificateName`. Which of several is not
/// documented; inferred is the order that SMTP follows.
pub fn mail_access(server: &Server, settings: &Fact<Option<MailAccess>>, now: Timestamp) -> Selection {
    let settings = match settings {
        Fact::Unknown(why) => return unknown(Vec::new(), &why.why),
        Fact::Known(None) => {
            return nothing(Vec::new(), "the server does not have the service", Nothing::NotThere, None);
        }
        Fact::Known(Some(settings)) => settings,
    };
    let Some(name) = &settings.x509_certificate_name else {
        return nothing(Vec::new(), "X509CertificateName is empty", Nothing::NotConfigured, None);
    };
    let mut steps = vec![format!("X509CertificateName is {name}")];
    let store = match &server.certificates {
        Fact::Unknown(why) => return unknown(steps, &why.why),
        Fact::Known(store) => store,
    };
    match best(candidates(store, &Wanted::Host(name), &mut steps), now, &mut steps) {
        Some(stored) => {
            Selection { steps, presented: Presented::Certificate(stored.certificate.thumbprint), event: None }
        }
        None => nothing(steps, "no certificate fits", Nothing::NoMatch(name.to_string()), None),
    }
}

fn by_server_name(server: &Server, because: &str, mut steps: Vec<String>, now: Timestamp) -> Selection {
    match &server.fqdn {
        Fact::Known(fqdn) => {
            steps.push(format!("{because}, so the server's own name counts: {fqdn}"));
            search(server, &Wanted::Host(fqdn), steps, now)
        }
        Fact::Unknown(why) => unknown(steps, &why.why),
    }
}

fn search(server: &Server, wanted: &Wanted<'_>, mut steps: Vec<String>, now: Timestamp) -> Selection {
    let store = match &server.certificates {
        Fact::Unknown(why) => return unknown(steps, &why.why),
        Fact::Known(store) => store,
    };
    let Some(stored) = best(candidates(store, wanted, &mut steps), now, &mut steps) else {
        let wanted = match wanted {
            Wanted::Name(name) => name.to_string(),
            Wanted::Host(host) => host.to_string(),
        };
        let step = "no certificate fits: STARTTLS is not offered (event 12014)";
        return nothing(steps, step, Nothing::NoMatch(wanted), Some(Event::NoStarttlsCertificate));
    };
    let expired = stored.certificate.not_after < now;
    if expired {
        steps.push(format!(
            "it expired {}, and STARTTLS is offered all the same",
            stored.certificate.not_after.date()
        ));
    }
    let presented = usable(stored, stored.services.map(|services| services.contains(&Service::Smtp)));
    if let Presented::Failing { why: Failing::NoKeyAccess, .. } = presented {
        steps.push("it is not enabled for SMTP: it is chosen all the same, and the handshake fails".into());
    }
    Selection { steps, presented, event: expired.then_some(Event::StarttlsExpired) }
}

/// The certificates with a private key that have the name, newest first (facts 5.1, steps 6 to 9).
fn candidates<'a>(
    store: &'a CertificateStore,
    wanted: &Wanted<'_>,
    steps: &mut Vec<String>,
) -> Vec<&'a StoredCertificate> {
    let fits = |stored: &&StoredCertificate| match wanted {
        Wanted::Name(name) => name.selects(&stored.certificate),
        Wanted::Host(host) => stored.certificate.covers(host),
    };
    let (mut found, keyless): (Vec<_>, Vec<_>) =
        store.0.values().filter(fits).partition(|stored| stored.has_private_key);
    for stored in keyless {
        steps.push(format!("{} fits and has no private key: left out", shown(stored)));
    }
    // Newest Valid-from first. Equal ones are told apart by the longer life and then by thumbprint, so that the choice
    // is at least always the same; Exchange documents nothing here (facts 16, probe 2).
    found.sort_by_key(|stored| {
        let certificate = &stored.certificate;
        std::cmp::Reverse((certificate.not_before, certificate.not_after, certificate.thumbprint))
    });
    for stored in &found {
        steps.push(format!("{} fits, valid from {}", shown(stored), stored.certificate.not_before.date()));
    }
    found
}

/// The first valid certificate of a CA; without one the first self-signed; without one the first expired of a CA. The
/// last is inferred: step 10 of the algorithm expects that an expired certificate can be the chosen one.
fn best<'a>(
    newest_first: Vec<&'a StoredCertificate>,
    now: Timestamp,
    steps: &mut Vec<String>,
) -> Option<&'a StoredCertificate> {
    let is_valid = |stored: &StoredCertificate| {
        let broken = matches!(
            stored.status.known(),
            Some(CertificateStatus::Revoked | CertificateStatus::Untrusted | CertificateStatus::Invalid)
        );
        stored.certificate.is_valid_at(now) && !broken
    };
    let (self_signed, of_ca): (Vec<_>, Vec<_>) =
        newest_first.into_iter().partition(|stored| stored.certificate.is_self_signed());
    let (chosen, why) = if let Some(stored) = of_ca.iter().find(|stored| is_valid(stored)) {
        (*stored, "the newest valid certificate of a CA")
    } else if let Some(stored) = self_signed.iter().find(|stored| is_valid(stored)).or(self_signed.first()) {
        (*stored, "no valid certificate of a CA; the newest self-signed one")
    } else {
        (*of_ca.first()?, "nothing valid; the newest expired one")
    };
    steps.push(format!("chosen: {}, {why}", shown(chosen)));
    Some(chosen)
}

fn usable(stored: &StoredCertificate, key_access: Fact<bool>) -> Presented {
    let certificate = stored.certificate.thumbprint;
    if !stored.has_private_key {
        return Presented::Failing { certificate, why: Failing::NoPrivateKey };
    }
    match key_access {
        Fact::Known(true) => Presented::Certificate(certificate),
        Fact::Known(false) => Presented::Failing { certificate, why: Failing::NoKeyAccess },
        Fact::Unknown(why) => {
            Presented::Unknown(format!("whether {} is enabled for SMTP: {}", certificate.short(), why.why))
        }
    }
}

fn nothing(mut steps: Vec<String>, step: &str, why: Nothing, event: Option<Event>) -> Selection {
    steps.push(step.into());
    Selection { steps, presented: Presented::Nothing(why), event }
}

fn unknown(steps: Vec<String>, why: &str) -> Selection {
    Selection { steps, presented: Presented::Unknown(why.into()), event: None }
}

fn shown(stored: &StoredCertificate) -> String {
    let certificate = &stored.certificate;
    let kind = if certificate.is_self_signed() { "self-signed" } else { "CA" };
    format!("{} ({}, {kind})", certificate.thumbprint.short(), certificate.subject)
}

impl Event {
    /// The event's number in the log of MSExchangeTransport.
    pub const fn id(self) -> u16 {
        match self {
            Self::NoInternalTransport => 12012,
            Self::InternalTransportNotInStore => 12013,
            Self::NoStarttlsCertificate => 12014,
            Self::InternalTransportExpired => 12015,
            Self::StarttlsExpired => 12016,
        }
    }
}

impl std::fmt::Display for Presented {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Certificate(thumbprint) => f.write_str(&thumbprint.short()),
            Self::Failing { certificate, why } => write!(f, "{}, which {why}", certificate.short()),
            Self::Nothing(why) => write!(f, "nothing: {why}"),
            Self::Unknown(why) => write!(f, "unknown: {why}"),
        }
    }
}

impl std::fmt::Display for Failing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotInStore => "is not in the store",
            Self::NoPrivateKey => "has no private key",
            Self::NoKeyAccess => "is not enabled for SMTP",
        })
    }
}

impl std::fmt::Display for Nothing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotThere => f.write_str("it is not there"),
            Self::Disabled => f.write_str("it is disabled"),
            Self::NotInAuthMechanism(mechanism) => write!(f, "AuthMechanism does not contain {mechanism}"),
            Self::NoMatch(name) => write!(f, "no certificate fits {name}"),
            Self::NotConfigured => f.write_str("no certificate is configured"),
        }
    }
}
