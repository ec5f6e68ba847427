//! What comes of a change, in the words of the port.

use serde::Deserialize;

use crate::{
    drivers::powershell::{answer::AnswerKind, error::PowerShellError, request::Request, session::Session},
    exchange::refusal::{Refusal, Why},
    model::{names::ServerName, thumbprint::Thumbprint},
    ports::driver::DriverError,
};

/// What came of a change.
#[derive(Deserialize)]
pub(super) struct Changed {
    #[serde(default)]
    changed: bool,
    /// Whether nobody heard of it, and a look showed that it was done.
    #[serde(skip)]
    pub(super) is_found: bool,
}

impl Default for Changed {
    /// Of a change that nobody heard of, and that was found done.
    fn default() -> Self {
        Self { changed: true, is_found: true }
    }
}

/// Carries out a change whose goal the script can see. `missing` is what Exchange says when what it is about is not there.
pub(super) fn changed(
    session: &Session,
    request: &Request,
    what: String,
    missing: Why,
) -> Result<bool, DriverError> {
    match session.change::<Changed>(request) {
        Ok(good) => Ok(good.result.changed),
        Err(error) => Err(driver_error(session, what, error, missing)),
    }
}

/// Importing what is there already is refused, as Exchange does.
pub(super) fn stored(
    server: &ServerName,
    thumbprint: Thumbprint,
    changed: Result<bool, DriverError>,
) -> Result<(), DriverError> {
    if changed? {
        Ok(())
    } else {
        Err(Refusal { server: server.clone(), why: Why::AlreadyExists(thumbprint) }.into())
    }
}

/// An error of PowerShell as one of drivers: a refusal where Exchange said why.
pub(super) fn driver_error(
    session: &Session,
    what: String,
    error: PowerShellError,
    missing: Why,
) -> DriverError {
    let server = session.endpoint.name.clone();
    let lasts = error.lasts();
    if error.is_unreachable() {
        return DriverError::Unreachable { server, lasts, source: error.into() };
    }
    if let PowerShellError::OutcomeUnknown(source) = error {
        return DriverError::OutcomeUnknown { operation: what, source };
    }
    let why = match &error {
        PowerShellError::Answered(answered) => match answered.kind {
            AnswerKind::NotFound => Some(missing),
            AnswerKind::NoNext => Some(Why::NoNextAuthCertificate),
            AnswerKind::NoRequest if matches!(missing, Why::NoRequest(_)) => Some(missing),
            AnswerKind::NotImportable => Some(Why::NotImportable),
            AnswerKind::NotExportable => Some(Why::NotExportable),
            _ => None,
        },
        _ => None,
    };
    match why {
        Some(why) => Refusal { server, why }.into(),
        None => DriverError::Failed { operation: what, lasts, source: error.into() },
    }
}
