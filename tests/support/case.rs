//! Organizations as they may be found, and manifests that are to be applied to them.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of this")]

/// An organization as it may be found, and a manifest that is to be applied to it.
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that may be so or not")]
#[derive(Clone, Debug)]
pub struct Case {
    pub servers: Vec<&'static str>,
    pub found: Option<Found>,
    pub leftover: bool,
    pub iis: bool,
    pub pop: bool,
    pub smtp: bool,
    pub internal: Internal,
    pub back_end: bool,
    pub receive: bool,
    pub send: bool,
    pub transport_renewed: bool,
    pub key: &'static str,
    pub retire: &'static str,
}

/// The certificate that is there before.
#[derive(Clone, Debug)]
pub struct Found {
    pub valid: (&'static str, &'static str),
    pub names: &'static str,
    pub exportable: bool,
    pub on_all: bool,
    pub own_ca: bool,
    pub services: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Internal {
    Undeclared,
    Transport,
    Mail,
}

impl Case {
    pub fn names(&self) -> Vec<String> {
        (1..=self.servers.len()).map(|number| format!("EX{number:02}")).collect()
    }

    pub fn lab(&self) -> String {
        let mut text = String::from(
            "apiVersion: certwright.lab/v1\nclock: 2026-03-02T09:00:00Z\nkeys: keys\nauthorities:\n  corp-ca: { subject: \"CN=Contoso CA, O=Contoso, C=NL\" }\n  old-ca: { subject: \"CN=Old CA, DC=contoso, DC=com\" }\nservers:\n",
        );
        for (name, version) in self.names().iter().zip(&self.servers) {
            let fqdn = name.to_lowercase();
            text += &format!(
                "  {name}: {{ fqdn: {fqdn}.contoso.com, version: \"{version}\", installed: 2024-05-06T10:00:00Z }}\n"
            );
        }
        text += &format!(
            "sendConnectors: {{ Outbound: {{ sourceServers: [{}] }} }}\ncertificates:\n",
            self.names().join(", ")
        );
        text += "  stranger: { names: [stranger.contoso.com], notBefore: -10d, notAfter: +300d, on: EX01, services: [SMTP] }\n";
        if let Some(found) = &self.found {
            let on = if found.on_all { self.names().join(", ") } else { "EX01".into() };
            let ca = if found.own_ca { "corp-ca" } else { "old-ca" };
            let send = if self.send && found.on_all { "sendConnectors: [Outbound]" } else { "" };
            text += &format!(
                "  mail:\n    authority: {ca}\n    names: {}\n    notBefore: {}\n    notAfter: {}\n    key: {{ exportable: {} }}\n    on: [{on}]\n    services: {}\n    {send}\n",
                found.names, found.valid.0, found.valid.1, found.exportable, found.services
            );
        }
        if self.leftover {
            text += "  leftover:\n    authority: corp-ca\n    names: [mail.contoso.com]\n    notBefore: -1d\n    notAfter: +80d\n    on: EX01\n    services: [SMTP]\n";
        }
        if self.transport_renewed {
            text += "  renewed:\n    names: [\"${server.name}\", \"${server.fqdn}\"]\n    notBefore: -20d\n    notAfter: +1800d\n    on: EX01\n    services: [SMTP]\n    internalTransport: true\n";
        }
        text
    }

    pub fn manifest(&self) -> String {
        let mut services = Vec::new();
        if self.iis {
            services.push("IIS: mail");
        }
        if self.pop {
            services.push("POP: mail");
        }
        services.push(if self.smtp || self.internal == Internal::Mail {
            "SMTP: [mail, transport]"
        } else {
            "SMTP: transport"
        });
        let internal = match self.internal {
            Internal::Undeclared => "",
            Internal::Transport => "internalTransport: transport",
            Internal::Mail => "internalTransport: mail",
        };
        let sites = if self.back_end { "iis: { \"Exchange Back End:444\": transport }" } else { "" };
        let receive = if self.receive && self.smtp {
            "receiveConnectors: { \"Default Frontend ${server.name}\": mail }"
        } else {
            ""
        };
        let mut text = format!(
            "apiVersion: certwright/v1\norganization: contoso\ndriver: {{ lab: {{ directory: . }} }}\nissuers:\n  corp-ca: {{ localCa: {{ certificate: state/authorities/corp-ca.crt, key: {{ file: state/authorities/corp-ca.key }} }} }}\n  exchange: {{ selfSigned: {{}} }}\ncertificates:\n  mail:\n    issuer: corp-ca\n    names: [mail.contoso.com, autodiscover.contoso.com]\n    key: {}\n    renewBefore: 30d\n    retire: {}\n  transport:\n    issuer: exchange\n    scope: server\n    names: [\"${{server.name}}\", \"${{server.fqdn}}\"]\n    retire: {}\nprofiles:\n  mailbox:\n    services: {{ {} }}\n    {internal}\n    {sites}\n    {receive}\nservers:\n",
            self.key,
            self.retire,
            self.retire,
            services.join(", "),
        );
        for name in self.names() {
            text += &format!("  {name}: {{ fqdn: {}.contoso.com, profile: mailbox }}\n", name.to_lowercase());
        }
        if self.send && self.smtp {
            text += "sendConnectors: { Outbound: mail }\n";
        }
        text
    }
}
