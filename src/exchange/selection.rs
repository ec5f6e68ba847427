//! Which certificate SMTP, POP3 and IMAP4 choose (facts 5, 3.4): the documented algorithms, step by step.

mod step;

pub use self::step::{ChosenAs, EDGE_SYNC_HOST, NoneFits, SelectionStep};
use super::events::Event;
pub use crate::model::presented::{Failing, Nothing, Presented};
use crate::model::{
    connector::{AuthMechanism, ReceiveConnector, SendConnector},
    dn::TlsCertificateName,
    fact::Fact,
    names::DnsName,
    server::{CertificateStatus, CertificateStore, MailAccess, Server, StoredCertificate},
    service::Service,
    time::Timestamp,
};

/// A choice and how it was reached.
#[derive(Clone, Debug)]
pub struct Selection<'a> {
    /// What was looked at and decided, in order.
    pub steps: Vec<SelectionStep<'a>>,
    /// What a client gets.
    pub presented: Presented,
    /// What transport writes into the event log about it.
    pub event: Option<Event>,
}

/// What a search looks for.
enum Wanted<'a> {
    Name(&'a TlsCertificateName),
    Host(&'a DnsName),
}

/// On whose behalf a search is made: what follows from finding nothing is different.
#[derive(Clone, Copy)]
enum Purpose {
    Inbound,
    Outbound,
    Name,
}

/// The certificate a receive connector presents after STARTTLS (facts 5.1).
pub fn inbound_starttls<'a>(
    server: &'a Server,
    connector: &'a ReceiveConnector,
    now: Timestamp,
) -> Selection<'a> {
    let mut steps = Vec::new();
    if !connector.enabled {
        return nothing(steps, SelectionStep::Disabled, Nothing::Disabled, None);
    }
    if !connector.auth.contains(&AuthMechanism::Tls) {
        return nothing(
            steps,
            SelectionStep::NoStartTls,
            Nothing::NotInAuthMechanism(AuthMechanism::Tls),
            None,
        );
    }
    steps.push(SelectionStep::Offers("Tls"));
    if let Some(name) = &connector.tls_certificate_name {
        steps.push(SelectionStep::TlsCertificateName(Some(name)));
        return search(server, &Wanted::Name(name), Purpose::Inbound, steps, now);
    }
    by_names(server, connector.fqdn.as_ref(), Purpose::Inbound, steps, now)
}

/// The certificate that is chosen for a name, as `Get-ExchangeCertificate -DomainName` puts it first (facts 1.2).
pub fn for_name<'a>(server: &'a Server, name: &'a DnsName, now: Timestamp) -> Selection<'a> {
    search(server, &Wanted::Host(name), Purpose::Name, vec![SelectionStep::Asked(name)], now)
}

/// The certificate by which a source server proves itself through a send connector (facts 5.4).
pub fn outbound_starttls<'a>(
    server: &'a Server,
    tls_certificate_name: Option<&'a TlsCertificateName>,
    fqdn: Option<&'a DnsName>,
    now: Timestamp,
) -> Selection<'a> {
    let mut steps = Vec::new();
    if let Some(name) = tls_certificate_name {
        steps.push(SelectionStep::TlsCertificateName(Some(name)));
        return search(server, &Wanted::Name(name), Purpose::Outbound, steps, now);
    }
    by_names(server, fqdn, Purpose::Outbound, steps, now)
}

/// The certificate of the sender after X-ANONYMOUSTLS, through a connector between Edge and Mailbox servers (facts 5.3):
/// the internal transport certificate. Other connectors use STARTTLS.
pub fn outbound_anonymous_tls<'a>(
    server: &'a Server,
    connector: &SendConnector,
    now: Timestamp,
) -> Selection<'a> {
    if !connector.smart_hosts.iter().any(|host| host == EDGE_SYNC_HOST) {
        return nothing(Vec::new(), SelectionStep::EdgeSync(false), Nothing::NotToExchange, None);
    }
    internal_transport(server, vec![SelectionStep::EdgeSync(true)], now)
}

/// The certificate presented after X-ANONYMOUSTLS: the internal transport certificate or nothing (facts 5.2). Names,
/// issuer and chain play no role.
pub fn anonymous_tls<'a>(server: &'a Server, connector: &ReceiveConnector, now: Timestamp) -> Selection<'a> {
    let mut steps = Vec::new();
    if !connector.enabled {
        return nothing(steps, SelectionStep::Disabled, Nothing::Disabled, None);
    }
    if !connector.auth.contains(&AuthMechanism::ExchangeServer) || connector.suppress_anonymous_tls {
        return nothing(
            steps,
            SelectionStep::NoAnonymousTls,
            Nothing::NotInAuthMechanism(AuthMechanism::ExchangeServer),
            None,
        );
    }
    steps.push(SelectionStep::Offers("ExchangeServer"));
    internal_transport(server, steps, now)
}

