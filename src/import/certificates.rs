//! Which certificates belong together: one on several servers, or one of the same making on each.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    exchange::{
        binding_points::{binding_points, presented},
        builtin,
        selection::Presented,
    },
    model::{
        certificate::Certificate,
        key::PublicKey,
        names::{CertificateName, DnsName, ServerName},
        organization::Organization,
        server::{Server, StoredCertificate},
        service::Service,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
};

/// The certificates in use, each a certificate of the manifest to be.
pub(super) struct Groups {
    pub(super) all: Vec<Group>,
    of: BTreeMap<(ServerName, Thumbprint), usize>,
}

/// A certificate of the manifest to be.
pub(super) struct Group {
    pub(super) name: CertificateName,
    /// One certificate on all its servers, or one of its own on each.
    pub(super) per_server: bool,
    /// Its subject, with variables in it.
    pub(super) subject: String,
    /// Its DNS names, with variables in them.
    pub(super) names: Vec<String>,
    /// One of its certificates, as it is stored.
    pub(super) example: StoredCertificate,
}

/// What certificates of the same making have in common.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Making {
    subject: String,
    names: Vec<String>,
    issuer: String,
    /// Whether its key is an elliptic curve: such a certificate stands beside one with an RSA key, not in its place.
    elliptic: bool,
}

impl Groups {
    /// The groups of all certificates that something uses.
    pub(super) fn of(organization: &Organization, now: Timestamp) -> Self {
        let mut holders: BTreeMap<Thumbprint, BTreeSet<&ServerName>> = BTreeMap::new();
        for (name, server) in &organization.servers {
            for thumbprint in used(organization, name, server, now) {
                holders.entry(thumbprint).or_default().insert(name);
            }
        }
        let mut made: BTreeMap<Making, Vec<(&ServerName, &StoredCertificate)>> = BTreeMap::new();
        for (thumbprint, servers) in &holders {
            for name in servers {
                let server = &organization.servers[*name];
                let Some(stored) = server.certificate(*thumbprint) else { continue };
                let making = making(&stored.certificate, (servers.len() == 1).then_some((*name, server)));
                made.entry(making).or_default().push((name, stored));
            }
        }
        let mut groups = Self { all: Vec::new(), of: BTreeMap::new() };
        let mut free = FreeNames::default();
        for (Making { subject, names, issuer: _, elliptic: _ }, members) in made {
            let thumbprints: BTreeSet<_> =
                members.iter().map(|(_, stored)| stored.certificate.thumbprint).collect();
            let variable = subject.contains("${") || names.iter().any(|name| name.contains("${"));
            // Two certificates of one making on one server: the one that lives longest stands for both.
            let Some((_, example)) = members.iter().max_by_key(|(_, stored)| stored.certificate.not_after)
            else {
                continue;
            };
            let example = (*example).clone();
            let name = free.of(&word(&example.certificate, variable));
            let name = name.parse().expect("a word of letters and digits names a certificate");
            for (server, stored) in &members {
                groups.of.insert(((*server).clone(), stored.certificate.thumbprint), groups.all.len());
            }
            let per_server = variable || thumbprints.len() > 1;
            groups.all.push(Group { name, per_server, subject, names, example });
        }
        groups
    }

    /// The group of a certificate on a server.
    pub(super) fn find(&self, server: &ServerName, thumbprint: Thumbprint) -> Option<usize> {
        self.of.get(&(server.clone(), thumbprint)).copied()
    }
}

/// A word for a certificate: of what it is for.
fn word(certificate: &Certificate, variable: bool) -> String {
    let first = certificate.names.first().map(DnsName::as_str).or(certificate.subject.common_name());
    let label = first.unwrap_or("certificate").trim_start_matches("*.").split('.').next().unwrap_or_default();
    let word: String =
        label.to_lowercase().chars().filter(|char| char.is_ascii_alphanumeric() || *char == '-').collect();
    match (variable, word.trim_matches('-')) {
        (true, _) => "server".into(),
        (false, "") => "certificate".into(),
        (false, word) => word.into(),
    }
}

/// Names that are not taken yet.
#[derive(Default)]
pub(super) struct FreeNames {
    taken: BTreeSet<String>,
    /// The last number behind each word.
    numbers: BTreeMap<String, usize>,
}

impl FreeNames {
    /// The word itself, or with the next number behind it that makes a name that nothing has.
    pub(super) fn of(&mut self, word: &str) -> String {
        let mut name = word.to_owned();
        let number = self.numbers.entry(word.to_owned()).or_insert(1);
        while !self.taken.insert(name.clone()) {
            *number += 1;
            name = format!("{word}-{number}");
        }
        name
    }
}

