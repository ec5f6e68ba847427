//! Enabling certificates for services, and seeing that it has happened.

use std::time::Duration;

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

/// Enables what a step has just brought into a server's store. A certificate that Exchange chooses by its name and cannot use
/// has connectors offer no TLS (facts 3.10, 5.1), so that one which cannot be enabled is taken off again: the server is as it
/// was before the step.
pub(super) fn enable_at_once(
    ports: &Ports<'_>,
    server: &ServerName,
    certificate: Thumbprint,
    services: &Services,
    default_smtp: DefaultSmtp,
    comes: Comes,
) -> Result<(), StepError> {
    if services.is_empty() {
        return Ok(());
    }
    let Err(error) = patiently(ports, || enable(ports, server, certificate, services, default_smtp)) else {
        return Ok(());
    };
    // What is in use, or may be, is not taken off.
    if error.leaves_doubt() && has_smtp(ports, server, certificate).map_or(true, |enabled| enabled) {
        return Err(error);
    }
    match comes {
        Comes::Again => {
            let why = error.to_string();
            match ports.driver.take_back(server, certificate) {
                Ok(()) => Err(StepError::TakenBack { server: server.clone(), certificate, why }),
                Err(source) => Err(StepError::LeftUnusable {
                    server: server.clone(),
                    certificate,
                    why,
                    source: Some(source),
                }),
            }
        }
        Comes::Once => {
            let why = error.to_string();
            Err(StepError::LeftUnusable { server: server.clone(), certificate, why, source: None })
        }
    }
}

/// What was brought to a server is there. Where the answer was lost a look tells, at once: until it is enabled, connectors that
/// choose it by its names offer no TLS (facts 3.10, 5.1), and nobody would come back for it before the next run.
pub(super) fn arrived(
    ports: &Ports<'_>,
    server: &ServerName,
    certificate: Thumbprint,
    brought: Result<(), DriverError>,
) -> Result<(), StepError> {
    let Err(error) = brought else { return Ok(()) };
    if !matches!(error, DriverError::OutcomeUnknown { .. }) {
        return Err(error.into());
    }
    match is_there(ports, server, certificate) {
        Some(true) => Ok(()),
        Some(false) => Err(error.into()),
        None => Err(StepError::ArrivalUnseen { server: server.clone(), certificate, source: error }),
    }
}

/// Whether a server's store has a certificate with its key; none when it cannot be seen.
fn is_there(ports: &Ports<'_>, server: &ServerName, certificate: Thumbprint) -> Option<bool> {
    let observed = ports.driver.observe(Wanted::Store(server)).ok()?;
    let store = observed.organization.servers.get(server)?.certificates.known()?;
    Some(store.0.get(&certificate).is_some_and(|stored| stored.has_private_key))
}

/// Whether a certificate that is taken off a server can be brought there once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comes {
    /// Its key is kept elsewhere, or another one is as good.
    Again,
    /// The server made the key for a CA's answer: with the certificate the key would be gone.
    Once,
}

/// Tries again what may succeed a little later.
fn patiently(ports: &Ports<'_>, act: impl Fn() -> Result<(), StepError>) -> Result<(), StepError> {
    let mut pauses = PAUSES.iter();
    loop {
        let result = act();
        let again = result.as_ref().is_err_and(|error| error.may_pass() && !error.leaves_doubt());
        match pauses.next() {
            Some(pause) if again => (ports.pause)(*pause),
            _ => return result,
        }
    }
}

/// Whether a server shows a certificate as enabled for SMTP. A server that hides what its certificates are enabled for
/// has an Auth certificate that has expired (facts 2.5, 12.3); only handshakes tell then.
fn has_smtp(ports: &Ports<'_>, server: &ServerName, certificate: Thumbprint) -> Result<bool, DriverError> {
    let observed = ports.driver.observe(Wanted::Store(server))?;
    let Some(own) =
        observed.organization.servers.get(server).filter(|own| own.certificates.known().is_some())
    else {
        let source = "its certificates cannot be seen".into();
        return Err(DriverError::Unreachable { server: server.clone(), lasts: false, source });
    };
    let Some(stored) = own.certificate(certificate) else { return Ok(false) };
    Ok(stored.services.known().is_none_or(|services| services.contains(&Service::Smtp)))
}

/// How long to wait before enabling is tried again.
const PAUSES: &[Duration] = &[Duration::from_secs(1), Duration::from_secs(4)];
