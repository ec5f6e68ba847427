//! `certwright observe`: what the servers say.

use std::path::Path;

use super::{
    CommandError, Exit, Terminal,
    captures::whole_capture,
    files, next,
    overwriting::{self, Inputs},
    session::{Look, Session, wall_clock},
};
use crate::{
    drivers::capture::{EDGE_SCRIPT, SCRIPT},
    model::{shown::ShowPath, time::Timestamp},
};

/// What the command line says.
#[derive(Clone, Copy, Debug)]
pub struct ObserveOptions<'a> {
    /// The manifest; without one beside a capture, everything in the capture is shown.
    pub manifest: Option<&'a Path>,
    /// A capture instead of the servers.
    pub capture: Option<&'a Path>,
    /// The forest that counts, where the capture holds several.
    pub organization: Option<&'a str>,
    /// The time to count days from; without it now.
    pub at: Option<Timestamp>,
    /// The file to save the observation in.
    pub save: Option<&'a Path>,
}

/// Observes the servers of a manifest or of a capture, and saves what was seen when a file is named.
pub fn run(options: &ObserveOptions<'_>, format: &str, terminal: Terminal) -> Result<Exit, CommandError> {
    let ObserveOptions { manifest, capture, organization, at, save } = *options;
    let named: Vec<&Path> =
        manifest.into_iter().chain(capture.is_none().then_some(Path::new("."))).take(1).collect();
    let others: Vec<&Path> = capture.into_iter().collect();
    overwriting::refuse(save, Inputs { manifests: &named, others: &others, ..Inputs::default() })?;
    let (observed, now) = match (manifest, capture) {
        (None, Some(capture)) => {
            let observed = whole_capture(capture, organization, at, wall_clock())?;
            let now = at.unwrap_or_else(wall_clock).max(observed.at);
            (observed, now)
        }
        (manifest, capture) => {
            let look = (capture.is_some() || at.is_some()).then_some(Look { capture, at });
            let session = Session::open_looking_at(manifest.unwrap_or(Path::new(".")), look)?;
            let observed = session.look()?;
            (observed, session.driver.now())
        }
    };
    match save {
        Some(file) => {
            files::write_json(file, &observed)?;
            terminal.say(&format!("observation saved in {}", file.shown()));
            if terminal.err_is_terminal {
                terminal.suggest(&[next::after_observe(manifest, file)]);
            }
        }
        None => terminal.show(|out| terminal.view(format).observed(&observed, now, out))?,
    }
    Ok(Exit::Done)
}

/// Prints the script that captures an organization where certwright cannot reach it.
pub fn print_script(edge: bool, terminal: Terminal) -> Result<Exit, CommandError> {
    let script = if edge { EDGE_SCRIPT } else { SCRIPT };
    terminal.show(|out| out.write_all(script.as_bytes()))?;
    Ok(Exit::Done)
}
