//! What is wrong with a server itself, or with what it has in its stores.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use super::words::or_to_csp;
use crate::model::{
    action::CertRef,
    certificate_id::CertificateId,
    client_names::ClientName,
    diagnostic::{Coded, Diagnostic, Severity, Subject},
    dn::DistinguishedName,
    list::joined,
    names::{ConnectorName, DnsName, ServerName},
    schema::JsonSchema,
    server::BindingStore,
    site::SiteBinding,
    thumbprint::Thumbprint,
    unmet::UnmetPlace,
    unseen::{Unseen, without_sight},
    version::Release,
};

/// What partners of Domain Security will see another of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum PartnersSee {
    /// The certificate lacks the name by which the connector calls itself.
    NameMissing {
        /// The name.
        name: DnsName,
    },
    /// It is of another CA.
    OtherIssuer {
        /// The subject of the CA before.
        was: String,
        /// The subject of the CA afterwards.
        will_be: String,
    },
}

/// What is wrong with a server itself, or with what it has in its stores.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(tag = "code", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum ServerWarning {
    /// A place that should serve a certificate cannot be probed from here, so that no handshake proves it.
    // facts 5.7, 11.5
    PlaceNotMet {
        /// The server.
        server: ServerName,
        /// The place, and why it cannot be met.
        place: UnmetPlace,
        /// The certificate.
        certificate: CertRef,
    },
    /// A server of the manifest could not be seen, or not all of what the manifest says something of.
    ServerNotSeen {
        /// The server.
        server: ServerName,
        /// What could not be seen, and why.
        unseen: Vec<Unseen>,
    },
    /// A server runs another release than the manifest says.
    OtherVersion {
        /// The server.
        server: ServerName,
        /// What the manifest says.
        declared: Release,
        /// What it runs.
        found: Release,
    },
    /// The certificate of Exchange Back End lacks the server's own name, under which the front end proxies.
    // facts 4.3
    BackEndNameMissing {
        /// The server.
        server: ServerName,
        /// The binding.
        site: SiteBinding,
        /// The certificate.
        certificate: Thumbprint,
        /// Whom it names.
        named: String,
    },
    /// A server sends clients to names that its certificate for IIS lacks.
    ClientNamesMissing {
        /// The server.
        server: ServerName,
        /// The certificate.
        thumbprint: Thumbprint,
        /// Whom it names.
        named: String,
        /// The names.
        missing: Vec<ClientName>,
    },
    /// A connector for mail clients calls itself by a name that its certificate lacks.
    // facts 6.2
    ClientConnectorName {
        /// The server.
        server: ServerName,
        /// The connector.
        connector: ConnectorName,
        /// Its `Fqdn`.
        fqdn: DnsName,
        /// The certificate that the manifest gives it.
        certificate: CertificateId,
        /// A name that clients use and that is in it.
        better: DnsName,
    },
    /// A connector for mail between servers calls itself by another name than the server's.
    // facts 6.1
    DefaultConnectorRenamed {
        /// The server.
        server: ServerName,
        /// The connector.
        connector: ConnectorName,
        /// Its `Fqdn`.
        fqdn: DnsName,
        /// The server's own name.
        own: DnsName,
    },
    /// A server cannot build the chain of a certificate (event 12014).
    // facts 2.4
    ChainNotBuilt {
        /// The server.
        server: ServerName,
        /// The certificate in its store.
        thumbprint: Thumbprint,
        /// The one of the manifest that it stands for.
        certificate: CertificateId,
    },
    /// A server has not the certificate of the CA that issued one of its own.
    // facts 5.1
    IssuerNotInStores {
        /// The server.
        server: ServerName,
        /// The certificate in its store.
        thumbprint: Thumbprint,
        /// The one of the manifest that it stands for.
        certificate: CertificateId,
        /// The CA.
        issuer: DistinguishedName,
    },
    /// A server does not trust Microsoft 365 and may not fetch the root.
    // facts 14
    OnlineRootMissing {
        /// The server.
        server: ServerName,
    },
    /// The key of a certificate for IIS is where Exchange does not support it.
    // facts 8.5
    WebKeyInCng {
        /// The server.
        server: ServerName,
        /// The certificate.
        thumbprint: Thumbprint,
        /// Whether its key may leave the server, as far as that is known.
        exportable: Option<bool>,
    },
    /// IIS has the certificate of a binding from where Exchange does not see it.
    // facts 11.6
    OtherStore {
        /// The server.
        server: ServerName,
        /// The binding.
        site: SiteBinding,
        /// Where it is.
        store: BindingStore,
    },
    /// A certificate that send connectors get lacks clientAuth in its extended key usage.
    // facts 6.8
    NotForClients {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The send connectors.
        connectors: Vec<ConnectorName>,
    },
    /// Partners with whom mail goes by mutual TLS or not at all (Domain Security) will see another of a certificate.
    // facts 6.11
    DomainSecurityPartners {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The connectors.
        connectors: Vec<ConnectorName>,
        /// The domains of the partners.
        domains: Vec<String>,
        /// What they will see.
        sees: PartnersSee,
    },
    /// The successor of a certificate has fewer names.
    NamesDropped {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The present one.
        thumbprint: Thumbprint,
        /// The names that only this one has.
        names: Vec<DnsName>,
        /// Connectors that call themselves so and choose by that name: they go on with the present one.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        stay: Vec<ConnectorName>,
        /// Connectors that call themselves so and name the certificate: they present the new one.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        go: Vec<ConnectorName>,
    },
    /// A new certificate has a key on an elliptic curve, which Exchange reads once a value of the registry says so.
    // facts 8.4
    EllipticKeyNeedsSetting {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The servers that use it.
        servers: Vec<ServerName>,
    },
    /// A certificate without a subject is named by connectors.
    // facts 5.11
    EmptySubject {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The certificate itself.
        thumbprint: Thumbprint,
        /// What names it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        connectors: Vec<ConnectorName>,
        /// Whether the organization is hybrid.
        hybrid: bool,
    },
    /// A connector names certificates of which a server has a copy without its key.
    // facts 5.9
    KeylessCopyNamed {
        /// The server.
        server: ServerName,
        /// The connector.
        connector: ConnectorName,
        /// The copy.
        thumbprint: Thumbprint,
    },
}

