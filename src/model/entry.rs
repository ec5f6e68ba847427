//! The journal of a run: what was about to be done, written before it was, and what came of it, written after.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    action::StepId, certificate::Der, endpoint::Endpoint, failure::FailureCode, names::ServerName,
    plan::Plan, schema::JsonSchema, text::on_one_line, thumbprint::Thumbprint, time::Timestamp,
};

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "entry", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
#[schemars(transform = with_writer)]
pub enum Entry {
    /// The run begins. Its plan is kept beside the journal, so that a journal grows with what was done.
    Opened {
        /// The format of the journal.
        version: u32,
        /// When.
        at: Timestamp,
        /// The program, host and process.
        by: Holder,
        /// What will be done.
        plan: RecordedPlan,
    },
    /// The run goes on after it had ended or died. What was done is not done again.
    Resumed {
        /// When.
        at: Timestamp,
        /// Who goes on with it.
        by: Holder,
    },
    /// A step is about to be done.
    Started {
        /// When.
        at: Timestamp,
        /// Which.
        step: StepId,
    },
    /// It was done.
    Finished {
        /// When.
        at: Timestamp,
        /// Which.
        step: StepId,
        /// What came of it.
        output: StepOutput,
    },
    /// It waits for something outside. The run ends for now; the next one goes on.
    Parked {
        /// When.
        at: Timestamp,
        /// Which.
        step: StepId,
        /// What it waits for.
        until: String,
    },
    /// It was interrupted, and whether it was done is not known. A step that was started and has no end means the same.
    Doubtful {
        /// When.
        at: Timestamp,
        /// Which.
        step: StepId,
        /// What kind of failure; certwright 0.1 wrote none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<FailureCode>,
        /// What went wrong: the error and its causes.
        error: String,
    },
    /// Nobody saw it end, and the organization shows that it was done.
    Found {
        /// When it was looked for.
        at: Timestamp,
        /// Which.
        step: StepId,
        /// What came of it.
        output: StepOutput,
    },
    /// It was tried, and nothing was done.
    Failed {
        /// When.
        at: Timestamp,
        /// Which.
        step: StepId,
        /// What kind of failure; certwright 0.1 wrote none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<FailureCode>,
        /// What went wrong: the error and its causes.
        error: String,
    },
    /// The run ends.
    Closed {
        /// When.
        at: Timestamp,
        /// How.
        outcome: Outcome,
    },
    /// Written by a process that had lost the lock: it does not count. Only reading makes it.
    #[serde(skip)]
    Stray {
        /// When.
        at: Timestamp,
    },
}

/// What a line of a journal has besides its entry.
#[cfg(feature = "schemas")]
fn with_writer(schema: &mut schemars::Schema) {
    let entries = schema.get_mut("oneOf").and_then(|entries| entries.as_array_mut());
    for entry in entries.into_iter().flatten() {
        if let Some(fields) = entry.get_mut("properties").and_then(|fields| fields.as_object_mut()) {
            let writer = "Who wrote the line: a token of each process that opened the journal; absent in those of 0.1.";
            fields.insert("writer".into(), serde_json::json!({ "type": "string", "description": writer }));
            let first =
                "That the writer takes over with this line: what others write behind it does not count.";
            fields.insert("first".into(), serde_json::json!({ "type": "boolean", "description": first }));
        }
    }
}

/// The plan of a run, as its journal has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RecordedPlan {
    /// In the file `plan.json` of the run.
    Beside(PlanDigest),
    /// In the journal itself: how certwright 0.1 wrote it, and what reading a run makes of the other.
    Whole(Box<Plan>),
}

/// What tells a plan from every other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanDigest {
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// Who runs or holds something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Holder {
    /// The person or account.
    pub user: String,
    /// The machine.
    pub host: String,
    /// The process on it.
    pub process: u32,
}

/// Whoever writes into a store chooses these texts.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", on_one_line(&self.user), on_one_line(&self.host))
    }
}

/// What a step leaves for the steps after it and for the reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum StepOutput {
    /// It was done; there is no more to say.
    Done,
    /// A certificate.
    Certificate {
        /// Which.
        thumbprint: Thumbprint,
        /// Until when it is valid.
        not_after: Timestamp,
        /// The server that gave its key, where the planned one did not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key_from: Option<OtherSource>,
    },
    /// A request that waits for its certificate.
    Request {
        /// Its stand-in certificate.
        thumbprint: Thumbprint,
        /// SHA-256 of its public key in hexadecimal.
        public_key: String,
        /// The request itself (PKCS#10), so that its file can be written again; journals before 0.2 lack it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<Der>,
    },
    /// A file in the run's folder.
    File {
        /// Its name there.
        name: String,
        /// SHA-256 of its bytes, in hexadecimal.
        sha256: String,
    },
    /// What endpoints were seen to serve.
    Served {
        /// Each endpoint and the certificate it presented.
        endpoints: Vec<(Endpoint, Thumbprint)>,
    },
}

/// A server that gave a key in the place of the planned one.
// facts 8.6
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OtherSource {
    /// The server.
    pub server: ServerName,
    /// Whether the planned one says that the key cannot be exported there; else it could not be asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}

impl fmt::Display for OtherSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = if self.refused {
            "it does not come out of the planned one"
        } else {
            "the planned one did not give it"
        };
        write!(f, "the key is from {}: {why}", self.server)
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// Every step was done.
    Converged,
    /// A step failed; those that depend on it were not tried.
    Stopped,
    /// Nothing failed, and something outside is waited for.
    Waiting,
    /// It did not come to its end, and nobody will go on with it.
    Abandoned,
}

impl RecordedPlan {
    /// The plan; none when it is in a file that was not read.
    pub fn plan(&self) -> Option<&Plan> {
        match self {
            Self::Beside(_) => None,
            Self::Whole(plan) => Some(plan),
        }
    }
}

impl Entry {
    /// The format that this program writes.
    pub const VERSION: u32 = 1;

    /// When it was written.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Opened { at, .. }
            | Self::Resumed { at, .. }
            | Self::Started { at, .. }
            | Self::Finished { at, .. }
            | Self::Parked { at, .. }
            | Self::Doubtful { at, .. }
            | Self::Found { at, .. }
            | Self::Failed { at, .. }
            | Self::Closed { at, .. }
            | Self::Stray { at } => *at,
        }
    }
}
