//! The text of a first manifest and of a first lab.

use super::options::{FirstDriver, FirstIssuer, InitOptions, Known, NamedServer};
use crate::model::names::DnsName;

pub(super) fn manifest(options: &InitOptions, known: &Known) -> String {
    let Known { organization, servers, names } = known;
    let driver = match options.driver {
        FirstDriver::Powershell => "{ powershell: {} }",
        FirstDriver::Capture => "{ capture: { path: capture } }",
        FirstDriver::Lab => "{ lab: {} }",
    };
    let backup = match options.driver {
        FirstDriver::Powershell => {
            "\n# What is removed is backed up with its key, under the password in this environment variable.\n\
             backup: { password: { env: CERTWRIGHT_BACKUP_PASSWORD } }\n"
        }
        FirstDriver::Capture | FirstDriver::Lab => "",
    };
    let ca = match options.issuer {
        FirstIssuer::PublicCa => "public-ca: { csr: { directory: requests } }",
        FirstIssuer::PrivateCa => "private-ca: { csr: { directory: requests, publiclyTrusted: false } }",
    };
    let issuer = ca.split(':').next().unwrap_or_default();
    let names: Vec<String> = names.iter().map(quoted).collect();
    let servers: String = servers
        .iter()
        .map(|NamedServer { name, fqdn }| format!("  {name}: {{ fqdn: {fqdn}, profile: mailbox }}\n"))
        .collect();
    format!(
        "# yaml-language-server: $schema=manifest.schema.json\n\
         apiVersion: certwright/v1\norganization: {organization}\ndriver: {driver}\n\n\
         issuers:\n  # A request is written to requests/mail.csr; the CA's answer goes beside it as requests/mail.cer.\n  {ca}\n  exchange: {{ selfSigned: {{}} }}\n\n\
         certificates:\n  # What clients see: one certificate on all servers.\n  mail:\n    issuer: {issuer}\n    names: [{names}]\n\
         \x20 # What the servers show each other: each its own.\n  transport:\n    issuer: exchange\n    scope: server\n    subject: CN=${{server.name}}\n    names: [\"${{server.name}}\", \"${{server.fqdn}}\"]\n    key: {{ exportable: false }}\n\n\
         profiles:\n  mailbox:\n    services: {{ IIS: mail, SMTP: [mail, transport] }}\n    internalTransport: transport\n    iis: {{ \"Exchange Back End:444\": transport }}\n\
         \x20   receiveConnectors: {{ \"FrontendTransport:25\": mail, \"FrontendTransport:587\": mail }}\n\n\
         servers:\n{servers}\n\
         # A plan removes at most this share of the certificates; the rest waits for a later one.\nlimits: {{ removals: 40% }}\n{backup}",
        names = names.join(", "),
        organization = plain_or_quoted(organization.as_str()),
    )
}

/// A simulated organization of the same servers, each as Exchange's set-up leaves it.
pub(super) fn lab(known: &Known) -> String {
    let servers: String = known
        .servers
        .iter()
        .map(|NamedServer { name, fqdn }| format!("  {name}: {{ fqdn: {fqdn}, version: 2019 CU14 }}\n"))
        .collect();
    format!(
        "# A simulated organization: certwright lab --help\napiVersion: certwright.lab/v1\n\
         # The CA that answers requests: certwright lab answer\n\
         authorities:\n  public-ca: {{ subject: \"CN=Public TLS CA, O=Public CA Ltd, C=US\" }}\n\
         servers:\n{servers}"
    )
}

/// A text in the quotation marks that YAML needs for all but letters and digits.
fn plain_or_quoted(text: &str) -> String {
    let plain = text.starts_with(|char: char| char.is_ascii_alphabetic())
        && text.chars().all(|char| char.is_ascii_alphanumeric() || "-_.".contains(char))
        && !["true", "false", "null", "yes", "no", "on", "off"].contains(&text.to_lowercase().as_str());
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// A name with a wildcard would be an alias.
fn quoted(name: &DnsName) -> String {
    if name.is_wildcard() { format!("\"{name}\"") } else { name.to_string() }
}
