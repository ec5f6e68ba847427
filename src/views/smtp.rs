//! Which certificates SMTP chooses on a server, as a value to show.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    exchange::selection::Presented,
    model::{
        dn::DistinguishedName,
        names::{DnsName, ServerName},
        thumbprint::Thumbprint,
        time::Timestamp,
    },
};

/// Which certificates SMTP chooses on a server, and how.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SmtpChoices {
    /// The format of this file.
    pub version: u32,
    /// The server.
    pub server: ServerName,
    /// The driver that saw it.
    pub driver: String,
    /// When it was seen.
    pub at: Timestamp,
    /// The choices.
    pub choices: Vec<SmtpChoice>,
}

/// One choice.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SmtpChoice {
    /// What for: a connector or a name.
    pub about: String,
    /// `STARTTLS` or `X-ANONYMOUSTLS`; absent when a name was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verb: Option<&'static str>,
    /// Each step of the documented selection.
    pub steps: Vec<String>,
    /// What comes of it.
    pub presented: Presented,
    /// The certificate that was chosen, whether it can be used or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<ChosenCertificate>,
    /// What transport writes into the event log about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<EventShown>,
    /// What the manifest says, when there is one and it says something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<DeclaredChoice>,
}

/// The certificate that was chosen.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChosenCertificate {
    /// Its thumbprint.
    pub thumbprint: Thumbprint,
    /// Whom it names.
    pub subject: DistinguishedName,
    /// Who signed it.
    pub issuer: DistinguishedName,
    /// Its names.
    pub names: Vec<DnsName>,
    /// Until when it is valid.
    pub not_after: Timestamp,
}

/// An event.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventShown {
    /// Its number.
    pub id: u16,
    /// Its text.
    pub text: String,
}

/// What the manifest says about a choice.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeclaredChoice {
    /// The certificate of the manifest.
    pub certificate: String,
    /// The one that stands for it now; absent when there is none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing: Option<Thumbprint>,
    /// Whether that is the one that is presented.
    pub as_declared: bool,
}
