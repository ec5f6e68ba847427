//! The text of a manifest.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use indexmap::IndexMap;

use super::{
    Choices, Found,
    certificates::{FreeNames, Group},
    places::ServerPlaces,
};
use crate::{
    exchange::setup,
    model::{
        certificate::Certificate,
        key::PublicKey,
        names::{DnsName, ServerName},
        organization::Observed,
        server::Server,
    },
};

pub(super) fn text(observed: &Observed, found: &Found, driver: &str, choices: &Choices) -> String {
    let mut out = String::new();
    line(&mut out, 0, &format!("# What was observed at {}, as a manifest.", observed.at));
    for note in observed.notes.iter().chain(&found.notes) {
        comment(&mut out, note);
    }
    line(&mut out, 0, "apiVersion: certwright/v1");
    line(&mut out, 0, &format!("organization: {}", quoted(&organization_name(observed))));
    line(&mut out, 0, &format!("driver: {driver}"));
    let issued_by: Vec<String> = found.groups.all.iter().map(issuer_of).collect();
    let issuers = issuers(&found.groups.all, &issued_by);
    if !issuers.is_empty() {
        out.push_str("\nissuers:\n");
        for (subject, issuer) in &issuers {
            if !subject.is_empty() {
                line(&mut out, 2, &format!("# {subject}"));
            }
            line(&mut out, 2, &format!("{}: {}", issuer.name, issuer.spec));
        }
        out.push_str("\ncertificates:\n");
        for (group, issuer) in found.groups.all.iter().zip(&issued_by) {
            certificate(&mut out, group, &issuers[issuer.as_str()].name, choices);
        }
    }
    servers(&mut out, observed, found);
    if !found.send_connectors.is_empty() {
        out.push_str("\nsendConnectors:\n");
        for (name, group) in &found.send_connectors {
            line(&mut out, 2, &format!("{}: {}", quoted(name.as_str()), found.groups.all[*group].name));
        }
    }
    if let Some(group) = found.hybrid {
        line(&mut out, 0, &format!("\nhybrid: {}", found.groups.all[group].name));
    }
    protection(&mut out, observed);
    unmanaged(&mut out, observed, found);
    out
}

struct Issuer {
    name: String,
    spec: String,
}

/// The issuers by their subjects; the server itself under an empty one.
fn issuers<'a>(groups: &[Group], issued_by: &'a [String]) -> BTreeMap<&'a str, Issuer> {
    let mut private: BTreeSet<&str> = BTreeSet::new();
    for (group, subject) in groups.iter().zip(issued_by) {
        if !group.example.certificate.names.iter().all(is_public) {
            private.insert(subject);
        }
    }
    let mut issuers: BTreeMap<&str, Issuer> = BTreeMap::new();
    let mut free = FreeNames::default();
    for (group, subject) in groups.iter().zip(issued_by) {
        if issuers.contains_key(subject.as_str()) {
            continue;
        }
        if subject.is_empty() {
            let spec = "{ selfSigned: {} }".to_owned();
            issuers.insert(subject, Issuer { name: "exchange".into(), spec });
            continue;
        }
        let trusted = if private.contains(subject.as_str()) { ", publiclyTrusted: false" } else { "" };
        let spec = format!("{{ csr: {{ directory: requests{trusted} }} }}");
        let common = group.example.certificate.issuer.common_name().unwrap_or("ca").to_lowercase();
        let word: String =
            common.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '-' }).collect();
        let word = word.split('-').filter(|part| !part.is_empty()).take(4).collect::<Vec<_>>().join("-");
        let word = if word.is_empty() || word == "exchange" { "ca".to_owned() } else { word };
        let word: String = word.chars().take(48).collect();
        issuers.insert(subject, Issuer { name: free.of(&word), spec });
    }
    issuers
}

fn issuer_of(group: &Group) -> String {
    let certificate = &group.example.certificate;
    if certificate.is_self_signed() { String::new() } else { certificate.issuer.to_string() }
}

/// Whether a public CA could sign the name: it ends in a domain that is not one of those for inside use (facts 1.1).
fn is_public(name: &DnsName) -> bool {
    let inside = ["local", "lan", "internal", "intern", "corp", "home", "lab", "test", "dom", "localdomain"];
    name.as_str()
        .rsplit_once('.')
        .is_some_and(|(_, last)| !inside.iter().any(|word| last.eq_ignore_ascii_case(word)))
}

