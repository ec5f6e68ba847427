//! `certwright explain`: what certwright says, and what Exchange does, in more words. Offline.

pub mod smtp;

use super::{CommandError, Exit, Terminal};
use crate::{
    explain::{self, Explanation, catalogue},
    manifest::suggestion::suggestion,
};

/// Explains an id, or finds what stands in a message; without words, lists everything.
pub fn run(words: &[String], format: &str, terminal: Terminal) -> Result<Exit, CommandError> {
    let words = words.join(" ");
    if words.trim().is_empty() {
        let all: Vec<&Explanation> = catalogue().iter().collect();
        terminal.show(|out| terminal.view(format).catalogue(&all, out))?;
        return Ok(Exit::Done);
    }
    let mut found = explain::find(&words);
    if found.is_empty() {
        found = explain::search(&words);
    }
    if found.is_empty() {
        return Err(unknown(&words));
    }
    let shown = &found[..found.len().min(MOST)];
    terminal.show(|out| terminal.view(format).entries(shown, out))?;
    if found.len() > MOST {
        let others: Vec<&str> = found[MOST..].iter().take(NAMED).map(|entry| entry.id).collect();
        let more = if found.len() > MOST + NAMED { ", ..." } else { "" };
        terminal.say(&format!("also: {}{more}", others.join(", ")));
    }
    Ok(Exit::Done)
}

/// With the nearest ids.
fn unknown(words: &str) -> CommandError {
    let error = CommandError::new(Exit::Usage, format!("there is nothing about `{words}` to explain"));
    let known: Vec<&str> = catalogue().iter().map(|entry| entry.id).collect();
    let near = suggestion(&explain::with_hyphens(words), &known);
    let error = if near.starts_with("did you mean") { error.hint(near) } else { error };
    error
        .hint("`certwright explain` lists everything; a part of a message or its number is enough to find it")
}

/// So many entries are shown whole.
const MOST: usize = 3;
/// So many others are named.
const NAMED: usize = 5;
