//! What one file shows of the organization.

use super::folder::{File, Form};
use crate::model::{
    organization::{Observed, Organization},
    time::Timestamp,
};

/// What one file shows.
pub(super) struct Part {
    /// The file.
    pub(super) file: String,
    /// When it was captured.
    pub(super) at: Option<Timestamp>,
    /// Whether the driver that looked can answer Exchange's questions.
    pub(super) answers_prompts: bool,
    /// What it could not show, and why.
    pub(super) notes: Vec<String>,
    /// What it shows; all else is unknown.
    pub(super) organization: Organization,
}

/// Reads files. What cannot be read is a note.
pub(super) fn read(files: Vec<File>) -> (Vec<Part>, Vec<String>) {
    let (mut parts, mut notes) = (Vec::new(), Vec::new());
    for file in files {
        let read = match file.form {
            Form::Json => observation(&file),
            Form::Clixml | Form::Failure => continue,
        };
        match read {
            Ok(part) => parts.push(part),
            Err(why) => notes.push(format!("{} is left out: {why}", file.name)),
        }
    }
    (parts, notes)
}

/// An observation that was saved.
fn observation(file: &File) -> Result<Part, String> {
    let mut deserializer = serde_json::Deserializer::from_slice(&file.bytes);
    let observed: Observed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let place = error.path().to_string();
        let inner = error.into_inner();
        if place == "." { inner.to_string() } else { format!("at {place}: {inner}") }
    })?;
    if observed.version != Observed::VERSION {
        return Err(format!(
            "its format is {}; this certwright reads format {}",
            observed.version,
            Observed::VERSION
        ));
    }
    Ok(Part {
        file: file.name.clone(),
        at: Some(observed.at),
        answers_prompts: observed.answers_prompts,
        notes: observed.notes,
        organization: observed.organization,
    })
}
