//! Notifications: who is told of what runs and watches come to.

use std::{path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

use super::balancer::{CommandLine, WordError};
use crate::model::{schema::JsonSchema, secret::SecretRef};

/// Somebody who is told when something differs, waits, fails or is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NotifySpec {
    /// A webhook of your own: the notification in JSON (`certwright schema notification`), by POST.
    Webhook(WebhookSpec),
    /// An incoming webhook of Slack, or of a chat that takes the same messages.
    Slack(WebhookSpec),
    /// A workflow of Microsoft Teams that begins when a webhook request is received: an Adaptive Card.
    Teams(WebhookSpec),
    /// A program that reads the notification in JSON on standard input.
    Command(NotifyCommandSpec),
}

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookSpec {
    /// Where its address is read from. Anyone who knows the address can post there, so it is a secret. It begins with
    /// `https://`; `http://` is accepted for this computer only.
    #[schemars(example = serde_json::json!({ "env": "CERTWRIGHT_WEBHOOK" }))]
    pub url: SecretRef,
    /// What it is notified of.
    #[serde(default = "NotifyEvent::all", skip_serializing_if = "NotifyEvent::are_all")]
    #[schemars(length(min = 1))]
    pub on: Vec<NotifyEvent>,
}

/// A program that is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotifyCommandSpec {
    /// The program and its arguments, started without a shell in the manifest's directory.
    #[schemars(example = ["./tell.sh", "exchange-team"])]
    pub run: CommandLine,
    /// What it is notified of.
    #[serde(default = "NotifyEvent::all", skip_serializing_if = "NotifyEvent::are_all")]
    #[schemars(length(min = 1))]
    pub on: Vec<NotifyEvent>,
}

/// What somebody is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NotifyEvent {
    /// `drift` found a difference from the manifest, or there is none any more.
    Drift,
    /// A run waits for a CA, a date or a person.
    Waiting,
    /// A run stopped or did not do all, or a command ended with an error.
    Failed,
    /// A run did all that it was to do.
    Done,
}

impl NotifyEvent {
    /// Every event.
    pub const ALL: [Self; 4] = [Self::Drift, Self::Waiting, Self::Failed, Self::Done];

    fn all() -> Vec<Self> {
        Self::ALL.to_vec()
    }

    fn are_all(events: &[Self]) -> bool {
        Self::ALL.iter().all(|event| events.contains(event))
    }
}

impl NotifySpec {
    /// Whether it is told of this.
    pub fn wants(&self, event: NotifyEvent) -> bool {
        match self {
            Self::Webhook(WebhookSpec { on, .. })
            | Self::Slack(WebhookSpec { on, .. })
            | Self::Teams(WebhookSpec { on, .. })
            | Self::Command(NotifyCommandSpec { on, .. }) => on.contains(&event),
        }
    }

    /// Its word in a manifest.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Slack(_) => "slack",
            Self::Teams(_) => "teams",
            Self::Command(_) => "command",
        }
    }
}

/// Why a text names nobody who can be told.
#[derive(Debug, thiserror::Error)]
pub enum RecipientError {
    /// Another form.
    #[error(
        "write teams=env:VARIABLE, slack=file:FILE, webhook=env:VARIABLE or command=PROGRAM; the address of a webhook is a secret, so it stands in a variable or a file"
    )]
    Form,
    /// A program that cannot be one.
    #[error(transparent)]
    Program(#[from] WordError),
}

/// `KIND=SOURCE`, as the command line has it. Paths are relative to the current directory there.
impl FromStr for NotifySpec {
    type Err = RecipientError;

    fn from_str(text: &str) -> Result<Self, RecipientError> {
        let (kind, source) = text.split_once('=').ok_or(RecipientError::Form)?;
        let on = NotifyEvent::all();
        if kind == "command" {
            return Ok(Self::Command(NotifyCommandSpec {
                run: CommandLine::new(vec![source.to_owned()])?,
                on,
            }));
        }
        let url = match source.split_once(':') {
            Some(("env", name)) if !name.is_empty() => SecretRef::Env(name.to_owned()),
            Some(("file", path)) if !path.is_empty() => SecretRef::File(PathBuf::from(path)),
            _ => return Err(RecipientError::Form),
        };
        let webhook = WebhookSpec { url, on };
        match kind {
            "webhook" => Ok(Self::Webhook(webhook)),
            "slack" => Ok(Self::Slack(webhook)),
            "teams" => Ok(Self::Teams(webhook)),
            _ => Err(RecipientError::Form),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_the_command_line_names_who_is_told() {
        let spec: NotifySpec = "teams=env:OPS".parse().unwrap();
        assert_eq!(spec.kind(), "teams");
        assert!(NotifyEvent::ALL.into_iter().all(|event| spec.wants(event)));
        let file = SecretRef::File("/run/secrets/slack".into());
        let slack: NotifySpec = "slack=file:/run/secrets/slack".parse().unwrap();
        assert_eq!(slack, NotifySpec::Slack(WebhookSpec { url: file, on: NotifyEvent::all() }));
        assert_eq!("command=./tell".parse::<NotifySpec>().unwrap().kind(), "command");
        // An address on the command line could be read by everybody on the machine.
        for wrong in ["teams=https://example.com/secret", "teams", "mail=env:X", "slack=env:", "command="] {
            let error = wrong.parse::<NotifySpec>().unwrap_err().to_string();
            assert!(!error.contains("secret/") && !error.contains("example.com"), "{wrong}: {error}");
        }
    }
}
