//! From `lab.yaml` to an organization on disk: setup's work first, then the administrators'.

mod certificates;

use std::collections::BTreeMap;

use super::{
    auth, copying,
    directory::{Directory, OrganizationState, ServerState},
    edges,
    files::LabError,
    fresh::{accepted_domains, empty, fresh_server, send_connectors, stored_by_setup},
    overrides,
    pickup::Loaded,
    seed::{Seed, SeedMoment, Subscribed},
    seed_keys::{self, USUAL},
};
use crate::{
    exchange::{
        hybrid, services,
        setup::{self, SetupCertificate, SetupKind},
    },
    model::{
        certificate::Certificate,
        dn::TlsCertificateName,
        fact::Fact,
        key::KeySpec,
        names::{CertificateName, IssuerName},
        organization::{AuthConfig, HybridConfiguration, Organization},
        secret::Secret,
        server::{BindingStore, StoredCertificate},
        site::SiteBinding,
        thumbprint::Thumbprint,
        time::{Span, Timestamp},
        version::Role,
    },
    pki::{
        keys::{self, Keys},
        mint::{self, Authority, CertificateContent},
    },
};

/// Sets the lab up where nothing of it is. The file that tells that it is complete is written last.
pub(super) fn set_up(directory: &Directory, seed: &Seed, wall_clock: Timestamp) -> Result<(), LabError> {
    let now = seed.clock.unwrap_or(wall_clock);
    if let Some(from) = &seed.from {
        return copying::set_up(directory, seed, from, now);
    }
    let keys = seed_keys::keys(directory, seed, || wanted(seed))?;
    let mut seeding = Seeding {
        directory,
        seed,
        keys,
        now,
        authorities: BTreeMap::new(),
        organization: empty(),
        made: BTreeMap::new(),
    };
    seeding.authorities()?;
    seeding.servers()?;
    seeding.organization.accepted_domains = Fact::Known(accepted_domains(seed));
    seeding.organization.send_connectors = Fact::Known(send_connectors(seed));
    edges::subscribe(&mut seeding.organization, seed, Subscribed::AfterSetup, now)?;
    for (name, certificate) in &seed.certificates {
        seeding.certificate(name, certificate)?;
    }
    edges::subscribe(&mut seeding.organization, seed, Subscribed::AfterCertificates, now)?;
    auth::seed(&mut seeding.organization, seed, &seeding.made, now)?;
    overrides::seed(&mut seeding.organization, seed, &seeding.made)?;
    seeding.hybrid()?;
    edges::copies(&mut seeding.organization, seed, &seeding.made)?;
    seeding.losses()?;
    seeding.write()
}

/// How many keys of the usual kind are made for this seed.
fn wanted(seed: &Seed) -> usize {
    let by_setup = seed.servers.iter().flat_map(|(name, own)| {
        let release = own.version.release();
        let edge = own.roles.contains(&Role::EdgeTransport);
        setup::certificates(release, edge, name, &own.fqdn, Timestamp::from_unix(0))
    });
    let (auth, own): (Vec<_>, Vec<_>) = by_setup.partition(|setup| setup.kind == SetupKind::Auth);
    let later = seed.certificates.values().filter(|own| own.key.spec() == Some(USUAL));
    let later = later.map(|own| if own.is_one_for_all() { 1 } else { own.on.0.len() });
    seed.authorities.len() + auth.len().min(1) + own.len() + later.sum::<usize>()
}

struct Seeding<'a> {
    directory: &'a Directory,
    seed: &'a Seed,
    keys: Keys,
    now: Timestamp,
    authorities: BTreeMap<IssuerName, Authority>,
    organization: Organization,
    made: BTreeMap<CertificateName, Thumbprint>,
}