/// The certificates of a server that something uses, by what every place presents and every connector names.
fn used(
    organization: &Organization,
    name: &ServerName,
    server: &Server,
    now: Timestamp,
) -> BTreeSet<Thumbprint> {
    let places = binding_points(server);
    let mut used: BTreeSet<Thumbprint> = places
        .iter()
        .filter_map(|place| match presented(server, place, now) {
            Presented::Certificate(certificate) | Presented::Failing { certificate, .. } => Some(certificate),
            Presented::Nothing(_) | Presented::Unknown(_) => None,
        })
        .collect();
    used.extend(server.internal_transport.known().copied().flatten());
    used.extend(server.sites.known().into_iter().flat_map(|sites| sites.values()).flatten());
    let of_server = server.receive_connectors.known().into_iter().flat_map(|connectors| connectors.values());
    let mut named: Vec<_> =
        of_server.filter_map(|connector| connector.tls_certificate_name.as_ref()).collect();
    for connector in
        organization.send_connectors.known().into_iter().flat_map(|connectors| connectors.values())
    {
        named.extend(
            connector.tls_certificate_name.as_ref().filter(|_| connector.source_servers.contains(name)),
        );
    }
    let store = server.certificates.known().into_iter().flat_map(|store| store.0.values());
    let certificates: Vec<&Certificate> = store.map(|stored| &stored.certificate).collect();
    // Of several that a name selects, Exchange takes the newest.
    for tls_name in named {
        let selected = certificates.iter().filter(|certificate| tls_name.selects(certificate));
        used.extend(
            selected
                .max_by_key(|certificate| certificate.not_before)
                .map(|certificate| certificate.thumbprint),
        );
    }
    // What Exchange, Windows and agents of devices keep for themselves is nobody's to declare, whatever chooses it.
    used.retain(|thumbprint| {
        server.certificate(*thumbprint).is_some_and(|stored| {
            builtin::recognise(&stored.certificate).is_none() && was_given(organization, name, server, stored)
        })
    });
    used
}

/// Whether somebody gave this certificate a use: enabled it, bound it, named it. SMTP, POP and IMAP choose by names alone too,
/// and whatever enrols machines leaves certificates with the server's name in the same store; those nobody meant for
/// Exchange (facts 2.2, 2.9).
pub(super) fn was_given(
    organization: &Organization,
    name: &ServerName,
    server: &Server,
    stored: &StoredCertificate,
) -> bool {
    let certificate = &stored.certificate;
    let thumbprint = Some(certificate.thumbprint);
    // POP and IMAP are shown for every certificate that fits their names.
    let enabled = [Service::Iis, Service::Smtp, Service::Um, Service::UmCallRouter];
    let shown = stored.services.known();
    let receive = server.receive_connectors.known().into_iter().flat_map(|all| all.values());
    let send = organization.send_connectors.known().into_iter().flat_map(|all| all.values());
    let mut named = receive.filter_map(|own| own.tls_certificate_name.as_ref()).chain(
        send.filter(|own| own.source_servers.contains(name))
            .filter_map(|own| own.tls_certificate_name.as_ref()),
    );
    // Setup has POP and IMAP look for the server's own name; any other one came with a certificate.
    let mail_names = [&server.pop, &server.imap].into_iter().filter_map(|settings| {
        let wanted = settings.known()?.as_ref()?.x509_certificate_name.as_ref()?;
        (server.fqdn.known() != Some(wanted)).then_some(wanted)
    });
    shown.is_some_and(|services| enabled.iter().any(|service| services.contains(service)))
        || server.sites.known().is_some_and(|sites| sites.values().any(|bound| *bound == thumbprint))
        || server.internal_transport.known().is_some_and(|internal| *internal == thumbprint)
        || named.any(|name| name.selects(certificate))
        || mail_names.into_iter().any(|wanted| certificate.covers(wanted))
}

/// The names that a manifest can ask for: no request of a server asks for an address (facts 1.9). The certificate that has addresses beside
/// them fits all the same.
fn declarable(certificate: &Certificate) -> impl Iterator<Item = &DnsName> {
    certificate.names.iter().filter(|name| !name.is_address())
}

/// The addresses of certificates that the manifest cannot ask for.
pub(super) fn addresses(groups: &Groups) -> Vec<String> {
    let note = |group: &Group| {
        let names = group.example.certificate.names.iter();
        let addresses: Vec<&str> = names.filter(|name| name.is_address()).map(DnsName::as_str).collect();
        (!addresses.is_empty()).then(|| {
            format!(
                "{} is for {} too, which no request of a server can ask for: it is not written; add it to `names` where the \
                 CA adds it by itself, or take the certificate from an issuer `localCa`",
                group.name,
                addresses.join(", ")
            )
        })
    };
    groups.all.iter().filter_map(note).collect()
}

/// What a certificate says of itself. On the only server that has it, the server's own names become variables.
fn making(certificate: &Certificate, only: Option<(&ServerName, &Server)>) -> Making {
    let written = |text: &str| -> String {
        let Some((name, server)) = only else { return text.replace('$', "$$") };
        if text.eq_ignore_ascii_case(name.as_str()) {
            "${server.name}".into()
        } else if server.fqdn.known().is_some_and(|fqdn| text.eq_ignore_ascii_case(fqdn.as_str())) {
            "${server.fqdn}".into()
        } else {
            text.replace('$', "$$")
        }
    };
    let plain = certificate.subject.to_string();
    let subject = match certificate.subject.common_name() {
        Some(common) if plain.eq_ignore_ascii_case(&format!("CN={common}")) => {
            format!("CN={}", written(common))
        }
        Some(_) | None => plain.replace('$', "$$"),
    };
    let issuer = if certificate.is_self_signed() { String::new() } else { certificate.issuer.to_string() };
    let names = declarable(certificate).map(|name| written(name.as_str())).collect();
    Making { subject, names, issuer, elliptic: matches!(certificate.key, PublicKey::Ec(_)) }
}
