//! The arguments of what changes something: `apply` and `rollback`; what a plan is narrowed to, and how it is written.

use std::{ffi::OsStr, time::Duration};

use clap::{Args, ValueEnum, builder::TypedValueParser, error::ErrorKind};

use super::common::{server, wait};
use crate::{
    commands::{
        NotifySpec,
        apply::RunOptions,
        targeting::{Named, Replaced},
    },
    model::names::{CertificateName, ServerName},
};

// How a run is carried out.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// Skip the confirmation prompt
    #[arg(long)]
    auto_approve: bool,
    /// Wait so long for another run to finish: 45s, 5m
    #[arg(long, value_name = "SPAN", default_value = "0s", value_parser = wait)]
    lock_timeout: Duration,
    /// Take over the lock of a run that is dead and did not renew it in time
    #[arg(long)]
    break_lock: bool,
    #[command(flatten)]
    notify: Notify,
    #[command(flatten)]
    state: State,
    /// Output format: for people, one JSON object at the end, or one JSON object a line while it runs
    #[arg(long, value_enum, default_value_t = RunFormat::Human)]
    format: RunFormat,
}

// Who is told.
#[derive(Debug, Args)]
pub(super) struct Notify {
    /// Also notify this webhook or program of the outcome: teams=env:VARIABLE, slack=file:FILE, webhook=env:VARIABLE,
    /// command=PROGRAM; can be given several times
    #[arg(long = "notify", value_name = "KIND=SOURCE", value_parser = RecipientParser)]
    pub(super) recipients: Vec<NotifySpec>,
}

/// Reads who is told. What is wrong may be the address itself, which is a secret: it is not repeated.
#[derive(Clone, Copy)]
struct RecipientParser;

impl TypedValueParser for RecipientParser {
    type Value = NotifySpec;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<NotifySpec, clap::Error> {
        let text = value.to_string_lossy();
        text.parse::<NotifySpec>().map_err(|error| {
            let message = format!("the value of '--notify'{} names nobody: {error}\n", beginning(&text));
            clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        })
    }
}

/// What may be shown of a value that is wrong: its kind, and the scheme of an address.
fn beginning(text: &str) -> String {
    let kinds = ["webhook", "slack", "teams", "command"];
    let (kind, source) = text.split_once('=').filter(|(kind, _)| kinds.contains(kind)).unwrap_or(("", text));
    let scheme = source.split_once("://").map(|(scheme, _)| scheme);
    let scheme =
        scheme.filter(|scheme| ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)));
    match (kind, scheme) {
        ("", None) => String::new(),
        ("", Some(scheme)) => format!(", an address that begins with {scheme}:,"),
        (kind, None) => format!(", which begins with {kind}=,"),
        (kind, Some(scheme)) => format!(", which begins with {kind}={scheme}:,"),
    }
}

// A part of what there is to do.
#[derive(Debug, Args)]
pub(super) struct Part {
    /// Limit the plan to this server, as far as that is safe without the others; can be given several times
    #[arg(long = "server", value_name = "SERVER", value_parser = server)]
    servers: Vec<ServerName>,
    /// Limit the plan to this certificate of the manifest; can be given several times
    #[arg(long = "certificate", value_name = "CERTIFICATE")]
    certificates: Vec<CertificateName>,
    /// Replace this certificate now, because others may have its key: its thumbprint, or its name in the manifest; can be
    /// given several times
    #[arg(long, value_name = "THUMBPRINT|CERTIFICATE")]
    replace: Vec<Replaced>,
}

// What services are seen to serve.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct HandshakeArgs {
    /// Also probe live services, and restart those that still serve an old certificate
    #[arg(long)]
    pub(super) handshakes: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RunFormat {
    /// For people
    Human,
    /// For programs, at the end; stable
    Json,
    /// For programs, while it runs; stable
    Jsonl,
}

#[derive(Debug, Args)]
pub(super) struct State {
    /// Keep journals, backups and the lock here instead of `.certwright` beside the manifest: in a directory, or in
    /// a bucket (s3://BUCKET/FOLDER, az://…, gs://…) whose credentials the environment gives
    #[arg(long = "state", value_name = "DIR|URL")]
    pub(super) place: Option<String>,
}

impl Part {
    pub(super) fn named(&self) -> Named<'_> {
        Named { servers: &self.servers, certificates: &self.certificates, replace: &self.replace }
    }
}

impl Run {
    pub(super) fn options(&self) -> RunOptions<'_> {
        let Self { auto_approve, lock_timeout, break_lock, notify, state, format } = self;
        RunOptions {
            auto_approve: *auto_approve,
            parallelism: None,
            state: state.place.as_deref(),
            lock_timeout: *lock_timeout,
            break_lock: *break_lock,
            abandon: false,
            give_back_compromised: false,
            notify: &notify.recipients,
            handshakes: false,
            only: Named::default(),
            format: match format {
                RunFormat::Human => "human",
                RunFormat::Json => "json",
                RunFormat::Jsonl => "jsonl",
            },
        }
    }
}
