//! The manifest: what people write, as types. Strict: an unknown field is an error.

mod auth;
pub mod balancer;
mod capture;
mod drift;
pub mod finding;
pub mod foreign;
pub mod format;
mod hybrid;
mod issuer;
mod notify;
mod powershell;
pub mod secrets;
mod shapes;
pub mod suggestion;
mod template;
mod verify;
pub mod yaml;

use std::path::PathBuf;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

pub use self::{
    auth::{AuthCertificateSpec, AuthKeyRequest, AuthKeySize},
    balancer::{
        BackendServer, BalancerSpec, CommandLine, HaproxySpec, HaproxyUpdate, HookSpec, Host,
        LabBalancerSpec, NginxSpec, RuntimeSocket, StoreName, Via,
    },
    capture::CaptureSpec,
    drift::{DriftSpec, IgnoreSpec},
    hybrid::HybridSpec,
    issuer::{CsrSpec, IssuerSpec, LocalCaSpec, PfxSpec, SelfSignedSpec},
    notify::{NotifyCommandSpec, NotifyEvent, NotifySpec, RecipientError, WebhookSpec},
    powershell::{
        AccountSpec, Authentication, CertificatePin, PinError, PowerShellServerSpec, PowerShellSpec,
        RemotingSpec, SshSpec, TlsTrustSpec, Way, WindowsSpec,
    },
    shapes::OneOrMany,
    template::{Template, TemplateError, Variables},
    verify::VerifySpec,
};
use crate::model::{
    day::Day,
    key::KeySpec,
    names::{
        BalancerName, CertificateName, ConnectorName, FriendlyName, IssuerName, OrganizationName, ServerName,
    },
    policy::{ExpiryWarning, ExtraServices, Limits, RenewBefore, Restarts, Retire},
    protection::Protection,
    schema::JsonSchema,
    secret::SecretRef,
    server::UmStartupMode,
    service::{MailService, Service},
    site::SiteBinding,
    thumbprint::Thumbprint,
    version::ServerVersion,
};

/// What an Exchange organization's certificates should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// The format of the file.
    pub api_version: ApiVersion,
    /// The organization's name. It is shown in plans and typed to confirm what cannot be undone.
    #[schemars(example = &"contoso")]
    pub organization: OrganizationName,
    /// How the servers are reached.
    #[schemars(example = serde_json::json!({ "powershell": {} }))]
    pub driver: DriverSpec,
    /// Where new certificates come from, by a name of your choice.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub issuers: IndexMap<IssuerName, IssuerSpec>,
    /// The certificates that should exist, by a name of your choice.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub certificates: IndexMap<CertificateName, CertificateSpec>,
    /// Uses of certificates that several servers have in common, by a name of your choice.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub profiles: IndexMap<String, Uses>,
    /// The servers, by their short names as `Get-ExchangeServer` shows them.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub servers: IndexMap<ServerName, ServerSpec>,
    /// Send connectors and the certificate that each proves itself with (`TlsCertificateName`); `null` clears it.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(example = serde_json::json!({ "Outbound to Office 365": "mail" }))]
    pub send_connectors: IndexMap<ConnectorName, Option<CertificateName>>,
    /// The Auth certificate, which signs OAuth tokens. Without it, it is left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = serde_json::json!({ "renewBefore": "60d" }))]
    pub auth_certificate: Option<AuthCertificateSpec>,
    /// The certificate that proves the organization to Microsoft 365 (`Set-HybridConfiguration -TlsCertificateName`): of a
    /// public CA, on every server that hybrid mail goes through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"mail")]
    pub hybrid: Option<HybridSpec>,
    /// Edge servers that an administrator is available to resubscribe, with administrators' rights there and on a
    /// Mailbox server of the site: each with the last day of that. A plan that replaces a certificate of a subscription
    /// waits for it.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(example = serde_json::json!({ "EDGE01": "2026-03-05" }))]
    pub subscribe_anew: IndexMap<ServerName, Day>,
    /// Load balancers and reverse proxies that end TLS before the servers, by a name of your choice.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub load_balancers: IndexMap<BalancerName, BalancerSpec>,
    /// Certificates that are never touched, whatever a plan would like; `plan` warns of an entry that fits none. Exchange's and Windows' own (Auth, federation, Web
    /// Management Service, cloud agents) never are, and need not be named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protect: Vec<Protection>,
    /// Thumbprints of certificates whose keys others may have: they are replaced now, whatever their dates, and the old ones
    /// go without a grace time. `certwright plan --replace` does it once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compromised: Vec<Thumbprint>,
    /// What is restarted so that services use their new certificate.
    #[serde(default, skip_serializing_if = "Restarts::is_default")]
    pub restarts: Restarts,
    /// Bounds that a plan or a run may not pass.
    #[serde(default, skip_serializing_if = "Limits::is_default")]
    pub limits: Limits,
    /// How long before it expires a warning is given for every certificate in use on these servers, declared or not;
    /// after it expired, `verify` and `drift` fail, with `never` too. For one with a lifetime shorter than three times this span, a third
    /// of the lifetime is used instead.
    #[serde(default, skip_serializing_if = "ExpiryWarning::is_default")]
    pub expiry_warning: ExpiryWarning,
    /// What clients trust.
    #[serde(default, skip_serializing_if = "VerifySpec::is_default")]
    pub verify: VerifySpec,
    /// What `certwright drift` overlooks.
    #[serde(default, skip_serializing_if = "DriftSpec::is_default")]
    pub drift: DriftSpec,
    /// Who is notified of drift, and of runs that wait, fail or are done, by a name of your choice.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(example = serde_json::json!({ "operations": { "teams": { "url": { "env": "OPERATIONS_WEBHOOK" } } } }))]
    pub notify: IndexMap<String, NotifySpec>,
    /// How the backups of removed certificates are protected. Except in a lab, it has to be declared before a key is
    /// backed up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupSpec>,
}

