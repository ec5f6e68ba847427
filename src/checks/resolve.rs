//! From a manifest to [`Desired`]: references followed, profiles applied, variables put in. What cannot be resolved is
//! a finding.

mod organization;
mod unused;
mod written;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    str::FromStr,
};

use indexmap::{IndexMap, IndexSet};

use self::written::Written;
use super::auth;
use crate::{
    manifest::{
        CertificateScope, CertificateSpec, IssuerSpec, Manifest, ServerSpec, Template, Variables,
        finding::{DocPath, Finding, Severity},
        suggestion::{nearest, quotes, suggestion},
        yaml::Unread,
    },
    model::{
        desired::{
            CertificateId, ConnectorSelector, Desired, DesiredCertificate, DesiredServer, Includes, Origin,
        },
        dn::DistinguishedName,
        fact::Fact,
        key::KeySpec,
        names::{CertificateName, DnsName, FriendlyName, IssuerName, ServerName},
        shown::ShowPath,
        shown::portable,
    },
};

/// Follows the references of a manifest: what it asks for, without what cannot be resolved. What is known of its CAs and their
/// answers is put in later. To what was left out of the manifest, references are not followed.
pub(super) fn resolve(manifest: &Manifest, left_out: &Unread) -> (Desired, Vec<Finding>) {
    let mut resolver = Resolver {
        manifest,
        left_out,
        findings: Vec::new(),
        found: BTreeSet::new(),
        failures: 0,
        suggestions: BTreeMap::new(),
        certificates: IndexMap::with_capacity(manifest.certificates.len()),
    };
    let mut servers = IndexMap::with_capacity(manifest.servers.len());
    for (name, spec) in &manifest.servers {
        let server = resolver.server(name, spec);
        servers.insert(name.clone(), server);
    }
    let send_connectors = resolver.send_connectors();
    let hybrid = resolver.hybrid();
    let balancers = resolver.balancers();
    resolver.unused_profiles();
    resolver.unused_certificates();
    let Resolver { findings, mut certificates, .. } = resolver;
    // In the manifest's order, and for one name in the order of the servers.
    let order = |id: &CertificateId| {
        (
            manifest.certificates.get_index_of(&id.name),
            id.server.as_ref().and_then(|server| manifest.servers.get_index_of(server)),
        )
    };
    certificates.sort_by_cached_key(|id, _| order(id));
    let desired = Desired {
        organization: manifest.organization.to_string(),
        certificates,
        servers,
        send_connectors,
        auth: manifest.auth_certificate.as_ref().map(|spec| auth::desired(manifest, spec)),
        hybrid,
        told_subject: manifest.hybrid.as_ref().and_then(|spec| spec.microsoft365.clone()),
        subscribe_anew: manifest
            .subscribe_anew
            .iter()
            .map(|(edge, day)| (edge.clone(), day.clone()))
            .collect(),
        balancers,
        protect: manifest.protect.clone(),
        restarts: manifest.restarts,
        keep_issued: manifest.backup.as_ref().is_some_and(|backup| backup.issued),
        expiry_warning: manifest.expiry_warning,
        limits: manifest.limits.clone(),
    };
    (desired, findings)
}

struct Resolver<'a> {
    manifest: &'a Manifest,
    left_out: &'a Unread,
    findings: Vec<Finding>,
    /// The paths of the findings: a profile is used by many servers, and its mistakes are told once.
    found: BTreeSet<DocPath>,
    /// How often something could not be resolved, told or not.
    failures: usize,
    /// What may have been meant by an unknown word of a kind: many servers may have the same one.
    /// Whether it is a slip, and the hint.
    suggestions: BTreeMap<(&'static str, String), (bool, String)>,
    certificates: IndexMap<CertificateId, DesiredCertificate>,
}

/// Where something is written: told when there is something to say of it.
type Place<'p> = &'p dyn Fn() -> DocPath;

