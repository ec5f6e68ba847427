//! Why a step cannot be taken back, or not in full.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use super::{
    action::StepId,
    certificate_use::CertificateUse,
    diagnostic::{Coded, Diagnostic, FromSentence, Severity, Subject},
    dn::TlsCertificateName,
    list::{joined, listed},
    names::{BalancerName, ConnectorName, ServerName},
    recorded::Recorded,
    schema::JsonSchema,
    site::SiteBinding,
    thumbprint::Thumbprint,
    unseen::Unseen,
};

/// Why a step cannot be taken back, or what stays of it.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(tag = "code", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum NoWayBack {
    /// The key of a request goes with it.
    RequestKeyGone,
    /// A request stays: the CA may answer it, and its key is there alone.
    RequestMayBeAnswered,
    /// No cmdlet takes a staged Auth certificate back.
    AuthStaged,
    /// The previous Auth certificate is only forgotten.
    AuthForgotten,
    /// The Auth certificate before is expired, or without its key.
    AuthBeforeUnusable,
    /// There was no internal transport certificate.
    NoInternalTransportBefore,
    /// A binding had no certificate that is still there.
    NoBindingBefore,
    /// Bindings had no certificate that is still there, and keep the new one; the others go back.
    BindingsStay {
        /// The bindings.
        bindings: Vec<SiteBinding>,
    },
    /// Exchange takes no service off a certificate.
    // facts 3.1
    ServiceStays,
    /// Nothing had the service before, and Exchange takes none off a certificate.
    // facts 3.1
    NothingBoundBefore,
    /// SMTP stays, the other services go back.
    SmtpStays,
    /// A load balancer had no certificate.
    BalancerHadNone,
    /// The key that a load balancer had is nowhere to be read.
    BalancerKeyUnreadable,
    /// The certificate that a setting override named is on no server.
    ImCertificateGone,
    /// The certificate to be removed is not there.
    CertificateNotThere,
    /// No backup is made of a certificate.
    NoBackup,
    /// The backup has no key.
    KeyNotExportable,
    /// A place used a certificate that is gone.
    CertificateGone {
        /// The server.
        server: ServerName,
        /// The certificate.
        thumbprint: Thumbprint,
        /// The step of the run that removed it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        removed_by: Option<StepId>,
    },
    /// A place used a certificate of which the server has only a copy without the private key.
    // facts 8.1
    CopyWithoutKey {
        /// The server.
        server: ServerName,
        /// The certificate.
        thumbprint: Thumbprint,
    },
    /// The backup cannot be read.
    BackupUnreadable {
        /// Why not.
        why: String,
    },
    /// A connector would name a certificate that no server has.
    SelectsNothing {
        /// What it would name.
        name: TlsCertificateName,
        /// The removal that cannot be taken back.
        removal: StepId,
    },
    /// Others may have the key of the certificate that it would give back.
    KeyCompromised {
        /// The certificate.
        thumbprint: Thumbprint,
    },
    /// Send connectors select what the step brought, and what it replaced, by the same name: Exchange removes neither while they do,
    /// and presents the newer one.
    // facts 5.10, 7.4
    NamedAlike {
        /// The send connectors.
        connectors: Vec<ConnectorName>,
        /// Source servers on which transport cannot be stopped from here: Edge servers, and those that are not seen.
        hindering: Vec<ServerName>,
    },
    /// What the step brought is still used, by what cannot be given back or let go of, so it stays.
    StillInUse {
        /// By what.
        by: Vec<Recorded<CertificateUse>>,
    },
    /// Whether what the step brought is still used cannot be seen, so it stays.
    MayBeInUse {
        /// What could not be seen.
        what: Vec<Unseen>,
    },
    /// A load balancer keeps what servers behind it go on with: they do not get back what both had.
    // facts 11.3, 11.7
    ServersGoOn {
        /// The load balancer.
        balancer: BalancerName,
        /// What it had before.
        thumbprint: Thumbprint,
        /// The servers behind it.
        servers: Vec<ServerName>,
    },
    /// The manifest leaves its server out.
    ServerLeftOut {
        /// The server.
        server: ServerName,
    },
    /// Exchange would refuse it.
    Impossible {
        /// With these words.
        why: String,
    },
    /// What certwright 0.1 wrote, as a sentence alone.
    Other {
        /// The sentence.
        text: String,
    },
}

impl NoWayBack {
    /// Its stable code, which `certwright explain` knows.
    pub fn code(&self) -> &'static str {
        self.into()
    }

    fn subject(&self) -> Subject {
        match self {
            Self::CertificateGone { server, thumbprint, .. }
            | Self::CopyWithoutKey { server, thumbprint } => Subject::server(server).thumbprint(*thumbprint),
            Self::KeyCompromised { thumbprint } => Subject::default().thumbprint(*thumbprint),
            Self::ServerLeftOut { server } => Subject::server(server),
            Self::ServersGoOn { balancer, thumbprint, .. } => {
                Subject::balancer(balancer).thumbprint(*thumbprint)
            }
            Self::RequestKeyGone
            | Self::RequestMayBeAnswered
            | Self::AuthStaged
            | Self::AuthForgotten
            | Self::AuthBeforeUnusable
            | Self::NoInternalTransportBefore
            | Self::NoBindingBefore
            | Self::BindingsStay { .. }
            | Self::ServiceStays
            | Self::NothingBoundBefore
            | Self::SmtpStays
            | Self::BalancerHadNone
            | Self::BalancerKeyUnreadable
            | Self::ImCertificateGone
            | Self::CertificateNotThere
            | Self::NoBackup
            | Self::KeyNotExportable
            | Self::BackupUnreadable { .. }
            | Self::SelectsNothing { .. }
            | Self::NamedAlike { .. }
            | Self::StillInUse { .. }
            | Self::MayBeInUse { .. }
            | Self::Impossible { .. }
            | Self::Other { .. } => Subject::default(),
        }
    }
}

