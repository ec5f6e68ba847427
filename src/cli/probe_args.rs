//! The arguments of `verify` and `drift`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, builder::PossibleValuesParser};

use super::{ManifestPath, Output};
use crate::{
    commands::{
        drift,
        read_only_session::ProbeOptions,
        verify::{Options, Outputs, VERDICT_FORMATS},
    },
    model::{
        endpoint::EndpointUrl,
        names::{CertificateName, DnsName, ServerName},
        time::Span,
    },
};

#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    pub(super) manifest: ManifestPath,
    /// ProbeArgs this endpoint, and no manifest's: smtp://mail.contoso.com:25, https://10.0.0.5, imaps://ex01
    #[arg(long = "endpoint", value_name = "URL")]
    endpoints: Vec<EndpointUrl>,
    /// Ask the endpoints for this name, and expect it in their certificates
    #[arg(long, value_name = "NAME", requires = "endpoints")]
    name: Option<DnsName>,
    #[command(flatten)]
    meet: ProbeArgs,
    /// Read the SMTP protocol logs of this directory too, for what partners were shown
    #[arg(long = "smtp-log", value_name = "DIR")]
    smtp_logs: Vec<PathBuf>,
    /// How the result is written
    #[arg(long, default_value = "human", value_parser = PossibleValuesParser::new(VERDICT_FORMATS.iter().map(|format| format.name)))]
    format: String,
    /// Write the result to a file too, in any of the formats: html=verdict.html
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    reports: Vec<String>,
    /// Write metrics to this file, for the textfile collector of Prometheus
    #[arg(long, value_name = "FILE")]
    prometheus: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Drift {
    #[command(flatten)]
    pub(super) manifest: ManifestPath,
    /// Look again and again, with so much time between: 5m, 1h
    #[arg(long, value_name = "SPAN")]
    interval: Option<Span>,
    /// Stop after so many looks
    #[arg(long, value_name = "N", requires = "interval", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Overlook differences of this name; `*` stands for any text
    #[arg(long, value_name = "PATTERN")]
    ignore: Vec<String>,
    /// Look at the configuration alone, and meet no endpoints
    #[arg(long)]
    no_handshakes: bool,
    #[command(flatten)]
    meet: ProbeArgs,
    #[command(flatten)]
    output: Output,
    /// Write metrics to this file, for the textfile collector of Prometheus
    #[arg(long, value_name = "FILE")]
    prometheus: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ProbeArgs {
    /// Only this server; can be given several times
    #[arg(long = "server", value_name = "SERVER")]
    servers: Vec<ServerName>,
    /// Only this certificate of the manifest; can be given several times
    #[arg(long = "certificate", value_name = "CERTIFICATE")]
    certificates: Vec<CertificateName>,
    /// ProbeArgs also the endpoints of which the manifest says nothing
    #[arg(long)]
    all: bool,
    /// Ask the pages behind HTTPS too: OWA, ECP, EWS, ActiveSync, MAPI, Autodiscover, PowerShell
    #[arg(long)]
    health: bool,
    /// Trust the roots in this file too (PEM, or one in DER)
    #[arg(long, value_name = "FILE")]
    roots: Vec<PathBuf>,
    /// Do not trust the roots of the system
    #[arg(long)]
    no_system_roots: bool,
    /// Take certificates for revoked that are on the lists in this file (CRLs in PEM, or one in DER)
    #[arg(long = "crl", value_name = "FILE")]
    revocation_lists: Vec<PathBuf>,
    /// How many seconds one meeting may take
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
    /// Try again so often when a meeting is refused or takes too long
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(..=10))]
    retries: u32,
    /// ProbeArgs so many endpoints at the same time
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    at_once: u16,
    /// ProbeArgs so many endpoints of one server at the same time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1024))]
    per_server: u16,
}

impl Verify {
    pub(super) fn options(self) -> (PathBuf, Options) {
        let Self { manifest, endpoints, name, meet, smtp_logs, format, reports, prometheus } = self;
        let output = Outputs { format, reports, prometheus };
        (manifest.path, Options { endpoints, name, meeting: meet.into(), smtp_logs, output })
    }
}

impl Drift {
    pub(super) fn options(self) -> (PathBuf, drift::Options) {
        let Self { manifest, interval, rounds, ignore, no_handshakes, meet, output, prometheus } = self;
        let options = drift::Options {
            interval,
            rounds,
            ignore,
            handshakes: !no_handshakes,
            meeting: meet.into(),
            json: output.name() == "json",
            prometheus,
        };
        (manifest.path, options)
    }
}

impl From<ProbeArgs> for ProbeOptions {
    fn from(meet: ProbeArgs) -> Self {
        Self {
            at_once: meet.at_once.into(),
            per_server: meet.per_server.into(),
            retries: meet.retries,
            timeout: Duration::from_secs(meet.timeout),
            roots: meet.roots,
            system_roots: !meet.no_system_roots,
            revocation_lists: meet.revocation_lists,
            all: meet.all,
            servers: meet.servers,
            certificates: meet.certificates,
            health: meet.health,
        }
    }
}
