//! What a command put out.

use super::{endpoint::Limits, error::RemotingError};
use crate::wire::{
    clixml::{Document, Value},
    psrp::{ErrorRecord, Event, PipelineState},
};

/// What a command put out, and how it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The objects, each the only root of its document.
    pub objects: Vec<Document>,
    /// The same objects, as the server wrote each.
    pub written: Vec<Vec<u8>>,
    /// The records of the error stream. A cmdlet that completed may have written some.
    pub errors: Vec<ErrorRecord>,
    /// The warnings.
    pub warnings: Vec<String>,
    /// The questions that were answered with *No*.
    pub declined: Vec<String>,
    /// How it ended.
    pub end: End,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// At its end.
    Completed,
    /// By an error.
    Failed(ErrorRecord),
    /// The server stopped it.
    Stopped,
}

impl Output {
    /// The values that were put out, each with the document that it is in.
    pub fn values(&self) -> impl Iterator<Item = (&Document, &Value)> {
        self.objects.iter().flat_map(|object| object.roots().iter().map(move |root| (object, root)))
    }

    /// The first error, be it the one that ended the command or one of the error stream. None is a success.
    pub fn error(&self) -> Option<&ErrorRecord> {
        match &self.end {
            End::Failed(error) => Some(error),
            End::Completed | End::Stopped => self.errors.first(),
        }
    }
}

/// An output in the making, with its bounds.
#[derive(Debug)]
pub(super) struct Collector {
    limits: Limits,
    bytes: usize,
    records: usize,
    output: Output,
}

impl Collector {
    pub(super) fn new(limits: Limits) -> Self {
        let (objects, written, errors, warnings, declined) = Default::default();
        // Overwritten by the last event.
        let output = Output { objects, written, errors, warnings, declined, end: End::Stopped };
        Self { limits, bytes: 0, records: 0, output }
    }

    /// Counts bytes before they are looked at.
    pub(super) fn count(&mut self, bytes: usize) -> Result<(), RemotingError> {
        self.bytes += bytes;
        if self.bytes > self.limits.output {
            Err(RemotingError::TooMuchOutput("the bytes allowed"))
        } else {
            Ok(())
        }
    }

    pub(super) fn declined(&mut self, question: String) {
        self.output.declined.push(question);
    }

    /// How many questions were answered.
    pub(super) fn answers(&self) -> usize {
        self.output.declined.len()
    }

    /// Takes what a pipeline says. Returns the output when it has ended.
    pub(super) fn take(&mut self, event: Event) -> Result<Option<Output>, RemotingError> {
        self.records += 1;
        if self.records > self.limits.records {
            return Err(RemotingError::TooMuchOutput("the objects and records allowed"));
        }
        match event {
            Event::Output(object, written) => {
                self.output.objects.push(object);
                self.output.written.push(written);
            }
            Event::Error(record) => self.output.errors.push(record),
            Event::Warning(text) => self.output.warnings.push(text),
            Event::PipelineState(state, reason) if state.is_final() => {
                let mut output = std::mem::replace(self, Self::new(self.limits)).output;
                output.end = match state {
                    PipelineState::Completed => End::Completed,
                    PipelineState::Failed => End::Failed(reason.unwrap_or_default()),
                    PipelineState::Stopped
                    | PipelineState::NotStarted
                    | PipelineState::Running
                    | PipelineState::Stopping => End::Stopped,
                };
                return Ok(Some(output));
            }
            Event::PipelineState(_, _)
            | Event::Verbose(_)
            | Event::Debug(_)
            | Event::Information(_)
            | Event::Progress
            | Event::Capability
            | Event::PoolState(_, _)
            | Event::PrivateData(_)
            | Event::KeyWanted
            | Event::EncryptedKey(_)
            | Event::HostCall(_, _) => (),
        }
        Ok(None)
    }
}
