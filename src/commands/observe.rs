//! `certwright observe`: what the servers say.

use std::path::Path;

use super::{CommandError, Exit, Terminal, files, session::Session};

/// Observes the servers of a manifest, and saves what was seen when a file is named.
pub fn run(path: &Path, save: Option<&Path>, format: &str, terminal: Terminal) -> Result<Exit, CommandError> {
    let observed = Session::open(path)?.observe()?;
    match save {
        Some(file) => {
            files::write_json(file, &observed)?;
            terminal.say(&format!("observation saved in {}", file.display()));
        }
        None => terminal.show(|out| terminal.view(format).observed(&observed, out))?,
    }
    Ok(Exit::Done)
}
