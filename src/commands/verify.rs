//! `certwright verify`: what clients really get.

use std::path::{Path, PathBuf};

use super::{
    CommandError, Exit, Terminal,
    manifest_places::ManifestPlaces,
    next::Place,
    outputs::{self, Outputs, Reporting},
    overwriting::{self, Inputs},
    read_only_session::{ProbeOptions, ReadOnlySession},
    session::wall_clock,
    unfinished,
};
pub use crate::views::VERDICT_FORMATS;
use crate::{
    manifest::finding::Finding,
    model::{endpoint::EndpointUrl, names::DnsName},
    probe::smtp_logs,
    verify::verdict::Verdict,
    views::{Diagnostics, Reported},
};

/// What the command line says.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// Endpoints to meet instead of those of a manifest.
    pub endpoints: Vec<EndpointUrl>,
    /// The name to ask them for.
    pub name: Option<DnsName>,
    /// How they are met.
    pub meeting: ProbeOptions,
    /// Directories of SMTP protocol logs.
    pub smtp_logs: Vec<PathBuf>,
    /// What is written, and how.
    pub outputs: Outputs,
}

/// Meets every endpoint that the manifest implies, or those of the command line.
pub fn run(path: &Path, options: &VerifyOptions, terminal: Terminal) -> Result<Exit, CommandError> {
    let outputs = options.outputs.of(VERDICT_FORMATS)?;
    let others: Vec<&Path> =
        options.meeting.files().chain(options.smtp_logs.iter().map(PathBuf::as_path)).collect();
    let manifests: &[&Path] = if options.endpoints.is_empty() { &[path] } else { &[] };
    overwriting::refuse(
        options.outputs.files(),
        Inputs { manifests, others: &others, state: options.meeting.state.as_deref() },
    )?;
    let reporting = Reporting::of("verify", path, &options.outputs);
    let Met { verdict, places, contradictions } = reporting.told(met(path, options, terminal), terminal)?;
    let good = verdict.good;
    let mut list = verdict.diagnostics();
    list.extend(contradictions.iter().map(Finding::diagnostic));
    let diagnostics = match places {
        Some(places) => places.diagnostics("verify", list),
        None => Diagnostics { command: "verify", file: "endpoints".into(), list, ..Diagnostics::default() },
    };
    let reported = Reported { result: verdict, diagnostics };
    if options.endpoints.is_empty() {
        outputs::report(reported, &outputs, terminal)?;
    } else {
        outputs::write(&reported, &outputs, terminal)?;
    }
    if !contradictions.is_empty() {
        let error = CommandError::contradictions(contradictions);
        if good {
            return Err(error);
        }
        terminal.complain(&error);
    }
    if !good && options.endpoints.is_empty() && terminal.err_is_terminal {
        let place = Place { manifest: path, state: options.meeting.state.as_deref() };
        terminal.suggest(&[format!("see what would be done: {} --handshakes", place.plan())]);
    }
    Ok(if good { Exit::Done } else { Exit::VerificationFailed })
}

/// What endpoints serve, and where the manifest speaks of them.
struct Met {
    verdict: Verdict,
    places: Option<ManifestPlaces>,
    contradictions: Vec<Finding>,
}

fn met(path: &Path, options: &VerifyOptions, terminal: Terminal) -> Result<Met, CommandError> {
    let mut places = None;
    let mut contradictions = Vec::new();
    let mut verdict = if options.endpoints.is_empty() {
        let (watch, observed) = ReadOnlySession::open(path, &options.meeting)?;
        let mut verdict = watch.meet(&observed, &options.meeting)?;
        unfinished::warn(watch.unfinished_run.as_ref(), &options.outputs.format, terminal);
        verdict.unfinished_run = watch.unfinished_run;
        contradictions.extend(watch.contradictions);
        places = Some(watch.places);
        verdict
    } else {
        options.meeting.endpoints(&options.endpoints, options.name.as_ref(), wall_clock())?
    };
    if options.meeting.mail.is_some() && verdict.mail_flow.is_empty() {
        return Err(CommandError::new(Exit::Error, "there is no server to hand a test message to")
            .detail("It is handed over at port 25 with STARTTLS, and none of the probed endpoints is that.")
            .hint("name one: certwright verify --endpoint smtp://HOST:25 --mail-flow ..., or add --all"));
    }
    if !options.smtp_logs.is_empty() {
        let shown = smtp_logs::read(&options.smtp_logs).map_err(|error| {
            CommandError::new(Exit::Error, "the SMTP protocol logs cannot be read").because(error)
        })?;
        verdict.smtp_log = Some(shown);
    }
    Ok(Met { verdict, places, contradictions })
}
