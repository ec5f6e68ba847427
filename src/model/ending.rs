//! Certificates in use that end, declared or not.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    binding_point::BindingPoint,
    list::joined,
    names::{ConnectorName, ServerName},
    schema::JsonSchema,
    server::BindingStore,
    server_left_out::{KeptBy, TAKE_BACK},
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// A certificate that something uses, and that ends soon or has ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ending {
    /// The server that presents it; absent where it is the organization's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerName>,
    /// The certificate.
    pub certificate: Thumbprint,
    /// Whom it names.
    pub named: String,
    /// When it ends.
    pub not_after: Timestamp,
    /// Whether that is over.
    pub expired: bool,
    /// What uses it.
    pub used_by: Vec<UsedBy>,
    /// Whether the manifest leaves the server out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_out: bool,
}

/// What uses a certificate that ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum UsedBy {
    /// A place presents it.
    Place(BindingPoint),
    /// A binding serves it from another store than Exchange's.
    // facts 11.6
    FromStore {
        /// The binding.
        place: BindingPoint,
        /// The store.
        store: BindingStore,
    },
    /// A send connector selects it.
    SendConnector(ConnectorName),
    /// A program beside Exchange names it.
    Program(String),
    /// It signs tokens.
    Auth,
    /// It is that of the federation trust.
    Federation,
}

impl fmt::Display for UsedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(place) => place.fmt(f),
            Self::FromStore { place, store } => write!(f, "{place} from {store}"),
            Self::SendConnector(name) => name.fmt(f),
            Self::Program(program) => f.write_str(program),
            Self::Auth => f.write_str("the Auth configuration"),
            Self::Federation => f.write_str("the federation trust"),
        }
    }
}

/// The Auth certificate, where servers need it and it is not.
// facts 4.4
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MissingAuth {
    /// The certificate.
    pub certificate: Thumbprint,
    /// The servers that lack it.
    pub servers: Vec<ServerName>,
    /// Whether no server has it.
    pub everywhere: bool,
}

/// A server whose internal transport certificate is missing.
// facts 5.2
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MissingInternalTransport {
    /// The server.
    pub server: ServerName,
    /// The certificate that the directory names, and that the server does not have; absent where it names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Thumbprint>,
    /// Whether the manifest leaves the server out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_out: bool,
}

impl MissingInternalTransport {
    /// What to do about it.
    pub const fn advice(&self) -> &'static str {
        if self.left_out {
            TAKE_BACK
        } else {
            "declare `internalTransport` for the server, and the plan sets one"
        }
    }
}

/// A server without the current certificate of the federation trust.
// facts 4.4, 15 no. 34
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MissingFederation {
    /// The server.
    pub server: ServerName,
    /// The certificate.
    pub certificate: Thumbprint,
}

impl MissingFederation {
    /// What to do about it.
    pub const ADVICE: &'static str = "import it there with its key";
}

impl fmt::Display for MissingFederation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, certificate } = self;
        write!(
            f,
            "{server} does not have the certificate {} of the federation trust: federated sharing through it fails",
            certificate.short()
        )
    }
}

impl fmt::Display for MissingInternalTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, certificate, left_out } = self;
        match certificate {
            Some(certificate) => write!(
                f,
                "the internal transport certificate {} of {server} is not in its store",
                certificate.short()
            )?,
            None => write!(f, "{server} has no internal transport certificate")?,
        }
        let kept = KeptBy(left_out.then_some(server));
        write!(f, ": it offers no X-ANONYMOUSTLS, and mail between servers waits{kept}")
    }
}

impl fmt::Display for MissingAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { certificate, servers, everywhere } = self;
        let servers: Vec<&str> = servers.iter().map(ServerName::as_str).collect();
        let place = if *everywhere {
            "is on no server: tokens cannot be signed".to_owned()
        } else {
            format!("is not on {}: tokens cannot be signed there", servers.join(", "))
        };
        write!(
            f,
            "the Auth certificate {} {place}, sign-in to Outlook on the web, the management shell and hybrid features fail, \
             and Exchange tells no details of certificates",
            certificate.short()
        )
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, certificate, named, not_after, expired, used_by, left_out } = self;
        let on = server.as_ref().map_or(String::new(), |server| format!(" on {server}"));
        let ends = if *expired { "ended" } else { "ends" };
        write!(
            f,
            "{} ({named}){on} {ends} {}, and is used by {}{}",
            certificate.short(),
            not_after.date(),
            joined(used_by),
            KeptBy(server.as_ref().filter(|_| *left_out))
        )
    }
}
