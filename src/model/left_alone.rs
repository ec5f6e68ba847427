//! Certificates that a plan leaves alone, and why.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    certificate_use::CertificateUse,
    desired::CertificateId,
    list::listed,
    names::{ConnectorName, ServerName},
    recorded::Recorded,
    schema::JsonSchema,
    share::Share,
    thumbprint::Thumbprint,
    time::{Span, Timestamp},
    unmet::UnmetPlace,
    unseen::Unseen,
};

/// Something that a plan leaves as it is, and says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeftAlone {
    /// The server.
    pub server: ServerName,
    /// The certificate.
    pub certificate: Thumbprint,
    /// Its subject, for people.
    pub subject: String,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// Why it is left alone.
    pub why: LeftBecause,
}

/// Why a certificate is left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LeftBecause {
    /// No manifest names it.
    Unmanaged,
    /// It is superseded and its grace time is not over.
    Until {
        /// When it will be removed.
        from: Timestamp,
        /// Since when it is proved that its successor serves in its places.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
        /// The certificate of the manifest that took its places.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<CertificateId>,
    },
    /// It is superseded, and its grace time begins with the proof that its successor serves in its places.
    UntilProved {
        /// The grace time.
        after: Span,
        /// The certificate of the manifest that takes its places.
        by: CertificateId,
    },
    /// It has a name of a certificate of the manifest, and nothing shows that it ever stood in its place: it may be another
    /// product's.
    LookAlike {
        /// The certificate of the manifest whose name it has.
        of: CertificateId,
    },
    /// It has a name of a certificate of the manifest, and something names it for which the manifest declares no certificate.
    UsedElsewhere {
        /// The certificate of the manifest whose name it has.
        of: CertificateId,
        /// What names it.
        by: Vec<Recorded<CertificateUse>>,
    },
    /// It is superseded and `retire` says never.
    RetireNever,
    /// It is superseded, and send connectors name it and its successor alike: Exchange removes neither while they do, and
    /// presents the newer one.
    // facts 5.10, 7.4
    NamedWithSuccessor {
        /// The send connectors.
        by: Vec<ConnectorName>,
        /// The certificate of the manifest that took its places.
        of: CertificateId,
        /// Source servers on which transport cannot be stopped from here: Edge servers, and those that are not seen.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        hindering: Vec<ServerName>,
        /// Whether others may have its key.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        compromised: bool,
        /// Whether its time is over.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        ended: bool,
    },
    /// It is superseded and may go, and `limits.removals` lets this plan remove no more.
    OverLimit {
        /// The limit.
        limit: Share,
        /// How many certificates a plan may remove by it.
        allowed: usize,
        /// The certificate of the manifest that took its places.
        of: CertificateId,
        /// Since when it is proved that its successor serves in its places.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
    },
    /// It is superseded, and places of its successor cannot be probed from here.
    Unproved {
        /// The places, each with the reason.
        places: Vec<UnmetPlace>,
        /// The certificate of the manifest that took its places.
        of: CertificateId,
    },
    /// It is superseded and still used.
    StillUsed {
        /// By what.
        by: Vec<Recorded<CertificateUse>>,
    },
    /// It is superseded and has no private key: no cmdlet shows or removes it.
    // facts 8.1
    WithoutKey,
    /// The manifest, or certwright itself, protects it.
    Protected {
        /// By which rule.
        rule: String,
    },
    /// It is superseded, and `protect` may name it: its friendly name cannot be seen.
    MayBeProtected {
        /// Why its friendly name cannot be seen.
        why: String,
    },
    /// Whether it is used cannot be seen.
    UseUnknown {
        /// What could not be seen.
        what: Vec<Unseen>,
    },
}

impl fmt::Display for LeftBecause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unmanaged => f.write_str("not named by the manifest"),
            Self::Until { from, since: None, by: _ } => write!(f, "superseded; kept until {}", from.date()),
            Self::Until { from, since: Some(since), by: _ } => {
                write!(f, "superseded since {}; kept until {}", since.date(), from.date())
            }
            Self::UntilProved { after, by } => {
                write!(f, "superseded; kept for {after} after {by} is proved in its places")
            }
            Self::LookAlike { of } => write!(
                f,
                "has a name of {of}, and is neither of its CA nor was it in its places: left to whoever brought it"
            ),
            Self::UsedElsewhere { of, by } => {
                let by: Vec<String> = by.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "has a name of {of}, and is used by {}, for which the manifest declares no certificate: it stays there",
                    by.join(", ")
                )
            }
            Self::RetireNever => f.write_str("superseded; retire: never"),
            Self::NamedWithSuccessor { by, of: _, hindering, compromised, ended } => {
                let names: Vec<&str> = by.iter().map(ConnectorName::as_str).collect();
                let (verb, them) = if by.len() == 1 { ("names", "it") } else { ("name", "them") };
                let stays = if *compromised {
                    "it is not presented, but others may have its key: it should go"
                } else if *ended {
                    "it has ended, and nothing presents it"
                } else {
                    "it may stay until it ends"
                };
                write!(
                    f,
                    "superseded; {} {verb} it and its successor alike, and Exchange presents the newer one: {stays}; ",
                    names.join(", ")
                )?;
                if hindering.is_empty() {
                    return write!(
                        f,
                        "`retire: {{ stopTransport: true }}` removes it, with transport stopped around {them}"
                    );
                }
                let servers: Vec<&str> = hindering.iter().map(ServerName::as_str).collect();
                write!(
                    f,
                    "nothing here can remove it: transport of {}, which sends too, cannot be stopped from here",
                    servers.join(", ")
                )
            }
            Self::OverLimit { limit, allowed: 0, .. } => {
                write!(f, "superseded; it stays: `limits.removals` is {limit}")
            }
            Self::OverLimit { limit: limit @ Share::Count(_), .. } => {
                write!(f, "superseded; a later plan removes it: `limits.removals` is {limit}")
            }
            Self::OverLimit { limit: limit @ Share::Percent(_), allowed, .. } => write!(
                f,
                "superseded; a later plan removes it: `limits.removals` is {limit}, {allowed} in one plan"
            ),
            Self::Unproved { places, of } => {
                let places: Vec<String> = places.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "superseded; nobody here can meet {of} at {}; `retire: {{ unproved: remove }}` removes it all the \
                     same",
                    places.join(", ")
                )
            }
            Self::StillUsed { by } => {
                let by: Vec<String> = by.iter().map(ToString::to_string).collect();
                write!(f, "still used by {}", by.join(", "))
            }
            Self::WithoutKey => f.write_str(
                "superseded, and without its private key no cmdlet removes it; `certutil -delstore my` does",
            ),
            Self::Protected { rule } => write!(f, "protected: {rule}"),
            Self::MayBeProtected { why } => {
                write!(f, "superseded; `protect` may name it: its friendly name is unknown: {why}")
            }
            Self::UseUnknown { what } => {
                write!(f, "superseded; whether it is used is unknown: {}", listed(what, "; "))
            }
        }
    }
}
