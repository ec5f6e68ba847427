//! Warnings: what the reader of a plan should know, though no step does anything about it. Each subject has a file with its
//! warnings and their sentences.

mod auth;
mod expiry;
mod hybrid;
mod run;
mod selection;
mod server;
mod service;
mod words;

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::VariantNames;

pub use self::{
    auth::{AuthWarning, FederationCertificate},
    expiry::{ExpiryNotice, RenewalToCome, RenewedElsewhere},
    hybrid::HybridWarning,
    run::{NoKeyBecause, RunWarning},
    selection::{LoggedEvent, SelectionWarning},
    server::{PartnersSee, ServerWarning},
    service::ServiceWarning,
};
use super::diagnostic::{Coded, Diagnostic, FromSentence};
use crate::model::schema::JsonSchema;

/// The subjects. Files hold the code of the warning itself, not the subject.
macro_rules! subjects {
    ($($(#[$doc:meta])* $subject:ident($warning:ident),)*) => {
        /// Something that the reader of a plan should know.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(untagged)]
        pub enum Warning {
            $($(#[$doc])* $subject($warning),)*
        }

        impl Warning {
            /// Its stable code, which `certwright explain` knows.
            pub fn code(&self) -> &'static str {
                match self {
                    $(Self::$subject(warning) => warning.into(),)*
                }
            }

            /// The codes of all warnings.
            pub fn codes() -> impl Iterator<Item = &'static str> {
                [$($warning::VARIANTS,)*].into_iter().flatten().copied()
            }
        }

        impl Coded for Warning {
            fn diagnostic(&self) -> Diagnostic {
                match self {
                    $(Self::$subject(warning) => warning.diagnostic(),)*
                }
            }
        }

        $(impl From<$warning> for Warning {
            fn from(warning: $warning) -> Self {
                Self::$subject(warning)
            }
        })*
    };
}

subjects! {
    /// Which certificates places will present.
    Selection(SelectionWarning),
    /// A server and its stores.
    Server(ServerWarning),
    /// How services are set up.
    Service(ServiceWarning),
    /// Certificates that sign tokens.
    Auth(AuthWarning),
    /// The end of what is in use.
    Expiry(ExpiryNotice),
    /// Microsoft 365.
    Hybrid(HybridWarning),
    /// The plan and its run.
    Run(RunWarning),
}

impl FromSentence for Warning {
    fn from_sentence(text: String) -> Self {
        RunWarning::Other { text }.into()
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.diagnostic().fmt(f)
    }
}
