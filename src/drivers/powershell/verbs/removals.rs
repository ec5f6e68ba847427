//! The end of certificates: removed while what uses them stands still, and while the connectors that name them name none.

use serde_json::json;

use super::{
    exactly,
    outcome::{Changed, changed, driver_error},
};
use crate::{
    drivers::powershell::{
        PowerShell,
        request::{Content, Request, SERVICE_SECONDS},
        session::Session,
        standstill::{self, Still},
    },
    exchange::{
        cmdlet::{self, Cmdlet},
        refusal::Why,
    },
    model::{
        action::{CertRef, ConnectorRef, NamedConnector, ServerServices, ServiceGroup},
        dn::TlsCertificateName,
        names::ServerName,
        thumbprint::Thumbprint,
    },
    ports::driver::{Driver, DriverError, NamedRemoval},
};

impl PowerShell {
    /// Removes certificates that send connectors name: their names are cleared before and given back after.
    pub(super) fn removed_named(&self, removal: &NamedRemoval<'_>) -> Result<(), DriverError> {
        let session = self.anywhere("Get-SendConnector", Ok)?;
        let connectors: Vec<&str> = removal.connectors.iter().map(|own| own.connector.as_str()).collect();
        let what = format!("Remove-ExchangeCertificate while {} name none", connectors.join(", "));
        let of = |server: &ServerName| {
            let own = self.session(server)?;
            if self.target(own).is_local_only() {
                let why = format!("{server} answers to nobody but itself");
                return Err(DriverError::barred(what.clone(), why));
            }
            let endpoint = &own.endpoint;
            Ok((json!({ "name": endpoint.name.as_str(), "fqdn": endpoint.fqdn.as_str() }), self.target(own)))
        };
        let mut removals = (Vec::new(), Vec::new());
        for (server, certificate) in &removal.certificates {
            let (place, target) = of(server)?;
            removals.0.push(json!({ "server": place, "thumbprint": certificate.to_string() }));
            removals.1.push(cmdlet::remove(target, CertRef::Known(*certificate)).unattended());
        }
        let (mut still, mut apart) = (Vec::new(), Vec::new());
        for ServerServices { server, groups } in removal.while_stopped {
            let services: Vec<&String> = groups.iter().flat_map(|group| &group.services).collect();
            let (place, own) = (of(server)?.0, self.session(server)?);
            if own.has_windows_apart() {
                let waits_for = removal.certificates.iter().find(|(other, _)| other == server);
                let waits_for =
                    waits_for.map_or_else(String::new, |(_, certificate)| certificate.to_string());
                apart.push((own, place, json!(services), waits_for));
            } else {
                still.push(json!({ "server": place, "services": services }));
            }
        }
        let setting = |own: &NamedConnector, name: Option<&TlsCertificateName>| {
            let connector = ConnectorRef::Send { name: own.connector.clone() };
            cmdlet::repoint(&connector, exactly(name).as_ref()).set.unattended()
        };
        let cleared: Vec<Cmdlet> = removal.connectors.iter().map(|own| setting(own, None)).collect();
        let named: Vec<Cmdlet> = removal.connectors.iter().map(|own| setting(own, Some(&own.name))).collect();
        let request =
            Request::change("certificate.remove_named", json!({ "removals": removals.0, "still": still }))
                .with("seconds", SERVICE_SECONDS)
                .with("replication_seconds", REPLICATION_SECONDS)
                .with_calls("remove", &removals.1)
                .and_then(|request| request.with_calls("clear", &cleared))
                .and_then(|request| request.with_calls("name", &named))
                .map_err(|error| DriverError::barred(what.clone(), error))?;
        // Bindings of servers whose Windows is reached in another way are read there.
        for (server, certificate) in &removal.certificates {
            let own = self.session(server)?;
            if own.has_windows_apart() {
                let asked = self.of(own, "iis.unused").with("thumbprint", certificate.to_string());
                let failed = |error| driver_error(own, what.clone(), error, Why::NotFound(*certificate));
                own.call::<Changed>(&Request { changes: false, ..asked }).map_err(failed)?;
            }
        }
        let apart: Vec<Still<'_>> = apart
            .into_iter()
            .map(|(session, place, services, waits_for)| Still {
                session,
                about: json!({
                    "server": place, "services": services, "thumbprint": waits_for,
                    "seconds": 2 * SERVICE_SECONDS + REPLICATION_SECONDS,
                }),
                runs_after: true,
            })
            .collect();
        let failed = |error| driver_error(session, what.clone(), error, Why::NoSuchServer);
        let act = &mut || changed(session, &request, what.clone(), Why::NoSuchServer);
        standstill::during_all(&apart, act).map_err(failed)?.map(drop)
    }

    /// Removes a certificate or a request.
    pub(super) fn removed(
        &self,
        server: &ServerName,
        certificate: Thumbprint,
        while_stopped: &[ServiceGroup],
        is_request: bool,
    ) -> Result<(), DriverError> {
        let session = self.session(server)?;
        let what = format!("Remove-ExchangeCertificate of {} on {server}", certificate.short());
        let missing = Why::NotFound(certificate);
        let cmdlet = cmdlet::remove(self.target(session), CertRef::Known(certificate));
        let services: Vec<&String> = while_stopped.iter().flat_map(|group| &group.services).collect();
        let apart = session.has_windows_apart();
        let about = |operation| {
            self.of(session, operation)
                .with("thumbprint", certificate.to_string())
                .with("services", json!(services))
                .with("seconds", SERVICE_SECONDS)
        };
        let request = about("certificate.remove")
            .with("is_request", is_request)
            .with("while_stopped", if apart { json!([]) } else { json!(services) })
            .with_call("call", &cmdlet.unattended(), &Content::default())
            .map_err(|error| DriverError::barred(what.clone(), error))?;
        if !apart || is_request {
            return self.removed_here(session, &request, what, missing, &services);
        }
        // Exchange's cmdlets go another way than Windows: that no binding has it is asked there, and there services stand
        // still until it is gone.
        let failed = |error| driver_error(session, what.clone(), error, Why::NotFound(certificate));
        let unused = Request { changes: false, ..about("iis.unused") };
        session.call::<Changed>(&unused).map_err(failed)?;
        let still = Still { session, about: about("").arguments, runs_after: false };
        let act = &mut || changed(session, &request, what.clone(), Why::NotFound(certificate));
        standstill::during_all(&[still], act).map_err(failed)?.map(drop)
    }

    /// Removes a certificate by the one channel that there is. When it is gone and the answer was lost, nobody saw whether what
    /// stood still for it runs again.
    fn removed_here(
        &self,
        session: &Session,
        request: &Request,
        what: String,
        missing: Why,
        services: &[&String],
    ) -> Result<(), DriverError> {
        let good = session.change::<Changed>(request);
        let good = good.map_err(|error| driver_error(session, what.clone(), error, missing))?;
        if !good.result.is_found || services.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = services.iter().map(|name| (*name).clone()).collect();
        self.start(&session.endpoint.name, &names).map_err(|error| match error {
            error @ DriverError::OutcomeUnknown { .. } => error,
            error => DriverError::OutcomeUnknown { operation: what, source: error.into() },
        })
    }
}

/// How long Active Directory may take to show a change to the domain controller of another server. Transport stands still
/// meanwhile.
const REPLICATION_SECONDS: u32 = 300;