impl<'a> Resolver<'a> {
    fn server(&mut self, name: &ServerName, spec: &'a ServerSpec) -> DesiredServer {
        let path = || DocPath::of(&["servers"]).key(name);
        let profile = spec.profile.as_ref().and_then(|profile| {
            let found = self.manifest.profiles.get(profile);
            if found.is_none() {
                let known = self.manifest.profiles.keys().map(String::as_str);
                self.unknown("profile", profile, known, path().key("profile"));
            }
            found.map(|uses| (profile, uses))
        });
        let variables = Variables { name, fqdn: &spec.fqdn };
        let mut server = DesiredServer {
            fqdn: spec.fqdn.clone(),
            version: spec.version,
            edge: spec.edge,
            left_out: spec.left_out.clone(),
            services: BTreeMap::new(),
            internal_transport: None,
            sites: IndexMap::new(),
            receive_connectors: IndexMap::new(),
            x509_certificate_names: BTreeMap::new(),
            um_startup_mode: None,
        };
        if let Some((profile, uses)) = profile {
            let path = || DocPath::of(&["profiles", profile]);
            self.apply(&mut server, uses.into(), &path, variables);
        }
        self.apply(&mut server, spec.into(), &path, variables);
        server
    }

    /// Puts the uses of a profile or a server into effect; what is set already gives way.
    fn apply(
        &mut self,
        server: &mut DesiredServer,
        uses: Written<'_>,
        path: Place<'_>,
        variables: Variables<'_>,
    ) {
        for (service, names) in uses.services {
            let mut ids = Vec::with_capacity(names.0.len());
            for (index, name) in names.0.iter().enumerate() {
                let of_service = || path().key("services").key(service);
                let at = || if names.0.len() == 1 { of_service() } else { of_service().index(index) };
                ids.extend(self.certificate(name, &at, Some(variables)));
            }
            server.services.insert(*service, ids);
        }
        if let Some(name) = uses.internal_transport {
            let at = || path().key("internalTransport");
            server.internal_transport = self.certificate(name, &at, Some(variables));
        }
        for (site, name) in uses.iis {
            let at = || path().key("iis").key(site);
            if let Some(id) = self.certificate(name, &at, Some(variables)) {
                server.sites.insert(site.clone(), id);
            }
        }
        for (connector, name) in uses.receive_connectors {
            let at = || path().key("receiveConnectors").key(connector);
            let selector: Option<ConnectorSelector> = self.parse(&connector.on(variables), &at);
            let id = match name {
                Some(name) => self.certificate(name, &at, Some(variables)).map(Some),
                None => Some(None),
            };
            if let (Some(selector), Some(id)) = (selector, id) {
                server.receive_connectors.insert(selector, id);
            }
        }
        for (service, name) in uses.x509_certificate_name {
            let at = || path().key("x509CertificateName").key(service);
            if let Some(name) = self.parse(&name.on(variables), &at) {
                server.x509_certificate_names.insert(*service, name);
            }
        }
        server.um_startup_mode = uses.um_startup_mode.or(server.um_startup_mode);
    }

    fn is_of_each_server(&self, name: &CertificateName) -> bool {
        self.manifest.certificates.get(name).is_some_and(|spec| spec.scope == CertificateScope::Server)
    }

