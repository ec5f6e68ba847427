//! The arguments of `verify` and `drift`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, builder::PossibleValuesParser};

use super::{
    common::{ManifestPath, server, short_wait},
    run::{Notify, State},
};
use crate::{
    commands::{
        Outputs, ReportFile,
        drift::{self, DRIFT_FORMATS},
        read_only_session::{Mail, ProbeOptions},
        verify::{VERDICT_FORMATS, VerifyOptions},
    },
    model::{
        endpoint::EndpointUrl,
        mail_address::MailAddress,
        names::{CertificateName, DnsName, ServerName},
        time::{Span, Timestamp},
    },
};

#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    pub(super) manifest: ManifestPath,
    /// Probe only this endpoint, without a manifest: smtp://mail.contoso.com:25, https://10.0.0.5, imaps://ex01
    #[arg(long = "endpoint", value_name = "URL")]
    endpoints: Vec<EndpointUrl>,
    /// The server name to send (SNI) and to expect in the certificate
    #[arg(long, value_name = "NAME", requires = "endpoints")]
    name: Option<DnsName>,
    #[command(flatten)]
    meet: ProbeArgs,
    /// Also read the SMTP protocol logs in this directory, to see what partners were shown
    #[arg(long = "smtp-log", value_name = "DIR")]
    smtp_logs: Vec<PathBuf>,
    /// Also hand one test message to each server, at port 25 with STARTTLS
    #[arg(long, requires_all = ["mail_from", "mail_to"])]
    mail_flow: bool,
    /// Sender of the test message
    #[arg(long, value_name = "ADDRESS", requires = "mail_flow")]
    mail_from: Option<MailAddress>,
    /// Recipient of the test message: a mailbox of yours that somebody reads
    #[arg(long, value_name = "ADDRESS", requires = "mail_flow")]
    mail_to: Option<MailAddress>,
    /// Output format
    #[arg(long, default_value = "human", value_parser = PossibleValuesParser::new(VERDICT_FORMATS.iter().map(|format| format.name)))]
    format: String,
    /// Also write the result to a file: html=verdict.html; can be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    reports: Vec<ReportFile>,
    /// Write metrics for the Prometheus textfile collector to this file
    #[arg(long, value_name = "FILE")]
    prometheus: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Drift {
    #[command(flatten)]
    pub(super) manifest: ManifestPath,
    /// Repeat, with this pause in between: 5m, 1h
    #[arg(long, value_name = "SPAN")]
    interval: Option<Span>,
    /// Stop after COUNT checks
    #[arg(long, value_name = "COUNT", requires = "interval", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Ignore differences with this id; `*` matches any text
    #[arg(long, value_name = "PATTERN")]
    ignore: Vec<String>,
    /// Compare the configuration only; probe no endpoints
    #[arg(long)]
    no_handshakes: bool,
    #[command(flatten)]
    meet: ProbeArgs,
    #[command(flatten)]
    notify: Notify,
    /// Output format
    #[arg(long, default_value = "human", value_parser = PossibleValuesParser::new(DRIFT_FORMATS.iter().map(|format| format.name)))]
    format: String,
    /// Also write the result to a file: sarif=drift.sarif; can be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    reports: Vec<ReportFile>,
    /// Write metrics for the Prometheus textfile collector to this file
    #[arg(long, value_name = "FILE")]
    prometheus: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ProbeArgs {
    /// Only this server; can be given several times
    #[arg(long = "server", value_name = "SERVER", value_parser = server)]
    servers: Vec<ServerName>,
    /// Only this certificate of the manifest; can be given several times
    #[arg(long = "certificate", value_name = "CERTIFICATE")]
    certificates: Vec<CertificateName>,
    /// Also probe endpoints that the manifest does not declare
    #[arg(long)]
    all: bool,
    /// Also request the health pages behind HTTPS: OWA, ECP, EWS, ActiveSync, MAPI, Autodiscover, PowerShell
    #[arg(long)]
    health: bool,
    /// Also trust the root certificates in this file (PEM, or one in DER)
    #[arg(long, value_name = "FILE")]
    roots: Vec<PathBuf>,
    /// Do not trust the system's root certificates
    #[arg(long)]
    no_system_roots: bool,
    /// Check revocation against the CRLs in this file (PEM, or one in DER)
    #[arg(long = "crl", value_name = "FILE")]
    revocation_lists: Vec<PathBuf>,
    /// Time limit for one endpoint, such as 5s; retries share it
    #[arg(long, value_name = "SPAN", default_value = "15s", value_parser = short_wait)]
    timeout: Duration,
    /// Retry COUNT times when a connection is refused or times out
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(..=10))]
    retries: u32,
    /// Probe up to COUNT endpoints in parallel
    #[arg(long, value_name = "COUNT", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=1024))]
    at_once: u16,
    /// Probe up to COUNT endpoints of one server in parallel
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1024))]
    per_server: u16,
    /// Where the manifest's driver is a capture: judge by this moment instead of now, so that equal inputs give equal results
    #[arg(long, value_name = "MOMENT")]
    at: Option<Timestamp>,
    #[command(flatten)]
    state: State,
}

impl Verify {
    pub(super) fn options(self) -> (PathBuf, VerifyOptions) {
        let Self {
            manifest,
            endpoints,
            name,
            meet,
            smtp_logs,
            mail_flow,
            mail_from,
            mail_to,
            format,
            reports,
            prometheus,
        } = self;
        let outputs = outputs(format, reports, prometheus);
        let mail = mail_from.zip(mail_to).filter(|_| mail_flow).map(|(from, to)| Mail { from, to });
        let meeting = ProbeOptions { mail, ..meet.into() };
        (manifest.path, VerifyOptions { endpoints, name, meeting, smtp_logs, outputs })
    }
}

impl Drift {
    pub(super) fn options(self) -> (PathBuf, drift::DriftOptions) {
        let Self { manifest, interval, rounds, ignore, no_handshakes, meet, notify, .. } = self;
        let Self { format, reports, prometheus, .. } = self;
        let options = drift::DriftOptions {
            interval,
            rounds,
            ignore,
            handshakes: !no_handshakes,
            meeting: meet.into(),
            notify: notify.recipients,
            outputs: outputs(format, reports, prometheus),
        };
        (manifest.path, options)
    }
}

/// Metrics are one more report.
fn outputs(format: String, mut reports: Vec<ReportFile>, prometheus: Option<PathBuf>) -> Outputs {
    reports.extend(prometheus.map(|file| ReportFile { format: "prometheus".into(), file }));
    Outputs { format, reports }
}

impl From<ProbeArgs> for ProbeOptions {
    fn from(meet: ProbeArgs) -> Self {
        Self {
            at_once: meet.at_once.into(),
            per_server: meet.per_server.into(),
            retries: meet.retries,
            timeout: meet.timeout,
            roots: meet.roots,
            system_roots: !meet.no_system_roots,
            revocation_lists: meet.revocation_lists,
            all: meet.all,
            servers: meet.servers,
            certificates: meet.certificates,
            health: meet.health,
            mail: None,
            at: meet.at,
            state: meet.state.place,
        }
    }
}
