//! What verbs have in common: a request about a server, a certificate that was made, a property that is set.

use std::{collections::BTreeSet, sync::PoisonError};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;
use serde_json::json;

use super::outcome::{changed, driver_error};
use crate::{
    drivers::powershell::{
        PowerShell,
        answer::{AnswerKind, Mutated},
        error::PowerShellError,
        observation::newest_first,
        request::{Content, Request},
        session::Session,
    },
    exchange::{
        cmdlet::{Cmdlet, Setting, Value},
        refusal::Why,
    },
    model::{
        action::TlsName, certificate::Certificate, dn::TlsCertificateName, names::ServerName,
        version::ServerVersion,
    },
    ports::driver::DriverError,
};

/// What `New-ExchangeCertificate` left behind.
#[derive(Deserialize)]
struct Made {
    /// What is in the store now and was not before, in Base64.
    #[serde(default)]
    new: Vec<String>,
    request: Option<String>,
}

impl PowerShell {
    /// A request about a server.
    pub(super) fn of(&self, session: &Session, operation: &'static str) -> Request {
        let endpoint = &session.endpoint;
        Request::change(
            operation,
            json!({
                "server": { "name": endpoint.name.as_str(), "fqdn": endpoint.fqdn.as_str() },
                "local_only": self.target(session).is_local_only(),
            }),
        )
    }

    /// Does something of the organization through a server that can: first the one that has shown what is to be set, then the
    /// newest ones. One that does not answer, or lacks a cmdlet, has done nothing, so that the next one can be asked: one of
    /// each version, since an account has the same roles on all of them.
    pub(super) fn anywhere<'a, R>(
        &'a self,
        shown: &str,
        act: impl Fn(&'a Session) -> Result<R, DriverError>,
    ) -> Result<R, DriverError> {
        let versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let shown_by = self.shown_by.lock().unwrap_or_else(PoisonError::into_inner).get(shown).cloned();
        let mut sessions = newest_first(&self.sessions, &versions);
        sessions.sort_by_key(|session| Some(&session.endpoint.name) != shown_by.as_ref());
        let (mut first, mut lacking) = (None, BTreeSet::<ServerVersion>::new());
        for session in sessions {
            let version = versions.get(&session.endpoint.name);
            if version.is_some_and(|version| lacking.contains(version)) {
                continue;
            }
            let error = match session.answers_prompts() {
                Ok(_) => match act(session) {
                    Err(error) if lacks_cmdlet(&error) => {
                        lacking.extend(version);
                        error
                    }
                    result => return result,
                },
                Err(error) => {
                    let (server, lasts) = (session.endpoint.name.clone(), error.lasts());
                    DriverError::Unreachable { server, lasts, source: error.into() }
                }
            };
            first.get_or_insert(error);
        }
        let none =
            || DriverError::barred("reaching the organization", "the manifest names no Mailbox server");
        Err(first.unwrap_or_else(none))
    }

    /// `New-ExchangeCertificate`: the certificate or the request's stand-in, and the request.
    pub(super) fn made(
        &self,
        session: &Session,
        cmdlet: &Cmdlet,
    ) -> Result<(Certificate, Option<String>), DriverError> {
        let server = &session.endpoint.name;
        let what = format!("New-ExchangeCertificate on {server}");
        let failed = |error: PowerShellError| DriverError::barred(what.clone(), error);
        let request = self.of(session, "certificate.create");
        let request = request.with_call("call", cmdlet, &Content::default()).map_err(failed)?;
        let made = session.call::<Made>(&request);
        let made =
            made.map_err(|error| driver_error(session, what.clone(), error, Why::NoSuchServer))?.result;
        // It was made, whatever is wrong with what came back.
        let unknown = |error: PowerShellError| DriverError::OutcomeUnknown {
            operation: what.clone(),
            source: error.into(),
        };
        let [new] = made.new.as_slice() else {
            let server = server.to_string();
            return Err(unknown(PowerShellError::NotOne { server, count: made.new.len() }));
        };
        Ok((decoded(server, new).map_err(unknown)?, made.request))
    }

    pub(super) fn set_auth(
        &self,
        operation: &'static str,
        arguments: serde_json::Value,
        cmdlet: Cmdlet,
    ) -> Result<(), DriverError> {
        let request = Request::change(operation, arguments);
        let request = request
            .with_call("call", &cmdlet.unattended(), &Content::default())
            .map_err(|error| DriverError::barred("Set-AuthConfig", error))?;
        self.anywhere("Get-AuthConfig", |session| {
            changed(session, &request, "Set-AuthConfig".into(), Why::NoAuthConfig).map(drop)
        })
    }
}

/// Whether a server has said that it lacks a cmdlet, or a parameter of it, and nothing was done.
fn lacks_cmdlet(error: &DriverError) -> bool {
    let DriverError::Failed { source, .. } = error else { return false };
    let Some(PowerShellError::Answered(answered)) = source.downcast_ref() else { return false };
    let lacks = [AnswerKind::CmdletUnavailable, AnswerKind::ParameterUnavailable].contains(&answered.kind);
    lacks && answered.mutated == Mutated::No
}

/// Sets a property and sees that it is so.
pub(super) fn set(session: &Session, setting: Setting, missing: Why) -> Result<(), DriverError> {
    let Setting { set, read, property } = setting;
    let of = match set.value("Identity") {
        Some(Value::Text(identity)) => identity.as_str(),
        _ => session.endpoint.name.as_str(),
    };
    let what = format!("{} {of}", set.name);
    let request = Request::change("setting.set", json!({ "property": property }));
    let request = request
        .with_call("read", &read, &Content::default())
        .and_then(|request| request.with_call("call", &set.unattended(), &Content::default()))
        .map_err(|error| DriverError::barred(what.clone(), error))?;
    changed(session, &request, what, missing).map(drop)
}

pub(super) fn exactly(to: Option<&TlsCertificateName>) -> Option<TlsName> {
    to.cloned().map(TlsName::Exactly)
}

pub(super) fn decoded(server: &ServerName, base64: &str) -> Result<Certificate, PowerShellError> {
    let wrong = |source| unreadable(server, "a certificate", source);
    let der = BASE64_STANDARD.decode(base64).map_err(|error| wrong(error.into()))?;
    Certificate::from_der(&der).map_err(|error| wrong(error.into()))
}

pub(super) fn unreadable(
    server: &ServerName,
    what: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
) -> PowerShellError {
    PowerShellError::Unreadable { server: server.to_string(), what, source }
}
