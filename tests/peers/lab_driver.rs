//! The PowerShell driver over peers whose servers are a lab's: what it asks travels as it would to a real server, and what
//! it sees comes back as PowerShell writes objects down.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use certwright::{
    drivers::{
        lab::Lab,
        powershell::{
            PowerShell, PowerShellError, ServerAccess, StdioChannel, Timeouts, WindowsAccess,
            channel::{
                PeerProgram,
                remoting::{OpenShell, Psrp, RemotingChannel},
            },
        },
    },
    exchange::cmdlet::Capability,
    model::{
        action::{CertificateRequest, DefaultSmtp, ServiceGroup},
        bundle::{Answer, Bundle},
        certificate::Certificate,
        desired::Desired,
        diagnosis::ServerDiagnosis,
        dn::TlsCertificateName,
        endpoint,
        fact::Fact,
        names::{ConnectorName, DnsName, FriendlyName, OverrideName, ServerName},
        organization::Observed,
        server::UmStartupMode,
        service::{MailService, Restartable, Services},
        site::SiteBinding,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    ports::{
        FoundDrained,
        driver::{Driver, DriverError, NamedRemoval, Observer, Wanted},
        enrolment::NewRequest,
        evidence::Verified,
    },
    remoting::{Limits, PsrpSession},
};

use super::{
    cmdlets,
    psrp::{self, HOST, Peer, Tls},
    script::{self, Part},
    sshd::Sshd,
};
use crate::support::wall_clock;

/// How servers are reached.
#[derive(Clone)]
pub enum Way {
    /// A program here, in the place of PowerShell.
    Here,
    /// The same through a real sshd.
    Ssh(Arc<Sshd>),
    /// Exchange's cmdlets through an endpoint of WS-Management, Windows through the program.
    Remoting(Arc<LabEndpoint>),
}

impl Way {
    fn program(&self) -> PeerProgram {
        match self {
            Self::Here | Self::Remoting(_) => script::program(),
            Self::Ssh(sshd) => {
                let binary = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
                let command = [binary].into_iter().chain(script::words()).collect();
                sshd.ssh(command).program(Duration::from_secs(20)).unwrap()
            }
        }
    }

    fn access(&self, name: &ServerName, fqdn: &DnsName, edge: bool, part: &Part) -> ServerAccess {
        let (program, script) = (self.program(), part.text());
        let started: certwright::drivers::powershell::Connect =
            Box::new(move || Ok(Box::new(StdioChannel::start(&program, &script)?)));
        let (connect, windows) = match self {
            Self::Here | Self::Ssh(_) => (started, WindowsAccess::Same),
            Self::Remoting(endpoint) => (endpoint.connect(), WindowsAccess::Other(started)),
        };
        let patience = Timeouts::default();
        ServerAccess {
            name: name.clone(),
            fqdn: fqdn.clone(),
            edge,
            connect,
            windows,
            credential: None,
            patience,
        }
    }
}

/// A PowerShell endpoint whose servers are a lab's. It is started again when it went down.
pub struct LabEndpoint {
    python: PathBuf,
    pub tls: Tls,
    part: Part,
    running: Mutex<Option<Peer>>,
}

pub const PASSWORD: &str = "pa:ss word";

impl LabEndpoint {
    /// None where Python lacks what it needs, which is said.
    pub fn new(part: &Part) -> Option<Arc<Self>> {
        Self::named(part, HOST)
    }

    /// The same under another name.
    pub fn named(part: &Part, host: &str) -> Option<Arc<Self>> {
        let (python, tls) = (psrp::python()?, Tls::for_name(host));
        Some(Arc::new(Self { python, tls, part: part.clone(), running: Mutex::default() }))
    }

    /// Where it listens; it is started when it does not run.
    pub fn address(&self) -> std::net::SocketAddr {
        let mut running = self.running.lock().unwrap();
        if let Some(peer) = running.as_mut()
            && peer.is_running()
        {
            return peer.address;
        }
        let (file, account) = (self.tls.file(), format!("CORP\\svc:{PASSWORD}"));
        let binary = std::env::current_exe().unwrap();
        let exchange = binary.to_str().unwrap();
        let arguments = ["--certificate", &file, "--basic", &account, "--exchange", exchange];
        let part = self.part.text();
        let peer = Peer::start_with(&self.python, &arguments, &[(cmdlets::PART, part.as_ref())]);
        if let Some(folder) = &self.part.processes {
            std::fs::write(folder.join(peer.process().to_string()), "").unwrap();
        }
        running.insert(peer).address
    }

    fn connect(self: &Arc<Self>) -> certwright::drivers::powershell::Connect {
        let own = Arc::clone(self);
        Box::new(move || {
            let own = Arc::clone(&own);
            let open: OpenShell = Box::new(move |deadline| {
                let endpoint = psrp::endpoint("https", own.address(), own.tls.trusted());
                let session =
                    PsrpSession::open(&endpoint, psrp::basic(PASSWORD), Limits::default(), deadline);
                Ok(Box::new(Psrp(session.map_err(|error| PowerShellError::Remoting(Box::new(error)))?)))
            });
            Ok(Box::new(RemotingChannel::new(HOST.into(), open)))
        })
    }
}