impl Seeding<'_> {
    fn authorities(&mut self) -> Result<(), LabError> {
        for (name, authority) in &self.seed.authorities {
            let content = CertificateContent {
                subject: &authority.subject,
                names: &[],
                not_before: self.now.minus(Span::days(1000)),
                not_after: self.now.plus(Span::days(4000)),
            };
            let made = Authority::make(&content, self.key(USUAL)?).map_err(LabError::key)?;
            copying::write_authority(self.directory, name.as_str(), &made)?;
            self.authorities.insert(name.clone(), made);
        }
        Ok(())
    }

    fn servers(&mut self) -> Result<(), LabError> {
        let mut auth: Option<(Certificate, Secret)> = None;
        for (name, seed) in &self.seed.servers {
            let installed = seed.installed.unwrap_or(SeedMoment::Before(Span::days(400))).from(self.now);
            let release = seed.version.release();
            let mut server = fresh_server(name, seed);
            let edge = server.is_edge();
            for setup in setup::certificates(release, edge, name, &seed.fqdn, installed) {
                let shared = (setup.kind == SetupKind::Auth).then(|| auth.clone()).flatten();
                let (certificate, key) = match shared {
                    Some(shared) => shared,
                    None => self.setup_certificate(&setup, installed)?,
                };
                self.directory.write_key(name, certificate.thumbprint, &key)?;
                let thumbprint = certificate.thumbprint;
                match setup.kind {
                    SetupKind::MicrosoftExchange => {
                        server.internal_transport = Fact::Known(Some(thumbprint));
                        let is_there = |site: &SiteBinding| {
                            let behind = site.site == SiteBinding::BACK_END;
                            let role = if behind { Role::Mailbox } else { Role::ClientAccess };
                            setup::has_role(release, &seed.roles, role)
                        };
                        let sites = setup::sites(release, edge).into_iter().filter(is_there);
                        let bound = sites.map(|site| (site, Some(thumbprint)));
                        let others = seed.sites.iter().map(|site| (site.clone(), None));
                        server.sites = Fact::Known(bound.chain(others).collect());
                    }
                    SetupKind::Auth => {
                        let config = AuthConfig { current: Some(thumbprint), ..AuthConfig::default() };
                        self.organization.auth = Fact::Known(Some(config));
                        auth = Some((certificate.clone(), key));
                    }
                    SetupKind::Wmsvc => {}
                }
                let store = server.certificates.known_mut().expect("a fresh server's store is known");
                store.0.insert(thumbprint, stored_by_setup(certificate, setup));
            }
            services::refresh(&mut server);
            self.organization.servers.insert(name.clone(), server);
        }
        Ok(())
    }

    fn setup_certificate(
        &self,
        setup: &SetupCertificate,
        installed: Timestamp,
    ) -> Result<(Certificate, Secret), LabError> {
        let key = self.key(USUAL)?;
        let content = CertificateContent {
            subject: &setup.subject,
            names: &setup.names,
            not_before: installed,
            not_after: setup.not_after,
        };
        let certificate = mint::self_signed(&content, &key).map_err(LabError::key)?;
        Ok((certificate, keys::to_pkcs8(&key)))
    }

    /// What the certificate snap-in took, and what nobody wrote into the directory.
    fn losses(&mut self) -> Result<(), LabError> {
        for (name, seed) in &self.seed.servers {
            let server = self.organization.servers.get_mut(name).expect("every server was set up");
            let store = server.certificates.known_mut().expect("a fresh server's store is known");
            for friendly_name in &seed.lost {
                let is_it = |stored: &StoredCertificate| stored.friendly_name.known() == Some(friendly_name);
                let before = store.0.len();
                store.0.retain(|_, stored| !is_it(stored));
                if store.0.len() == before {
                    let what = format!("{name} has no certificate {friendly_name:?} to lose");
                    return Err(LabError::CannotSetUp(what));
                }
            }
            for stored in store.0.values() {
                if stored.friendly_name.known().is_some_and(|own| seed.broken_keys.contains(own)) {
                    self.directory.forget_key(name, stored.certificate.thumbprint);
                }
            }
            for stored in store.0.values_mut() {
                let name = stored.friendly_name.known();
                if name.is_some_and(|name| seed.keyless.contains(name)) {
                    stored.lose_key();
                }
            }
            let mut programs = BTreeMap::new();
            for (program, friendly_name) in &seed.other_programs {
                let mut stored = store.0.values();
                let used = stored.find(|stored| stored.friendly_name.known() == Some(friendly_name));
                let used = used.ok_or_else(|| {
                    LabError::CannotSetUp(format!(
                        "{name} has no certificate {friendly_name:?} for {program}"
                    ))
                })?;
                programs.insert(program.clone(), used.certificate.thumbprint);
            }
            if !programs.is_empty() {
                server.other_programs = Fact::Known(programs);
            }
            if let Some(names) = &seed.authorities {
                let missing = |name| LabError::CannotSetUp(format!("the lab has no authority {name}"));
                let known = names.iter().map(|authority| {
                    let own = self.authorities.get(authority).ok_or_else(|| missing(authority))?;
                    Ok::<_, LabError>(own.certificate.clone())
                });
                server.authorities = Fact::Known(known.collect::<Result<_, _>>()?);
            }
            // With characters that no host name has, nothing could have been enabled for SMTP before.
            let connectors = server.receive_connectors.known_mut().into_iter().flatten();
            for (connector, settings) in connectors {
                if let Some(fqdn) = seed.connector_fqdns.get(connector) {
                    settings.fqdn = Some(fqdn.clone());
                }
            }
            for (binding, store) in &seed.iis_stores {
                let store = match store.as_str() {
                    "central" => BindingStore::Central,
                    name => BindingStore::Named(name.to_owned()),
                };
                if store == BindingStore::Central
                    && let Some(hash) = server.sites.known_mut().and_then(|sites| sites.get_mut(binding))
                {
                    *hash = None;
                }
                server.other_stores.insert(binding.clone(), store);
            }
            if seed.without_internal_transport {
                server.internal_transport = Fact::Known(None);
            }
            services::refresh(server);
        }
        Ok(())
    }

    /// The wizard ran when the administrators were done.
    fn hybrid(&mut self) -> Result<(), LabError> {
        let Some(seed) = &self.seed.hybrid else { return Ok(()) };
        let stored = self.made.get(&seed.certificate).and_then(|thumbprint| {
            self.organization.servers.values().find_map(|server| server.certificate(*thumbprint))
        });
        let stored = stored.ok_or_else(|| {
            LabError::CannotSetUp(format!(
                "the hybrid configuration names {}, which is on no server",
                seed.certificate
            ))
        })?;
        self.organization.hybrid = Fact::Known(Some(HybridConfiguration {
            tls_certificate_name: Some(TlsCertificateName::of(&stored.certificate)),
            receiving_servers: seed.receiving.clone(),
            sending_servers: seed.sending.clone(),
            edge_servers: seed.edge.clone(),
        }));
        if seed.wizard {
            hybrid::run_wizard(&mut self.organization);
        }
        Ok(())
    }

    fn write(self) -> Result<(), LabError> {
        let Self { directory, seed, keys, now, made, organization, .. } = self;
        let keys_in_cng = organization.keys_in_cng();
        let Organization {
            servers,
            send_connectors,
            accepted_domains,
            auth,
            federation,
            hybrid,
            edge_subscriptions,
            im_overrides,
            dedicated_application: _,
            domain_security: _,
            balancers: _,
        } = organization;
        for (name, server) in servers {
            let mut loaded = Loaded::start(&server, now);
            for (what, certificate) in seed.servers.get(&name).into_iter().flat_map(|own| &own.not_restarted)
            {
                let nowhere = || LabError::CannotSetUp(format!("{name} has never loaded {certificate}"));
                let thumbprint = made.get(certificate).filter(|made| server.certificate(**made).is_some());
                loaded.keep(*what, *thumbprint.ok_or_else(nowhere)?);
            }
            let state = ServerState { name: Some(name.clone()), server, loaded };
            directory.write_server(&name, &state)?;
        }
        directory.write_organization(&OrganizationState {
            keys_in_cng,
            clock: seed.clock,
            keys_taken: keys.taken(),
            transport: seed.transport,
            send_connectors: send_connectors.known().cloned().unwrap_or_default(),
            accepted_domains: accepted_domains.known().cloned().unwrap_or_default(),
            hybrid: hybrid.known().cloned().flatten(),
            auth: auth.known().cloned().flatten(),
            federation: federation.known().cloned().flatten(),
            edge_subscriptions: edge_subscriptions.known().cloned().unwrap_or_default(),
            im_overrides: im_overrides.known().cloned().unwrap_or_default(),
            dedicated_application: Some(
                seed.hybrid.as_ref().is_some_and(|hybrid| hybrid.dedicated_application),
            ),
            domain_security: Some(seed.domain_security.clone().unwrap_or_default()),
            unknown: BTreeMap::new(),
        })
    }

    fn key(&self, spec: KeySpec) -> Result<rcgen::KeyPair, LabError> {
        self.keys.make(spec).map_err(LabError::key)
    }
}
