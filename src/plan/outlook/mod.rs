//! The outlook: for each certificate of a manifest how long it lasts, where it is used and what comes next; and from that what
//! is due on which day.

mod calendar;
mod lifetimes;
mod view;

use serde::Serialize;

pub use self::{
    calendar::{Calendar, Event, EventKind, Who, calendar},
    lifetimes::{LIMITS, limit_of_public_cas},
    view::outlook,
};
use crate::model::{
    desired::{CertificateId, Origin},
    diagnostic::Diagnostic,
    ending::Ending,
    history::DueRestart,
    names::{IssuerName, ServerName},
    plan::{ChangeKind, LeftAlone},
    schema::JsonSchema,
    server_left_out::ServerLeftOut,
    thumbprint::Thumbprint,
    time::Timestamp,
    unfinished_run::UnfinishedRun,
    unseen::NotSeen,
};

/// How the certificates of an organization are, and what comes next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outlook {
    /// The organization.
    pub organization: String,
    /// The moment that days are counted from.
    pub at: Timestamp,
    /// When the organization was observed.
    pub observed_at: Timestamp,
    /// The certificates of the manifest, in its order.
    pub certificates: Vec<CertificateOutlook>,
    /// Every other certificate in the stores of the servers, the one that ends first at the beginning.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<OtherCertificate>,
    /// Servers of which nobody could see how they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_seen: Vec<NotSeen>,
    /// Servers that the manifest leaves out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<ServerLeftOut>,
    /// What is in use and ends soon or has ended, and no step replaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ending: Vec<Ending>,
    /// Services that still have the certificate from before a change, as far as the journals tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restarts_due: Vec<DueRestart>,
    /// The newest run, when it did not come to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished_run: Option<UnfinishedRun>,
    /// What cannot be done and what is warned of.
    pub diagnostics: Vec<Diagnostic>,
    /// How many of these are about what cannot be done.
    #[serde(skip)]
    pub obstacles: usize,
    /// Certificates that stay for now or that no manifest names.
    #[serde(skip)]
    pub(super) left_alone: Vec<LeftAlone>,
    /// When a staged Auth certificate takes effect.
    #[serde(skip)]
    pub(super) auth_effective: Option<Timestamp>,
    /// Everything that something uses, declared or not, with its end.
    #[serde(skip)]
    pub in_use: Vec<Ending>,
    /// Why nothing is known of any certificate but its own facts; none while something is.
    #[serde(skip)]
    pub blind: Option<String>,
}

/// A certificate in a store that stands for none of the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OtherCertificate {
    /// Which.
    pub thumbprint: Thumbprint,
    /// Whom it names.
    pub subject: String,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// Whole days left; negative when it has expired.
    pub days_left: i64,
    /// The servers that have it.
    pub servers: Vec<ServerName>,
}

/// How one certificate of the manifest is, and what comes next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertificateOutlook {
    /// Which one.
    pub certificate: CertificateId,
    /// Who issues it.
    pub issuer: IssuerName,
    /// The one that stands for it now; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<Current>,
    /// The servers that use it.
    pub servers: Vec<ServerName>,
    /// Where it is presented.
    pub places: Vec<PlaceInUse>,
    /// What comes next.
    pub next: Next,
    /// The PFX file that it comes from, if it does.
    #[serde(skip)]
    pub file: Option<String>,
    /// How its successors come.
    #[serde(skip)]
    pub(super) renewal: Renewal,
}

/// The certificate that stands for one of the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Current {
    /// Its thumbprint.
    pub thumbprint: Thumbprint,
    /// Since when it is valid.
    pub not_before: Timestamp,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// Whole days left; negative when it has expired.
    pub days_left: i64,
    /// When its renewal opens.
    pub renews: Timestamp,
    /// The servers that are to use it and were seen to have it with its key.
    pub servers: Vec<ServerName>,
}

/// A place that presents a certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaceInUse {
    /// The server.
    pub server: ServerName,
    /// A site's binding, a connector, a service.
    pub place: String,
}

/// What comes next for a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Next {
    /// Nothing, until its renewal opens.
    Wait {
        /// When.
        until: Timestamp,
        /// Whether a person has to carry a request to a CA then.
        by_hand: bool,
    },
    /// Something is to be done now: `certwright apply`.
    Apply {
        /// What kind of change.
        change: ChangeKind,
        /// Whether a person has to carry a request to a CA.
        by_hand: bool,
    },
    /// A CA has to answer a request.
    Answer {
        /// The request's file, without the ending.
        file: String,
    },
    /// Nothing can be done.
    Blocked {
        /// Why.
        message: String,
    },
}

/// How the successors of a certificate come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Renewal {
    /// How long before its end it is renewed.
    pub(super) before: crate::model::policy::RenewBefore,
    /// Where it comes from.
    pub(super) origin: Origin,
}