/// The internal transport certificate, as the services of the server use it.
pub fn internal_transport<'a>(
    server: &'a Server,
    mut steps: Vec<SelectionStep<'a>>,
    now: Timestamp,
) -> Selection<'a> {
    let thumbprint = match &server.internal_transport {
        Fact::Unknown(why) => return unknown(steps, &why.why),
        Fact::Known(None) => {
            let step = SelectionStep::InternalTransport(None);
            return nothing(steps, step, Nothing::NotConfigured, Some(Event::NoInternalTransport));
        }
        Fact::Known(Some(thumbprint)) => *thumbprint,
    };
    steps.push(SelectionStep::InternalTransport(Some(thumbprint)));
    let store = match &server.certificates {
        Fact::Unknown(why) => return unknown(steps, &why.why),
        Fact::Known(store) => store,
    };
    let Some(stored) = store.0.get(&thumbprint) else {
        steps.push(SelectionStep::NotInStore);
        let presented = Presented::Failing { certificate: thumbprint, why: Failing::NotInStore };
        return Selection { steps, presented, event: Some(Event::InternalTransportNotInStore(thumbprint)) };
    };
    let expired = stored.certificate.not_after < now;
    if expired {
        steps.push(SelectionStep::ExpiredInUse(stored.certificate.not_after));
    }
    let presented = usable(stored, Fact::Known(true));
    Selection { steps, presented, event: expired.then_some(Event::InternalTransportExpired(thumbprint)) }
}

/// The certificate of POP3 or IMAP4: one that has the configured `X509CertificateName`. Which of several is not
/// documented; inferred is the order that SMTP follows.
pub fn mail_access<'a>(
    server: &'a Server,
    settings: &'a Fact<Option<MailAccess>>,
    now: Timestamp,
) -> Selection<'a> {
    let settings = match settings {
        Fact::Unknown(why) => return unknown(Vec::new(), &why.why),
        Fact::Known(None) => {
            return nothing(Vec::new(), SelectionStep::NoService, Nothing::NotThere, None);
        }
        Fact::Known(Some(settings)) => settings,
    };
    let Some(name) = &settings.x509_certificate_name else {
        return nothing(Vec::new(), SelectionStep::X509CertificateName(None), Nothing::NotConfigured, None);
    };
    let mut steps = vec![SelectionStep::X509CertificateName(Some(name))];
    let store = match &server.certificates {
        Fact::Unknown(why) => return unknown(steps, &why.why),
        Fact::Known(store) => store,
    };
    let Some(stored) = best(&candidates(store, &Wanted::Host(name), &mut steps), now, &mut steps) else {
        let step = SelectionStep::NoneFits(NoneFits::Nothing);
        return nothing(steps, step, Nothing::NoMatch(name.to_string()), None);
    };
    Selection { steps, presented: Presented::Certificate(stored.certificate.thumbprint), event: None }
}

/// Without a `TlsCertificateName` the connector's `Fqdn` decides, and without that the server's own name.
fn by_names<'a>(
    server: &'a Server,
    fqdn: Option<&'a DnsName>,
    purpose: Purpose,
    mut steps: Vec<SelectionStep<'a>>,
    now: Timestamp,
) -> Selection<'a> {
    steps.push(SelectionStep::TlsCertificateName(None));
    if let Some(fqdn) = fqdn {
        steps.push(SelectionStep::Fqdn(fqdn));
        return search(server, &Wanted::Host(fqdn), purpose, steps, now);
    }
    match &server.fqdn {
        Fact::Known(fqdn) => {
            steps.push(SelectionStep::OwnName(fqdn));
            search(server, &Wanted::Host(fqdn), purpose, steps, now)
        }
        Fact::Unknown(why) => unknown(steps, &why.why),
    }
}

fn search<'a>(
    server: &'a Server,
    wanted: &Wanted<'_>,
    purpose: Purpose,
    mut steps: Vec<SelectionStep<'a>>,
    now: Timestamp,
) -> Selection<'a> {
    let store = match &server.certificates {
        Fact::Unknown(why) => return unknown(steps, &why.why),
        Fact::Known(store) => store,
    };
    let mut found = candidates(store, wanted, &mut steps);
    found.retain(|stored| {
        if is_untrusted(stored) {
            steps.push(SelectionStep::Untrusted(stored));
        }
        !is_untrusted(stored)
    });
    let Some(stored) = best(&found, now, &mut steps) else { return not_found(wanted, purpose, steps) };
    let expired = stored.certificate.not_after < now;
    if expired {
        steps.push(SelectionStep::ExpiredPresented(stored.certificate.not_after));
    }
    let presented = usable(stored, stored.services.map(|services| services.contains(&Service::Smtp)));
    if let Presented::Failing { why: Failing::NoKeyAccess, .. } = presented {
        steps.push(SelectionStep::NotEnabled);
    }
    let event = match purpose {
        Purpose::Inbound => expired.then(|| Event::StarttlsExpired(wanted.to_string())),
        Purpose::Outbound | Purpose::Name => None,
    };
    Selection { steps, presented, event }
}

