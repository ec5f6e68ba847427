//! Answers of the driver script: results, and what is known of an error. Errors are told by what they are, never by their
//! texts, which are in the language of the server.

use std::fmt;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value as Json;
use strum::VariantNames;

use super::{
    cmdlets::role_for,
    error::PowerShellError,
    redaction::redact_answer,
    said::{self, LONGEST_LINE, LONGEST_WORD, one_line},
};
use crate::{
    json::{self, Spacing},
    model::secret::Secret,
    wire::wsman::{Fault, FaultKind},
};

/// An answer that says that something could not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// What it is.
    pub kind: AnswerKind,
    /// The cmdlet, when one was running.
    pub cmdlet: String,
    /// What was said, in whatever language. It is shown, and decides nothing.
    pub message: String,
    /// `FullyQualifiedErrorId`, by which an error is looked up.
    pub id: String,
    /// Whether something was changed.
    pub mutated: Mutated,
}

/// What an error is. Its name in snake case is what `docs/connectivity.md` calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum AnswerKind {
    /// The request is not one that the driver carries out: a fault of certwright.
    BadRequest,
    /// The cmdlet is not there for this account.
    CmdletUnavailable,
    /// The parameter is not there for this account, or not in this version.
    ParameterUnavailable,
    /// The account may not.
    AccessDenied,
    /// What is named is not there.
    NotFound,
    /// There is no request that a CA's answer belongs to.
    NoRequest,
    /// No certificate is staged.
    NoNext,
    /// What the plan rests on is not so any more.
    PreconditionFailed,
    /// Something still uses it.
    InUse,
    /// The file or its password is wrong.
    NotImportable,
    /// The key does not come out of its server.
    NotExportable,
    /// A question came that nobody can answer.
    ConfirmationRequired,
    /// It was reported as done, and it is not so.
    NotReached,
    /// A Windows service did not start or stop in time.
    ServiceTimeout,
    /// The server or its shell cannot be reached.
    Unreachable,
    /// The server does not take the account.
    AuthenticationFailed,
    /// There is no Exchange at this address.
    EndpointNotFound,
    /// The account has too many sessions.
    TooManySessions,
    /// A cmdlet shows more objects than any server has.
    TooManyObjects,
    /// The session with Exchange was lost.
    ConnectionLost,
    /// The directory did not answer.
    DirectoryUnavailable,
    /// Another run is changing something there.
    Busy,
    /// Something else; the text and the id tell it.
    Other,
}

impl AnswerKind {
    /// Whether it says that nobody is let in, or nobody there: what is asked next goes the same way.
    pub(super) fn refuses(self) -> bool {
        matches!(
            self,
            Self::AccessDenied | Self::AuthenticationFailed | Self::EndpointNotFound | Self::Unreachable
        )
    }

    /// Whether the same fails again until somebody does something about it.
    pub(super) fn lasts(self) -> bool {
        match self {
            Self::BadRequest
            | Self::CmdletUnavailable
            | Self::ParameterUnavailable
            | Self::AccessDenied
            | Self::NotFound
            | Self::NoRequest
            | Self::NoNext
            | Self::PreconditionFailed
            | Self::InUse
            | Self::NotImportable
            | Self::NotExportable
            | Self::ConfirmationRequired
            | Self::AuthenticationFailed
            | Self::TooManyObjects
            | Self::EndpointNotFound => true,
            Self::NotReached
            | Self::ServiceTimeout
            | Self::Unreachable
            | Self::TooManySessions
            | Self::ConnectionLost
            | Self::DirectoryUnavailable
            | Self::Busy
            | Self::Other => false,
        }
    }
}

/// Whether something was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mutated {
    /// No.
    No,
    /// Yes.
    Yes,
    /// Nobody knows.
    Unknown,
}

/// A good answer.
#[derive(Debug)]
pub(super) struct Good<T> {
    /// The result.
    pub(super) result: T,
    /// What was said beside it.
    pub(super) warnings: Vec<String>,
    /// What would be done, when that was asked.
    pub(super) would: Vec<String>,
}

