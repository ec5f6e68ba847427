//! Mail and sign-in together with Microsoft 365.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use crate::model::{
    certificate_id::CertificateId,
    diagnostic::{Coded, Diagnostic, Severity, Subject},
    dn::TlsCertificateName,
    list::listed,
    names::{ConnectorName, DnsName, ServerName},
    schema::JsonSchema,
    server::RootType,
    unseen::Unseen,
};

/// Mail and sign-in together with Microsoft 365.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(tag = "code", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum HybridWarning {
    /// Whether the organization is hybrid cannot be seen.
    HybridUnseen {
        /// Why not.
        why: String,
    },
    /// Whether hybrid mail has what it needs cannot be seen.
    HybridMailUnseen {
        /// What cannot be seen.
        unseen: Vec<Unseen>,
    },
    /// The hybrid configuration names the predecessor of a certificate, and the manifest does not say `hybrid`.
    HybridNotDeclared {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// What the hybrid configuration names.
        name: TlsCertificateName,
    },
    /// The Hybrid Configuration Wizard will not list a certificate.
    // facts 2.3, 9
    HybridRootHidden {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// A server on which its root is of another kind.
        server: ServerName,
        /// The kind.
        root: RootType,
    },
    /// A connector to Microsoft 365 gets a certificate that no public CA issues.
    // facts 6.9
    PrivateCaToMicrosoft365 {
        /// The connector.
        connector: ConnectorName,
        /// The certificate of the manifest.
        certificate: CertificateId,
    },
    /// A connector is to name no certificate, and shows one that is worth nothing to those to whom it sends.
    // facts 6.9, 6.10
    SenderUnnamed {
        /// The connector.
        connector: ConnectorName,
        /// The source server.
        server: ServerName,
        /// What it shows.
        shown: String,
        /// Whether it goes to Microsoft 365, or else to a partner with whom mail goes by TLS.
        online: bool,
    },
    /// The certificate of hybrid mail is for a name under no accepted domain.
    // facts 9.2
    NameNotAccepted {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The name.
        name: DnsName,
    },
}

impl Coded for HybridWarning {
    fn diagnostic(&self) -> Diagnostic {
        let warn =
            |subject, message: String| Diagnostic::new(self.into(), Severity::Warning, subject, message);
        match self {
            Self::HybridUnseen { why } => warn(
                Subject::default().place(HYBRID),
                format!("whether the organization is hybrid cannot be seen: {why}"),
            ),
            Self::HybridMailUnseen { unseen } => warn(
                Subject::default().place(HYBRID),
                format!("whether hybrid mail has what it needs cannot be seen ({})", listed(unseen, "; ")),
            ),
            Self::HybridNotDeclared { certificate, name } => warn(
                Subject::certificate(certificate).place(HYBRID),
                format!(
                    "the hybrid configuration names {name} and not {certificate}, and the manifest does not say `hybrid`: \
                     mail with Microsoft 365 goes on with the one before until it expires"
                ),
            ),
            Self::HybridRootHidden { certificate, server, root } => warn(
                    Subject::server(server).of(certificate),
                    format!(
                        "the Hybrid Configuration Wizard will not list {certificate}: on {server} its root is of the kind \
                         {root:?} and not ThirdParty"
                    ),
                )
                .hinted(
                    "take the root out of the computer's trusted roots, where somebody put it by hand, and let Windows \
                     fetch it",
                ),
            Self::PrivateCaToMicrosoft365 { connector, certificate } => warn(
                    Subject::certificate(certificate).named(connector),
                    format!(
                        "{connector} goes to Microsoft 365, and {certificate} is of no public CA: Exchange Online takes the mail \
                         for anonymous, or refuses it"
                    ),
                )
                .hinted("give it a certificate of a public CA"),
            Self::SenderUnnamed { connector, server, shown, online } => warn(
                    Subject::server(server).named(connector),
                    format!(
                        "{connector} is to name no certificate, and shows {shown} for {server} then: {}",
                        if *online {
                            "Exchange Online takes its mail for anonymous, and hybrid mail breaks"
                        } else {
                            "mail goes by TLS there, and a partner who looks at the certificate refuses it"
                        }
                    ),
                )
                .hinted(format!(
                    "name a certificate under `sendConnectors: {{ {connector}: … }}`, or give the connector an `Fqdn` that is a \
                     name of one"
                )),
            Self::NameNotAccepted { certificate, name } => warn(
                    Subject::certificate(certificate).place(HYBRID),
                    format!(
                        "{name}, by which {certificate} proves this organization to Microsoft 365, is under no accepted domain: \
                         mail is refused (550 5.7.64 Relay Access Denied ATTR36)"
                    ),
                )
                .hinted("take a name under an accepted domain of the tenant, or add the domain"),
        }
    }
}

const HYBRID: &str = "hybrid configuration";
