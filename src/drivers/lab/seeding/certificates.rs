//! Certificates that administrators brought after setup, and what they did with them.

use super::Seeding;
use crate::{
    drivers::lab::{
        files::{self, LabError},
        seed::CertificateSeed,
    },
    exchange::verbs,
    manifest::{Template, Variables},
    model::{
        action::DefaultSmtp,
        bundle::Bundle,
        certificate::Certificate,
        dn::{DistinguishedName, TlsCertificateName},
        fact::Fact,
        names::{CertificateName, ConnectorName, DnsName, ServerName},
        secret::Secret,
        server::{CertificateStatus, KeyProvider, RootType, StoredCertificate, UnifiedMessaging},
        service::{Service, Services},
    },
    pki::{
        keys,
        mint::{self, CertificateContent},
        pem_bundle,
    },
};

impl Seeding<'_> {
    /// What administrators did with a certificate after setup.
    pub(super) fn certificate(
        &mut self,
        name: &CertificateName,
        seed: &CertificateSeed,
    ) -> Result<(), LabError> {
        let mut shared: Option<(Certificate, Secret)> = None;
        for server in &seed.on.0 {
            let Some(fqdn) = self.seed.servers.get(server).map(|server| server.fqdn.clone()) else {
                return Err(LabError::CannotSetUp(format!(
                    "certificate {name} is on {server}, which is no server of the lab"
                )));
            };
            let variables = Variables { name: server, fqdn: &fqdn };
            let made = match shared.clone().filter(|_| seed.is_one_for_all()) {
                Some(made) => made,
                None => self.mint(name, seed, variables)?,
            };
            self.place(name, seed, variables, &made)?;
            shared = Some(made);
        }
        let Some((certificate, key)) = shared else { return Ok(()) };
        if !seed.load_balancers.is_empty() {
            let bundle = Bundle { certificate: certificate.clone(), chain: Vec::new(), key: Some(key) };
            let text = pem_bundle::write(&bundle).map_err(LabError::key)?;
            for balancer in &seed.load_balancers {
                files::write_secret(&self.directory.balancer_file(balancer), &text)?;
            }
        }
        self.made.insert(name.clone(), certificate.thumbprint);
        for connector in &seed.send_connectors {
            let to = Some(TlsCertificateName::of(&certificate));
            verbs::repoint_send(&mut self.organization, connector, to)?;
        }
        Ok(())
    }

    /// The modes of Unified Messaging of a server, which it loses.
    fn take_um(&mut self, server: &ServerName) -> Option<Fact<Option<UnifiedMessaging>>> {
        let server = self.organization.servers.get_mut(server)?;
        Some(std::mem::replace(&mut server.um, Fact::Known(None)))
    }

    fn mint(
        &self,
        name: &CertificateName,
        seed: &CertificateSeed,
        variables: Variables<'_>,
    ) -> Result<(Certificate, Secret), LabError> {
        let wrong = |what: &str, error: String| {
            LabError::CannotSetUp(format!("{what} of certificate {name}: {error}"))
        };
        let names: Vec<DnsName> = seed
            .names
            .iter()
            .map(|template| {
                template.on(variables).parse().map_err(|error| wrong("a name", format!("{error}")))
            })
            .collect::<Result<_, _>>()?;
        let subject = match &seed.subject {
            Some(template) => subject(template, variables).map_err(|error| wrong("the subject", error))?,
            None => match names.first() {
                Some(first) => DistinguishedName::common_name_only(&first.to_string()),
                None => return Err(wrong("the subject", "there is neither a subject nor a name".into())),
            },
        };
        let spec = seed
            .key
            .spec()
            .ok_or_else(|| wrong("the key", "size and algorithm do not go together".into()))?;
        let key = self.key(spec)?;
        let content = CertificateContent {
            subject: &subject,
            names: &names,
            not_before: seed.not_before.from(self.now),
            not_after: seed.not_after.from(self.now),
        };
        let certificate = match &seed.authority {
            None => mint::self_signed(&content, &key),
            Some(authority) => {
                let missing = || wrong("the authority", format!("the lab has no authority {authority}"));
                self.authorities.get(authority).ok_or_else(missing)?.sign(&content, &key)
            }
        };
        Ok((certificate.map_err(LabError::key)?, keys::to_pkcs8(&key)))
    }

    /// Imports it on one server and puts it to use there.
    fn place(
        &mut self,
        name: &CertificateName,
        seed: &CertificateSeed,
        variables: Variables<'_>,
        (certificate, key): &(Certificate, Secret),
    ) -> Result<(), LabError> {
        let server = variables.name;
        let thumbprint = certificate.thumbprint;
        if seed.private_key {
            self.directory.write_key(server, thumbprint, key)?;
        }
        let root_type = if certificate.is_self_signed() { RootType::None } else { RootType::Registry };
        let mut stored = StoredCertificate {
            certificate: certificate.clone(),
            has_private_key: true,
            key_provider: Fact::Known(seed.key_provider.unwrap_or(KeyProvider::Csp)),
            exportable: Fact::Known(seed.key.exportable),
            friendly_name: Fact::Known(seed.friendly_name.clone().unwrap_or_else(|| name.to_string())),
            services: Fact::Known(Services::new()),
            root_type: Fact::Known(seed.root_type.unwrap_or(root_type)),
            status: Fact::Known(seed.status.unwrap_or(CertificateStatus::Valid)),
        };
        if !seed.private_key {
            stored.lose_key();
        }
        verbs::store(&mut self.organization, server, stored)?;
        let services: Services = seed.services.iter().copied().collect();
        if !services.is_empty() {
            let answer = if seed.internal_transport { DefaultSmtp::Replace } else { DefaultSmtp::Keep };
            // The modes of Unified Messaging may have changed since it was enabled.
            let modes = self.take_um(server);
            verbs::enable(&mut self.organization, server, thumbprint, &services, answer)?;
            if let (Some(modes), Some(server)) = (modes, self.organization.servers.get_mut(server)) {
                server.um = modes;
            }
        } else if seed.internal_transport {
            let smtp = Services::from([Service::Smtp]);
            verbs::enable(&mut self.organization, server, thumbprint, &smtp, DefaultSmtp::Replace)?;
        }
        for site in &seed.iis {
            verbs::bind_site(&mut self.organization, server, site, Some(thumbprint))?;
        }
        for connector in &seed.receive_connectors {
            let text = connector.on(variables);
            let connector: ConnectorName = text
                .parse()
                .map_err(|error| LabError::CannotSetUp(format!("connector of {name}: {error}")))?;
            let to = Some(TlsCertificateName::of(certificate));
            verbs::repoint_receive(&mut self.organization, server, &connector, to)?;
        }
        Ok(())
    }
}

/// A CA writes the country first whichever way the subject was typed.
fn subject(template: &Template, variables: Variables<'_>) -> Result<DistinguishedName, String> {
    let text = template.on(variables);
    // Some CAs leave it out.
    if text.is_empty() {
        return Ok(DistinguishedName::default());
    }
    let typed: DistinguishedName = text.parse().map_err(|error| format!("{error}"))?;
    Ok(typed.largest_first())
}
