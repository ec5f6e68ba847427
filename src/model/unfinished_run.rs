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
}

impl UnfinishedRun {
    /// Its stable code.
    pub const CODE: &'static str = "unfinished-run";

    /// It in the shape that all messages share. A run may wait for days, so it is worth knowing and no fault.
    pub fn diagnostic(&self) -> Diagnostic {
        let Self { run, done, steps, go_on } = self;
        let message = format!("run {run} is not finished: {done} of {steps} steps are done");
        Diagnostic::new(Self::CODE, Severity::Notice, Subject::default(), message)
            .hinted(format!("`{go_on}` goes on with it"))
    }
}
