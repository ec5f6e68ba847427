//! Calls of cmdlets in a session.

use std::{
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value as Json;

use super::{
    super::super::{
        answer::Mutated,
        error::PowerShellError,
        request::{RESTORE_SECONDS, Request},
    },
    outcome::{Outcome, Stop},
};
use crate::{
    model::time::Timestamp,
    remoting::{Argument, Command, Deadline, End, HostPolicy, Output, PsrpSession, RemotingError},
};

/// A session in which cmdlets are called, one after the other.
pub trait Shell: Send {
    /// Calls a cmdlet and waits for its end. [`RemotingError::OutcomeUnknown`] means that it may have run, any other error
    /// that it has not.
    fn invoke(
        &mut self,
        command: &Command,
        policy: HostPolicy,
        deadline: Deadline,
    ) -> Result<Output, RemotingError>;
}

/// Opens a session when that is asked for.
pub type OpenShell = Box<dyn Fn(Deadline) -> Result<Box<dyn Shell>, PowerShellError> + Send + Sync>;

/// A session over WS-Management.
pub struct Psrp(pub PsrpSession);

impl Shell for Psrp {
    fn invoke(
        &mut self,
        command: &Command,
        policy: HostPolicy,
        deadline: Deadline,
    ) -> Result<Output, RemotingError> {
        self.0.invoke(command, policy, deadline)
    }
}

/// What a request needs to call cmdlets.
pub(super) struct Calls<'a> {
    pub(super) shell: &'a mut Option<Box<dyn Shell>>,
    /// Opens another session, for one that is lost while something has to be put back.
    pub(super) open: &'a OpenShell,
    pub(super) deadline: Deadline,
    pub(super) request: &'a Request,
    pub(super) outcome: &'a mut Outcome,
}

impl Calls<'_> {
    /// An argument of the request that is a text; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.request.arguments[name].as_str().unwrap_or_default()
    }

    /// Whether an argument of the request is `true`.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.request.arguments[name] == Json::Bool(true)
    }

    /// The name of the server that the request is about.
    pub(super) fn server(&self) -> String {
        self.request.arguments["server"]["name"].as_str().unwrap_or_default().to_owned()
    }

    /// Calls a cmdlet that only reads, with texts as its parameters.
    pub(super) fn read(&mut self, cmdlet: &'static str, parameters: &[(&str, &str)]) -> Result<Output, Stop> {
        let mut command = named(cmdlet)?;
        for (name, value) in parameters {
            command = with(command, name, Argument::Text((*value).to_owned()))?;
        }
        self.invoke(&command, HostPolicy::Nobody)
    }

    /// Calls a cmdlet and returns what it put out. An error of its stream is an error.
    pub(super) fn invoke(&mut self, command: &Command, policy: HostPolicy) -> Result<Output, Stop> {
        self.outcome.cmdlet = command.shown();
        let Some(shell) = self.shell.as_deref_mut() else {
            return Err(Stop::condition("bad_request", "session.open comes first"));
        };
        let has_begun = self.outcome.begun;
        self.outcome.begun |= !command.shown().starts_with("Get-");
        let output = shell.invoke(command, policy, self.deadline)?;
        self.outcome.warnings.extend(output.warnings.iter().cloned());
        if let Some(record) = output.error() {
            // Who is not answered does nothing more; and where nothing was done before, and nothing answered, nothing at all.
            let asks = record.refusal() == Some(crate::remoting::Refusal::ConfirmationRequired);
            if asks && !has_begun && policy == HostPolicy::Nobody {
                self.outcome.mutated = Mutated::No;
            }
            return Err(Stop::record(record));
        }
        match output.end {
            End::Completed | End::Failed(_) => Ok(output),
            End::Stopped => Err(Stop::condition("other", "the server stopped the cmdlet")),
        }
    }

    /// Puts something back. A session that was lost, or whose time is over, is opened again: what was taken away must not stay
    /// away.
    pub(super) fn restore(&mut self, command: &Command) -> Result<(), Stop> {
        let mut attempt = 1;
        loop {
            let result = self.invoke_afresh(command);
            if result.is_ok() || attempt == ATTEMPTS {
                return result;
            }
            attempt += 1;
            thread::sleep(PAUSE);
        }
    }

    fn invoke_afresh(&mut self, command: &Command) -> Result<(), Stop> {
        let deadline = Deadline::after(Duration::from_secs(RESTORE_SECONDS));
        if self.shell.is_none() || self.deadline.left().is_none() {
            let opened = (self.open)(deadline).map_err(|error| Stop::Broken(Box::new(error)))?;
            *self.shell = Some(opened);
        }
        self.deadline = deadline;
        let result = self.invoke(command, HostPolicy::Nobody).map(drop);
        if matches!(result, Err(Stop::Broken(_))) {
            *self.shell = None;
        }
        result
    }

    /// A call as it comes in a request.
    pub(super) fn call(&self, name: &str) -> Result<Command, Stop> {
        command(self.request, &self.request.arguments[name])
    }

    /// The same without one of its parameters.
    pub(super) fn call_without(&self, name: &str, parameter: &str) -> Result<Command, Stop> {
        let mut call = self.request.arguments[name].clone();
        if let Some(parameters) = call["parameters"].as_array_mut() {
            parameters.retain(|each| each["name"] != parameter);
        }
        command(self.request, &call)
    }

    /// The calls of a list.
    pub(super) fn calls(&self, name: &str) -> Result<Vec<Command>, Stop> {
        let calls = self.request.arguments[name].as_array().map(Vec::as_slice).unwrap_or_default();
        calls.iter().map(|call| command(self.request, call)).collect()
    }

    /// A change whose goal can be seen. Where it is there already nothing is done, and an error after which it is there is
    /// none. Whether something was changed stands in the outcome, whatever happens.
    pub(super) fn change(
        &mut self,
        command: &Command,
        mut reached: impl FnMut(&mut Self) -> Result<bool, Stop>,
    ) -> Result<bool, Stop> {
        if reached(self)? {
            return Ok(false);
        }
        if self.outcome.what_if {
            self.outcome.would.push(command.shown());
            return Ok(false);
        }
        self.outcome.mutated = Mutated::Unknown;
        let said = match self.invoke(command, HostPolicy::Nobody) {
            Ok(_) => None,
            Err(stop @ Stop::Broken(_)) => return Err(self.unbegun(stop)),
            Err(stop @ Stop::Answered(_)) => Some(stop),
        };
        match (reached(self)?, said) {
            (true, said) => {
                let said = said.map(|stop| format!("reported an error, and did it: {}", stop.message()));
                self.outcome.warnings.extend(said);
                self.outcome.mutated = Mutated::Yes;
                Ok(true)
            }
            (false, Some(stop)) => {
                self.outcome.mutated = Mutated::No;
                Err(stop)
            }
            (false, None) => Err(Stop::condition(
                "not_reached",
                format!("{} reported success, and it is not so", command.shown()),
            )),
        }
    }

    /// A change whose goal cannot be seen, or that makes something new each time.
    pub(super) fn blindly(&mut self, command: &Command, policy: HostPolicy) -> Result<Option<Output>, Stop> {
        if self.outcome.what_if {
            self.outcome.would.push(command.shown());
            return Ok(None);
        }
        self.outcome.mutated = Mutated::Unknown;
        let output = self.invoke(command, policy).map_err(|stop| self.unbegun(stop))?;
        self.outcome.mutated = Mutated::Yes;
        Ok(Some(output))
    }

    /// A conversation that failed before the cmdlet was begun has changed nothing.
    fn unbegun(&mut self, stop: Stop) -> Stop {
        if let Stop::Broken(error) = &stop
            && let PowerShellError::Remoting(error) = error.as_ref()
            && !matches!(**error, RemotingError::OutcomeUnknown { .. })
        {
            self.outcome.mutated = Mutated::No;
        }
        stop
    }
}

