//! The form in which load balancers are written: the ways to one beside each other, of which exactly one is taken. Flat,
//! because people read it so, and still strict, which an enum that is flattened into a struct could not be.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Deserializer, Serialize};

use super::{
    BackendServer, BalancerSpec, CommandLine, HaproxySpec, HaproxyUpdate, HookSpec, Host, LabBalancerSpec,
    NginxSpec, OneOrMany, RuntimeSocket, StoreName, Via,
};
use crate::model::{
    endpoint::{Endpoint, Protocol},
    names::{CertificateName, ServerName},
    schema::JsonSchema,
    time::Span,
};

/// A [`BalancerSpec`] as it is written: the ways beside each other, of which one is taken.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    { "required": ["haproxy"] }, { "required": ["nginx"] }, { "required": ["command"] }, { "required": ["lab"] },
]))]
pub(super) struct Written {
    /// The certificate it holds: a key of `certificates`, of a certificate that the organization shares.
    #[schemars(example = &"mail")]
    certificate: CertificateName,
    /// The host that clients connect to, and that is verified by a handshake.
    #[schemars(example = &"lb01.contoso.com")]
    address: Host,
    /// What is verified there.
    #[serde(default = "Written::default_endpoints", deserialize_with = "some_endpoints")]
    #[schemars(length(min = 1), example = ["https:443", "smtp:25"])]
    endpoints: Vec<Endpoint>,
    /// How long one command or one conversation with it may take.
    #[serde(default = "Written::default_timeout")]
    timeout: Span,
    /// An HAProxy on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    haproxy: Option<HaproxySpec>,
    /// An nginx on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nginx: Option<NginxSpec>,
    /// Commands of your own, for everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    command: Option<HookSpec>,
    /// A load balancer that the lab simulates; for manifests whose driver is `lab`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lab: Option<LabBalancerSpec>,
}

/// A [`HaproxySpec`] as it is written.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend(
    "oneOf" = [{ "required": ["socket"] }, { "required": ["reload"] }],
    "dependentRequired" = { "name": ["socket"], "servers": ["socket"] },
))]
pub(super) struct WrittenHaproxy {
    /// The PEM file with certificate, chain and key that `bind … ssl crt` names. Relative to the manifest's directory. A
    /// file that is there keeps its owner and mode; a new one is for its owner only.
    #[schemars(example = &"/etc/haproxy/certs/mail.pem")]
    bundle: PathBuf,
    /// The Runtime API (`stats socket … level admin`), by which the running process takes the certificate without a
    /// reload: a path, or a loopback address and port. Needs HAProxy 2.2, started with a certificate in this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"/run/haproxy/admin.sock", example = &"127.0.0.1:9999")]
    socket: Option<RuntimeSocket>,
    /// What `show ssl cert` calls the certificate, when that is not the path of `bundle`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<StoreName>,
    /// Instead of `socket`: the command that makes HAProxy read its files again. It must end with another exit code than 0
    /// when HAProxy could not use them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = ["systemctl", "reload", "haproxy"])]
    reload: Option<CommandLine>,
    /// What the servers behind it are called in its configuration, `BACKEND/SERVER`, one or a list: with
    /// `restarts: { drain: true }` each is sent no new clients while it restarts. Needs `socket`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    servers: BTreeMap<ServerName, OneOrMany<BackendServer>>,
}

/// Why a load balancer is not described.
#[derive(Debug, thiserror::Error)]
pub enum BalancerSpecError {
    /// No way to it.
    #[error("nothing says how it gets its certificate; write one of `haproxy`, `nginx`, `command` and `lab`")]
    NoWay,
    /// Several ways to it.
    #[error("`{0}` and `{1}` are both given, and only one of them can be meant; keep one")]
    SeveralWays(&'static str, &'static str),
    /// A file that nobody would read.
    #[error(
        "nothing makes HAProxy take the new file; write `socket`, the path of its `stats socket`, or `reload`, a command"
    )]
    NoUpdate,
    /// A name that nobody asks for.
    #[error(
        "`name` is what the Runtime API calls the certificate, and without `socket` nobody asks it; remove `name`"
    )]
    NameWithoutSocket,
    /// Servers that nobody can take out.
    #[error(
        "`servers` are taken out of HAProxy by its Runtime API, and without `socket` nobody asks it; write `socket` in place of \
         `reload`, or remove `servers`"
    )]
    ServersWithoutSocket,
}

