//! Telling those whom the manifest and the command line name. That somebody could not be told is said, and changes nothing.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use indexmap::IndexMap;

use super::{
    CommandError, Terminal,
    checked::Checked,
    secrets,
    session::{holder, wall_clock},
};
use crate::{
    manifest::{CommandLine, NotifyCommandSpec, NotifySpec, WebhookSpec},
    model::{causes::with_causes, secret::SecretRef, time::Timestamp},
    notify::{self, Route},
    process::Program,
    views::{Notification, Occasion, notification},
};

/// Everybody who is told.
#[derive(Clone)]
pub(super) struct Notifications {
    recipients: Vec<Recipient>,
    organization: Option<String>,
    terminal: Terminal,
}

#[derive(Clone)]
struct Recipient {
    /// What messages call it.
    name: String,
    spec: NotifySpec,
    /// What relative paths are relative to.
    base: PathBuf,
}

impl Notifications {
    /// Those of a manifest, and those of the command line.
    pub(super) fn new(
        of_manifest: &IndexMap<String, NotifySpec>,
        base: &Path,
        organization: &str,
        of_command: &[NotifySpec],
        terminal: Terminal,
    ) -> Self {
        let named = of_manifest.iter().map(|(name, spec)| Recipient {
            name: name.clone(),
            spec: spec.clone(),
            base: base.to_owned(),
        });
        let recipients = named.chain(recipients(of_command)).collect();
        Self { recipients, organization: Some(organization.to_owned()), terminal }
    }

    /// The same for a manifest that may not be readable: then those of the command line.
    pub(super) fn of_path(path: &Path, of_command: &[NotifySpec], terminal: Terminal) -> Self {
        match Checked::open(path) {
            Ok(Checked { manifest, base, .. }) => {
                Self::new(&manifest.notify, &base, manifest.organization.as_str(), of_command, terminal)
            }
            Err(_) => Self { recipients: recipients(of_command).collect(), organization: None, terminal },
        }
    }

    /// Warns of everybody who could not be told, while there is nothing to tell.
    pub(super) fn check(&self) {
        for recipient in &self.recipients {
            let checked =
                recipient.way().and_then(|way| notify::check(&way).map_err(|error| with_causes(&error)));
            if let Err(why) = checked {
                self.terminal.warn(&format!("warning: {} could not be notified: {why}", recipient.name));
            }
        }
    }

    /// Tells everybody who wants to know.
    pub(super) fn tell(&self, notification: &Notification) {
        for recipient in self.recipients.iter().filter(|recipient| recipient.spec.wants(notification.event)) {
            if let Err(why) = recipient.tell(notification) {
                self.terminal.warn(&format!("warning: {} was not notified: {why}", recipient.name));
            }
        }
    }

    /// Tells of a command that ended with an error.
    pub(super) fn tell_error(&self, command: &str, error: &CommandError) {
        if self.recipients.is_empty() {
            return;
        }
        let summary = format!("certwright {command}: {}", error.summary);
        let findings = error.findings.iter().map(|finding| finding.message.clone());
        let details: Vec<String> =
            error.details.iter().cloned().chain(error.causes()).chain(findings).collect();
        let occasion = occasion(wall_clock(), error.exit as u8);
        let organization = self.organization.as_deref();
        self.tell(&Notification::of_error(organization, &summary, &details, &error.hints, occasion));
    }
}

/// Now and here, for what a command came to.
pub(super) fn occasion(at: Timestamp, exit_code: u8) -> Occasion {
    Occasion { at, host: holder().host, exit_code }
}

/// Those of the command line: their paths are relative to the current directory.
fn recipients(of_command: &[NotifySpec]) -> impl Iterator<Item = Recipient> {
    of_command.iter().map(|spec| Recipient {
        name: format!("--notify {}", spec.kind()),
        spec: spec.clone(),
        base: PathBuf::from("."),
    })
}

impl Recipient {
    /// Why it could not be told, in words without a secret.
    fn tell(&self, notification: &Notification) -> Result<(), String> {
        let body = match &self.spec {
            NotifySpec::Webhook(_) | NotifySpec::Command(_) => notification.json(),
            NotifySpec::Slack(_) => notification::slack(notification),
            NotifySpec::Teams(_) => notification::teams(notification),
        };
        notify::send(&self.way()?, &body, TIME).map_err(|error| with_causes(&error))
    }

    fn way(&self) -> Result<Route, String> {
        match &self.spec {
            NotifySpec::Webhook(WebhookSpec { url, .. })
            | NotifySpec::Slack(WebhookSpec { url, .. })
            | NotifySpec::Teams(WebhookSpec { url, .. }) => self.post(url),
            NotifySpec::Command(NotifyCommandSpec { run, .. }) => Ok(self.program(run)),
        }
    }

    fn post(&self, url: &SecretRef) -> Result<Route, String> {
        let read = secrets::read(url, "the address of the webhook", &self.base);
        read.map(Route::Post).map_err(|error| {
            let parts = error.details.iter().map(|detail| detail.trim_end_matches('.').to_owned());
            let parts: Vec<String> = parts.chain(error.causes()).collect();
            [vec![error.summary], parts].concat().join(": ")
        })
    }

    fn program(&self, run: &CommandLine) -> Route {
        Route::Program(Program::new(run.program(), run.arguments(), &self.base))
    }
}

/// A chat that is down must not hold up a run, nor a pipeline that waits for its end.
const TIME: Duration = Duration::from_secs(15);