/// How often something is put back, and how long is waited in between: an endpoint that restarts is there again after a while.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_secs(2);

/// A cmdlet of this name.
pub(super) fn named(cmdlet: &str) -> Result<Command, Stop> {
    Command::new(cmdlet).map_err(|error| Stop::condition("bad_request", error.to_string()))
}

/// The same with one more parameter.
pub(super) fn with(command: Command, parameter: &str, argument: Argument) -> Result<Command, Stop> {
    command.with(parameter, argument).map_err(|error| Stop::condition("bad_request", error.to_string()))
}

/// A call as it stands in a request: a name, and parameters with values of one kind each.
fn command(request: &Request, call: &Json) -> Result<Command, Stop> {
    let mut command = named(call["name"].as_str().unwrap_or_default())?;
    for parameter in call["parameters"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let name = parameter["name"].as_str().unwrap_or_default();
        command = with(command, name, argument(request, parameter)?)?;
    }
    Ok(command)
}

fn argument(request: &Request, parameter: &Json) -> Result<Argument, Stop> {
    let (kind, value) = (parameter["kind"].as_str().unwrap_or_default(), &parameter["value"]);
    let wrong = || Stop::condition("bad_request", format!("a value of the kind {kind} that is none"));
    let text = || value.as_str().map(str::to_owned).ok_or_else(wrong);
    Ok(match kind {
        "switch" => Argument::Boolean(true),
        "boolean" => Argument::Boolean(value.as_bool().ok_or_else(wrong)?),
        "number" => {
            let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
            Argument::Integer(number.ok_or_else(wrong)?)
        }
        "text" => Argument::Text(text()?),
        "texts" => {
            let texts = value.as_array().ok_or_else(wrong)?.iter();
            Argument::Texts(
                texts
                    .map(|text| text.as_str().map(str::to_owned).ok_or_else(wrong))
                    .collect::<Result<_, _>>()?,
            )
        }
        "null" => Argument::Null,
        "bytes" => {
            let secret = request.secret_of(value).ok_or_else(wrong)?;
            Argument::Bytes(BASE64_STANDARD.decode(secret.expose()).map_err(|_| wrong())?)
        }
        "secret" => Argument::Secret(request.secret_of(value).ok_or_else(wrong)?.clone()),
        "moment" => Argument::Moment(text()?.parse::<Timestamp>().map_err(|_| wrong())?),
        "now" => Argument::Moment(now()),
        _ => return Err(Stop::condition("bad_request", format!("a value of the kind {kind}"))),
    })
}

/// This computer's time.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
