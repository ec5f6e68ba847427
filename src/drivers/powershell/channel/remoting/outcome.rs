//! What came of a request: what was said beside it, and how it is answered.

use serde_json::{Value as Json, json};

use super::super::super::{answer::Mutated, error::PowerShellError, request::Request};
use crate::remoting::{ErrorRecord, RemotingError};

/// What is known of a request while it is carried out.
pub(super) struct Outcome {
    pub(super) what_if: bool,
    pub(super) warnings: Vec<String>,
    pub(super) would: Vec<String>,
    pub(super) mutated: Mutated,
    /// Whether a cmdlet that changes something was called.
    pub(super) begun: bool,
    /// The cmdlet that was called last.
    pub(super) cmdlet: String,
}

/// Why a request was not carried out to its end.
pub(super) enum Stop {
    /// The server said no, or something is not as it has to be. The session goes on.
    Answered(Json),
    /// The conversation failed.
    Broken(Box<PowerShellError>),
}

impl Stop {
    /// A condition that is found here, and not by a cmdlet.
    pub(super) fn condition(kind: &'static str, message: impl Into<String>) -> Self {
        Self::Answered(json!({ "kind": kind, "message": message.into() }))
    }

    /// An error of a cmdlet.
    pub(super) fn record(record: &ErrorRecord) -> Self {
        let types: Vec<&String> = record.exceptions.iter().flat_map(|exception| &exception.types).collect();
        Self::Answered(json!({
            "kind": null,
            "message": record.message,
            "fqid": record.fully_qualified_error_id,
            "category": record.category.name(),
            "types": types,
        }))
    }

    /// What it says, for a warning.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Answered(facts) => facts["message"].as_str().unwrap_or_default().to_owned(),
            Self::Broken(error) => error.to_string(),
        }
    }
}

impl From<RemotingError> for Stop {
    fn from(error: RemotingError) -> Self {
        Self::Broken(Box::new(PowerShellError::Remoting(Box::new(error))))
    }
}

impl Outcome {
    pub(super) fn of(request: &Request) -> Self {
        Self {
            what_if: request.what_if,
            warnings: Vec::new(),
            would: Vec::new(),
            mutated: Mutated::No,
            begun: false,
            cmdlet: String::new(),
        }
    }

    /// The answer, as the driver script writes it.
    pub(super) fn good(&self, id: u64, result: &Json) -> Json {
        json!({ "v": 1, "id": id, "ok": true, "result": result, "warnings": self.warnings, "would": self.would })
    }

    /// The answer that it could not be done.
    pub(super) fn bad(&self, id: u64, mut facts: Json) -> Json {
        facts["cmdlet"] = self.cmdlet.as_str().into();
        facts["mutated"] = match self.mutated {
            Mutated::No => "no",
            Mutated::Yes => "yes",
            Mutated::Unknown => "unknown",
        }
        .into();
        json!({ "v": 1, "id": id, "ok": false, "error": facts, "warnings": self.warnings })
    }

    /// What a conversation that failed leaves: doubt, when a change had begun.
    pub(super) fn broken(&self, error: PowerShellError) -> PowerShellError {
        match (error, self.mutated) {
            (PowerShellError::Remoting(error), Mutated::Yes | Mutated::Unknown) => {
                PowerShellError::RemotingInDoubt(error)
            }
            (error, _) => error,
        }
    }
}
