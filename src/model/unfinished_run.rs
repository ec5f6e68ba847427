//! A run that did not come to its end, as whoever looks at the organization is told of it.

use serde::{Deserialize, Serialize};

use super::{
    diagnostic::{Diagnostic, Severity, Subject},
    schema::JsonSchema,
};

/// The newest run, when it did not come to its end: what is planned and seen now is not all of the story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnfinishedRun {
    /// The run, as `certwright history` names it.
    pub run: String,
    /// How many of its steps are done.
    pub done: usize,
    /// How many steps it has.
    pub steps: usize,
    /// The command that goes on with it.
    pub go_on: String,
    /// Whether the plan that is shown beside it is what is left of it; what else the manifest says is planned when it is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_shown: bool,
}

impl UnfinishedRun {
    /// Its stable code.
    pub const CODE: &'static str = "unfinished-run";

    /// It as a sentence.
    pub fn sentence(&self) -> String {
        format!("Run{}.", self.diagnostic().to_string().trim_start_matches("run"))
    }

    /// It in the shape that all messages share. A run may wait for days, so it is worth knowing and no fault.
    pub fn diagnostic(&self) -> Diagnostic {
        let Self { run, done, steps, go_on, is_shown } = self;
        let message = format!("run {run} is not finished: {done} of {steps} steps are done");
        Diagnostic::new(Self::CODE, Severity::Notice, Subject::default(), message)
            .hinted(if *is_shown {
                format!(
                    "this is the rest of its plan, and `{go_on}` goes on with it; what else the manifest says is planned when it is over"
                )
            } else {
                format!("`{go_on}` goes on with it")
            })
    }
}
