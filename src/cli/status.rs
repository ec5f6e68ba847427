//! The arguments of `status` and `calendar`.

use std::path::PathBuf;

use clap::{Args, builder::PossibleValuesParser};

use super::run::State;
use crate::{
    commands::{
        self, CommandError, Exit, Outputs, ReportFile, Terminal,
        rehearse_until::{FORECAST_FORMATS, ForecastOptions, GivenDuration},
        status::{Ahead, CALENDAR_FORMATS, STATUS_FORMATS, StatusOptions},
    },
    model::time::{Span, Timestamp},
};

#[derive(Debug, Args)]
pub(super) struct Status {
    #[command(flatten)]
    look: LookArgs,
    /// Output format
    #[arg(long, default_value = "human", value_parser = PossibleValuesParser::new(STATUS_FORMATS.iter().map(|format| format.name)))]
    format: String,
    /// Also write the result to a file: json=status.json; can be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    reports: Vec<ReportFile>,
}

#[derive(Debug, Args)]
pub(super) struct Calendar {
    #[command(flatten)]
    look: LookArgs,
    /// Look ahead to the end of this day, or to this moment [default: a year from now]
    #[arg(long, value_name = "DATE|MOMENT", conflicts_with = "ahead", value_parser = day_or_moment)]
    until: Option<Timestamp>,
    /// Look ahead by this span: 90d
    #[arg(long, value_name = "SPAN", default_value = "365d")]
    ahead: Span,
    /// Output format; `ics` is iCalendar
    #[arg(long, default_value = "human", value_parser = PossibleValuesParser::new(CALENDAR_FORMATS.iter().map(|format| format.name)))]
    format: String,
    /// Also write the result to a file: ics=certificates.ics; can be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    reports: Vec<ReportFile>,
}

#[derive(Debug, Args)]
pub(super) struct Rehearse {
    /// Manifests, to be compared: files, or directories whose .yaml files are merged [default: .]
    paths: Vec<PathBuf>,
    /// The last day, or the last moment
    #[arg(long, value_name = "DATE|MOMENT", value_parser = day_or_moment)]
    until: Timestamp,
    /// Calculate half-way times with this instead of what past runs took or what is assumed: call=30s, restart=3m,
    /// verify=1m, answer=1d, person=1d; can be given several times
    #[arg(long = "assume", value_name = "WHAT=SPAN")]
    durations: Vec<GivenDuration>,
    /// Begin with this capture instead of the servers
    #[arg(long, value_name = "DIR")]
    capture: Option<PathBuf>,
    #[command(flatten)]
    state: State,
    /// Output format
    #[arg(long, default_value = "human", value_parser = PossibleValuesParser::new(FORECAST_FORMATS.iter().map(|format| format.name)))]
    format: String,
    /// Also write the result to a file: json=forecast.json; can be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    reports: Vec<ReportFile>,
}

/// A day stands for its end, in UTC.
fn day_or_moment(text: &str) -> Result<Timestamp, String> {
    moment_or(text, "T23:59:59Z")
}

/// A day stands for its beginning, in UTC.
fn beginning_or_moment(text: &str) -> Result<Timestamp, String> {
    moment_or(text, "T00:00:00Z")
}

fn moment_or(text: &str, of_day: &str) -> Result<Timestamp, String> {
    let moment: Result<Timestamp, _> = text.parse();
    moment.or_else(|_| format!("{text}{of_day}").parse()).map_err(|_| {
        let text: String = text.chars().take(40).collect();
        format!("`{text}` is neither a day nor a moment; write it like 2026-12-31 or 2026-03-02T09:14:07Z")
    })
}

impl Rehearse {
    pub(super) fn run(self, terminal: Terminal) -> Result<Exit, CommandError> {
        let Self { paths, until, durations, capture, state, format, reports } = self;
        let state = state.place;
        let outputs = Outputs { format, reports };
        commands::rehearse_until::run(
            &ForecastOptions { paths, capture, until, durations, state, outputs },
            terminal,
        )
    }
}

#[derive(Debug, Args)]
struct LookArgs {
    /// Manifests: files, or directories whose .yaml files are merged [default: .]
    paths: Vec<PathBuf>,
    /// Read this capture instead of the servers
    #[arg(long, value_name = "DIR")]
    capture: Option<PathBuf>,
    /// Count days from the beginning of this day, or from this moment, instead of now
    #[arg(long, value_name = "DATE|MOMENT", visible_alias = "at", value_parser = beginning_or_moment)]
    now: Option<Timestamp>,
    #[command(flatten)]
    state: State,
}

impl LookArgs {
    fn options(self, format: String, reports: Vec<ReportFile>) -> StatusOptions {
        let Self { paths, capture, now, state } = self;
        StatusOptions { paths, capture, now, state: state.place, outputs: Outputs { format, reports } }
    }
}

impl Status {
    pub(super) fn run(self, terminal: Terminal) -> Result<Exit, CommandError> {
        let Self { look, format, reports } = self;
        commands::status::status(&look.options(format, reports), terminal)
    }
}

impl Calendar {
    pub(super) fn run(self, terminal: Terminal) -> Result<Exit, CommandError> {
        let Self { look, until, ahead, format, reports } = self;
        let ahead = until.map_or(Ahead::Span(ahead), Ahead::Until);
        commands::status::calendar(&look.options(format, reports), ahead, terminal)
    }
}