    /// Follows a reference to a certificate, and notes that the server uses it.
    fn certificate(
        &mut self,
        name: &CertificateName,
        at: Place<'_>,
        on: Option<Variables<'_>>,
    ) -> Option<CertificateId> {
        let manifest = self.manifest;
        let Some(spec) = manifest.certificates.get(name) else {
            let known = manifest.certificates.keys().map(CertificateName::as_str);
            self.unknown("certificate", name.as_str(), known, at());
            return None;
        };
        let server = match spec.scope {
            CertificateScope::Server => on.map(|variables| variables.name.clone()),
            CertificateScope::Organization => None,
        };
        let id = CertificateId { name: name.clone(), server };
        let at = if let Some(at) = self.certificates.get_index_of(&id) {
            at
        } else {
            let of_server = on.filter(|_| spec.scope == CertificateScope::Server);
            let certificate = self.build(&id, spec, of_server)?;
            self.certificates.insert_full(id.clone(), certificate).0
        };
        let certificate = &mut self.certificates[at];
        // One server is resolved after the other, so what is not the last one is new.
        if let Some(variables) = on
            && certificate.servers.last() != Some(variables.name)
        {
            if spec.include_server_fqdn {
                certificate.add_name(variables.fqdn.clone());
            }
            if spec.include_server_netbios_name
                && let Ok(name) = variables.name.as_str().parse()
            {
                certificate.add_name(name);
            }
            certificate.servers.push(variables.name.clone());
        }
        Some(id)
    }

    fn build(
        &mut self,
        id: &CertificateId,
        spec: &CertificateSpec,
        variables: Option<Variables<'_>>,
    ) -> Option<DesiredCertificate> {
        let path = || DocPath::of(&["certificates"]).key(&id.name);
        let failures_before = self.failures;
        let origin = self.origin(id, spec, &path);
        let of_name = |index: usize| path().key("names").index(index);
        let texts: Vec<(usize, String)> = spec
            .names
            .iter()
            .enumerate()
            .filter_map(|(index, template)| {
                Some((index, self.text(template, variables, &|| of_name(index))?))
            })
            .collect();
        let mut names: Vec<DnsName> =
            texts.into_iter().filter_map(|(index, text)| self.parse(&text, &|| of_name(index))).collect();
        let subject = match &spec.subject {
            Some(template) => {
                let at = || path().key("subject");
                self.text(template, variables, &at)
                    .and_then(|text| self.parse::<DistinguishedName>(&text, &at))
            }
            None => names.first().map(|name| DistinguishedName::common_name_only(&name.to_string())),
        };
        // The common name is added to the alternative names, as New-ExchangeCertificate does (facts 1.1).
        let common_name = subject.as_ref().and_then(|subject| subject.common_name()?.parse::<DnsName>().ok());
        names.splice(0..0, common_name);
        let unique: IndexSet<DnsName> = names.into_iter().collect();
        if self.failures > failures_before {
            return None;
        }
        let friendly_name =
            spec.friendly_name.clone().or_else(|| id.name.as_str().parse::<FriendlyName>().ok())?;
        Some(DesiredCertificate {
            id: id.clone(),
            issuer: spec.issuer.clone(),
            origin: origin?,
            // A name that is missing is the check `names-missing`; here it must only not be in the way.
            subject: subject.unwrap_or_default(),
            names: unique.into_iter().collect(),
            includes: Includes {
                accepted_domains: spec.include_accepted_domains,
                autodiscover: spec.include_autodiscover,
                unseen: None,
            },
            friendly_name,
            // A size that does not exist is the check `key-size-unknown`.
            key: spec.key.spec().unwrap_or(KeySpec::Rsa(2048)),
            exportable: spec.key.exportable,
            renew_before: spec.renew_before,
            retire: spec.retire.clone(),
            extra_services: spec.extra_services,
            copy_from: spec.copy_from.clone(),
            untrusted: None,
            compromised: self.manifest.compromised.clone(),
            servers: Vec::new(),
        })
    }

