//! How a step failed.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use crate::model::schema::JsonSchema;

/// A failure of a step: its kind, and what happened in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepFailure {
    /// Its kind; certwright 0.1 wrote none.
    pub code: Option<FailureCode>,
    /// The error and its causes, in one line.
    pub message: String,
}

/// The kind of a failure. Its name in kebab case is its code, which `certwright explain` knows.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    IntoStaticStr,
    VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
pub enum FailureCode {
    /// Exchange refused it.
    Refused,
    /// The server did not answer.
    Unreachable,
    /// The server answered with an error.
    ServerFailed,
    /// The connection broke while it was done.
    OutcomeUnknown,
    /// The load balancer could not be given its certificate.
    BalancerFailed,
    /// The CA issued nothing.
    IssuerFailed,
    /// A backup or another file of the run could not be written or read.
    FileFailed,
    /// The file of a request or of its answer could not be written or read.
    RequestFileFailed,
    /// Endpoints do not serve what they should.
    NotServed,
    /// Exchange reported that SMTP is enabled, and it is not.
    NotEnabled,
    /// What was just imported could not be enabled, and was taken off again.
    TakenBack,
    /// What was just imported could not be enabled, and is still there.
    LeftUnusable,
    /// A connector does not show the name that it was given.
    NotNamed,
    /// A server was restarted, and its load balancer still sends it no clients.
    StillOut,
    /// A binding of IIS still has the certificate that is to be removed.
    StillNamed,
    /// Whether a binding of IIS still has the certificate that is to be removed cannot be seen.
    BindingsUnseen,
    /// The key of a certificate that is to be removed cannot be read.
    KeyNotBackedUp,
    /// The key of a certificate that another server needs cannot be read.
    KeyNotExported,
    /// The plan said that it cannot be done.
    CannotApply,
    /// The plan refers to what is not there.
    BrokenPlan,
}

impl StepFailure {
    /// The message with the first of what it lists only, and how many more there are: one cause has often ten endpoints.
    pub fn first_of_list(&self) -> String {
        match self.message.split(" | ").count() - 1 {
            0 => self.message.clone(),
            more => {
                let first = self.message.split(" | ").next().unwrap_or_default();
                format!("{first}, and {more} more (`certwright history` lists all)")
            }
        }
    }
}

impl FailureCode {
    /// The code.
    pub fn code(self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for StepFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
