//! Load balancers and reverse proxies that hold a copy of a certificate and its key.

mod words;
mod written;

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use self::written::{Written, WrittenHaproxy};
pub use self::{
    words::{BackendServer, CommandLine, Host, RuntimeSocket, StoreName, WordError},
    written::BalancerSpecError,
};
use super::shapes::OneOrMany;
use crate::model::{
    endpoint::Endpoint,
    names::{CertificateName, ServerName},
    schema::JsonSchema,
    time::Span,
};

/// A load balancer or reverse proxy that ends TLS before the servers. Extended Protection lets clients in only when it
/// presents the same certificate as they do, so it gets the same certificate with the same key (Microsoft Learn,
/// "Configure Windows Extended Protection in Exchange Server").
// facts 11.3
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Written", into = "Written")]
pub struct BalancerSpec {
    /// The certificate it holds.
    pub certificate: CertificateName,
    /// Where clients meet it.
    pub address: Host,
    /// What is met there.
    pub endpoints: Vec<Endpoint>,
    /// How long one command or one conversation with it may take.
    pub timeout: Span,
    /// How it gets the certificate.
    pub via: Via,
}

/// How a load balancer gets a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// The bundle file and the Runtime API of an HAProxy on this machine.
    Haproxy(HaproxySpec),
    /// The two files of an nginx on this machine.
    Nginx(NginxSpec),
    /// Commands of your own.
    Command(HookSpec),
    /// A load balancer of the lab.
    Lab(LabBalancerSpec),
}

/// An HAProxy on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "WrittenHaproxy", into = "WrittenHaproxy")]
pub struct HaproxySpec {
    /// The file with certificate, chain and key.
    pub bundle: PathBuf,
    /// How the running process learns of it.
    pub update: HaproxyUpdate,
    /// What the servers behind it are called in its configuration.
    pub servers: BTreeMap<ServerName, OneOrMany<BackendServer>>,
}

/// How a running HAProxy learns of a new certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HaproxyUpdate {
    /// By its Runtime API, without a reload.
    Runtime {
        /// Where the API is.
        socket: RuntimeSocket,
        /// What HAProxy calls the certificate, when that is not the path of the bundle.
        name: Option<StoreName>,
    },
    /// By a command that makes it read its files again.
    Reload(CommandLine),
}

/// An nginx on this machine. Both files are written before either takes its place; when the test or the reload fails,
/// the old ones come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NginxSpec {
    /// The file that `ssl_certificate` names: the certificate and its chain. Relative to the manifest's directory.
    #[schemars(example = &"/etc/nginx/mail.crt")]
    pub certificate: PathBuf,
    /// The file that `ssl_certificate_key` names. It is another one than `certificate`.
    #[schemars(example = &"/etc/nginx/mail.key")]
    pub key: PathBuf,
    /// The command that says whether nginx could use its files. It must end with another exit code than 0 when not.
    #[serde(default = "NginxSpec::default_test")]
    pub test: CommandLine,
    /// The command that makes nginx read its files again.
    #[schemars(example = ["nginx", "-s", "reload"])]
    pub reload: CommandLine,
}

/// Commands of your own for a load balancer that certwright does not know.
///
/// They are started in the manifest's directory, without a shell, with PATH and HOME as their whole environment. Exit
/// code 0 is success. Any other is an error, and the end of what was written to stderr is shown with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HookSpec {
    /// Prints the certificate that the load balancer is configured with, in PEM, on stdout. Certificates after the first
    /// are not looked at. Nothing printed means that it has none yet.
    #[schemars(example = ["./lb.sh", "observe"])]
    pub observe: CommandLine,
    /// Gives the load balancer a certificate and makes it serve it. It is all or nothing: when it ends with another exit
    /// code than 0, the old certificate must still be there and still be served.
    ///
    /// On stdin it gets one JSON object: `{"certificate": PEM, "chain": [PEM, …], "key": PEM, "thumbprint": "…"}`. The
    /// chain begins with the issuer of the certificate and may be empty; the key is PKCS#8 without a password; the
    /// thumbprint is the SHA-1 of the certificate. The key is nowhere but on stdin.
    #[schemars(example = ["./lb.sh", "install"])]
    pub install: CommandLine,
}

