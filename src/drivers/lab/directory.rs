//! The lab's state on disk.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, OpenOptions},
    net::SocketAddr,
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use super::{
    files::{self, LabError},
    pickup,
    seed::{Pickup, Seed},
};
use crate::{
    durable,
    manifest::yaml::{self, DocumentKind, Source},
    model::{
        connector::SendConnector,
        endpoint::Endpoint,
        fact::Fact,
        names::{BalancerName, ConnectorName, IssuerName, OverrideName, ServerName},
        organization::{
            AcceptedDomain, AuthConfig, DomainSecurity, EdgeSubscription, FederationTrust,
            HybridConfiguration, ImOverride, Organization,
        },
        secret::Secret,
        server::Server,
        shown::ShowPath,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    ports::driver::Wanted,
};

/// The directory of a lab.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
}

/// What the directory service of a real organization holds, and the lab's own settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct OrganizationState {
    /// The lab's time, when it does not follow the machine's.
    pub(super) clock: Option<Timestamp>,
    /// How many keys of a pool were taken.
    pub(super) keys_taken: usize,
    /// When transport uses what has changed.
    pub(super) transport: Pickup,
    pub(super) send_connectors: BTreeMap<ConnectorName, SendConnector>,
    pub(super) accepted_domains: Vec<AcceptedDomain>,
    pub(super) hybrid: Option<HybridConfiguration>,
    pub(super) auth: Option<AuthConfig>,
    pub(super) federation: Option<FederationTrust>,
    pub(super) edge_subscriptions: Vec<EdgeSubscription>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) im_overrides: BTreeMap<OverrideName, ImOverride>,
    /// Whether a hybrid organization has the dedicated application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dedicated_application: Option<bool>,
    /// The partners of Domain Security.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) domain_security: Option<DomainSecurity>,
    /// Certificates with RSA keys in CNG: whatever server they are imported on, a PFX carries that along (facts 8.5).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) keys_in_cng: BTreeSet<Thumbprint>,
    /// What the observation that the lab was copied from did not show, by its name there, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) unknown: BTreeMap<String, String>,
}

/// One server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ServerState {
    /// Its name as it is written; the name of its file is in capitals. Labs of 0.1 have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<ServerName>,
    /// What an observation shows.
    pub(super) server: Server,
    /// What its services hold in memory since they were started.
    pub(super) loaded: pickup::Loaded,
}

/// The file that whoever changes the lab holds.
pub(super) const LOCK: &str = "lock";

/// Addresses of endpoints, by server.
pub(super) type Addresses = BTreeMap<ServerName, BTreeMap<Endpoint, SocketAddr>>;

impl Directory {
    /// The lab in this directory.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The directory.
    pub fn path(&self) -> &PathBuf {
        &self.path
    }

    /// Whether the state is complete: its last file is written last.
    pub fn is_set_up(&self) -> bool {
        self.organization_file().exists()
    }

    pub(super) fn read_seed(&self) -> Result<Seed, LabError> {
        let file = self.path.join("lab.yaml");
        if !file.exists() {
            return Err(LabError::NoSeed(file));
        }
        let bytes = durable::read(&file).map_err(|error| LabError::Read(file.clone(), error))?;
        let source = Source { file: file.shown().to_string(), bytes };
        let (seed, _) = yaml::document::<Seed>(source, DocumentKind::LAB).map_err(LabError::Seed)?;
        Ok(seed)
    }

    pub(super) fn organization(&self) -> Result<OrganizationState, LabError> {
        files::read_json(&self.organization_file())
    }

    pub(super) fn write_organization(&self, state: &OrganizationState) -> Result<(), LabError> {
        files::write_json(&self.organization_file(), state)
    }

    pub(super) fn server(&self, name: &ServerName) -> Result<ServerState, LabError> {
        files::read_json(&self.server_file(name))
    }

    pub(super) fn write_server(&self, name: &ServerName, state: &ServerState) -> Result<(), LabError> {
        files::write_json(&self.server_file(name), state)
    }