#[derive(Deserialize)]
struct Frame<T> {
    id: u64,
    ok: bool,
    #[serde(default = "none")]
    result: Option<T>,
    error: Option<Facts>,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    would: Vec<String>,
}

fn none<T>() -> Option<T> {
    None
}

/// What the script says of an error.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Facts {
    #[serde(default)]
    message: String,
    kind: Option<String>,
    /// The number of Windows' remote management.
    code: Option<i64>,
    #[serde(default)]
    fqid: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    types: Vec<String>,
    #[serde(default)]
    cmdlet: String,
    mutated: Option<Mutated>,
}

/// Reads the answer to the request with this number. What it says does not show the secrets that its peer was given.
pub(super) fn read<T: DeserializeOwned>(
    host: &str,
    id: u64,
    answer: &[u8],
    secrets: &[Secret],
) -> Result<Good<T>, PowerShellError> {
    // An error of the reader may quote what it has read.
    let broken =
        |what: String| PowerShellError::Protocol { host: host.into(), what: one_line(&what, LONGEST_LINE) };
    let unreadable = |error: serde_json::Error| broken(error.to_string());
    let frame: Frame<T> = if secrets.is_empty() {
        serde_json::from_slice(answer).map_err(unreadable)?
    } else {
        let mut answer: Json = serde_json::from_slice(answer).map_err(unreadable)?;
        redact_answer(&mut answer, secrets);
        let redacted = json::bytes(&answer, Spacing::Line).map_err(unreadable)?;
        serde_json::from_slice(&redacted).map_err(unreadable)?
    };
    if frame.id != id {
        return Err(broken(format!("it answers request {} and not {id}", frame.id)));
    }
    match (frame.ok, frame.result, frame.error) {
        (true, Some(result), None) => {
            Ok(Good { result, warnings: said::lines(&frame.warnings), would: frame.would })
        }
        (false, _, Some(facts)) => Err(PowerShellError::Answered(Box::new(facts.into()))),
        (true, ..) => Err(broken("it has no result".into())),
        (false, ..) => Err(broken("it has no error".into())),
    }
}

impl From<Facts> for Answered {
    fn from(facts: Facts) -> Self {
        Self {
            kind: facts.kind(),
            mutated: facts.mutated.unwrap_or(Mutated::Unknown),
            cmdlet: one_line(&facts.cmdlet, LONGEST_WORD),
            message: one_line(&facts.message, LONGEST_LINE),
            id: one_line(&facts.fqid, LONGEST_LINE),
        }
    }
}

impl Facts {
    /// The conditions of the script say what they are. Everything else is told by id, type and category.
    pub(super) fn kind(&self) -> AnswerKind {
        let is = |name: &str| self.types.iter().any(|own| own == name);
        let id = |start: &str| self.fqid.split([',', ' ']).any(|word| word == start);
        match self.kind.as_deref() {
            Some("bad_request" | "unknown_op") => AnswerKind::BadRequest,
            Some("not_found") => AnswerKind::NotFound,
            Some("no_request") => AnswerKind::NoRequest,
            Some("no_next") => AnswerKind::NoNext,
            Some("precondition_failed") => AnswerKind::PreconditionFailed,
            Some("in_use") => AnswerKind::InUse,
            Some("confirmation_required") => AnswerKind::ConfirmationRequired,
            Some("not_reached") => AnswerKind::NotReached,
            Some("service_timeout") => AnswerKind::ServiceTimeout,
            Some("busy") => AnswerKind::Busy,
            Some("too_many_objects") => AnswerKind::TooManyObjects,
            Some(_) => AnswerKind::Other,
            None if is(TRANSPORT) => transport(self.code.or_else(|| number_in(&self.fqid))),
            None if is("System.Management.Automation.CommandNotFoundException") => {
                AnswerKind::CmdletUnavailable
            }
            None if id("NamedParameterNotFound") || is(BINDING) => AnswerKind::ParameterUnavailable,
            None if id("HostFunctionNotImplemented") => AnswerKind::ConfirmationRequired,
            None if is("System.UnauthorizedAccessException") || self.category == "PermissionDenied" => {
                AnswerKind::AccessDenied
            }
            None if is("System.Management.Automation.Runspaces.InvalidRunspaceStateException")
                || is("System.Management.Automation.Runspaces.InvalidRunspacePoolStateException") =>
            {
                AnswerKind::ConnectionLost
            }
            // Exchange's own exceptions of a directory that does not answer, of which these are the bases.
            None if is("Microsoft.Exchange.Data.Directory.ADTransientException")
                || is("Microsoft.Exchange.Data.Common.TransientException") =>
            {
                AnswerKind::DirectoryUnavailable
            }
            None if is("Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException") => {
                AnswerKind::NotFound
            }
            // Importing fails so for a wrong password and for anything that is no PFX file (facts 8.3).
            None if self.cmdlet == "Import-ExchangeCertificate" && self.category == "ReadError" => {
                AnswerKind::NotImportable
            }
            // Exporting: the certificate was there just before. Which of its errors it is is known by its text alone (facts 8.3,
            // inferred), and all but a broken connection mean that the key cannot be had.
            None if self.cmdlet == "Export-ExchangeCertificate" => AnswerKind::NotExportable,
            None => AnswerKind::Other,
        }
    }
}

