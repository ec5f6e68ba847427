//! What the journals of earlier runs show about certificates that were replaced. A plan is given it as data, beside what
//! was observed, and reads no journal itself.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{
    desired::{CertificateId, DesiredCertificate},
    names::ServerName,
    schema::JsonSchema,
    service::Restartable,
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// What earlier runs have done and proved, as far as it decides about what may be removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct History {
    /// Certificates whose successors were proved to serve in their places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takeovers: Vec<Takeover>,
    /// Certificates that runs have issued, created or imported.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub issued: BTreeSet<Thumbprint>,
    /// Certificates that runs have replaced, and that stayed because something used them still, or for another reason.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub replaced: BTreeSet<Thumbprint>,
    /// Certificates that runs have replaced because others may have their keys.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub compromised: BTreeSet<Thumbprint>,
    /// The present Auth certificate, where a run has published or staged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
    /// Keys that a run could not export and no later one has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unexportable: Vec<UnexportableKey>,
    /// Restarts that belonged to changes of earlier runs and were never done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restarts_due: Vec<DueRestart>,
}

/// A restart without which a service may still have the certificate from before a change. Exchange does not show since when a
/// service runs, so the journal is the only evidence.
// facts 3.7
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DueRestart {
    /// The server.
    pub server: ServerName,
    /// What was to be restarted.
    pub service: Restartable,
    /// The run that made the change.
    pub run: String,
    /// When it made the change.
    pub since: Timestamp,
}

/// A key that could not be exported from a server which says to have it.
// facts 8.6
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnexportableKey {
    /// The server.
    pub server: ServerName,
    /// The certificate.
    pub certificate: Thumbprint,
    /// When it was tried.
    pub at: Timestamp,
}

/// An Auth certificate that took the place of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Published {
    /// The certificate.
    pub certificate: Thumbprint,
    /// When a run has published it, or from when on Exchange was to do so.
    pub at: Timestamp,
}

/// The moment from which it was proved that nothing uses a certificate of a server any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Takeover {
    /// The server.
    pub server: ServerName,
    /// The certificate that was replaced.
    pub certificate: Thumbprint,
    /// The certificate of the manifest that took its places.
    pub by: CertificateId,
    /// When the server was verified after its last change; absent while it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl fmt::Display for DueRestart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, service, run, since } = self;
        write!(
            f,
            "{service} on {server}: run {run} changed its certificate on {}, and no run has restarted it since",
            since.date()
        )
    }
}

impl History {
    /// The proved take-over from a certificate of a server.
    pub fn takeover(&self, server: &ServerName, certificate: Thumbprint) -> Option<&Takeover> {
        self.takeovers
            .iter()
            .find(|takeover| takeover.server == *server && takeover.certificate == certificate)
    }

    /// Whether others may have the key of a certificate: the manifest says so, or a run has replaced it for that.
    pub fn is_compromised(own: &DesiredCertificate, history: Option<&Self>, thumbprint: Thumbprint) -> bool {
        own.compromised.contains(&thumbprint)
            || history.is_some_and(|history| history.compromised.contains(&thumbprint))
    }

    /// The restarts that are due on a server.
    pub fn due_on<'a>(&'a self, server: &'a ServerName) -> impl Iterator<Item = &'a DueRestart> {
        self.restarts_due.iter().filter(move |due| due.server == *server)
    }

    /// When it was tried to export this key of a server, and could not be.
    pub fn unexportable(&self, server: &ServerName, certificate: Thumbprint) -> Option<Timestamp> {
        let is_it = |key: &&UnexportableKey| key.server == *server && key.certificate == certificate;
        self.unexportable.iter().find(is_it).map(|key| key.at)
    }
}
