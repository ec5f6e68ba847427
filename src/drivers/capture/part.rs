//! What one file shows of the organization.

use super::{
    exports::{self, Export, Known},
    folder::{File, Form},
};
use crate::model::{
    organization::{Observed, Organization},
    time::Timestamp,
};

/// What one file shows.
pub(super) struct Part {
    /// The file.
    pub(super) file: String,
    /// Whether the driver that looked can answer Exchange's questions.
    pub(super) answers_prompts: bool,
    /// What it could not show, and why.
    pub(super) notes: Vec<String>,
    /// The forest that it is of, when it says so.
    pub(super) forest: Option<String>,
    /// The latest change of any object in it: it was captured then or later.
    pub(super) changed: Option<Timestamp>,
    /// What it shows; all else is unknown.
    pub(super) organization: Organization,
}

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
}

/// Reads files. What cannot be read is a note.
pub(super) fn read(files: &[File]) -> Parts {
    let mut read = Parts::default();
    let (mut exported, mut unreadable): (Vec<Export>, Vec<&File>) = (Vec::new(), Vec::new());
    for file in files {
        match file.form {
            Form::Json => match observation(file) {
                Ok((part, at)) => {
                    read.parts.push(part);
                    read.said.push(at);
                }
                Err(why) => read.leave_out(file, &why),
            },
            Form::Clixml => match exports::open(file) {
                Ok(export) => exported.push(export),
                Err(why) => {
                    read.leave_out(file, &why);
                    unreadable.push(file);
                }
            },
            Form::Failure => {}
        }
    }
    let mut known = Known::default();
    for export in &exported {
        export.list_servers(&mut known);
    }
    for export in &exported {
        let (parts, notes) = export.parts(&known);
        read.parts.extend(parts);
        read.notes.extend(notes);
        read.said.extend(export.said_time());
    }
    read.listed = known.forests();
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

impl Part {
    /// The forest that it is of and the one that is looked at, when they are not the same.
    pub(super) fn is_of_another<'a>(
        &'a self,
        wanted: Option<&'a String>,
    ) -> Option<(&'a String, &'a String)> {
        self.forest.as_ref().zip(wanted).filter(|(of, wanted)| of != wanted)
    }
}

impl Parts {
    fn leave_out(&mut self, file: &File, why: &str) {
        self.notes.push(format!("{} is left out: {why}", file.name));
    }
}

/// An observation that was saved, and when it was made.
fn observation(file: &File) -> Result<(Part, Timestamp), String> {
    let mut deserializer = serde_json::Deserializer::from_slice(&file.bytes);
    let observed: Observed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let place = error.path().to_string();
        let inner = error.into_inner();
        if matches!(place.as_str(), "." | "?") { inner.to_string() } else { format!("at {place}: {inner}") }
    })?;
    if observed.version != Observed::VERSION {
        return Err(format!(
            "its format is {}; this certwright reads format {}",
            observed.version,
            Observed::VERSION
        ));
    }
    let part = Part {
        file: file.name.clone(),
        answers_prompts: observed.answers_prompts,
        notes: observed.notes,
        forest: None,
        changed: None,
        organization: observed.organization,
    };
    Ok((part, observed.at))
}
