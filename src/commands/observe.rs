//! `certwright observe`: what the servers say.

use std::path::Path;

use super::{
    CommandError, Exit, Terminal, files,
    session::{Look, Session},
};
use crate::drivers::capture::{EDGE_SCRIPT, SCRIPT};

/// Observes the servers of a manifest, and saves what was seen when a file is named.
pub fn run(
    path: &Path,
    capture: Option<&Path>,
    save: Option<&Path>,
    format: &str,
    terminal: Terminal,
) -> Result<Exit, CommandError> {
    let look = capture.map(|capture| Look { capture: Some(capture), at: None });
    let observed = Session::open_looking_at(path, look)?.look()?;
    match save {
        Some(file) => {
            files::write_json(file, &observed)?;
            terminal.say(&format!("observation saved in {}", file.display()));
        }
        None => terminal.show(|out| terminal.view(format).observed(&observed, out))?,
    }
    Ok(Exit::Done)
}

/// Prints the script that captures an organization where certwright cannot reach it.
pub fn print_script(edge: bool, terminal: Terminal) -> Result<Exit, CommandError> {
    let script = if edge { EDGE_SCRIPT } else { SCRIPT };
    terminal.show(|out| out.write_all(script.as_bytes()))?;
    Ok(Exit::Done)
}
