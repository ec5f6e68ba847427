//! A lab that is a copy of an observed organization: the same servers, names, dates, services, bindings and connectors,
//! with keys of its own and so with other thumbprints. What the observation does not show stays unknown.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    directory::{Directory, OrganizationState, ServerState},
    files::{self, LabError},
    pickup::Loaded,
    seed::Seed,
    seed_keys,
};
use crate::{
    durable,
    model::{
        bundle::Bundle,
        certificate::Certificate,
        dn::DistinguishedName,
        fact::Fact,
        key::{KeySpec, PublicKey},
        names::{BalancerName, IssuerName, ServerName},
        organization::{Observed, ObservedBalancer, Organization},
        secret::Secret,
        server::{CertificateStore, Server},
        thumbprint::Thumbprint,
        time::{Span, Timestamp},
    },
    pki::{
        keys::{self, Keys},
        mint::{self, Authority, CertificateContent},
        pem, pem_bundle,
    },
};

/// Writes `lab.yaml` and the observation beside it. An earlier lab there is left as it is.
pub(super) fn write_seed(observed: &Observed, path: &Path, clock: Timestamp) -> Result<(), LabError> {
    let file = path.join("lab.yaml");
    if file.exists() {
        return Err(LabError::Exists(file));
    }
    files::write_json(&path.join(OBSERVED), observed)?;
    let prompts = if observed.answers_prompts { "answer" } else { "force" };
    let text = format!(
        "# The organization as it was observed at {}, with keys of its own.\napiVersion: certwright.lab/v1\nclock: {clock}\nfrom: {OBSERVED}\nprompts: {prompts}\n",
        observed.at
    );
    files::write(&file, text.as_bytes())
}

/// Sets the lab up as the observation in `from` shows it.
pub(super) fn set_up(
    directory: &Directory,
    seed: &Seed,
    from: &Path,
    now: Timestamp,
) -> Result<(), LabError> {
    let observed: Observed = files::read_json(&directory.path().join(from))?;
    let keys = &seed_keys::keys(directory, seed, || wanted(&observed.organization))?;
    let mut copying = Copying { directory, keys, now, authorities: Vec::new(), made: BTreeMap::new() };
    let mut organization = observed.organization;
    for (name, server) in &mut organization.servers {
        copying.server(name, server)?;
    }
    for (name, balancer) in &organization.balancers {
        copying.balancer(name, balancer)?;
    }
    // Only now every certificate has its copy.
    for thumbprint in organization.thumbprints_mut() {
        copying.rename(thumbprint);
    }
    let keys_in_cng = organization.keys_in_cng();
    let Organization {
        servers,
        send_connectors,
        accepted_domains,
        hybrid,
        auth,
        federation,
        edge_subscriptions,
        im_overrides,
        dedicated_application,
        domain_security,
        balancers: _,
    } = organization;
    for (name, server) in servers {
        let loaded = Loaded::start(&server, now);
        let state = ServerState { name: Some(name.clone()), server, loaded };
        directory.write_server(&name, &state)?;
    }
    let mut unknown = BTreeMap::new();
    directory.write_organization(&OrganizationState {
        keys_in_cng,
        clock: seed.clock,
        keys_taken: keys.taken(),
        transport: seed.transport,
        send_connectors: known("sendConnectors", send_connectors, &mut unknown),
        accepted_domains: known("acceptedDomains", accepted_domains, &mut unknown),
        hybrid: known("hybrid", hybrid, &mut unknown),
        auth: known("auth", auth, &mut unknown),
        federation: known("federation", federation, &mut unknown),
        edge_subscriptions: known("edgeSubscriptions", edge_subscriptions, &mut unknown),
        im_overrides: known("imOverrides", im_overrides, &mut unknown),
        dedicated_application: dedicated_application.known().copied(),
        domain_security: domain_security.known().cloned(),
        unknown,
    })
}

/// How many keys of the usual kind are made for a copy: one for each certificate, and for each CA that signed one.
fn wanted(organization: &Organization) -> usize {
    let servers = || organization.servers.values();
    let stored =
        servers().filter_map(|server| server.certificates.known()).flat_map(|store| store.0.values());
    let requests = servers().filter_map(|server| server.requests.known()).flatten();
    let all = stored.map(|own| &own.certificate).chain(requests.map(|own| &own.certificate));
    let usual = all.clone().filter(|own| spec(&own.key) == seed_keys::USUAL);
    let own: BTreeSet<Thumbprint> = usual.map(|own| own.thumbprint).collect();
    let signed = all.filter(|own| !own.is_self_signed());
    let authorities: BTreeSet<String> = signed.map(|own| own.issuer.to_string()).collect();
    own.len() + authorities.len()
}

/// A CA of the lab.
pub(super) fn authority(directory: &Directory, name: &IssuerName) -> Result<Authority, LabError> {
    let read = |ending| {
        let file = directory.authority_file(name.as_str(), ending);
        durable::read(&file).map_err(|error| LabError::Read(file, error))
    };
    let certificate = pem::certificates(&read("crt")?).map_err(LabError::key)?.remove(0);
    let key = keys::from_pem(&Secret::new(read("key")?), name.as_str()).map_err(LabError::key)?;
    Authority::new(certificate, Vec::new(), key).map_err(LabError::key)
}

