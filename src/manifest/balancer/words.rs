//! The words of a load balancer's description.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize};

use crate::model::{names::DnsName, shown::ShowPath};

/// A host that clients meet: a DNS name or an IP address, without a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// By name.
    Name(DnsName),
    /// By address.
    Address(IpAddr),
}

/// Where HAProxy's Runtime API is: `stats socket` in its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuntimeSocket {
    /// A socket in the file system.
    Path(PathBuf),
    /// A port of this machine. Never of another one: the API is not encrypted, and the key goes through it.
    Loopback(SocketAddr),
}

/// What HAProxy calls a certificate: the path as its configuration has it, or `@STORE/ALIAS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreName(String);

/// A server as HAProxy's configuration names it: `BACKEND/SERVER`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendServer {
    backend: String,
    server: String,
}

/// A program and its arguments. It is started as it stands, without a shell.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CommandLine(Vec<String>);

/// Why a text is not the word it should be.
#[derive(Debug, thiserror::Error)]
pub enum WordError {
    /// Not a host.
    #[error("`{0}` is not a host; write a DNS name or an IP address, without a port")]
    Host(String),
    /// A name for many hosts.
    #[error("`{0}` stands for many hosts; write the one that is to be met")]
    Wildcard(DnsName),
    /// The API of another machine.
    #[error(
        "`{0}` is not a port of this machine; the Runtime API is not encrypted and the private key goes through it, so write a path or a loopback address like 127.0.0.1:9999"
    )]
    NotHere(String),
    /// Not a socket.
    #[error("a socket cannot be empty; write a path or a loopback address like 127.0.0.1:9999")]
    NoSocket,
    /// A name that cannot be said.
    #[error(
        "`{0}` cannot be said on HAProxy's command line: blanks, quotes, `;`, `<`, `#`, `\\` and a `*` in front mean something there"
    )]
    StoreName(String),
    /// Not a server of HAProxy.
    #[error(
        "`{0}` is not a server of HAProxy; write BACKEND/SERVER as its configuration names them, like exchange/ex01"
    )]
    BackendServer(String),
    /// A command without a program.
    #[error("a command begins with a program; write [PROGRAM, ARGUMENT, …]")]
    NoProgram,
    /// What no process can be given.
    #[error("no program can be given a NUL character")]
    Nul,
}

impl Host {
    /// The host with a port, as it is connected to: `lb01.contoso.com:443`, `[2001:db8::1]:443`.
    pub fn with_port(&self, port: u16) -> String {
        match self {
            Self::Name(name) => format!("{name}:{port}"),
            Self::Address(address) => SocketAddr::new(*address, port).to_string(),
        }
    }
}

impl StoreName {
    /// The name as HAProxy has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl BackendServer {
    /// The backend.
    pub fn backend(&self) -> &str {
        &self.backend
    }

    /// The server in it.
    pub fn server(&self) -> &str {
        &self.server
    }
}

impl FromStr for BackendServer {
    type Err = WordError;

    /// Names have letters, digits, `-`, `_`, `.` and `:` (HAProxy configuration manual, 2.1 "Quoting and escaping").
    fn from_str(text: &str) -> Result<Self, WordError> {
        let is_name = |name: &str| {
            let fits = |char: char| char.is_ascii_alphanumeric() || "-_.:".contains(char);
            !name.is_empty() && name.chars().all(fits)
        };
        match text.split_once('/') {
            Some((backend, server)) if is_name(backend) && is_name(server) => {
                Ok(Self { backend: backend.into(), server: server.into() })
            }
            _ => Err(WordError::BackendServer(shortened(text))),
        }
    }
}

impl fmt::Display for BackendServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.backend, self.server)
    }
}

impl CommandLine {
    /// A command of these words, the program first.
    pub fn new(words: Vec<String>) -> Result<Self, WordError> {
        if words.first().is_none_or(|program| program.trim().is_empty()) {
            return Err(WordError::NoProgram);
        }
        if words.iter().any(|word| word.contains('\0')) {
            return Err(WordError::Nul);
        }
        Ok(Self(words))
    }

    /// The program, by its name or path.
    pub fn program(&self) -> &str {
        &self.0[0]
    }

    /// What the program is given.
    pub fn arguments(&self) -> &[String] {
        &self.0[1..]
    }
}

impl FromStr for Host {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        // Figures and dots would be a DNS name too.
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        match text.parse::<DnsName>() {
            Ok(name) if name.is_wildcard() => Err(WordError::Wildcard(name)),
            Ok(name) => Ok(Self::Name(name)),
            Err(_) => Err(WordError::Host(shortened(text))),
        }
    }
}

impl FromStr for RuntimeSocket {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        if text.trim().is_empty() {
            return Err(WordError::NoSocket);
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            let here = address.ip().is_loopback();
            return if here { Ok(Self::Loopback(address)) } else { Err(WordError::NotHere(shortened(text))) };
        }
        // `lb01:9999` is meant as a host and a port, and would be a strange path.
        let port = text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        if port && !text.contains(['/', '\\']) {
            return Err(WordError::NotHere(shortened(text)));
        }
        Ok(Self::Path(text.into()))
    }
}

impl FromStr for StoreName {
    type Err = WordError;

    /// A `*` in front would name the transaction and not the certificate (HAProxy management guide 9.3, `show ssl cert`).
    fn from_str(text: &str) -> Result<Self, WordError> {
        let odd = |char: char| {
            char.is_whitespace() || char.is_control() || matches!(char, ';' | '<' | '#' | '\\' | '"' | '\'')
        };
        if text.is_empty() || text.starts_with('*') || text.contains(odd) {
            return Err(WordError::StoreName(shortened(text)));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl fmt::Display for RuntimeSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.shown().fmt(f),
            Self::Loopback(address) => address.fmt(f),
        }
    }
}

impl fmt::Display for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for CommandLine {
    /// The arguments may themselves be worth hiding (`--token …`), so only the program is named.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.program())
    }
}

impl fmt::Debug for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommandLine({:?} and {} arguments)", self.program(), self.arguments().len())
    }
}

impl<'de> Deserialize<'de> for CommandLine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schemas")]
impl schemars::JsonSchema for CommandLine {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CommandLine".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "array",
            "items": { "type": "string" },
            "minItems": 1,
            "description": "A program and its arguments, started as they stand, without a shell. A program with a `/` in it is relative to the manifest's directory; any other is looked for in PATH.",
        })
    }
}
text_type!(
    BackendServer,
    "A server as HAProxy's configuration names it: BACKEND/SERVER.",
    Some("^[A-Za-z0-9_.:-]+/[A-Za-z0-9_.:-]+$")
);
text_type!(Host, "A host: a DNS name or an IP address, without a port.", Some(r"^[^*/\s]+$"));
text_type!(
    RuntimeSocket,
    "The path of a socket, relative to the manifest's directory, or a loopback address with a port: 127.0.0.1:9999.",
    Some("^.*[^ ].*$")
);
text_type!(
    StoreName,
    "A certificate as HAProxy names it: a path as its configuration has it, or @STORE/ALIAS.",
    Some(r#"^[^*;<#\\"'\s][^;<#\\"'\s]*$"#)
);

fn shortened(text: &str) -> String {
    crate::model::text::escaped(&text.chars().take(80).collect::<String>())
}
