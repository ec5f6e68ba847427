//! Enabling certificates for services, and seeing that it has happened.

use super::error::StepError;
use crate::{
    apply::ports::Ports,
    model::{
        action::DefaultSmtp,
        names::ServerName,
        service::{Service, Services},
        thumbprint::Thumbprint,
    },
    ports::driver::{DriverError, Wanted},
};

/// Enables a certificate for services. For SMTP a look shows that it has happened: a connector that chooses a certificate
/// whose key it may not read has none at all (facts 5.1), and nobody would notice before transport is restarted.
pub(super) fn enable(
    ports: &Ports<'_>,
    server: &ServerName,
    certificate: Thumbprint,
    services: &Services,
    default_smtp: DefaultSmtp,
) -> Result<(), StepError> {
    ports.driver.bind(server, certificate, services, default_smtp)?;
    if !services.contains(&Service::Smtp) {
        return Ok(());
    }
    match has_smtp(ports, server, certificate) {
        Ok(true) => Ok(()),
        Ok(false) => Err(StepError::NotEnabled { server: server.clone(), certificate }),
        Err(error) => {
            let what = format!("enabling {} for SMTP on {server}", certificate.short());
            Err(DriverError::OutcomeUnknown { operation: what, source: error.into() }.into())
        }
    }
}

/// Services that must not wait for a step of their own.
pub(super) fn enable_at_once(
    ports: &Ports<'_>,
    server: &ServerName,
    certificate: Thumbprint,
    services: &Services,
    default_smtp: DefaultSmtp,
) -> Result<(), StepError> {
    if services.is_empty() {
        return Ok(());
    }
    enable(ports, server, certificate, services, default_smtp)
}

/// Whether a server shows a certificate as enabled for SMTP. A server that hides what its certificates are enabled for
/// has an Auth certificate that has expired (facts 2.5, 12.3); only handshakes tell then.
fn has_smtp(ports: &Ports<'_>, server: &ServerName, certificate: Thumbprint) -> Result<bool, DriverError> {
    let observed = ports.driver.observe(Wanted::Store(server))?;
    let Some(own) =
        observed.organization.servers.get(server).filter(|own| own.certificates.known().is_some())
    else {
        let source = "its certificates cannot be seen".into();
        return Err(DriverError::Unreachable { server: server.clone(), source });
    };
    let Some(stored) = own.certificate(certificate) else { return Ok(false) };
    Ok(stored.services.known().is_none_or(|services| services.contains(&Service::Smtp)))
}