impl FromSentence for NoWayBack {
    fn from_sentence(text: String) -> Self {
        Self::Other { text }
    }
}

impl Coded for NoWayBack {
    fn diagnostic(&self) -> Diagnostic {
        Diagnostic::new(self.code(), Severity::Notice, self.subject(), self.to_string())
    }
}

impl fmt::Display for NoWayBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RequestKeyGone => f.write_str("the key of the request is gone with it"),
            Self::RequestMayBeAnswered => f.write_str(
                "the request stays, and uses nothing: the CA may still answer it, and its private key would go with it",
            ),
            Self::AuthStaged => {
                f.write_str("nothing documented takes a staged certificate back; stage another before its date")
            }
            Self::AuthForgotten => f.write_str("Exchange can only forget it; the certificate itself stays"),
            Self::AuthBeforeUnusable => f.write_str("the Auth certificate before it is of no use any more"),
            Self::NoInternalTransportBefore => {
                f.write_str("there was no internal transport certificate before")
            }
            Self::NoBindingBefore => {
                f.write_str("the binding had no certificate before that is still there")
            }
            Self::BindingsStay { bindings } => {
                let them = bindings.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                write!(f, "before, {them} had no certificate that Exchange still has, and a binding cannot go back to none")
            }
            Self::ServiceStays => f.write_str("Exchange cannot take a service off a certificate"),
            Self::NothingBoundBefore => {
                f.write_str("nothing was bound before, and Exchange cannot take a service off a certificate")
            }
            Self::SmtpStays => {
                f.write_str("SMTP stays on it: Exchange cannot take a service off a certificate")
            }
            Self::BalancerHadNone => f.write_str("the load balancer had no certificate before"),
            Self::BalancerKeyUnreadable => f.write_str("the key it had before can be read from nowhere"),
            Self::ImCertificateGone => {
                f.write_str("the certificate that it named before is on no server any more")
            }
            Self::CertificateNotThere => f.write_str("the certificate is not there"),
            Self::NoBackup => f.write_str("no backup is made of it"),
            Self::KeyNotExportable => f.write_str(
                "its private key cannot be exported, so the backup holds the certificate only, and nothing goes back to it",
            ),
            Self::CertificateGone { thumbprint, removed_by: Some(step), .. } => write!(
                f,
                "{} was used before, and step {step}, which removed it, cannot be undone",
                thumbprint.short()
            ),
            Self::CertificateGone { server, thumbprint, removed_by: None } => {
                write!(f, "{} was used before, and is not on {server} any more", thumbprint.short())
            }
            Self::CopyWithoutKey { server, thumbprint } => write!(
                f,
                "{} was used before, and {server} has it without its private key: nothing could be presented with it, so what is in \
                 use there stays",
                thumbprint.short()
            ),
            Self::BackupUnreadable { why } => {
                write!(f, "{why}; a rollback that can read it takes this back too")
            }
            Self::SelectsNothing { name, removal } => write!(
                f,
                "{name} would name no certificate, because step {removal} cannot be undone; it goes on naming the one \
                 that it has"
            ),
            Self::KeyCompromised { thumbprint } => write!(
                f,
                "others may have the key of {}, which was in use before; `rollback --give-back-compromised` gives it back \
                 all the same",
                thumbprint.short()
            ),
            Self::NamedAlike { connectors, hindering } => {
                let names: Vec<&str> = connectors.iter().map(ConnectorName::as_str).collect();
                let servers: Vec<&str> = hindering.iter().map(ServerName::as_str).collect();
                let (names, servers) = (names.join(", "), servers.join(", "));
                let verb = if connectors.len() == 1 { "names" } else { "name" };
                write!(
                    f,
                    "{names} {verb} it and what it replaces alike, Exchange presents the newer one as long as it is there, and \
                     transport of {servers} cannot be stopped from here; by hand: stop transport on {servers}, clear \
                     TlsCertificateName of {names}, run Start-EdgeSynchronization where an Edge server sends, remove the \
                     certificate, set the name again, synchronize again, start transport, and roll back again"
                )
            }
            Self::StillInUse { by } => {
                write!(
                    f,
                    "what it brought stays and is presented as long as it is there: it is used by {}, and the way back has no \
                     other certificate for that; once another one is in use there, another rollback removes it",
                    joined(by)
                )
            }
            Self::MayBeInUse { what } => {
                write!(
                    f,
                    "what it brought stays: whether anything still uses it is unknown ({}); once nothing does, remove it by hand",
                    listed(what, "; ")
                )
            }
            Self::ServersGoOn { balancer, thumbprint, servers } => f.write_str(&servers_go_on(balancer, *thumbprint, servers)),
            Self::ServerLeftOut { server } => {
                write!(f, "the manifest leaves {server} out, and nothing is changed on it until `leftOut` is taken from its entry")
            }
            Self::Impossible { why } => f.write_str(why),
            Self::Other { text } => f.write_str(text),
        }
    }
}

fn servers_go_on(balancer: &BalancerName, thumbprint: Thumbprint, servers: &[ServerName]) -> String {
    let one = servers.len() == 1;
    let names: Vec<&str> = servers.iter().map(ServerName::as_str).collect();
    format!(
        "{} behind {balancer} {} on with the certificate of the run, and load balancer {balancer} does too: with {} \
                     on it again, sign-in through it would fail where Extended Protection is on",
        names.join(", "),
        if one { "goes" } else { "go" },
        thumbprint.short()
    )
}
