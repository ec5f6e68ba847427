//! Where a run writes down what it does.

use super::BoxError;
use crate::model::{
    entry::{Entry, Holder},
    plan::Plan,
    time::Timestamp,
};

/// The journal of one run: lines that are only ever added.
pub trait Journal: Send + Sync {
    /// Begins the run: keeps its plan, and opens the journal with that. What is too large to be read again is refused here,
    /// before anything is done.
    fn open(&self, at: Timestamp, by: &Holder, plan: &Plan) -> Result<(), JournalError>;

    /// Adds an entry. When it returns, the entry will be there after a power cut.
    fn append(&self, entry: &Entry) -> Result<(), JournalError>;

    /// The name of the run.
    fn run(&self) -> &str;
}

/// Why an entry could not be written. Whatever it announced must not be done.
#[derive(Debug, thiserror::Error)]
#[error("the journal of run {run} cannot be written")]
pub struct JournalError {
    /// The run.
    pub run: String,
    /// Why not.
    #[source]
    pub source: BoxError,
}
