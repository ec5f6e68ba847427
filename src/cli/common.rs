//! Arguments that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

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
