//! What the files of a capture show of the organization.

use std::collections::BTreeMap;

use super::{
    exports,
    folder::{File, Files, Form},
    foreign, words,
};
use crate::{
    drivers::objects::{CmdletAnswer, KnownServers, Part},
    json,
    model::{names::ServerName, organization::Observed, time::Timestamp},
    wire::clixml,
};

/// What all files show.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) parts: Vec<Part>,
    /// What has to be said about the files.
    pub(super) notes: Vec<String>,
    /// When the files say that they were made.
    pub(super) said: Vec<Timestamp>,
    /// The forests of which the list of servers is there.
    pub(super) listed: Vec<String>,
    /// The servers of each forest of which every server is listed.
    pub(super) complete: BTreeMap<Option<String>, Vec<ServerName>>,
}

/// Reads files. What cannot be read is a note.
pub(super) fn read(files: Files) -> Parts {
    let Files { files, notes, .. } = files;
    let mut read = Parts { notes, ..Parts::default() };
    let (mut answers, mut unreadable): (Vec<(&File, CmdletAnswer)>, Vec<&File>) = (Vec::new(), Vec::new());
    let mut foreign = Vec::new();
    for file in &files {
        if let Some(why) = foreign::display(file) {
            read.leave_out(file, &why);
            continue;
        }
        match open(file) {
            Opened::Observation(part, at) => {
                read.parts.push(*part);
                read.said.push(at);
            }
            Opened::Answer(answer) => answers.push((file, *answer)),
            Opened::Foreign(why) => foreign.push((file.name.as_str(), why)),
            Opened::Unreadable(why) => {
                read.leave_out(file, &why);
                unreadable.push(file);
            }
            Opened::Later => {}
        }
    }
    read.notes.extend(left_out(&foreign));
    confirm(&mut answers);
    let mut known = KnownServers::default();
    for (_, answer) in &answers {
        answer.list_servers(&mut known);
    }
    for (_, answer) in &answers {
        let (parts, notes) = answer.parts(&known);
        read.parts.extend(parts);
        read.notes.extend(notes);
        read.said.extend(answer.said_time());
    }
    read.listed = known.forests();
    read.complete = known.complete();
    // What such a file would have shown is unknown for that reason. One that does not tell what it is shows nothing.
    let broken = |file: &&File| exports::unknown(file, &known, &format!("{} cannot be read", file.name)).ok();
    read.parts.extend(unreadable.iter().filter_map(broken));
    for file in files.iter().filter(|file| file.form == Form::Failure) {
        match exports::failure(file, &known) {
            Ok(part) => read.parts.push(part),
            Err(why) => read.leave_out(file, &why),
        }
    }
    read
}

/// What a file is.
enum Opened {
    /// An observation that was saved, and when it was made.
    Observation(Box<Part>, Timestamp),
    /// What a cmdlet answered.
    Answer(Box<CmdletAnswer>),
    /// Objects of a cmdlet that nobody asked, and how that is known.
    Foreign(String),
    /// It cannot be used, and why.
    Unreadable(String),
    /// It is read when all the others are.
    Later,
}

fn open(file: &File) -> Opened {
    let document = match file.form {
        Form::Json => match observation(file) {
            Ok(Some((part, at))) => return Opened::Observation(Box::new(part), at),
            Err(why) => return Opened::Unreadable(why),
            Ok(None) => clixml::read_json(&file.bytes),
        },
        Form::Clixml => clixml::read(&file.bytes),
        Form::Failure | Form::Display => return Opened::Later,
    };
    match document.map(|document| exports::answer(file, document)) {
        Ok(Ok(answer)) => Opened::Answer(Box::new(answer)),
        Ok(Err(why)) => Opened::Foreign(why),
        Err(error) => Opened::Unreadable(error.to_string()),
    }
}

/// The printed script says of each of its files that the cmdlet came to its end without an error.
fn confirm(answers: &mut [(&File, CmdletAnswer)]) {
    let lists: Vec<(&File, Vec<String>)> =
        answers.iter().map(|(file, answer)| (*file, answer.completed_files())).collect();
    for (list, completed) in lists.iter().filter(|(_, completed)| !completed.is_empty()) {
        for (_, answer) in answers
            .iter_mut()
            .filter(|(file, _)| file.is_beside(list) && completed.iter().any(|name| name == file.stem()))
        {
            answer.complete();
        }
    }
}

/// One line for files that do not count, however many there are.
fn left_out(files: &[(&str, String)]) -> Option<String> {
    match files {
        [] => None,
        [(file, why)] => Some(format!("{file} is left out: {why}")),
        [..] => Some(format!(
            "{} files are of cmdlets that say nothing about certificates, and left out: {}; one that counts is told by its name, like EX01.Get-WebBinding.xml",
            files.len(),
            words::listed(files.iter().map(|(file, _)| *file)),
        )),
    }
}

impl Parts {
    fn leave_out(&mut self, file: &File, why: &str) {
        self.notes.push(format!("{} is left out: {why}", file.name));
    }
}

/// An observation that was saved, and when it was made; nothing when the file is none.
fn observation(file: &File) -> Result<Option<(Part, Timestamp)>, String> {
    let text = clixml::text(&file.bytes).map_err(|error| error.to_string())?;
    // A list, or an object that has nothing of an observation, is of ConvertTo-Json.
    let is_observation = |text: &str| {
        let head = &text[..floor(text, HEAD)];
        let begins = head
            .trim_start()
            .strip_prefix('{')
            .is_some_and(|rest| rest.trim_start().starts_with("\"version\""));
        begins || ["\"driver\"", "\"at\""].iter().all(|key| head.contains(key))
    };
    if !is_observation(&text) {
        return Ok(None);
    }
    let observed: Observed = json::read(text.as_bytes()).map_err(|mistake| mistake.to_string())?;
    if observed.version != Observed::VERSION {
        return Err(format!(
            "its format is {}; this certwright reads format {}",
            observed.version,
            Observed::VERSION
        ));
    }
    let part = Part {
        answers_prompts: observed.answers_prompts,
        notes: observed.notes,
        ..Part::new(&file.name, observed.organization)
    };
    Ok(Some((part, observed.at)))
}

/// The last place not after `at` at which a text can be cut.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// An observation begins with its version, within so many bytes.
const HEAD: usize = 400;