/// What connectors do that call themselves by a name which goes.
fn called_so(connectors: &[ConnectorName], what: &str, [one, many]: [&str; 2]) -> String {
    match connectors {
        [] => String::new(),
        [own] => format!("; {own} has this `Fqdn` and {one} {what}"),
        all => format!("; {} have this `Fqdn` and {many} {what}", joined(all)),
    }
}

impl Coded for ServerWarning {
    #[expect(clippy::too_many_lines, reason = "a table: an arm for each warning, each a sentence")]
    fn diagnostic(&self) -> Diagnostic {
        let warn =
            |subject, message: String| Diagnostic::new(self.into(), Severity::Warning, subject, message);
        let notice =
            |subject, message: String| Diagnostic::new(self.into(), Severity::Notice, subject, message);
        match self {
            Self::PlaceNotMet { server, place, certificate } => warn(
                Subject::server(server).place(&place.place),
                format!("{place} on {server} cannot be probed from here: no handshake proves {certificate} there"),
            )
            .hinted("probe it from where its clients are; `retire: { unproved: … }` says whether a predecessor may be removed without that proof"),
            Self::ServerNotSeen { server, unseen } => warn(
                Subject::server(server),
                format!("{}: whether it is as the manifest says is not known", without_sight(server, unseen)),
            )
            .hinted("see why, and plan again: `certwright doctor` tells what keeps it from being read"),
            Self::OtherVersion { server, declared, found } => warn(
                Subject::server(server),
                format!("the manifest says that {server} runs {declared}, and it runs {found}"),
            ),
            Self::BackEndNameMissing { server, site, certificate, named } => warn(
                    Subject::server(server).place(site).thumbprint(*certificate),
                    format!(
                        "{site} on {server} has {} ({named}), in which the server's own name is missing",
                        certificate.short()
                    ),
                )
                .hinted("give the site a self-signed certificate of the server"),
            Self::ClientNamesMissing { server, thumbprint, named, missing } => warn(
                    Subject::server(server).thumbprint(*thumbprint),
                    format!(
                        "{server} sends clients to names that its certificate for IIS ({}, {named}) does not have: {}",
                        thumbprint.short(),
                        joined(missing)
                    ),
                )
                .hinted("add them to the certificate, or change the URLs"),
            Self::ClientConnectorName { server, connector, fqdn, certificate, better } => warn(
                    Subject::server(server).named(connector).of(certificate),
                    format!(
                        "{connector} on {server} has the `Fqdn` {fqdn}, which is not a name of {certificate}: mail clients that \
                         compare them complain"
                    ),
                )
                .hinted(format!("`Set-ReceiveConnector \"{server}\\{connector}\" -Fqdn {better}` ends it")),
            Self::DefaultConnectorRenamed { server, connector, fqdn, own } => warn(
                    Subject::server(server).named(connector),
                    format!(
                        "{connector} on {server} takes mail from other Exchange servers and has the `Fqdn` {fqdn}: with any \
                         name but {own} there, mail between servers fails"
                    ),
                )
                .hinted("give clients a connector of their own"),
            Self::IssuerNotInStores { server, thumbprint, certificate, issuer } => warn(
                    Subject::server(server).of(certificate).thumbprint(*thumbprint),
                    format!(
                        "{server} has no certificate of {issuer}, which issued {} ({certificate}), in its stores of CAs: \
                         clients get a chain that many cannot complete, and SMTP leaves the certificate out where Windows \
                         cannot fetch it",
                        thumbprint.short()
                    ),
                )
                .hinted(format!(
                    "add it on {server}: `certutil -addstore CA FILE`, a private root with `certutil -addstore Root FILE`"
                )),
            Self::ChainNotBuilt { server, thumbprint, certificate } => warn(
                    Subject::server(server).of(certificate).thumbprint(*thumbprint),
                    format!(
                        "{server} cannot build the chain of {} ({certificate}): SMTP leaves it out, and clients that lack \
                         the intermediate fail",
                        thumbprint.short()
                    ),
                )
                .hinted(format!(
                    "add the certificates of its CA on {server} with `certutil -addstore CA FILE`, a private root with \
                     `certutil -addstore Root FILE`"
                )),
            Self::OnlineRootMissing { server } => warn(
                    Subject::server(server),
                    format!(
                        "{server} does not trust DigiCert Global Root G2, and a policy forbids Windows to fetch it \
                         (DisableRootAutoUpdate): mail to Microsoft 365 fails from 2026-03-15 on"
                    ),
                )
                .hinted(format!(
                    "fetch https://cacerts.digicert.com/DigiCertGlobalRootG2.crt and add it on {server} with `certutil \
                     -addstore AuthRoot DigiCertGlobalRootG2.crt` (thumbprint \
                     DF3C24F9BFD666761B268073FE06D1CC8D4F82A4), or end the policy"
                )),
            Self::WebKeyInCng { server, thumbprint, exportable } => warn(
                Subject::server(server).thumbprint(*thumbprint),
                format!(
                    "{server} keeps the key of {} with a key storage provider (CNG), which Exchange does not support for \
                     Outlook on the web and the EAC: users who sign in may be returned to the sign-in page. Have it \
                     renewed{}",
                    thumbprint.short(),
                    or_to_csp(*thumbprint, *exportable)
                ),
            ),
            Self::OtherStore { server, site, store: store @ BindingStore::Central } => warn(
                    Subject::server(server).place(site),
                    format!(
                        "{site} on {server} has its certificate from {store}: enabling one for IIS does not change what it serves, \
                         and nothing is planned for it"
                    ),
                )
                .hinted("put the new certificate into the store's share, or take the binding off the central store"),
            Self::OtherStore { server, site, store } => warn(
                    Subject::server(server).place(site),
                    format!("{site} on {server} had its certificate from {store}, which Exchange's cmdlets do not see"),
                )
                .hinted(
                    "have whatever puts certificates there, such as an ACME client, put them into `My`, or it will take the \
                     binding back at its next renewal",
                ),
            Self::NotForClients { certificate, connectors } => notice(
                Subject::certificate(certificate),
                format!(
                    "{certificate} is not for TLS clients (clientAuth is missing in its extended key usage), and {} shows it as \
                     one: public CAs leave it out since 2026, nothing is known of Exchange Online or Exchange minding, and \
                     partners with mutual TLS may refuse it",
                    joined(connectors)
                ),
            ),
            Self::DomainSecurityPartners { certificate, connectors, domains, sees } => {
                let partners = joined(domains);
                let about = |what: &str| {
                    format!(
                        "mail with {partners} goes through {} by mutual TLS or not at all (Domain Security), and {what}",
                        joined(connectors)
                    )
                };
                let (text, hint) = match sees {
                    PartnersSee::OtherIssuer { was, will_be } => (
                        about(&format!(
                            "the new {certificate} is of {will_be}, not of {was}: partners who do not trust that CA refuse mail and \
                             connections"
                        )),
                        format!("send {partners} the certificates of {will_be} before this is applied"),
                    ),
                    PartnersSee::NameMissing { name } => (
                        about(&format!(
                            "the new {certificate} lacks {name}, the name that is said there: partners who look at the name refuse mail and \
                             connections"
                        )),
                        format!("add {name} to `names`, or agree on another name with {partners} before this is applied"),
                    ),
                };
                warn(Subject::certificate(certificate), text).hinted(hint)
            }
            Self::NamesDropped { certificate, thumbprint, names, stay, go } => warn(
                Subject::certificate(certificate).thumbprint(*thumbprint),
                format!(
                    "the new {certificate} will not have {}, which {} has: clients that ask for them get a warning{}{}",
                    joined(names),
                    thumbprint.short(),
                    called_so(stay, "with the old certificate until it ends", ["goes on", "go on"]),
                    called_so(go, "the new one, and who looks at the name there refuses it", ["presents", "present"]),
                ),
            )
            .hinted("add the names to `names`, unless nobody uses them any more"),
            Self::EllipticKeyNeedsSetting { certificate, servers } => warn(
                Subject::certificate(certificate),
                format!(
                    "the new {certificate} has a key on an elliptic curve: Exchange on {} uses it only where \
                     EnableEccCertificateSupport is set, which is not seen from here",
                    joined(servers)
                ),
            )
            .hinted(
                "set it there before: HKLM\\SOFTWARE\\Microsoft\\ExchangeServer\\v15\\Diagnostics, \
                 EnableEccCertificateSupport = 1 (since Nov24SU)",
            ),
            Self::EmptySubject { certificate, thumbprint, connectors, hybrid } => {
                let named = match connectors.as_slice() {
                    [] => String::new(),
                    connectors => format!(
                        "{} can name it by its issuer alone, and so every other certificate of that issuer without subject",
                        joined(connectors)
                    ),
                };
                let wizard = "the Hybrid Configuration Wizard fails with `\"\" isn't a valid SMTP domain.`";
                let wizard = if *hybrid { wizard } else { "" };
                let both = if named.is_empty() || wizard.is_empty() { "" } else { ", and " };
                warn(
                    Subject::certificate(certificate).thumbprint(*thumbprint),
                    format!("{certificate} ({}) has no subject: {named}{both}{wizard}", thumbprint.short()),
                )
                .hinted("ask the CA for a certificate with a common name, or let connectors choose by their `Fqdn`")
            }
            Self::KeylessCopyNamed { server, connector, thumbprint } => warn(
                    Subject::server(server).named(connector).thumbprint(*thumbprint),
                    format!(
                        "{server} has {} without its private key, and the name of {connector} selects it: Exchange may take it \
                         (`NoCredentials` in the protocol log), and mail waits",
                        thumbprint.short()
                    ),
                )
                .hinted(format!("remove the copy on {server} with `certutil -delstore My {thumbprint}`")),
        }
    }
}
