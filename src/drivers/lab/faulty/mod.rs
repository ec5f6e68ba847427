//! The verbs of a lab with faults: each is the lab's own, as the faults let it through.

mod record;

use std::sync::Arc;

use self::record::{FaultRecord, Late};
use super::{
    Lab,
    faults::{Fault, How, Verb},
};
use crate::{
    model::{
        action::{CertificateRequest, ConnectorRef, DefaultSmtp, ServiceGroup},
        bundle::{Answer, Bundle},
        dn::TlsCertificateName,
        endpoint::Endpoint,
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
};

/// A lab with faults.
pub(super) struct FaultyLab {
    lab: Lab,
    record: FaultRecord,
}

impl Lab {
    /// The lab as a driver: with the faults of its `lab.yaml`, when there are any.
    pub fn into_driver(mut self) -> Box<dyn Driver> {
        let faults = std::mem::take(&mut self.faults);
        if faults.is_empty() { Box::new(self) } else { Box::new(FaultyLab::new(self, faults)) }
    }
}

impl FaultyLab {
    /// This lab with the faults of its `lab.yaml`.
    pub(super) fn new(lab: Lab, faults: Vec<Fault>) -> Self {
        let file = lab.directory.faults_file();
        Self { lab, record: FaultRecord::new(faults, file) }
    }

    /// Does a verb as the faults have it.
    fn meet<T>(
        &self,
        verb: Verb,
        server: Option<&ServerName>,
        act: impl FnOnce() -> Result<T, DriverError>,
    ) -> Result<T, DriverError> {
        let what = || format!("{verb:?}{}", server.map_or(String::new(), |server| format!(" on {server}")));
        match self.fault(verb, server)? {
            None | Some(How::Ignored | How::Late) => act(),
            Some(How::Before) => Err(DriverError::failed(what(), "a fault of the lab: nothing was done")),
            Some(How::During | How::After) => {
                act()?;
                Err(DriverError::OutcomeUnknown { operation: what(), source: "a fault of the lab".into() })
            }
            Some(How::Unreachable) => match server {
                Some(server) => Err(unreachable(server)),
                None => Err(DriverError::failed(what(), "a fault of the lab: no answer")),
            },
            Some(How::KilledBefore) => std::process::abort(),
            Some(How::KilledAfter) => {
                act()?;
                std::process::abort()
            }
        }
    }

    /// The same for a verb that has nothing to return and can therefore pretend.
    fn meet_or_ignore(
        &self,
        verb: Verb,
        server: Option<&ServerName>,
        act: impl FnOnce() -> Result<(), DriverError>,
    ) -> Result<(), DriverError> {
        let mut ignored = false;
        if let Some(How::Ignored) = self.record.peek(verb, server)? {
            ignored = true;
        }
        self.meet(verb, server, || if ignored { Ok(()) } else { act() })
    }

    /// The fault that this call meets; the call is noted, and what was delayed until now happens.
    fn fault(&self, verb: Verb, server: Option<&ServerName>) -> Result<Option<How>, DriverError> {
        let (how, due) = self.record.call(verb, server)?;
        for Late { connector, to, calls_left: _ } in due {
            self.repoint(&connector, to.as_ref())?;
        }
        Ok(how)
    }

    fn repoint_late(
        &self,
        connector: ConnectorRef,
        to: Option<&TlsCertificateName>,
    ) -> Result<(), DriverError> {
        let server = match &connector {
            ConnectorRef::Send { .. } | ConnectorRef::Hybrid {} => None,
            ConnectorRef::Receive { server, .. } => Some(server.clone()),
        };
        if let Some(How::Late) = self.record.peek(Verb::Repoint, server.as_ref())? {
            self.meet(Verb::Repoint, server.as_ref(), || Ok(()))?;
            return self.record.delay(connector, to);
        }
        self.meet_or_ignore(Verb::Repoint, server.as_ref(), || {
            self.record.supersede(&connector)?;
            self.repoint(&connector, to)
        })
    }

    fn repoint(&self, connector: &ConnectorRef, to: Option<&TlsCertificateName>) -> Result<(), DriverError> {
        match connector {
            ConnectorRef::Send { name } => self.lab.repoint_send(name, to),
            ConnectorRef::Hybrid {} => self.lab.repoint_hybrid(to),
            ConnectorRef::Receive { server, name } => self.lab.repoint_receive(server, name, to),
        }
    }
}

impl Observer for FaultyLab {
    fn now(&self) -> Timestamp {
        self.lab.now()
    }

    fn observe(&self, wanted: Wanted<'_>) -> Result<Observed, DriverError> {
        let mut observed = self.lab.observe(wanted)?;
        for (name, server) in &mut observed.organization.servers {
            if let Some(How::Unreachable) = self.fault(Verb::Observe, Some(name))? {
                let why = "the server cannot be reached";
                server.certificates = Fact::unknown(why);
                server.requests = Fact::unknown(why);
                server.internal_transport = Fact::unknown(why);
                server.pop = Fact::unknown(why);
                server.imap = Fact::unknown(why);
                server.um = Fact::unknown(why);
                server.sites = Fact::unknown(why);
                server.receive_connectors = Fact::unknown(why);
            }
        }
        Ok(observed)
    }

    fn address(
        &self,
        server: &ServerName,
        fqdn: &DnsName,
        endpoint: Endpoint,
    ) -> Result<String, DriverError> {
        self.lab.address(server, fqdn, endpoint)
    }
}

impl Driver for FaultyLab {
    fn needs_pauses(&self) -> bool {
        self.lab.needs_pauses()
    }

    fn create(
        &self,
        server: &ServerName,
        request: &CertificateRequest,
    ) -> Result<(Thumbprint, Timestamp), DriverError> {
        self.meet(Verb::Create, Some(server), || self.lab.create(server, request))
    }

    fn request(&self, server: &ServerName, request: &CertificateRequest) -> Result<NewRequest, DriverError> {
        self.meet(Verb::Request, Some(server), || self.lab.request(server, request))
    }

    fn complete(
        &self,
        server: &ServerName,
        answer: &Answer,
        friendly_name: &FriendlyName,
    ) -> Result<(), DriverError> {
        self.meet(Verb::Complete, Some(server), || self.lab.complete(server, answer, friendly_name))
    }

    fn remove_request(&self, server: &ServerName, request: Thumbprint) -> Result<(), DriverError> {
        self.meet(Verb::RemoveRequest, Some(server), || self.lab.remove_request(server, request))
    }

    fn import(
        &self,
        server: &ServerName,
        bundle: &Bundle,
        friendly_name: &FriendlyName,
        exportable: bool,
    ) -> Result<(), DriverError> {
        self.meet(Verb::Import, Some(server), || self.lab.import(server, bundle, friendly_name, exportable))
    }

    fn export(
        &self,
        server: &ServerName,
        certificate: Thumbprint,
        with_key: bool,
    ) -> Result<Bundle, DriverError> {
        self.meet(Verb::Export, Some(server), || self.lab.export(server, certificate, with_key))
    }

    fn bind(
        &self,
        server: &ServerName,
        certificate: Thumbprint,
        services: &Services,
        default_smtp: DefaultSmtp,
    ) -> Result<(), DriverError> {
        let partly = matches!(self.record.peek(Verb::Bind, Some(server))?, Some(How::During));
        let first: Services = services.iter().take(1).copied().collect();
        let services = if partly { &first } else { services };
        self.meet_or_ignore(Verb::Bind, Some(server), || {
            self.lab.bind(server, certificate, services, default_smtp)
        })
    }

    fn bind_site(
        &self,
        server: &ServerName,
        site: &SiteBinding,
        certificate: Thumbprint,
    ) -> Result<(), DriverError> {
        self.meet_or_ignore(Verb::BindSite, Some(server), || self.lab.bind_site(server, site, certificate))
    }

    fn set_x509_certificate_name(
        &self,
        server: &ServerName,
        service: MailService,
        name: Option<&DnsName>,
    ) -> Result<(), DriverError> {
        let act = || self.lab.set_x509_certificate_name(server, service, name);
        self.meet_or_ignore(Verb::SetName, Some(server), act)
    }

    fn set_um_startup_mode(
        &self,
        server: &ServerName,
        call_router: bool,
        mode: UmStartupMode,
    ) -> Result<(), DriverError> {
        let act = || self.lab.set_um_startup_mode(server, call_router, mode);
        self.meet_or_ignore(Verb::SetUmStartupMode, Some(server), act)
    }

    fn repoint_receive(
        &self,
        server: &ServerName,
        connector: &ConnectorName,
        to: Option<&TlsCertificateName>,
    ) -> Result<(), DriverError> {
        self.repoint_late(ConnectorRef::Receive { server: server.clone(), name: connector.clone() }, to)
    }

    fn repoint_send(
        &self,
        connector: &ConnectorName,
        to: Option<&TlsCertificateName>,
    ) -> Result<(), DriverError> {
        self.repoint_late(ConnectorRef::Send { name: connector.clone() }, to)
    }

    fn repoint_hybrid(&self, to: Option<&TlsCertificateName>) -> Result<(), DriverError> {
        self.repoint_late(ConnectorRef::Hybrid {}, to)
    }

    fn set_im_certificate(
        &self,
        name: &OverrideName,
        certificate: Thumbprint,
        servers: &[ServerName],
    ) -> Result<(), DriverError> {
        let act = || self.lab.set_im_certificate(name, certificate, servers);
        self.meet_or_ignore(Verb::SetOverride, None, act)
    }

    fn stage_auth(&self, certificate: Thumbprint, effective: Option<Timestamp>) -> Result<(), DriverError> {
        self.meet_or_ignore(Verb::SetAuth, None, || self.lab.stage_auth(certificate, effective))
    }

    fn synchronize_edge(&self, server: &ServerName) -> Result<(), DriverError> {
        self.meet_or_ignore(Verb::SynchronizeEdge, Some(server), || self.lab.synchronize_edge(server))
    }

    fn publish_auth(&self) -> Result<(), DriverError> {
        self.meet_or_ignore(Verb::SetAuth, None, || self.lab.publish_auth())
    }

    fn clear_previous_auth(&self) -> Result<(), DriverError> {
        self.meet_or_ignore(Verb::SetAuth, None, || self.lab.clear_previous_auth())
    }

    fn restart(
        &self,
        server: &ServerName,
        what: Restartable,
        services: &[String],
    ) -> Result<(), DriverError> {
        self.meet_or_ignore(Verb::Restart, Some(server), || self.lab.restart(server, what, services))
    }

    fn start(&self, server: &ServerName, services: &[String]) -> Result<(), DriverError> {
        self.lab.start(server, services)
    }

    fn drain_transport(
        &self,
        server: &ServerName,
        redirect_to: &DnsName,
        found: FoundDrained,
    ) -> Result<(), DriverError> {
        self.meet_or_ignore(Verb::DrainTransport, Some(server), || {
            self.lab.drain_transport(server, redirect_to, found)
        })
    }

    fn take_back(&self, server: &ServerName, certificate: Thumbprint) -> Result<(), DriverError> {
        self.meet(Verb::Remove, Some(server), || self.lab.take_back(server, certificate))
    }

    fn remove_named(&self, removal: &NamedRemoval<'_>, proofs: &[Arc<Verified>]) -> Result<(), DriverError> {
        let first = removal.certificates.first().map(|(server, _)| server);
        self.meet(Verb::Remove, first, || self.lab.remove_named(removal, proofs))
    }

    fn remove(
        &self,
        server: &ServerName,
        certificate: Thumbprint,
        while_stopped: &[ServiceGroup],
        proof: &Verified,
    ) -> Result<(), DriverError> {
        let act = || self.lab.remove(server, certificate, while_stopped, proof);
        self.meet(Verb::Remove, Some(server), act)
    }
}

fn unreachable(server: &ServerName) -> DriverError {
    DriverError::Unreachable { server: server.clone(), lasts: false, source: "a fault of the lab".into() }
}
