//! What a first manifest is made of.

use std::{path::PathBuf, str::FromStr};

use crate::model::names::{DnsName, OrganizationName, ServerName};

/// What the command line says; what it does not say is asked, where somebody can answer.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// Where the files go.
    pub directory: PathBuf,
    /// The organization's name.
    pub organization: Option<OrganizationName>,
    /// The servers.
    pub servers: Vec<NamedServer>,
    /// The names that clients use.
    pub names: Vec<DnsName>,
    /// Who issues the certificate that clients see.
    pub issuer: FirstIssuer,
    /// How the servers are reached.
    pub driver: FirstDriver,
    /// The forge whose pipeline is written.
    pub pipeline: Option<Pipeline>,
}

/// A server with its full name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedServer {
    /// Its short name.
    pub name: ServerName,
    /// Its full name.
    pub fqdn: DnsName,
}

impl FromStr for NamedServer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, fqdn) = match text.split_once('=') {
            Some((name, fqdn)) => (name.to_owned(), fqdn),
            // The short name is the first part of the full one, in capitals as Exchange shows it.
            None => (text.split('.').next().unwrap_or_default().to_uppercase(), text),
        };
        if !fqdn.contains('.') {
            return Err(
                "a server is named with its full name: ex01.contoso.com, or EX01=ex01.contoso.com".into()
            );
        }
        let fqdn: DnsName = fqdn.parse().map_err(|error| format!("{error}"))?;
        if fqdn.is_address() || fqdn.is_wildcard() {
            return Err(format!(
                "`{fqdn}` is not the full name of a server; other servers resolve it and compare it with certificates: ex01.contoso.com"
            ));
        }
        let name = name.parse().map_err(|error| format!("{error}"))?;
        Ok(Self { name, fqdn })
    }
}

/// Who issues the certificate that clients see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstIssuer {
    /// A public CA, by a request.
    PublicCa,
    /// A CA of one's own, by a request.
    PrivateCa,
}

/// How the servers are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstDriver {
    /// Windows PowerShell on this computer.
    Powershell,
    /// A capture.
    Capture,
    /// A simulated organization.
    Lab,
}

/// A forge whose pipeline is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pipeline {
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
    /// Azure Pipelines.
    Azure,
}

/// What is known when all is asked.
pub(super) struct Known {
    pub(super) organization: OrganizationName,
    pub(super) servers: Vec<NamedServer>,
    pub(super) names: Vec<DnsName>,
}