impl Written {
    fn default_endpoints() -> Vec<Endpoint> {
        vec![Endpoint::new(Protocol::Https, 443)]
    }

    /// Long enough for a load balancer that is asked over a slow line, short enough to notice that nobody answers.
    fn default_timeout() -> Span {
        Span::seconds(60)
    }
}

impl TryFrom<Written> for BalancerSpec {
    type Error = BalancerSpecError;

    fn try_from(written: Written) -> Result<Self, BalancerSpecError> {
        let Written { certificate, address, endpoints, timeout, haproxy, nginx, command, lab } = written;
        let ways = [
            haproxy.map(|way| ("haproxy", Via::Haproxy(way))),
            nginx.map(|way| ("nginx", Via::Nginx(way))),
            command.map(|way| ("command", Via::Command(way))),
            lab.map(|way| ("lab", Via::Lab(way))),
        ];
        let mut ways = ways.into_iter().flatten();
        let (first, via) = ways.next().ok_or(BalancerSpecError::NoWay)?;
        if let Some((second, _)) = ways.next() {
            return Err(BalancerSpecError::SeveralWays(first, second));
        }
        Ok(Self { certificate, address, endpoints, timeout, via })
    }
}

impl From<BalancerSpec> for Written {
    fn from(spec: BalancerSpec) -> Self {
        let BalancerSpec { certificate, address, endpoints, timeout, via } = spec;
        let mut written = Self {
            certificate,
            address,
            endpoints,
            timeout,
            haproxy: None,
            nginx: None,
            command: None,
            lab: None,
        };
        match via {
            Via::Haproxy(way) => written.haproxy = Some(way),
            Via::Nginx(way) => written.nginx = Some(way),
            Via::Command(way) => written.command = Some(way),
            Via::Lab(way) => written.lab = Some(way),
        }
        written
    }
}

impl TryFrom<WrittenHaproxy> for HaproxySpec {
    type Error = BalancerSpecError;

    fn try_from(written: WrittenHaproxy) -> Result<Self, BalancerSpecError> {
        let WrittenHaproxy { bundle, socket, name, reload, servers } = written;
        if socket.is_none() && reload.is_some() && !servers.is_empty() {
            return Err(BalancerSpecError::ServersWithoutSocket);
        }
        let update = match (socket, name, reload) {
            (Some(socket), name, None) => HaproxyUpdate::Runtime { socket, name },
            (None, None, Some(reload)) => HaproxyUpdate::Reload(reload),
            (None, Some(_), Some(_)) => return Err(BalancerSpecError::NameWithoutSocket),
            (None, _, None) => return Err(BalancerSpecError::NoUpdate),
            (Some(_), _, Some(_)) => return Err(BalancerSpecError::SeveralWays("socket", "reload")),
        };
        Ok(Self { bundle, update, servers })
    }
}

impl From<HaproxySpec> for WrittenHaproxy {
    fn from(HaproxySpec { bundle, update, servers }: HaproxySpec) -> Self {
        match update {
            HaproxyUpdate::Runtime { socket, name } => {
                Self { bundle, socket: Some(socket), name, reload: None, servers }
            }
            HaproxyUpdate::Reload(reload) => {
                Self { bundle, socket: None, name: None, reload: Some(reload), servers }
            }
        }
    }
}

/// A load balancer of which nothing is verified could serve anything.
fn some_endpoints<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Endpoint>, D::Error> {
    let endpoints = Vec::deserialize(deserializer)?;
    if endpoints.is_empty() {
        return Err(serde::de::Error::custom(
            "there must be an endpoint to verify; write one, like https:443",
        ));
    }
    Ok(endpoints)
}