/// The lab keeps it beside its servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabBalancerSpec {
    /// The servers behind it, which it can be told to send no new clients to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<ServerName>,
}

impl BalancerSpec {
    /// The servers that it can be told to send no new clients to.
    pub fn servers(&self) -> Vec<&ServerName> {
        match &self.via {
            Via::Haproxy(haproxy) => haproxy.servers.keys().collect(),
            Via::Lab(lab) => lab.servers.iter().collect(),
            Via::Nginx(_) | Via::Command(_) => Vec::new(),
        }
    }
}

impl NginxSpec {
    fn default_test() -> CommandLine {
        CommandLine::new(vec!["nginx".into(), "-t".into()]).expect("it begins with a program")
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde_json::json;

    use super::*;
    use crate::manifest::yaml::{self, DocumentKind, SchemaText, Source};
    use crate::model::names::BalancerName;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Document {
        load_balancers: IndexMap<BalancerName, BalancerSpec>,
    }

    fn read(lines: &str) -> Result<BalancerSpec, String> {
        let text = format!("loadBalancers:\n  lb01:\n    certificate: mail\n{lines}");
        let source = Source { file: "m.yaml".into(), bytes: text.into_bytes() };
        let schema = serde_json::to_string(&schemars::schema_for!(Document)).unwrap().leak();
        let schema = SchemaText::Written(schema);
        match yaml::document::<Document>(source, DocumentKind { schema, ..DocumentKind::MANIFEST }) {
            Ok((mut document, _)) => Ok(document.load_balancers.shift_remove_index(0).unwrap().1),
            Err(findings) => {
                let place = findings[0].place.clone().unwrap();
                let hint = findings[0].hint.clone().unwrap_or_default();
                Err(format!("{}:{} {} {hint}", place.line, place.column, findings[0].message))
            }
        }
    }

    #[test]
    fn each_way_is_read_and_written_back() {
        let hook = "command: { observe: [./lb.sh, observe], install: [./lb.sh, install] }";
        for (way, address, how) in [
            ("haproxy", "lb01.contoso.com", "haproxy: { bundle: mail.pem, socket: /run/haproxy.sock }"),
            ("haproxy", "10.0.0.5", "haproxy: { bundle: m.pem, socket: '[::1]:9999', name: '@web/mail' }"),
            ("haproxy", "lb01", "haproxy: { bundle: mail.pem, reload: [systemctl, reload, haproxy] }"),
            (
                "nginx",
                "'2001:db8::1'",
                "nginx: { certificate: m.crt, key: m.key, reload: [nginx, -s, reload] }",
            ),
            ("command", "lb01", hook),
            ("lab", "lb01.contoso.com", "lab: {}"),
            ("lab", "lb01.contoso.com", "lab: { servers: [EX01, EX02] }"),
            (
                "haproxy",
                "lb01",
                "haproxy: { bundle: m, socket: s, servers: { EX01: web/ex01, EX02: [web/ex02, smtp/ex02] } }",
            ),
        ] {
            let spec = read(&format!("    address: {address}\n    {how}\n")).unwrap();
            assert_eq!(spec.endpoints, ["https:443".parse().unwrap()]);
            let written = serde_json::to_value(&spec).unwrap();
            assert!(written.get(way).is_some(), "{written}");
            assert_eq!(serde_json::from_value::<BalancerSpec>(written).unwrap(), spec);
        }
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (lines, says) in [
            ("address: lb01", "3:5 nothing says how it gets its certificate"),
            ("address: lb01\n    nginx:", "5:5 `nginx` has no value"),
            ("address: lb01\n    haproxi: {}", "5:5 unknown field `haproxi` did you mean `haproxy`"),
            ("address: lb01:443", "4:14 `lb01:443` is not a host"),
            ("address: '*.contoso.com'", "4:14 `*.contoso.com` stands for many hosts"),
            ("address: lb01\n    endpoints: []", "5:16 there must be an endpoint to verify"),
            ("address: lb01\n    endpoints: [https]", "5:17 `https` is not an endpoint"),
            ("address: lb01\n    haproxy: { bundle: m }", "5:14 nothing makes HAProxy take the new file"),
            (
                "address: lb01\n    haproxy: { bundle: m, socket: s, reload: [r] }",
                "5:27 `socket` and `reload`",
            ),
            ("address: lb01\n    haproxy: { bundle: m, name: n, reload: [r] }", "5:27 `name` is what"),
            (
                "address: lb01\n    haproxy: { bundle: m, socket: 'lb01:9999' }",
                "5:35 `lb01:9999` is not a port of",
            ),
            (
                "address: lb01\n    haproxy: { bundle: m, socket: '10.0.0.5:9999' }",
                "5:35 `10.0.0.5:9999` is not",
            ),
            (
                "address: lb01\n    haproxy: { bundle: m, socket: s, name: 'a;b' }",
                "5:44 `a;b` cannot be said",
            ),
            (
                "address: lb01\n    haproxy: { bundle: m, reload: [r], servers: { EX01: a/b } }",
                "5:40 `servers` are taken out",
            ),
            (
                "address: lb01\n    haproxy: { bundle: m, socket: s, servers: { EX01: ex01 } }",
                "5:55 `ex01` is not a server of HAProxy",
            ),
            ("address: lb01\n    haproxy: { bundle: m, reload: [] }", "5:35 a command begins with a program"),
            ("address: lb01\n    nginx: { certificate: c, key: k }", "5:5 `nginx` has no `reload`"),
            (
                "address: lb01\n    nginx: { certificate: c, key: k, reloat: [r] }",
                "5:38 unknown field `reloat`",
            ),
            (
                "address: lb01\n    command: { observe: ['', a], install: [b] }",
                "5:25 a command begins with a",
            ),
        ] {
            let error = read(&format!("    {lines}\n")).unwrap_err();
            assert!(error.starts_with(says), "{lines:?}: {error:?}");
        }
        let both = "    address: lb01\n    nginx: { certificate: c, key: k, reload: [r] }\n    command: { observe: [a], install: [b] }\n";
        assert!(read(both).unwrap_err().starts_with("5:5 `nginx` and `command` are both given"));
    }

    #[test]
    fn the_schema_says_the_same() {
        let schema = serde_json::to_value(schemars::schema_for!(BalancerSpec)).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let haproxy = json!({ "bundle": "m.pem", "socket": "/run/haproxy.sock" });
        let nginx = json!({ "certificate": "c", "key": "k", "reload": ["nginx", "-s", "reload"] });
        for (what, value, good) in [
            ("one way", json!({ "certificate": "mail", "address": "lb01", "haproxy": haproxy }), true),
            ("no way", json!({ "certificate": "mail", "address": "lb01" }), false),
            (
                "two ways",
                json!({ "certificate": "mail", "address": "lb01", "haproxy": haproxy, "nginx": nginx }),
                false,
            ),
            (
                "nothing to verify",
                json!({ "certificate": "mail", "address": "lb01", "endpoints": [], "nginx": nginx }),
                false,
            ),
            (
                "a name nobody asks for",
                json!({ "certificate": "mail", "address": "lb01", "haproxy": { "bundle": "m", "reload": ["r"], "name": "n" } }),
                false,
            ),
        ] {
            assert_eq!(validator.is_valid(&value), good, "{what}");
            assert_eq!(serde_json::from_value::<BalancerSpec>(value).is_ok(), good, "{what}");
        }
    }

    #[test]
    fn hosts_are_put_before_ports() {
        for (host, at) in
            [("lb01", "lb01:443"), ("10.0.0.5", "10.0.0.5:443"), ("2001:db8::1", "[2001:db8::1]:443")]
        {
            assert_eq!(host.parse::<Host>().unwrap().with_port(443), at);
        }
    }

    #[test]
    fn arguments_are_not_shown() {
        let command = CommandLine::new(vec!["lb".into(), "--token=hunter2".into()]).unwrap();
        assert!(!format!("{command} {command:?}").contains("hunter2"));
    }
}
