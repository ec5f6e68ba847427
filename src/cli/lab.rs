//! The arguments of `certwright lab`, a simulated organization.

use std::path::PathBuf;

use clap::Subcommand;

use super::common::ManifestPath;
use crate::{
    commands::{self, CommandError, Exit, Terminal},
    model::{
        names::{IssuerName, ServerName},
        time::{Span, Timestamp},
    },
};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(super) enum Lab {
    /// Sets up the lab, if it is not set up yet
    SetUp(ManifestPath),
    /// Creates a lab from a capture: the same names, dates and bindings, with new keys
    From {
        /// The capture: a folder, or one file
        capture: PathBuf,
        /// The lab's directory
        directory: PathBuf,
        /// The organization, by the name of its forest, where the capture holds several
        #[arg(long, value_name = "FOREST")]
        organization: Option<String>,
        /// The lab's time [default: when the capture was made]
        #[arg(long, value_name = "MOMENT")]
        at: Option<Timestamp>,
    },
    /// Deletes the lab's state and sets it up again
    Reset(ManifestPath),
    /// Serves every endpoint of the lab on loopback
    Serve {
        #[command(flatten)]
        manifest: ManifestPath,
        /// Stop after SECONDS
        #[arg(long, value_name = "SECONDS")]
        seconds: Option<u64>,
    },
    /// Plays the CA: signs the requests that are waiting
    Answer {
        #[command(flatten)]
        manifest: ManifestPath,
        /// The CA of the lab that signs, if it has several and none is called like the issuer
        #[arg(long, value_name = "NAME")]
        authority: Option<IssuerName>,
        /// The lifetime of the certificates: 47d, 200d
        #[arg(long, value_name = "SPAN", default_value = "47d")]
        lifetime: Span,
    },
    /// Plays the Hybrid Configuration Wizard on the lab's connectors
    Wizard(ManifestPath),
    /// Plays the person who renews an Edge subscription
    Subscribe {
        /// The Edge server
        edge: ServerName,
        #[command(flatten)]
        manifest: ManifestPath,
    },
    /// Shows or moves the lab's clock
    Clock {
        #[command(flatten)]
        manifest: ManifestPath,
        /// Set it to this time
        #[arg(long, value_name = "MOMENT")]
        set: Option<Timestamp>,
        /// Move it forward: 48h, 30d
        #[arg(long, value_name = "SPAN", conflicts_with = "set")]
        advance: Option<Span>,
    },
}

impl Lab {
    pub(super) fn run(self, terminal: Terminal) -> Result<Exit, CommandError> {
        match self {
            Self::SetUp(manifest) => commands::lab::set_up(&manifest.path, terminal),
            Self::From { capture, directory, organization, at } => {
                commands::lab::from(&capture, organization.as_deref(), &directory, at, terminal)
            }
            Self::Wizard(manifest) => commands::lab::wizard(&manifest.path, terminal),
            Self::Subscribe { edge, manifest } => commands::lab::subscribe(&manifest.path, &edge, terminal),
            Self::Reset(manifest) => commands::lab::reset(&manifest.path, terminal),
            Self::Serve { manifest, seconds } => commands::lab::serve(&manifest.path, seconds, terminal),
            Self::Answer { manifest, authority, lifetime } => {
                commands::lab::answer(&manifest.path, authority.as_ref(), lifetime, terminal)
            }
            Self::Clock { manifest, set, advance } => {
                commands::lab::clock(&manifest.path, set, advance, terminal)
            }
        }
    }
}
