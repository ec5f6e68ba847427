//! Names that a public CA does not sign.

use std::net::Ipv4Addr;

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{
        desired::{Desired, DesiredCertificate, Origin},
        names::DnsName,
    },
};

/// A certificate of a public CA asks for an internal name, a name with an underscore (forbidden since 2019) or a private address. The Baseline Requirements of the CA/Browser
/// Forum (7.1.4.2.1) have forbidden internal names since 2015. Public addresses they do sign (facts 1.9).
pub(super) fn public_ca_refuses_name(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let mut findings: Vec<Finding> = Vec::new();
    for certificate in desired.certificates.values() {
        if !matches!(certificate.origin, Origin::Csr { public: true, .. }) {
            continue;
        }
        for name in &certificate.names {
            let Some(kind) = refused(name) else { continue };
            let what = format!("no public CA signs {name} of `{}`: it is {kind}", certificate.id.name);
            let why = "The CA would refuse the whole request, or leave the name out.";
            let finding = Finding::new("", Severity::Error, place(manifest, certificate, name), what, why);
            findings.push(finding.hinted("use a name in a public domain that resolves inside and outside"));
        }
    }
    findings.dedup_by(|a, b| a.path == b.path && a.message == b.message);
    findings
}

fn refused(name: &DnsName) -> Option<&'static str> {
    let text = name.to_string().to_ascii_lowercase();
    let plain = text.trim_start_matches("*.");
    if let Ok(address) = plain.parse::<Ipv4Addr>() {
        let inside = address.is_private() || address.is_loopback() || address.is_link_local();
        return inside.then_some("a private address");
    }
    if plain.contains('_') {
        return Some("a name with an underscore");
    }
    if !plain.contains('.') {
        return Some("a name without a domain");
    }
    let internal = INTERNAL.iter().any(|suffix| plain == *suffix || plain.ends_with(&format!(".{suffix}")));
    internal.then_some("a name of a domain that nobody owns")
}

/// Where the name comes from.
fn place(manifest: &Manifest, certificate: &DesiredCertificate, name: &DnsName) -> DocPath {
    let path = DocPath::of(&["certificates"]).key(&certificate.id.name);
    let Some(spec) = manifest.certificates.get(&certificate.id.name) else { return path };
    let written = |text: String| text.eq_ignore_ascii_case(&name.to_string());
    let index = spec.names.iter().position(|template| written(template.to_string()));
    let single_label = name.is_single_label();
    match index {
        Some(index) => path.key("names").index(index),
        None if single_label && spec.include_server_netbios_name => path.key("includeServerNetbiosName"),
        None if spec.include_server_fqdn => path.key("includeServerFqdn"),
        None => path,
    }
}

/// Top-level domains that are reserved (RFC 2606, 6761, 6762, 8375, and `internal` by ICANN in 2024) or that were never
/// given to anybody and are common inside (Microsoft's old examples used `local`).
const INTERNAL: [&str; 14] = [
    "local",
    "localhost",
    "localdomain",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "mail",
    "domain",
    "test",
    "invalid",
    "home.arpa",
];
