//! The verbs of a lab with faults: each is the lab's own, as the faults let it through.

use super::faults::{FaultyLab, How, Verb};
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
        driver::{Driver, DriverError, Observer, Wanted},
        enrolment::NewRequest,
        evidence::Verified,
    },
};

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
        let partly = matches!(self.peek(Verb::Bind, Some(server))?, Some(How::During));
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
