//! Real servers, by PowerShell.

use std::path::PathBuf;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{names::ServerName, secret::SecretRef, time::Span};

/// How real servers are reached. Without anything it is the Windows PowerShell of this computer, as the account that runs
/// certwright, with Kerberos to each server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PowerShellSpec {
    /// PowerShell runs on another computer, which is reached by `ssh`. Without it, it is this computer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<SshSpec>,
    /// The account for Exchange and Windows. Without it, the account that PowerShell runs as.
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

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountSpec {
    /// `DOMAIN\user` or `user@domain`.
    #[schemars(example = &"CONTOSO\\certwright")]
    pub user: String,
    /// Its password.
    pub password: SecretRef,
}

impl PowerShellSpec {
    fn default_timeout() -> Span {
        Span::seconds(300)
    }

    /// The way to the computer on which a server's PowerShell runs; none where it is this one.
    pub fn ssh_of(&self, server: &ServerName) -> Option<&SshSpec> {
        self.servers.get(server).and_then(|own| own.ssh.as_ref()).or(self.ssh.as_ref())
    }

    /// The account for a server, where there is one.
    pub fn account_of(&self, server: &ServerName) -> Option<&AccountSpec> {
        self.servers.get(server).and_then(|own| own.account.as_ref()).or(self.account.as_ref())
    }
}