/// The format of a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// The first.
    #[serde(rename = "certwright/v1")]
    V1,
}

/// How the servers are reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::large_enum_variant, reason = "a manifest has one")]
pub enum DriverSpec {
    /// An Exchange organization simulated in a directory, with real keys, certificates and TLS endpoints.
    Lab(LabSpec),
    /// A saved observation, or what was exported on the servers: for plans without servers and without credentials.
    /// `apply` is refused.
    Capture(CaptureSpec),
    /// Real servers, by Windows PowerShell on this computer or on one that `ssh` reaches.
    #[serde(rename = "powershell")]
    PowerShell(PowerShellSpec),
}

impl DriverSpec {
    /// Its word in a manifest.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Lab(_) => "lab",
            Self::Capture(_) => "capture",
            Self::PowerShell(_) => "powershell",
        }
    }
}

/// A simulated organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabSpec {
    /// The directory of the lab, relative to the manifest's. It holds `lab.yaml`, which says what the organization was
    /// set up with, and `state`, which is made from it at the first use.
    #[serde(default = "LabSpec::default_directory")]
    pub directory: PathBuf,
}

/// A certificate that should exist.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of New-ExchangeCertificate")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CertificateSpec {
    /// Where it comes from: a key of `issuers`.
    #[schemars(example = &"public-ca")]
    pub issuer: IssuerName,
    /// The subject, as `New-ExchangeCertificate -SubjectName` takes it. Without it: `CN=` the first of `names`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"C=NL, O=Contoso, CN=mail.contoso.com")]
    pub subject: Option<Template>,
    /// The DNS names it must be good for, in the order they are put into the certificate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = ["mail.contoso.com", "autodiscover.contoso.com"])]
    pub names: Vec<Template>,
    /// Add every accepted domain to the names (`-IncludeAcceptedDomains`). Domains with a wildcard are left out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub include_accepted_domains: bool,
    /// Add `autodiscover.` of every accepted domain to the names (`-IncludeAutoDiscover`).
    #[serde(default, skip_serializing_if = "is_false")]
    pub include_autodiscover: bool,
    /// Add the full name of each server that uses it (`-IncludeServerFQDN`).
    #[serde(default, skip_serializing_if = "is_false")]
    pub include_server_fqdn: bool,
    /// Add the short name of each server that uses it (`-IncludeServerNetBIOSName`).
    #[serde(default, skip_serializing_if = "is_false")]
    pub include_server_netbios_name: bool,
    /// What Windows shows beside it. Without it: the name it has in this manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"Contoso mail")]
    pub friendly_name: Option<FriendlyName>,
    /// Its key.
    #[serde(default)]
    pub key: KeyRequest,
    /// Whether all servers that use it share one key, or each has its own certificate.
    #[serde(default)]
    pub scope: CertificateScope,
    /// How long before its end it is renewed: a span (`30d`), or a part of the lifetime it was issued with, at most 90 days
    /// (`33%`, the default).
    #[serde(default)]
    pub renew_before: RenewBefore,
    /// What happens to the certificate it replaces.
    #[serde(default)]
    pub retire: Retire,
    /// The server from which its key is copied to others that need it. Without it: the first that has it and may export it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_from: Option<ServerName>,
    /// What happens to services that it was enabled for and should not be.
    #[serde(default, skip_serializing_if = "ExtraServices::is_default")]
    pub extra_services: ExtraServices,
}

