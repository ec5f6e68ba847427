//! The session with one server: opened when it is first needed, and again when it was lost. One request at a time.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use super::{
    answer::{self, Good, Mutated},
    channel::Channel,
    error::PowerShellError,
    request::Request,
};
use crate::model::{
    names::{DnsName, ServerName},
    secret::Secret,
};

/// Makes a channel to a server.
pub type Connect = Box<dyn Fn() -> Result<Box<dyn Channel>, PowerShellError> + Send + Sync>;

/// A server, and how it is reached.
pub struct ServerAccess {
    /// Its name.
    pub name: ServerName,
    /// Its full name.
    pub fqdn: DnsName,
    /// Whether it is an Edge Transport server, whose cmdlets run on itself only.
    pub edge: bool,
    /// How a channel is made.
    pub connect: Connect,
    /// The account for Exchange and Windows, where it is not the one that runs PowerShell.
    pub credential: Option<Credential>,
    /// How long things may take.
    pub patience: Timeouts,
}

/// An account.
#[derive(Clone, Debug)]
pub struct Credential {
    /// `DOMAIN\user` or `user@domain`.
    pub user: String,
    /// Its password.
    pub password: Secret,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Starting PowerShell and opening its session with Exchange.
    pub opening: Duration,
    /// One request.
    pub request: Duration,
}

impl Default for Timeouts {
    /// A minute to start, and five for the slowest cmdlets.
    fn default() -> Self {
        Self { opening: Duration::from_secs(60), request: Duration::from_secs(300) }
    }
}

/// The session with a server.
pub(super) struct Session {
    pub(super) endpoint: ServerAccess,
    open: Mutex<Option<Open>>,
}

struct Open {
    channel: Box<dyn Channel>,
    last: u64,
    answers_prompts: bool,
}

#[derive(Deserialize)]
struct Hello {
    ps_version: String,
    language_mode: String,
    bits: u32,
}

#[derive(Deserialize)]
struct Opened {
    answers_prompts: bool,
}

impl Session {
    pub(super) fn new(endpoint: ServerAccess) -> Self {
        Self { endpoint, open: Mutex::new(None) }
    }

    /// Carries out a request. Where something was to be changed and it cannot be told whether it was, the server is looked
    /// at once; a change is never asked for twice.
    pub(super) fn call<T: DeserializeOwned>(&self, request: &Request) -> Result<Good<T>, PowerShellError> {
        let error = match self.call_once(request) {
            Err(error) if request.changes && leaves_doubt(&error) => error,
            result => return result,
        };
        Err(PowerShellError::OutcomeUnknown(Box::new(error)))
    }

    /// The same, for a change whose goal the script can see: when it is there after all, the change was done.
    pub(super) fn change<T: DeserializeOwned + Default>(
        &self,
        request: &Request,
    ) -> Result<Good<T>, PowerShellError> {
        let unknown = match self.call(request) {
            Err(error @ PowerShellError::OutcomeUnknown(_)) => error,
            result => return result,
        };
        let look = Request { what_if: true, changes: false, ..request.clone() };
        match self.call_once::<serde_json::Value>(&look) {
            Ok(good) if good.would.is_empty() => {
                Ok(Good { result: T::default(), warnings: good.warnings, would: Vec::new() })
            }
            // It is not there, and may still come: whatever was cut off may still be running. And what cannot be seen is
            // not known either.
            Ok(_) | Err(_) => Err(unknown),
        }
    }

    /// Whether questions of cmdlets can be answered.
    pub(super) fn answers_prompts(&self) -> Result<bool, PowerShellError> {
        self.with(|open| Ok(open.answers_prompts))
    }

    fn call_once<T: DeserializeOwned>(&self, request: &Request) -> Result<Good<T>, PowerShellError> {
        self.with(|open| open.call(request, self.endpoint.patience.request))
    }

    fn with<R>(
        &self,
        act: impl FnOnce(&mut Open) -> Result<R, PowerShellError>,
    ) -> Result<R, PowerShellError> {
        let mut place = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = match &mut *place {
            Some(open) => open,
            empty @ None => empty.insert(Open::new(&self.endpoint)?),
        };
        let result = act(open);
        if result.as_ref().is_err_and(|error| !error.leaves_session()) {
            *place = None;
        }
        result
    }
}

impl Open {
    /// Starts PowerShell, sees whether it can carry out the script, and opens its session with Exchange.
    fn new(endpoint: &ServerAccess) -> Result<Self, PowerShellError> {
        let ServerAccess { fqdn, edge, connect, credential, patience, .. } = endpoint;
        let mut open = Self { channel: connect()?, last: 0, answers_prompts: false };
        let hello: Hello = open.call(&Request::look("session.hello", json!({})), patience.opening)?.result;
        hello.suits(open.channel.host())?;
        let mut request = Request::look(
            "session.open",
            json!({
                "mode": if *edge { "local" } else { "remote" },
                "uri": format!("http://{fqdn}/PowerShell/?serializationLevel=Full"),
                "open_timeout_s": patience.opening.as_secs(),
            }),
        );
        if let Some(Credential { user, password }) = credential {
            let password = request.secret(password.clone());
            request = request.with("credential", json!({ "user": user, "password": password }));
        }
        open.answers_prompts = open.call::<Opened>(&request, patience.opening)?.result.answers_prompts;
        Ok(open)
    }

    fn call<T: DeserializeOwned>(
        &mut self,
        request: &Request,
        patience: Duration,
    ) -> Result<Good<T>, PowerShellError> {
        self.last += 1;
        let answer = self.channel.exchange(self.last, request, patience)?;
        answer::read(self.channel.host(), self.last, &answer)
    }
}

impl Hello {
    fn suits(&self, host: &str) -> Result<(), PowerShellError> {
        let Self { ps_version, language_mode, bits } = self;
        let unsuitable =
            |what: String, needs| Err(PowerShellError::Unsuitable { host: host.into(), what, needs });
        let major = ps_version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        let minor = ps_version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
        if (major, minor) < (Some(5), Some(1)) {
            return unsuitable(format!("PowerShell {ps_version}"), "Windows PowerShell 5.1");
        }
        if language_mode != "FullLanguage" {
            return unsuitable(format!("PowerShell in {language_mode} mode"), "FullLanguage");
        }
        if *bits != 64 {
            return unsuitable(format!("a {bits}-bit PowerShell"), "a 64-bit one, as Exchange's cmdlets do");
        }
        Ok(())
    }
}

/// Whether something may have been done all the same.
fn leaves_doubt(error: &PowerShellError) -> bool {
    match error {
        PowerShellError::Answered(answered) => match answered.mutated {
            Mutated::No => false,
            Mutated::Yes | Mutated::Unknown => true,
        },
        PowerShellError::Died { .. }
        | PowerShellError::Deadline { .. }
        | PowerShellError::Cancelled { .. }
        | PowerShellError::Protocol { .. }
        | PowerShellError::Transcript { .. } => true,
        PowerShellError::Refused { .. }
        | PowerShellError::NotStarted { .. }
        | PowerShellError::HostKeyUnknown { .. }
        | PowerShellError::HostKeyChanged { .. }
        | PowerShellError::AuthenticationFailed { .. }
        | PowerShellError::Unreachable { .. }
        | PowerShellError::Unsuitable { .. }
        | PowerShellError::OutcomeUnknown(_)
        | PowerShellError::TakesFiles { .. }
        | PowerShellError::NotMade { .. }
        | PowerShellError::NotOne { .. }
        | PowerShellError::Unreadable { .. }
        | PowerShellError::Pfx(_) => false,
    }
}