/// The driver with the lab's clock and addresses, which a lab alone has.
pub struct OverPowerShell {
    pub driver: PowerShell,
    pub lab: Lab,
}

impl OverPowerShell {
    /// The driver over peers that play this part.
    pub fn new(desired: &Desired, part: &Part, way: &Way) -> Self {
        let servers = desired.servers.iter();
        let servers = servers.map(|(name, server)| way.access(name, &server.fqdn, server.edge, part));
        Self::of(servers.collect(), part)
    }

    /// The driver over EX01 alone.
    pub fn of_one(part: &Part, way: &Way) -> Self {
        let access = way.access(&"EX01".parse().unwrap(), &"ex01.contoso.com".parse().unwrap(), false, part);
        Self::of(vec![access], part)
    }

    fn of(servers: Vec<ServerAccess>, part: &Part) -> Self {
        let lab = Lab::open(part.lab.as_ref().unwrap(), wall_clock()).unwrap();
        Self { driver: PowerShell::new(servers, BTreeMap::new()), lab }
    }
}

impl Observer for OverPowerShell {
    fn now(&self) -> Timestamp {
        self.lab.now()
    }

    fn observe(&self, wanted: Wanted<'_>) -> Result<Observed, DriverError> {
        let mut observed = self.driver.observe(wanted)?;
        observed.at = self.lab.now();
        // A lab may have no accepted domain, which no organization is without.
        let is_of_labs = |note: &String| note.starts_with("Get-AcceptedDomain: it is empty");
        if observed.notes.iter().any(is_of_labs) {
            observed.notes.retain(|note| !is_of_labs(note));
            observed.organization.accepted_domains = Fact::Known(Vec::new());
        }
        assert_eq!(observed.notes, Vec::<String>::new());
        Ok(observed)
    }

    fn examine(&self) -> Option<Vec<ServerDiagnosis>> {
        self.driver.examine()
    }

    fn address(
        &self,
        server: &ServerName,
        fqdn: &DnsName,
        endpoint: endpoint::Endpoint,
    ) -> Result<String, DriverError> {
        self.lab.address(server, fqdn, endpoint)
    }

    fn own_roots(&self) -> Vec<Certificate> {
        self.lab.own_roots()
    }
}

macro_rules! pass_on {
    ($($verb:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        impl Driver for OverPowerShell {
            fn needs_pauses(&self) -> bool {
                false
            }

            fn capabilities(&self, server: &ServerName) -> std::collections::BTreeSet<Capability> {
                self.driver.capabilities(server)
            }

            $(fn $verb(&self, $($argument: $type),*) -> Result<$result, DriverError> {
                self.driver.$verb($($argument),*)
            })*
        }
    };
}

pass_on! {
    create(server: &ServerName, request: &CertificateRequest) -> (Thumbprint, Timestamp);
    request(server: &ServerName, request: &CertificateRequest) -> NewRequest;
    complete(server: &ServerName, answer: &Answer, friendly_name: &FriendlyName) -> ();
    remove_request(server: &ServerName, request: Thumbprint) -> ();
    import(server: &ServerName, bundle: &Bundle, friendly_name: &FriendlyName, exportable: bool) -> ();
    export(server: &ServerName, certificate: Thumbprint, with_key: bool) -> Bundle;
    bind(server: &ServerName, certificate: Thumbprint, services: &Services, answer: DefaultSmtp) -> ();
    bind_site(server: &ServerName, site: &SiteBinding, certificate: Thumbprint) -> ();
    set_x509_certificate_name(server: &ServerName, service: MailService, name: Option<&DnsName>) -> ();
    set_um_startup_mode(server: &ServerName, call_router: bool, mode: UmStartupMode) -> ();
    repoint_receive(server: &ServerName, connector: &ConnectorName, to: Option<&TlsCertificateName>) -> ();
    repoint_send(connector: &ConnectorName, to: Option<&TlsCertificateName>) -> ();
    stage_auth(certificate: Thumbprint, effective: Option<Timestamp>) -> ();
    publish_auth() -> ();
    clear_previous_auth() -> ();
    repoint_hybrid(to: Option<&TlsCertificateName>) -> ();
    set_im_certificate(name: &OverrideName, certificate: Thumbprint, servers: &[ServerName]) -> ();
    synchronize_edge(server: &ServerName) -> ();
    restart(server: &ServerName, what: Restartable, services: &[String]) -> ();
    start(server: &ServerName, services: &[String]) -> ();
    drain_transport(server: &ServerName, redirect_to: &DnsName, found: FoundDrained) -> ();
    take_back(server: &ServerName, certificate: Thumbprint) -> ();
    remove_named(removal: &NamedRemoval<'_>, proofs: &[Arc<Verified>]) -> ();
    remove(server: &ServerName, certificate: Thumbprint, stopped: &[ServiceGroup], proof: &Verified) -> ();
}
