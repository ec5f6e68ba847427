//! Arguments that several commands share.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use crate::{
    commands::{Display, Verbosity, WhenColours},
    model::{
        names::{NameError, ServerName},
        time::Span,
    },
};

// How things are shown, whatever the command.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Display")]
pub(super) struct DisplayArgs {
    /// When to use colors
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    color: Color,
    /// Do not break lines, and show thumbprints in full, as when the output is no terminal
    #[arg(long, global = true)]
    wide: bool,
    /// Print only the output, warnings and errors: no progress, no notes
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Also print how long each part takes; CERTWRIGHT_LOG can be quiet, normal or verbose, too
    #[arg(long, short, global = true)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Color {
    /// On a terminal; NO_COLOR, CLICOLOR, CLICOLOR_FORCE and TERM=dumb are respected
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl From<DisplayArgs> for Display {
    fn from(arguments: DisplayArgs) -> Self {
        let DisplayArgs { color, wide, quiet, verbose } = arguments;
        let colours = color.into();
        let verbosity = match (quiet, verbose) {
            (true, _) => Some(Verbosity::Quiet),
            (false, true) => Some(Verbosity::Verbose),
            (false, false) => None,
        };
        Self { colours, wide, verbosity }
    }
}

impl From<Color> for WhenColours {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// What `--color` says, wherever it stands: a command line that is wrong is told in colours too, and so is help.
pub(super) fn colours(arguments: &[OsString]) -> WhenColours {
    let words: Vec<&str> = arguments
        .iter()
        .map(|argument| argument.to_str().unwrap_or_default())
        .take_while(|word| *word != "--")
        .collect();
    let attached = words.iter().filter_map(|word| word.strip_prefix("--color="));
    let apart = words.windows(2).filter(|pair| pair[0] == "--color").map(|pair| pair[1]);
    let said = attached.chain(apart).filter_map(|word| Color::from_str(word, false).ok()).next_back();
    said.unwrap_or(Color::Auto).into()
}

/// Reads how long to wait: a span such as `45s` or `5m`, or a number of seconds.
pub(super) fn wait(text: &str) -> Result<Duration, String> {
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => Some(seconds),
        Err(_) => text.parse::<Span>().ok().and_then(|span| u64::try_from(span.as_seconds()).ok()),
    };
    seconds.map(Duration::from_secs).ok_or_else(|| "write a number with a unit: 45s, 5m, 2h".to_owned())
}

/// The same for one meeting: from a second to ten minutes.
pub(super) fn short_wait(text: &str) -> Result<Duration, String> {
    let range = Duration::from_secs(1)..=Duration::from_secs(600);
    wait(text).and_then(|time| if range.contains(&time) { Ok(time) } else { Err("write 1s to 10m".into()) })
}

/// Reads a server's name: the short one, or the full one that begins with it.
pub(super) fn server(text: &str) -> Result<ServerName, NameError> {
    let short = text.split('.').next().filter(|short| !short.is_empty());
    short.unwrap_or(text).parse()
}

#[derive(Debug, Args)]
pub(super) struct ManifestPath {
    /// The manifest: a file, or a directory whose .yaml files are merged
    #[arg(default_value = ".")]
    pub(super) path: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Output {
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(super) format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Format {
    /// For people
    Human,
    /// For programs; stable
    Json,
}

impl Output {
    pub(super) fn name(&self) -> &'static str {
        match self.format {
            Format::Human => "human",
            Format::Json => "json",
        }
    }
}
