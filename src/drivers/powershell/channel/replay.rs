//! Transcripts: what was asked and answered, one exchange a line, without any secret. A recording writes one while it
//! passes everything on; a replay answers from one, and refuses whatever was not asked then. They are for tests: the program
//! writes no transcript.

use std::{io::Write, path::Path, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    super::{error::PowerShellError, redaction::redact_recorded, request::Request},
    Channel,
};

use crate::{
    json::{self, Spacing},
    model::{secret::Secret, shown::ShowPath},
};

/// A line of a transcript.
#[derive(Serialize, Deserialize)]
struct Exchange {
    operation: String,
    /// The arguments, with `{"$secret": n}` for each secret.
    arguments: Json,
    what_if: bool,
    /// The answer, but for its number.
    answer: Json,
}

/// Writes down what goes through another channel.
pub struct Recording<W: Write + Send> {
    channel: Box<dyn Channel>,
    transcript: W,
    /// What its peer was given, and may repeat.
    secrets: Vec<Secret>,
}

/// Answers from a transcript.
pub struct Replay {
    host: String,
    /// Whether it begins with what a script says of itself.
    runs_script: bool,
    exchanges: std::vec::IntoIter<Exchange>,
}

impl<W: Write + Send> Recording<W> {
    /// Records this channel.
    pub fn of(channel: Box<dyn Channel>, transcript: W) -> Self {
        Self { channel, transcript, secrets: Vec::new() }
    }
}

impl<W: Write + Send> Channel for Recording<W> {
    fn exchange(
        &mut self,
        id: u64,
        request: &Request,
        patience: Duration,
    ) -> Result<Vec<u8>, PowerShellError> {
        self.secrets.extend(request.secrets.iter().cloned());
        let answer = self.channel.exchange(id, request, patience)?;
        let mut read: Json = serde_json::from_slice(&answer).unwrap_or_default();
        read["id"] = 0.into();
        // Before anything of it is in a file.
        redact_recorded(&mut read, &self.secrets);
        // A key under a password that nobody knows any more; it has no place in a file all the same.
        if let Some(pfx) = read.get_mut("result").and_then(|result| result.get_mut("pfx")) {
            *pfx = Json::Null;
        }
        let line = Exchange {
            operation: request.operation.into(),
            arguments: request.arguments.clone(),
            what_if: request.what_if,
            answer: read,
        };
        let failed = |error: &dyn std::fmt::Display| PowerShellError::Transcript {
            what: format!("cannot be written: {error}"),
        };
        let mut line = json::bytes(&line, Spacing::Line).map_err(|error| failed(&error))?;
        line.push(b'\n');
        self.transcript.write_all(&line).map_err(|error| failed(&error))?;
        Ok(answer)
    }

    fn host(&self) -> &str {
        self.channel.host()
    }

    fn runs_script(&self) -> bool {
        self.channel.runs_script()
    }
}

impl Replay {
    /// Reads a transcript.
    pub fn open(path: &Path) -> Result<Self, PowerShellError> {
        let broken = |what: String| PowerShellError::Transcript { what: format!("{}: {what}", path.shown()) };
        let text = std::fs::read_to_string(path).map_err(|error| broken(error.to_string()))?;
        Self::of_text(&path.shown().to_string(), &text)
    }

    /// Reads the text of a transcript.
    pub fn of_text(name: &str, text: &str) -> Result<Self, PowerShellError> {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let exchanges: Result<Vec<Exchange>, _> = lines.map(serde_json::from_str).collect();
        let exchanges =
            exchanges.map_err(|error| PowerShellError::Transcript { what: format!("{name}: {error}") })?;
        let runs_script = exchanges.first().is_some_and(|first| first.operation == "session.hello");
        Ok(Self { host: name.into(), runs_script, exchanges: exchanges.into_iter() })
    }
}

impl Channel for Replay {
    fn exchange(&mut self, id: u64, request: &Request, _: Duration) -> Result<Vec<u8>, PowerShellError> {
        let other = |what: String| PowerShellError::Transcript { what };
        let Some(next) = self.exchanges.next() else {
            return Err(other(format!("ends before {}", request.operation)));
        };
        let is_same = next.operation == request.operation
            && next.arguments == request.arguments
            && next.what_if == request.what_if;
        if !is_same {
            return Err(other(format!("has {} where {} is asked", next.operation, request.operation)));
        }
        let mut answer = next.answer;
        answer["id"] = id.into();
        json::bytes(&answer, Spacing::Line).map_err(|error| other(error.to_string()))
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn runs_script(&self) -> bool {
        self.runs_script
    }
}