fn certificate(out: &mut String, group: &Group, issuer: &str, choices: &Choices) {
    let Group { name, per_server, subject, names, example } = group;
    let certificate = &example.certificate;
    line(out, 2, &format!("# {}, until {}", certificate.thumbprint, certificate.not_after.date()));
    line(out, 2, &format!("{name}:"));
    line(out, 4, &format!("issuer: {issuer}"));
    if *per_server {
        line(out, 4, "scope: server");
    }
    let of_first = names.first().map(|first| format!("CN={first}"));
    if of_first.as_ref() != Some(subject) && !subject.is_empty() {
        line(out, 4, &format!("subject: {}", quoted(subject)));
    }
    if !names.is_empty() {
        line(
            out,
            4,
            &format!("names: [{}]", names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")),
        );
    }
    let friendly = example.friendly_name.known().filter(|text| (1..=63).contains(&text.chars().count()));
    if let Some(friendly) = friendly.filter(|text| !text.chars().any(char::is_control)) {
        line(out, 4, &format!("friendlyName: {}", quoted(friendly)));
    }
    if let Some(key) = key(certificate, example.exportable.known() == Some(&false)) {
        line(out, 4, &format!("key: {key}"));
    }
    if let Some(span) = choices.renew_before.get(name) {
        line(out, 4, &format!("renewBefore: {span} # its renewal would be due by the default of 33%"));
    }
    if choices.retire_never.contains(name) {
        line(out, 4, "retire: never # an older one is there, and would be removed");
    }
}

/// The key, where it is not the usual one.
fn key(certificate: &Certificate, stays: bool) -> Option<String> {
    let kind = match &certificate.key {
        PublicKey::Rsa(..=1024) => "size: 1024",
        PublicKey::Rsa(4096..) => "size: 4096",
        PublicKey::Ec(curve) if curve == PublicKey::P256 => "algorithm: ec",
        PublicKey::Rsa(_) | PublicKey::Ec(_) | PublicKey::Other(_) => "",
    };
    let exportable = if stays { "exportable: false" } else { "" };
    match (kind, exportable) {
        ("", "") => None,
        ("", only) | (only, "") => Some(format!("{{ {only} }}")),
        (kind, exportable) => Some(format!("{{ {kind}, {exportable} }}")),
    }
}

/// Profiles for what several servers have in common, then the servers.
fn servers(out: &mut String, observed: &Observed, found: &Found) {
    let mut alike: IndexMap<&ServerPlaces, Vec<&ServerName>> = IndexMap::new();
    for (name, places) in &found.servers {
        alike.entry(places).or_default().push(name);
    }
    alike.retain(|places, servers| servers.len() > 1 && **places != ServerPlaces::default());
    alike.sort_by_key(|_, servers| std::cmp::Reverse(servers.len()));
    let profiles: IndexMap<&ServerPlaces, String> = alike
        .iter()
        .enumerate()
        .map(|(at, (places, servers))| {
            let edge = observed.organization.servers.get(servers[0]).is_some_and(Server::is_edge);
            let word = if edge { "edge" } else { "mailbox" };
            (*places, if at == 0 { word.to_owned() } else { format!("{word}-{}", at + 1) })
        })
        .collect();
    if !profiles.is_empty() {
        out.push_str("\nprofiles:\n");
        for (places, name) in &profiles {
            line(out, 2, &format!("{name}:"));
            uses(out, 4, places, found);
        }
    }
    let declared = observed.organization.servers.values().any(|server| server.fqdn.known().is_some());
    out.push_str(if declared { "\nservers:\n" } else { "\nservers: {}\n" });
    for (name, server) in &observed.organization.servers {
        let Some(fqdn) = server.fqdn.known() else {
            comment(out, &format!("{name}: its full name was not captured, so it cannot be declared"));
            continue;
        };
        line(out, 2, &format!("{name}:"));
        line(out, 4, &format!("fqdn: {fqdn}"));
        if server.is_edge() {
            line(out, 4, "edge: true");
        }
        let places = &found.servers[name];
        match profiles.get(places) {
            Some(profile) => line(out, 4, &format!("profile: {profile}")),
            None => uses(out, 4, places, found),
        }
    }
}

fn uses(out: &mut String, indent: usize, places: &ServerPlaces, found: &Found) {
    let ServerPlaces {
        services,
        internal_transport,
        iis,
        receive_connectors,
        x509_certificate_names,
        um_startup_mode,
    } = places;
    let name = |group: &usize| found.groups.all[*group].name.to_string();
    if !services.is_empty() {
        let entries = services.iter().map(|(service, groups)| match groups.as_slice() {
            [one] => format!("{service}: {}", name(one)),
            many => format!("{service}: [{}]", many.iter().map(name).collect::<Vec<_>>().join(", ")),
        });
        line(out, indent, &format!("services: {{ {} }}", entries.collect::<Vec<_>>().join(", ")));
    }
    if let Some(group) = internal_transport {
        line(out, indent, &format!("internalTransport: {}", name(group)));
    }
    if !iis.is_empty() {
        line(out, indent, "iis:");
        for (site, group) in iis {
            line(out, indent + 2, &format!("{}: {}", quoted(&site.to_string()), name(group)));
        }
    }
    if !receive_connectors.is_empty() {
        line(out, indent, "receiveConnectors:");
        for (connector, group) in receive_connectors {
            line(out, indent + 2, &format!("{}: {}", quoted(connector), name(group)));
        }
    }
    if !x509_certificate_names.is_empty() {
        let entries =
            x509_certificate_names.iter().map(|(service, name)| format!("{service}: {}", quoted(name)));
        line(out, indent, &format!("x509CertificateName: {{ {} }}", entries.collect::<Vec<_>>().join(", ")));
    }
    if let Some(mode) = um_startup_mode {
        line(out, indent, &format!("umStartupMode: {mode}"));
    }
}

/// What must never be touched: the certificate that signs tokens, and that of the management service of IIS.
fn protection(out: &mut String, observed: &Observed) {
    let stores = observed.organization.servers.values().filter_map(|server| server.certificates.known());
    let certificates: Vec<&Certificate> =
        stores.flat_map(|store| store.0.values()).map(|stored| &stored.certificate).collect();
    let starts =
        |text: &str| certificates.iter().any(|certificate| certificate.subject.to_string().starts_with(text));
    let subjects = [format!("CN={}", setup::AUTH), "CN=WMSvc*".into(), "CN=Federation*".into()];
    let there: Vec<_> = subjects.iter().filter(|subject| starts(subject.trim_end_matches('*'))).collect();
    if !there.is_empty() {
        out.push_str("\nprotect:\n");
        for subject in there {
            line(out, 2, &format!("- subject: {}", quoted(subject)));
        }
    }
}

/// Certificates that nothing uses, as comments.
fn unmanaged(out: &mut String, observed: &Observed, found: &Found) {
    let mut lines = Vec::new();
    for (name, server) in &observed.organization.servers {
        for stored in server.certificates.known().into_iter().flat_map(|store| store.0.values()) {
            let certificate = &stored.certificate;
            if found.groups.find(name, certificate.thumbprint).is_none() {
                let ends = certificate.not_after.date();
                lines.push(format!(
                    "{name}: {}, until {ends}, {}",
                    certificate.subject, certificate.thumbprint
                ));
            }
        }
    }
    lines.sort();
    if !lines.is_empty() {
        out.push_str("\n# Not managed by this manifest, and left alone:\n");
        for line in &lines {
            comment(out, line);
        }
    }
}

/// A name for the organization: of its default domain.
fn organization_name(observed: &Observed) -> String {
    let domains = observed.organization.accepted_domains.known().into_iter().flatten();
    let default = domains.filter(|domain| domain.default).map(|domain| domain.domain.as_str()).next();
    let label = default.and_then(|domain| domain.split('.').next()).filter(|label| !label.trim().is_empty());
    // Without it, of the domain of its servers.
    let fqdn = || observed.organization.servers.values().find_map(|server| server.fqdn.known());
    let of_server = || fqdn().and_then(|fqdn| fqdn.as_str().split('.').nth(1));
    label.or_else(of_server).map_or_else(
        || "organization".into(),
        |label| label.chars().take(64).collect::<String>().to_lowercase(),
    )
}

fn comment(out: &mut String, text: &str) {
    let clean: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    line(out, 0, &format!("# {clean}"));
}

fn line(out: &mut String, indent: usize, text: &str) {
    writeln!(out, "{:indent$}{text}", "").expect("a String takes all that is written");
}

/// A text in quotes, where it is not plain for certain. JSON's quotes are YAML's too.
fn quoted(text: &str) -> String {
    let plain =
        text.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.' | '/'))
            && text.chars().next().is_some_and(|char| char.is_ascii_alphabetic())
            && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
                .iter()
                .any(|word| text.eq_ignore_ascii_case(word));
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