fn not_found<'a>(wanted: &Wanted<'_>, purpose: Purpose, steps: Vec<SelectionStep<'a>>) -> Selection<'a> {
    let event = match purpose {
        Purpose::Inbound => Some(Event::NoStarttlsCertificate(wanted.to_string())),
        Purpose::Outbound | Purpose::Name => None,
    };
    let what_follows = match (purpose, wanted) {
        (Purpose::Inbound, _) => NoneFits::NotOffered,
        (Purpose::Outbound, Wanted::Name(_)) => NoneFits::MailWaits,
        (Purpose::Outbound, Wanted::Host(_)) => NoneFits::NoProof,
        (Purpose::Name, _) => NoneFits::Nothing,
    };
    let step = SelectionStep::NoneFits(what_follows);
    nothing(steps, step, Nothing::NoMatch(wanted.to_string()), event)
}

/// A certificate whose chain the server cannot build, mostly for want of an intermediate, is as good as absent for SMTP:
/// STARTTLS is not offered and 12014 is logged (facts 5.1, open points).
fn is_untrusted(stored: &StoredCertificate) -> bool {
    stored.status.known() == Some(&CertificateStatus::Untrusted)
}

/// The certificates with a private key that have the name, newest first (facts 5.1, steps 6 to 9).
fn candidates<'a>(
    store: &'a CertificateStore,
    wanted: &Wanted<'_>,
    steps: &mut Vec<SelectionStep<'a>>,
) -> Vec<&'a StoredCertificate> {
    let fits = |stored: &&StoredCertificate| match wanted {
        Wanted::Name(name) => name.selects(&stored.certificate),
        Wanted::Host(host) => stored.certificate.covers(host),
    };
    let by_name = matches!(wanted, Wanted::Name(_));
    let mut found = Vec::new();
    for stored in store.0.values().filter(fits) {
        if stored.has_private_key {
            found.push(stored);
        } else {
            steps.push(SelectionStep::Keyless(stored, by_name));
        }
    }
    // Newest Valid-from first. Equal ones are told apart by the longer life and then by thumbprint, so that the choice
    // is at least always the same; Exchange documents nothing here (facts 16, probe 2).
    found.sort_by_key(|stored| {
        let certificate = &stored.certificate;
        std::cmp::Reverse((certificate.not_before, certificate.not_after, certificate.thumbprint))
    });
    steps.extend(found.iter().copied().map(SelectionStep::Fits));
    found
}

/// The first valid certificate of a CA; without one the first self-signed; without one the first expired of a CA. The
/// last is inferred: step 10 of the algorithm expects that an expired certificate can be the chosen one.
fn best<'a>(
    newest_first: &[&'a StoredCertificate],
    now: Timestamp,
    steps: &mut Vec<SelectionStep<'a>>,
) -> Option<&'a StoredCertificate> {
    let is_valid = |stored: &StoredCertificate| {
        let broken = matches!(
            stored.status.known(),
            Some(CertificateStatus::Revoked | CertificateStatus::Untrusted | CertificateStatus::Invalid)
        );
        stored.certificate.is_valid_at(now) && !broken
    };
    let is_self_signed = |stored: &&&StoredCertificate| stored.certificate.is_self_signed();
    let self_signed = || newest_first.iter().filter(is_self_signed).copied();
    let mut of_ca = newest_first.iter().filter(|stored| !is_self_signed(stored)).copied().peekable();
    let first_of_ca = of_ca.peek().copied();
    let (chosen, why) = if let Some(stored) = of_ca.find(|stored| is_valid(stored)) {
        (stored, ChosenAs::ValidOfCa)
    } else if let Some(stored) = self_signed().find(|stored| is_valid(stored)).or(self_signed().next()) {
        (stored, ChosenAs::SelfSigned)
    } else {
        (first_of_ca?, ChosenAs::Expired)
    };
    steps.push(SelectionStep::Chosen(chosen, why));
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

fn nothing<'a>(
    mut steps: Vec<SelectionStep<'a>>,
    step: SelectionStep<'a>,
    why: Nothing,
    event: Option<Event>,
) -> Selection<'a> {
    steps.push(step);
    Selection { steps, presented: Presented::Nothing(why), event }
}

fn unknown<'a>(steps: Vec<SelectionStep<'a>>, why: &str) -> Selection<'a> {
    Selection { steps, presented: Presented::Unknown(why.into()), event: None }
}

impl std::fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name}"),
            Self::Host(host) => write!(f, "{host}"),
        }
    }
}

#[cfg(test)]
mod tests;