/// The CA of the lab that has this subject; made, when there is none.
pub(super) fn authority_of(
    directory: &Directory,
    subject: &DistinguishedName,
    keys: &Keys,
    now: Timestamp,
) -> Result<Authority, LabError> {
    let names = directory.authority_names()?;
    for name in &names {
        let found = authority(directory, name)?;
        if found.certificate.subject == *subject {
            return Ok(found);
        }
    }
    let content = CertificateContent {
        subject,
        names: &[],
        not_before: now.minus(Span::days(4000)),
        not_after: now.plus(Span::days(4000)),
    };
    let key = keys.make(KeySpec::Rsa(2048)).map_err(LabError::key)?;
    let made = Authority::make(&content, key).map_err(LabError::key)?;
    let name = (1..=names.len() + 1)
        .map(|number| format!("ca-{number}"))
        .find(|name| !names.iter().any(|have| have.as_str() == name));
    let name = name.expect("one of so many numbers is free");
    write_authority(directory, &name, &made)?;
    Ok(made)
}

/// Writes a CA's certificate and key.
pub(super) fn write_authority(directory: &Directory, name: &str, made: &Authority) -> Result<(), LabError> {
    let certificate = pem::of_certificate(&made.certificate.der.0);
    files::write(&directory.authority_file(name, "crt"), certificate.as_bytes())?;
    let key = keys::to_pem(made.key());
    files::write_secret(&directory.authority_file(name, "key"), &key)
}

struct Copying<'a> {
    directory: &'a Directory,
    keys: &'a Keys,
    now: Timestamp,
    authorities: Vec<Authority>,
    /// The copy and its key, by the thumbprint of the original: one on all servers that had the same.
    made: BTreeMap<Thumbprint, (Certificate, Secret)>,
}

impl Copying<'_> {
    fn server(&mut self, name: &ServerName, server: &mut Server) -> Result<(), LabError> {
        server.endpoints.clear();
        // The CAs of a copy are made anew.
        server.authorities = Fact::not_captured();
        if let Some(store) = server.certificates.known_mut() {
            let mut copies = CertificateStore::default();
            for mut stored in std::mem::take(&mut *store.0).into_values() {
                let (copy, key) = self.copy(&stored.certificate)?;
                if stored.has_private_key {
                    self.directory.write_key(name, copy.thumbprint, &key)?;
                }
                stored.certificate = copy;
                copies.0.insert(stored.certificate.thumbprint, stored);
            }
            *store = copies;
        }
        for request in server.requests.known_mut().into_iter().flatten() {
            let (copy, key) = self.copy(&request.certificate)?;
            self.directory.write_key(name, copy.thumbprint, &key)?;
            request.certificate = copy;
        }
        Ok(())
    }

    fn balancer(&mut self, name: &BalancerName, balancer: &ObservedBalancer) -> Result<(), LabError> {
        let Some(Some(original)) = balancer.certificate.known() else { return Ok(()) };
        let (certificate, key) = self.copy(original)?;
        let bundle = Bundle { certificate, chain: Vec::new(), key: Some(key) };
        let text = pem_bundle::write(&bundle).map_err(LabError::key)?;
        files::write_secret(&self.directory.balancer_file(name), &text)
    }

    fn copy(&mut self, original: &Certificate) -> Result<(Certificate, Secret), LabError> {
        if let Some((certificate, key)) = self.made.get(&original.thumbprint) {
            return Ok((certificate.clone(), key.clone()));
        }
        let key = self.keys.make(spec(&original.key)).map_err(LabError::key)?;
        let authority =
            if original.is_self_signed() { None } else { Some(self.authority(&original.issuer)?) };
        let copy = mint::like(original, authority, &key).map_err(LabError::key)?;
        let made = (copy, keys::to_pkcs8(&key));
        self.made.insert(original.thumbprint, made.clone());
        Ok(made)
    }

    fn authority(&mut self, subject: &DistinguishedName) -> Result<&Authority, LabError> {
        let found = self.authorities.iter().position(|have| have.certificate.subject == *subject);
        if found.is_none() {
            self.authorities.push(authority_of(self.directory, subject, self.keys, self.now)?);
        }
        let at = found.unwrap_or(self.authorities.len() - 1);
        Ok(&self.authorities[at])
    }

    /// The copy's thumbprint. One whose certificate nobody has stays what it is: it names nothing there either.
    fn rename(&self, thumbprint: &mut Thumbprint) {
        if let Some((copy, _)) = self.made.get(thumbprint) {
            *thumbprint = copy.thumbprint;
        }
    }
}

/// What is known, or nothing and a note of it.
fn known<T: Default>(name: &str, fact: Fact<T>, unknown: &mut BTreeMap<String, String>) -> T {
    match fact {
        Fact::Known(value) => value,
        Fact::Unknown(why) => {
            unknown.insert(name.into(), why.why);
            T::default()
        }
    }
}

/// The nearest key that can be made.
fn spec(key: &PublicKey) -> KeySpec {
    match key {
        PublicKey::Rsa(..=2048) | PublicKey::Other(_) => KeySpec::Rsa(2048),
        PublicKey::Rsa(_) => KeySpec::Rsa(4096),
        PublicKey::Ec(_) => KeySpec::EcP256,
    }
}

const OBSERVED: &str = "observed.json";
