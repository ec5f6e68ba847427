//! `certwright explain`: what certwright says, and what Exchange does, in more words. Offline.

pub mod smtp;

use super::{CommandError, Exit, Terminal};
use crate::{
    explain::{self, Explanation, catalogue},
    manifest::yaml::suggestion,
};

/// Explains an id; without one, lists them all.
pub fn run(id: Option<&str>, format: &str, terminal: Terminal) -> Result<Exit, CommandError> {
    let Some(id) = id else {
        let all: Vec<&Explanation> = catalogue().iter().collect();
        terminal.show(|out| terminal.view(format).catalogue(&all, out))?;
        return Ok(Exit::Done);
    };
    let found = explain::find(id);
    if found.is_empty() {
        return Err(unknown(id));
    }
    terminal.show(|out| terminal.view(format).entries(&found, out))?;
    Ok(Exit::Done)
}

/// With the nearest ids, or those that have the word in their text.
fn unknown(id: &str) -> CommandError {
    let error = CommandError::new(Exit::Usage, format!("there is nothing called `{id}` to explain"));
    let word = id.to_lowercase();
    let says = |text: &str| text.to_lowercase().contains(&word);
    let telling = catalogue().iter().filter(|entry| says(&entry.means) || says(&entry.why));
    let telling: Vec<&str> = telling.map(|entry| entry.id).take(5).collect();
    let known: Vec<&str> = catalogue().iter().map(|entry| entry.id).collect();
    let near = suggestion(&explain::with_hyphens(id), &known);
    let error = if near.starts_with("did you mean") { error.hint(near) } else { error };
    let error = if telling.is_empty() || word.len() < 3 {
        error
    } else {
        error.hint(format!("the word stands in: {}", telling.join(", ")))
    };
    error.hint("see all ids with: certwright explain")
}