/// The key a certificate should have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyRequest {
    /// The kind of key.
    #[serde(default)]
    pub algorithm: KeyAlgorithm,
    /// Bits: 2048 or 4096 for RSA, 256 for EC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = [1024, 2048, 4096, 256, null]))]
    pub size: Option<u16>,
    /// Whether the key can be exported again. Decided at import and never changed afterwards; if not, another server
    /// can only get a new certificate.
    #[serde(default = "yes")]
    pub exportable: bool,
}

/// The kind of key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum KeyAlgorithm {
    /// RSA: what every version of Exchange can use.
    #[default]
    Rsa,
    /// ECDSA on the curve P-256: Exchange 2016 CU23, 2019 CU13 and SE, after a switch was set on the server.
    Ec,
}

/// Who shares a certificate's key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CertificateScope {
    /// One certificate and one key on every server that uses it.
    #[default]
    Organization,
    /// A certificate of its own for each server.
    Server,
}

/// What a server uses certificates for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Uses {
    /// Which certificate each service uses (`Enable-ExchangeCertificate`). SMTP takes several, and so a list. `check` refuses
    /// `Federation`: Exchange enables it by itself, for the certificate of the federation trust.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(extend("propertyNames" = service_names()))]
    #[schemars(example = serde_json::json!({ "IIS": "mail", "SMTP": ["mail", "transport"] }))]
    pub services: IndexMap<Service, OneOrMany<CertificateName>>,
    /// The internal transport certificate, also called the default SMTP certificate: TLS between Exchange servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internal_transport: Option<CertificateName>,
    /// Bindings of IIS sites: `SITE:PORT`, `SITE:ADDRESS:PORT` or `SITE:PORT:HOST`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(example = serde_json::json!({ "Exchange Back End:444": "transport" }))]
    pub iis: IndexMap<SiteBinding, CertificateName>,
    /// Receive connectors and the certificate each presents (`TlsCertificateName`); `null` clears it. A connector is named
    /// without the server in front. The one for all clients, as setup makes it, can be written by its role and port, which are the
    /// same in every language: `FrontendTransport:587`; relays beside it are named.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(example = serde_json::json!({ "FrontendTransport:25": "mail", "Client Frontend ${server.name}": "mail" }))]
    pub receive_connectors: IndexMap<Template, Option<CertificateName>>,
    /// `X509CertificateName` of POP and IMAP: the name by which they find their certificate. Needed only when it is not
    /// the certificate's own first name, and for certificates with a wildcard.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(extend("propertyNames" = serde_json::json!({ "enum": ["POP", "IMAP"] })))]
    pub x509_certificate_name: IndexMap<MailService, Template>,
    /// `UMStartupMode`: Unified Messaging uses its certificate only in the modes TLS and Dual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub um_startup_mode: Option<UmStartupMode>,
}