    /// The names of all servers, sorted.
    pub(super) fn server_names(&self) -> Result<Vec<ServerName>, LabError> {
        let directory = self.state().join("servers");
        let read = |error| LabError::Read(directory.clone(), error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&directory).map_err(read)? {
            let path = entry.map_err(read)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
                names
                    .push(stem.parse().map_err(|_| LabError::CannotSetUp(format!("`{stem}` is no server")))?);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Changes the organization's state as one whole: nobody else changes the lab meanwhile.
    pub(super) fn change_organization<T>(
        &self,
        change: impl FnOnce(&mut OrganizationState) -> Result<T, LabError>,
    ) -> Result<T, LabError> {
        let _lock = self.lock()?;
        let mut state = self.organization()?;
        let result = change(&mut state)?;
        self.write_organization(&state)?;
        Ok(result)
    }

    /// Changes one server's state as one whole.
    pub(super) fn change_server<T>(
        &self,
        name: &ServerName,
        change: impl FnOnce(&mut ServerState, &OrganizationState) -> Result<T, LabError>,
    ) -> Result<T, LabError> {
        let _lock = self.lock()?;
        let organization = self.organization()?;
        let mut state = self.server(name)?;
        let result = change(&mut state, &organization)?;
        self.write_server(name, &state)?;
        Ok(result)
    }

    /// What an observer sees: everything, since a lab hides nothing.
    pub(super) fn observe(&self, wanted: Wanted<'_>) -> Result<Organization, LabError> {
        let asked = wanted.servers();
        let is_asked = asked.is_some();
        let names = match asked {
            None => self.server_names()?,
            Some(names) => {
                names.into_iter().filter(|name| self.server_file(name).exists()).cloned().collect()
            }
        };
        let served = self.served_elsewhere()?.unwrap_or_default();
        let mut servers = BTreeMap::new();
        for name in names {
            let ServerState { name: own, mut server, loaded: _ } = self.server(&name)?;
            let name = own.filter(|_| !is_asked).unwrap_or(name);
            if let Some(authorities) = server.authorities.known_mut() {
                authorities.extend(self.intermediates_of(&name)?);
            }
            server.endpoints = served.get(&name).cloned().unwrap_or_default();
            servers.insert(name, server);
        }
        Ok(self.organization()?.with(servers))
    }

    /// Servers that nobody asked for and that sign tokens.
    pub(super) fn others(&self, wanted: Wanted<'_>) -> Result<Vec<ServerName>, LabError> {
        let Wanted::Of(desired) = wanted else { return Ok(Vec::new()) };
        let names = self.server_names()?.into_iter().filter(|name| !desired.servers.contains_key(name));
        let servers = names.map(|name| self.server(&name).map(|state| (name, state.server)));
        let servers = servers.collect::<Result<Vec<_>, _>>()?;
        Ok(wanted.others(servers.iter().map(|(name, server)| (name, server))))
    }

    /// The private key of a certificate on a server, in PKCS#8.
    pub(super) fn key(&self, server: &ServerName, thumbprint: Thumbprint) -> Result<Secret, LabError> {
        let path = self.key_file(server, thumbprint);
        durable::read(&path).map(Secret::new).map_err(|error| LabError::Read(path, error))
    }

    pub(super) fn write_key(
        &self,
        server: &ServerName,
        thumbprint: Thumbprint,
        key: &Secret,
    ) -> Result<(), LabError> {
        files::write_secret(&self.key_file(server, thumbprint), key)
    }

    /// Removes a key after its certificate is gone. A key without a certificate is in nobody's way, so a failure here
    /// is reported by whoever looks for leftovers and not by the removal.
    pub(super) fn forget_key(&self, server: &ServerName, thumbprint: Thumbprint) {
        let _ = fs::remove_file(self.key_file(server, thumbprint));
    }

    pub(super) fn authority_file(&self, name: &str, extension: &str) -> PathBuf {
        self.state().join("authorities").join(format!("{name}.{extension}"))
    }

    /// The CAs of the lab, by the names of their files.
    pub(super) fn authority_names(&self) -> Result<Vec<IssuerName>, LabError> {
        let directory = self.state().join("authorities");
        let read = |error| LabError::Read(directory.clone(), error);
        if !directory.exists() {
            return Ok(Vec::new());
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(&directory).map_err(read)? {
            let path = entry.map_err(read)?.path();
            let certificate = path.extension().is_some_and(|extension| extension == "crt");
            let name = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            names.extend(name.filter(|_| certificate));
        }
        names.sort_by(|one: &IssuerName, other| one.as_str().cmp(other.as_str()));
        Ok(names)
    }

    pub(super) fn faults_file(&self) -> PathBuf {
        self.state().join("faults.json")
    }

    pub(super) fn balancer_file(&self, name: &BalancerName) -> PathBuf {
        self.state().join("balancers").join(format!("{name}.pem"))
    }

    pub(super) fn serving_file(&self) -> PathBuf {
        self.state().join("serving.json")
    }

    pub(super) fn serving_lock(&self) -> PathBuf {
        self.state().join("serving.lock")
    }

    /// Where the endpoints listen, when another process serves them.
    pub(super) fn served_elsewhere(&self) -> Result<Option<Addresses>, LabError> {
        let file = self.serving_file();
        if !file.exists() || !self.is_serving()? {
            return Ok(None);
        }
        files::read_json(&file).map(Some)
    }

    /// Whether a process that lives holds the lock of those who serve.
    fn is_serving(&self) -> Result<bool, LabError> {
        let path = self.serving_lock();
        let Ok(file) = File::open(&path) else { return Ok(false) };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(fs::TryLockError::WouldBlock) => Ok(true),
            Err(fs::TryLockError::Error(error)) => Err(LabError::Read(path, error)),
        }
    }

    /// Waits until nobody else changes the lab. The lock ends with the value, and with the process.
    pub(super) fn lock(&self) -> Result<File, LabError> {
        let path = self.state().join(LOCK);
        let error = |error| LabError::Write(path.clone(), error);
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(error)?;
        file.lock().map_err(error)?;
        Ok(file)
    }

    pub(super) fn state(&self) -> PathBuf {
        self.path.join("state")
    }

    pub(super) fn organization_file(&self) -> PathBuf {
        self.state().join("organization.json")
    }

    fn server_file(&self, name: &ServerName) -> PathBuf {
        self.state().join("servers").join(format!("{}.json", name.as_str().to_uppercase()))
    }

    fn key_file(&self, server: &ServerName, thumbprint: Thumbprint) -> PathBuf {
        self.state().join("keys").join(server.as_str().to_uppercase()).join(format!("{thumbprint}.key"))
    }
}

impl OrganizationState {
    /// The organization with these servers.
    pub(super) fn with(self, servers: BTreeMap<ServerName, Server>) -> Organization {
        let unknown = self.unknown;
        Organization {
            servers,
            send_connectors: unless(&unknown, "sendConnectors", self.send_connectors),
            accepted_domains: unless(&unknown, "acceptedDomains", self.accepted_domains),
            hybrid: unless(&unknown, "hybrid", self.hybrid),
            auth: unless(&unknown, "auth", self.auth),
            federation: unless(&unknown, "federation", self.federation),
            edge_subscriptions: unless(&unknown, "edgeSubscriptions", self.edge_subscriptions),
            im_overrides: unless(&unknown, "imOverrides", self.im_overrides),
            dedicated_application: self.dedicated_application.map_or_else(Fact::not_captured, Fact::Known),
            domain_security: self.domain_security.map_or_else(Fact::not_captured, Fact::Known),
            balancers: BTreeMap::new(),
        }
    }
}

fn unless<T>(unknown: &BTreeMap<String, String>, name: &str, value: T) -> Fact<T> {
    unknown.get(name).map_or(Fact::Known(value), Fact::unknown)
}
