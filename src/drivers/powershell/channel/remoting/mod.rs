//! Exchange's cmdlets without any PowerShell on this computer: requests are carried out here, and each cmdlet goes to
//! `/PowerShell/` of the server. What the driver script does for Exchange is done here in the same way and with the same
//! guards, and the answers are the same; what is Windows' own has no way through such a session.

mod certificates;
mod drain;
mod observation;
mod outcome;
mod settings;
mod shell;

use std::time::Duration;

use serde_json::{Value as Json, json};

pub use self::shell::{OpenShell, Psrp, Shell};
use self::{
    outcome::{Outcome, Stop},
    shell::Calls,
};
use super::{
    super::{error::PowerShellError, request::Request},
    Channel,
};
use crate::remoting::Deadline;

/// A channel whose other end is a session with Exchange.
pub struct RemotingChannel {
    host: String,
    open: OpenShell,
    shell: Option<Box<dyn Shell>>,
}

impl RemotingChannel {
    /// A channel to a host. Nothing is reached yet.
    pub fn new(host: String, open: OpenShell) -> Self {
        Self { host, open, shell: None }
    }
}

impl Channel for RemotingChannel {
    fn exchange(
        &mut self,
        id: u64,
        request: &Request,
        patience: Duration,
    ) -> Result<Vec<u8>, PowerShellError> {
        let deadline = Deadline::after(patience);
        let mut outcome = Outcome::of(request);
        let result = if request.operation == "session.open" {
            self.shell = Some((self.open)(deadline)?);
            Ok(json!({ "answers_prompts": true }))
        } else {
            let (shell, open) = (&mut self.shell, &self.open);
            let mut calls = Calls { shell, open, deadline, request, outcome: &mut outcome };
            perform(&mut calls)
        };
        let answer = match result {
            Ok(result) => outcome.good(id, &result),
            Err(Stop::Answered(facts)) => outcome.bad(id, facts),
            // The session is over, and so is the channel.
            Err(Stop::Broken(error)) => {
                self.shell = None;
                return Err(outcome.broken(*error));
            }
        };
        Ok(answer.to_string().into_bytes())
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn runs_script(&self) -> bool {
        false
    }
}

/// What a request asks for.
fn perform(calls: &mut Calls<'_>) -> Result<Json, Stop> {
    match calls.request.operation {
        "session.about" => observation::about(calls),
        "session.visible" => observation::visible(calls),
        "observe.organization" => observation::organization(calls),
        "observe.server" => observation::server(calls),
        "certificate.create" => certificates::create(calls),
        "certificate.complete" => certificates::complete(calls),
        "certificate.import" => certificates::import(calls),
        "certificate.export" => certificates::export(calls),
        "certificate.enable" => certificates::enable(calls),
        "certificate.remove" => certificates::remove(calls),
        "certificate.remove_named" => certificates::remove_named(calls),
        "transport.drain" => drain::drain(calls),
        "edge.synchronize" => settings::synchronize_edge(calls),
        "setting.set" => settings::set(calls),
        "auth.stage" => settings::stage_auth(calls),
        "auth.publish" => settings::publish_auth(calls),
        "auth.clear" => settings::clear_previous_auth(calls),
        "override.set" => settings::set_override(calls),
        other => Err(Stop::condition("unknown_op", format!("cmdlets of Exchange alone cannot do {other}"))),
    }
}