/// A server: its profile, and what is different on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServerSpec {
    /// The full name, `ex01.contoso.com`.
    #[schemars(example = &"ex01.contoso.com")]
    pub fqdn: crate::model::names::DnsName,
    /// Its version, when `check` should know what it can do without asking it: `2019 CU14`, `SE`, `15.2.1544.4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"2019 CU14")]
    pub version: Option<ServerVersion>,
    /// Whether it is an Edge Transport server.
    #[serde(default, skip_serializing_if = "is_false")]
    pub edge: bool,
    /// Why it is left out for now: nothing is planned for it, certwright changes nothing on it, and what it shares
    /// with other servers stays there too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"its mainboard is replaced")]
    pub left_out: Option<String>,
    /// A key of `profiles`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// As in a profile; takes the place of the profile's entry for the same service.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(extend("propertyNames" = service_names()))]
    pub services: IndexMap<Service, OneOrMany<CertificateName>>,
    /// As in a profile; takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internal_transport: Option<CertificateName>,
    /// As in a profile; takes the place of the profile's entry for the same binding.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub iis: IndexMap<SiteBinding, CertificateName>,
    /// As in a profile; takes the place of the profile's entry for the same connector.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub receive_connectors: IndexMap<Template, Option<CertificateName>>,
    /// As in a profile; takes the place of the profile's entry for the same service.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(extend("propertyNames" = serde_json::json!({ "enum": ["POP", "IMAP"] })))]
    pub x509_certificate_name: IndexMap<MailService, Template>,
    /// As in a profile; takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub um_startup_mode: Option<UmStartupMode>,
}

/// How the backups of removed certificates are protected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackupSpec {
    /// The password of the PFX files, which hold private keys. `none` leaves them with an empty one: only the file's mode
    /// protects the keys then.
    pub password: BackupPassword,
    /// Whether each new certificate of a CA is exported too, with its key, as soon as it serves on its first server: for
    /// safekeeping, in case all servers that have it are lost.
    #[serde(default, skip_serializing_if = "is_false")]
    pub issued: bool,
}

/// The password of backups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum BackupPassword {
    /// None, as somebody has decided.
    None,
    /// The environment variable of this name.
    Env(String),
    /// The contents of this file, relative to the manifest's directory; one line end at its end is not part of it.
    File(PathBuf),
    /// What this program prints: its path and its arguments. One line end at the end is not part of it.
    Command(Vec<String>),
}

impl BackupPassword {
    /// Where it is read from; nothing when there is none.
    pub fn secret(&self) -> Option<SecretRef> {
        match self {
            Self::None => None,
            Self::Env(name) => Some(SecretRef::Env(name.clone())),
            Self::File(path) => Some(SecretRef::File(path.clone())),
            Self::Command(words) => Some(SecretRef::Command(words.clone())),
        }
    }
}

impl LabSpec {
    fn default_directory() -> PathBuf {
        "lab".into()
    }
}

impl KeyRequest {
    /// The key in the terms of [`KeySpec`], when size and algorithm go together.
    pub fn spec(&self) -> Option<KeySpec> {
        match (self.algorithm, self.size) {
            (KeyAlgorithm::Rsa, None) => Some(KeySpec::Rsa(2048)),
            (KeyAlgorithm::Rsa, Some(bits @ (1024 | 2048 | 4096))) => Some(KeySpec::Rsa(bits)),
            (KeyAlgorithm::Ec, None | Some(256)) => Some(KeySpec::EcP256),
            (KeyAlgorithm::Rsa | KeyAlgorithm::Ec, Some(_)) => None,
        }
    }
}

impl Default for KeyRequest {
    fn default() -> Self {
        Self { algorithm: KeyAlgorithm::Rsa, size: None, exportable: true }
    }
}

/// The services that can be keys, for the schema.
#[cfg(feature = "schemas")]
fn service_names() -> serde_json::Value {
    let names: Vec<&str> = Service::ALL.iter().map(|service| service.name()).collect();
    serde_json::json!({ "enum": names })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

const fn yes() -> bool {
    true
}
