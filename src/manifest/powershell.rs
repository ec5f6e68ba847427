//! Real servers, by PowerShell.

use std::{fmt, path::PathBuf, str::FromStr};

use data_encoding::HEXLOWER_PERMISSIVE;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::model::{names::ServerName, schema::JsonSchema, secret::SecretRef, time::Span};

/// How real servers are reached. Without anything it is the Windows PowerShell of this computer, as the account that runs
/// certwright, with Kerberos to each server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PowerShellSpec {
    /// PowerShell runs on another computer, which is reached by `ssh`. Without it, it is this computer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<SshSpec>,
    /// certwright calls Exchange's cmdlets itself, at `/PowerShell/` of each server, from any computer and without PowerShell
    /// on it. IIS, Windows services and certificate stores need `windows` beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remoting: Option<RemotingSpec>,
    /// How IIS, Windows services and certificate stores are reached where `remoting` reaches Exchange's cmdlets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<WindowsSpec>,
    /// The account for Exchange and Windows. Without it, the account that PowerShell runs as; with `remoting`, the one that
    /// Kerberos has a ticket for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountSpec>,
    /// How long one request may take before its outcome counts as unknown.
    #[serde(default = "PowerShellSpec::default_timeout")]
    pub timeout: Span,
    /// Servers that are reached in another way.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub servers: IndexMap<ServerName, PowerShellServerSpec>,
}

/// How one server is reached, where it is not as the others are. What is not said is as for the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PowerShellServerSpec {
    /// The computer on which its PowerShell runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<SshSpec>,
    /// Its cmdlets are called by certwright itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remoting: Option<RemotingSpec>,
    /// How its IIS, its Windows services and its certificate store are reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<WindowsSpec>,
    /// The account for this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountSpec>,
}

/// A computer that the system's `ssh` reaches. The user's own configuration, keys and agent count; host keys have to be
/// known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SshSpec {
    /// Its name or address. Without it, the full name of the server itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"admin01.contoso.com")]
    pub host: Option<String>,
    /// The account there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// A private key, relative to the manifest's directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_file: Option<PathBuf>,
    /// A file with the host keys that are accepted, relative to the manifest's directory; it takes the place of the user's
    /// and the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_hosts: Option<PathBuf>,
}

/// A session with Exchange that certwright opens itself. By default it is over plain HTTP, with Kerberos, which seals every
/// message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemotingSpec {
    /// The port. Without it 80, and 443 with `tls`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The session is inside TLS, with a certificate that is trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsTrustSpec>,
    /// How certwright authenticates.
    #[serde(default)]
    pub authentication: Authentication,
    /// The file of a Kerberos ticket cache, relative to the manifest's directory. Without it, where the system looks
    /// (`KRB5CCNAME`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_cache: Option<PathBuf>,
    /// A keytab, relative to the manifest's directory: tickets are fetched with it and kept in memory. Only its owner may
    /// read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keytab: Option<PathBuf>,
    /// Whose tickets: `user@REALM`. Without it, whoever the cache or the keytab is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"svc-certwright@CONTOSO.COM")]
    pub principal: Option<String>,
}

/// How certwright authenticates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Authentication {
    /// With Kerberos, by itself or as Negotiate offers it. Never with NTLM.
    #[default]
    Kerberos,
    /// With the password of `account`, inside TLS only.
    Basic,
}

/// Which TLS certificate of a server is trusted. Without anything, those that the system trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TlsTrustSpec {
    /// A PEM file with the CAs, relative to the manifest's directory; they take the place of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// The SHA-256 fingerprint of the one certificate that is trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<CertificatePin>,
}

/// SHA-256 of a certificate's DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificatePin(pub [u8; 32]);

/// Why a text is no pin.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a SHA-256 fingerprint; it has 64 hexadecimal digits")]
pub struct PinError(String);

text_type!(
    CertificatePin,
    "SHA-256 of the certificate, 64 hexadecimal digits, with or without colons.",
    Some("^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$")
);

impl FromStr for CertificatePin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let digits: String = text.chars().filter(|char| *char != ':').collect();
        let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| PinError(text.chars().take(80).collect()))
    }
}

impl fmt::Display for CertificatePin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER_PERMISSIVE.encode(&self.0))
    }
}

/// The way to what is Windows' own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WindowsSpec {
    /// The PowerShell of the server itself, reached by `ssh`.
    pub ssh: SshSpec,
}

/// The way to a server's cmdlets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way<'a> {
    /// The Windows PowerShell of this computer.
    Here,
    /// The Windows PowerShell of a computer that `ssh` reaches.
    Ssh(&'a SshSpec),
    /// A session that certwright opens itself.
    Remoting(&'a RemotingSpec),
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountSpec {
    /// `DOMAIN\user` or `user@domain`.
    #[schemars(example = &"CONTOSO\\certwright")]
    pub user: String,
    /// Its password.
    #[schemars(example = serde_json::json!({ "env": "EXCHANGE_PASSWORD" }))]
    pub password: SecretRef,
}

impl PowerShellSpec {
    fn default_timeout() -> Span {
        Span::seconds(300)
    }

    /// The way to a server's cmdlets: its own, else that of all.
    pub fn way_to(&self, server: &ServerName) -> Way<'_> {
        let own = self.servers.get(server);
        let own = own.and_then(|own| way(own.ssh.as_ref(), own.remoting.as_ref()));
        own.or_else(|| way(self.ssh.as_ref(), self.remoting.as_ref())).unwrap_or(Way::Here)
    }

    /// The way to what is Windows' own on a server, where it is another one.
    pub fn windows_of(&self, server: &ServerName) -> Option<&WindowsSpec> {
        self.servers.get(server).and_then(|own| own.windows.as_ref()).or(self.windows.as_ref())
    }

    /// The account for a server, where there is one.
    pub fn account_of(&self, server: &ServerName) -> Option<&AccountSpec> {
        self.servers.get(server).and_then(|own| own.account.as_ref()).or(self.account.as_ref())
    }
}

fn way<'a>(ssh: Option<&'a SshSpec>, remoting: Option<&'a RemotingSpec>) -> Option<Way<'a>> {
    ssh.map(Way::Ssh).or(remoting.map(Way::Remoting))
}