    fn origin(&mut self, id: &CertificateId, spec: &CertificateSpec, path: Place<'_>) -> Option<Origin> {
        match self.manifest.issuers.get(&spec.issuer) {
            Some(IssuerSpec::SelfSigned(_)) => Some(Origin::SelfSigned),
            Some(IssuerSpec::LocalCa(ca)) => Some(Origin::LocalCa { subject: None, lifetime: ca.lifetime }),
            Some(IssuerSpec::Csr(csr)) => {
                let stem = match &id.server {
                    None => id.name.to_string(),
                    Some(server) => format!("{}-{server}", id.name),
                };
                let file = portable(&csr.directory.join(stem));
                let public = csr.publicly_trusted;
                let rooted = public || !self.manifest.verify.roots.is_empty();
                let encoding = csr.encoding;
                Some(Origin::Csr { file, answer: None, public, rooted, encoding })
            }
            Some(IssuerSpec::Pfx(pfx)) => {
                let public = pfx.publicly_trusted;
                let rooted = public || !self.manifest.verify.roots.is_empty();
                let file = pfx.file.shown().to_string();
                Some(Origin::Pfx { file, holds: Fact::unknown("it was not read"), public, rooted })
            }
            None => {
                let known = self.manifest.issuers.keys().map(IssuerName::as_str);
                self.unknown("issuer", spec.issuer.as_str(), known, path().key("issuer"));
                None
            }
        }
    }

    /// The template's text. A certificate that servers share cannot hold what is different on each.
    fn text(
        &mut self,
        template: &Template,
        variables: Option<Variables<'_>>,
        at: Place<'_>,
    ) -> Option<String> {
        match variables {
            Some(variables) => Some(template.on(variables)),
            None => template.fixed().or_else(|| {
                let scope = at().segments().iter().take(2).fold(DocPath::root(), |path, at| path.with(at.clone()));
                if self.left_out.touches(&scope.key("scope")) {
                    self.failures += 1;
                    return None;
                }
                let what = format!("`{template}` differs on each server, and the servers share the certificate");
                let why = "A certificate of scope `organization` is one file with one set of names for all servers.";
                let finding = Finding::new("variable-in-shared-certificate", Severity::Error, at(), what, why);
                self.find(finding.hinted("set `scope: server`, or write the names out"));
                None
            }),
        }
    }

    fn parse<T: FromStr<Err: Display>>(&mut self, text: &str, at: Place<'_>) -> Option<T> {
        text.parse::<T>()
            .map_err(|error| {
                let error = error.to_string();
                let (what, hint) =
                    error.split_once("; ").map_or((error.as_str(), None), |(what, hint)| (what, Some(hint)));
                let why =
                    "Clients, Exchange and CAs take only names and subjects that are written by the rules.";
                let finding = Finding::new("bad-value", Severity::Error, at(), what, why);
                let usual = "write a full name such as `mail.contoso.com`, without scheme, port or path";
                self.find(finding.hinted(quotes(what).unwrap_or_else(|| hint.unwrap_or(usual).to_owned())));
            })
            .ok()
    }

    /// A word that means nothing here. `known` gives the words that do.
    fn unknown(&mut self, kind: &'static str, word: &str, known: impl Iterator<Item = &'a str>, at: DocPath) {
        self.failures += 1;
        let plural = format!("{kind}s");
        if self.left_out.touches(&DocPath::of(&[&plural, word])) || self.found.contains(&at) {
            return;
        }
        let meant = self.suggestions.entry((kind, word.to_owned()));
        let (is_slip, meant) = meant.or_insert_with(|| match known.collect::<Vec<_>>().as_slice() {
            [] => (false, format!("define it under `{plural}`")),
            known => (nearest(word, known).is_some(), suggestion(word, known)),
        });
        // What is like no known word may stand in the file that could not be read.
        if self.left_out.misses_a_file() && !*is_slip {
            return;
        }
        let meant = meant.clone();
        let what = format!("there is no {kind} `{word}`");
        let why = format!("Nothing can be planned for what the manifest does not define under `{plural}`.");
        let finding = Finding::new(&format!("unknown-{kind}"), Severity::Error, at, what, why);
        self.find(finding.hinted(meant));
    }

    /// Takes a finding, unless its place has one already.
    fn find(&mut self, finding: Finding) {
        self.failures += 1;
        // What stands in the place of something that was left out is no mistake.
        if self.left_out.is(&finding.path) {
            return;
        }
        if self.found.insert(finding.path.clone()) {
            self.findings.push(finding);
        }
    }
}