/// The number in an id, where a cmdlet has put it there: `5,PSSessionOpenFailed`.
fn number_in(fqid: &str) -> Option<i64> {
    fqid.split([',', ' ']).find_map(|word| word.parse().ok())
}

/// What remote management means by a number (facts 12.1): those of `winerror.h`, and as faults of WS-Management those of
/// `wsmerror.h`, which the engine shows as negative ones.
fn transport(code: Option<i64>) -> AnswerKind {
    match code {
        // Access denied, no logon server, no logon session, logon failure.
        Some(5 | 1311 | 1312 | 1326) => return AnswerKind::AuthenticationFailed,
        // Kerberos does not know the account; it takes no address for a host; this way of signing in is not offered.
        Some(-2_144_108_387 | -2_144_108_101 | -2_144_108_274) => return AnswerKind::AuthenticationFailed,
        // The address leads to something else; 404.
        Some(-2_144_108_269) => return AnswerKind::EndpointNotFound,
        // The endpoint, or the session, is closed to this account.
        Some(-2_144_108_061 | -2_144_108_116) => return AnswerKind::AccessDenied,
        // The connection of a session that was open.
        Some(-2_144_108_519) => return AnswerKind::ConnectionLost,
        Some(_) | None => {}
    }
    let code = code.and_then(|code| i32::try_from(code).ok()).map(i32::cast_unsigned);
    match (Fault { code, subcode: String::new(), message: String::new() }).kind() {
        FaultKind::TooMany => AnswerKind::TooManySessions,
        FaultKind::AccessDenied => AnswerKind::AuthenticationFailed,
        FaultKind::NoSuchEndpoint => AnswerKind::EndpointNotFound,
        FaultKind::ShellGone => AnswerKind::ConnectionLost,
        FaultKind::NothingYet | FaultKind::Other => AnswerKind::Unreachable,
    }
}

const TRANSPORT: &str = "System.Management.Automation.Remoting.PSRemotingTransportException";
const BINDING: &str = "System.Management.Automation.ParameterBindingException";

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = &self.message;
        if !self.cmdlet.is_empty() {
            write!(f, "{}: ", self.cmdlet)?;
        }
        match self.kind {
            AnswerKind::CmdletUnavailable => {
                f.write_str("the account may not run it, or this version of Exchange lacks it")?;
                if let Some(role) = role_for(&self.cmdlet) {
                    write!(f, "; the role `{role}` grants it")?;
                }
                write!(f, " ({message})")
            }
            AnswerKind::ParameterUnavailable => {
                write!(f, "the account or this version lacks a parameter ({message})")
            }
            AnswerKind::TooManySessions => {
                write!(f, "the account has too many sessions there; close some ({message})")
            }
            _ => f.write_str(message),
        }
    }
}

#[cfg(test)]
mod tests;
