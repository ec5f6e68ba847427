//! What is seen. Each section is objects or an error; one that fails hides no other.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Map, Value as Json, json};

use super::{
    outcome::Stop,
    shell::{Calls, named, with},
};
use crate::{
    remoting::{Argument, Command, HostPolicy, Output},
    wire::clixml,
};

/// Sections in the making.
struct Sections(Vec<Json>);

impl Sections {
    /// Adds what a cmdlet shows.
    fn add(
        &mut self,
        calls: &mut Calls<'_>,
        name: &str,
        read: impl FnOnce(&mut Calls<'_>) -> Result<Vec<Vec<u8>>, Stop>,
    ) -> Result<(), Stop> {
        let only = calls.request.arguments["only"].as_array();
        if only.is_some_and(|only| !only.iter().any(|wanted| wanted == name)) {
            return Ok(());
        }
        match read(calls) {
            Ok(objects) => {
                let objects: Vec<String> =
                    objects.iter().map(|object| BASE64_STANDARD.encode(object)).collect();
                self.0.push(json!({ "name": name, "objects": objects }));
            }
            Err(Stop::Answered(mut facts)) => {
                facts["cmdlet"] = calls.outcome.cmdlet.as_str().into();
                self.0.push(json!({ "name": name, "error": facts }));
            }
            // Without a session nothing more is seen.
            Err(stop @ Stop::Broken(_)) => return Err(stop),
        }
        Ok(())
    }

    /// Adds what a cmdlet shows that is called with these texts.
    fn cmdlet(
        &mut self,
        calls: &mut Calls<'_>,
        name: &str,
        cmdlet: &'static str,
        parameters: &[(&str, &str)],
    ) -> Result<(), Stop> {
        self.add(calls, name, |calls| Ok(calls.read(cmdlet, parameters)?.written))
    }

    fn into_result(self) -> Json {
        json!({ "sections": self.0 })
    }
}

pub(super) fn organization(calls: &mut Calls<'_>) -> Result<Json, Stop> {
    let mut sections = Sections(Vec::new());
    for cmdlet in OF_ORGANIZATION {
        sections.cmdlet(calls, cmdlet, cmdlet, &[])?;
    }
    // The certificate that the directory holds of an Edge server is asked for each.
    sections.add(calls, "Get-EdgeSubscription", edge_subscriptions)?;
    Ok(sections.into_result())
}

/// Edge subscriptions, each with the certificate that the directory holds of its server: the other side of direct trust.
fn edge_subscriptions(calls: &mut Calls<'_>) -> Result<Vec<Vec<u8>>, Stop> {
    let found = calls.read("Get-EdgeSubscription", &[])?;
    let mut shown = Vec::new();
    for (object, root) in found.values() {
        let text = |property: &str| {
            object.get(root, property).and_then(|value| object.text(value)).unwrap_or_default().to_owned()
        };
        let name = text("Name");
        let held = match calls.read("Get-TransportService", &[("Identity", &name)]) {
            Ok(services) => thumbprint(&services),
            Err(stop @ Stop::Broken(_)) => return Err(stop),
            Err(stop @ Stop::Answered(_)) => {
                calls.outcome.warnings.push(format!("{name}: {}", stop.message()));
                None
            }
        };
        let created = object.get(root, "WhenCreatedUTC").and_then(|value| object.moment(value)?.timestamp());
        let created = created.map(|at| at.to_string());
        shown.push(record(&[
            ("Name", Some(name)),
            ("Site", Some(text("Site"))),
            ("WhenCreatedUTC", created),
            ("EdgeCertificate", held),
        ]));
    }
    Ok(shown)
}

fn thumbprint(services: &Output) -> Option<String> {
    let (object, root) = services.values().next()?;
    let value = object.get(root, "InternalTransportCertificateThumbprint")?;
    object.text(value).map(str::to_owned)
}

/// An object of texts, as CLIXML.
fn record(properties: &[(&str, Option<String>)]) -> Vec<u8> {
    let mut xml = String::from("<Obj RefId=\"0\"><MS>");
    for (name, value) in properties {
        match value {
            Some(text) => xml.push_str(&format!("<S N=\"{name}\">{}</S>", escaped(text))),
            None => xml.push_str(&format!("<Nil N=\"{name}\" />")),
        }
    }
    xml.push_str("</MS></Obj>");
    xml.into_bytes()
}

/// A text of the server as one of XML: what is not plain goes by its number, as PowerShell writes it.
fn escaped(text: &str) -> String {
    let mut written = String::new();
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii_alphanumeric() || b" -.:/\\,=()".contains(&byte) => {
                written.push(char::from(byte));
            }
            _ => written.push_str(&format!("_x{unit:04X}_")),
        }
    }
    written
}

pub(super) fn server(calls: &mut Calls<'_>) -> Result<Json, Stop> {
    let name = calls.server();
    let (on, itself) = ([("Server", name.as_str())], [("Identity", name.as_str())]);
    let of = |cmdlet: &str| format!("{name}.{cmdlet}");
    let mut sections = Sections(Vec::new());
    sections.add(calls, &of("Get-ExchangeCertificate"), |calls| certificates(calls, &name))?;
    sections.cmdlet(calls, &of("Get-ReceiveConnector"), "Get-ReceiveConnector", &on)?;
    sections.cmdlet(calls, &of("Get-TransportService"), "Get-TransportService", &itself)?;
    sections.cmdlet(calls, &of("Get-PopSettings"), "Get-PopSettings", &on)?;
    sections.cmdlet(calls, &of("Get-ImapSettings"), "Get-ImapSettings", &on)?;
    if calls.is_set("unified_messaging") {
        sections.cmdlet(calls, &of("Get-UMService"), "Get-UMService", &itself)?;
        sections.cmdlet(calls, &of("Get-UMCallRouterSettings"), "Get-UMCallRouterSettings", &on)?;
    }
    // The names that clients are sent to, from the directory: IIS is not asked for them.
    for cmdlet in OF_DIRECTORIES {
        sections.add(calls, &of(cmdlet), |calls| {
            let command = with(named(cmdlet)?, "Server", Argument::Text(name.clone()))?;
            let command = with(command, "ADPropertiesOnly", Argument::Boolean(true))?;
            Ok(calls.invoke(&command, HostPolicy::Nobody)?.written)
        })?;
    }
    sections.add(calls, &of("Get-ClientAccessService"), |calls| {
        // Exchange 2013 and before call it a server.
        let first = match calls.read("Get-ClientAccessService", &itself) {
            Err(first @ Stop::Answered(_)) => first,
            result => return Ok(result?.written),
        };
        match calls.read("Get-ClientAccessServer", &itself) {
            Err(Stop::Answered(_)) => Err(first),
            result => Ok(result?.written),
        }
    })?;
    Ok(sections.into_result())
}

/// Certificates: as objects that carry their serialized form, else with the properties that the server selects.
fn certificates(calls: &mut Calls<'_>, server: &str) -> Result<Vec<Vec<u8>>, Stop> {
    let whole = calls.read("Get-ExchangeCertificate", &[("Server", server)])?;
    let is_serialized = whole.values().any(|(object, root)| {
        let value = object.get(root, "SerializationData");
        value.is_some_and(|value| !object.is_null(value))
    });
    if is_serialized || whole.objects.is_empty() {
        return Ok(whole.written);
    }
    let select = Argument::Texts(SELECTED.map(str::to_owned).to_vec());
    let first: Command =
        with(named("Get-ExchangeCertificate")?, "Server", Argument::Text(server.to_owned()))?;
    let both = first.piped_into(with(named("Select-Object")?, "Property", select)?);
    match calls.invoke(&both, HostPolicy::Nobody) {
        Ok(output) => Ok(output.written),
        Err(stop @ Stop::Broken(_)) => Err(stop),
        Err(stop @ Stop::Answered(_)) => {
            let said = format!("certificates came as their bytes alone: {}", stop.message());
            calls.outcome.warnings.push(said);
            Ok(whole.written)
        }
    }
}

/// What a server says of itself, and in which form its certificates come.
pub(super) fn about(calls: &mut Calls<'_>) -> Result<Json, Stop> {
    let name = calls.server();
    let server = calls.read("Get-ExchangeServer", &[("Identity", &name)])?;
    let said = |property: &str| {
        let (object, root) = server.values().next()?;
        let value = object.get(root, property)?;
        object.text(value).map(str::to_owned)
    };
    let (version, fqdn, controller) = (said("AdminDisplayVersion"), said("Fqdn"), said("OriginatingServer"));
    let written = certificates(calls, &name)?;
    let (mut certificates, mut serialized, mut with_services) = (0, 0, 0);
    for object in written.iter().filter_map(|written| clixml::read(written).ok()) {
        for root in object.roots() {
            let has = |property: &str| {
                u32::from(object.get(root, property).is_some_and(|value| !object.is_null(value)))
            };
            certificates += 1;
            serialized += has("SerializationData");
            with_services += has("Services");
        }
    }
    Ok(json!({
        "version": version, "fqdn": fqdn, "domain_controller": controller,
        "certificates": certificates, "serialized": serialized, "with_services": with_services,
    }))
}

/// What the role assignments of the account leave of each cmdlet that is called: its parameters, or nothing.
pub(super) fn visible(calls: &mut Calls<'_>) -> Result<Json, Stop> {
    let mut visible = Map::new();
    for cmdlet in super::super::super::cmdlets::CMDLETS {
        let found = match calls.read("Get-Command", &[("Name", cmdlet.name)]) {
            Ok(found) => found,
            Err(stop @ Stop::Broken(_)) => return Err(stop),
            // It is not there.
            Err(Stop::Answered(_)) => continue,
        };
        for (object, root) in found.values() {
            let table = object.get(root, "Parameters");
            let entries = table.and_then(|table| object.entries(table)).unwrap_or_default();
            let names: Vec<&str> = entries.iter().filter_map(|(name, _)| object.text(name)).collect();
            visible.insert(cmdlet.name.to_owned(), json!(names));
        }
    }
    Ok(json!({ "visible": visible }))
}

const OF_ORGANIZATION: [&str; 8] = [
    "Get-ExchangeServer",
    "Get-AcceptedDomain",
    "Get-SendConnector",
    "Get-HybridConfiguration",
    "Get-AuthConfig",
    "Get-FederationTrust",
    "Get-SettingOverride",
    "Get-TransportConfig",
];

const OF_DIRECTORIES: [&str; 8] = [
    "Get-OwaVirtualDirectory",
    "Get-EcpVirtualDirectory",
    "Get-WebServicesVirtualDirectory",
    "Get-ActiveSyncVirtualDirectory",
    "Get-OabVirtualDirectory",
    "Get-MapiVirtualDirectory",
    "Get-PowerShellVirtualDirectory",
    "Get-OutlookAnywhere",
];

const SELECTED: [&str; 8] = [
    "RawData",
    "Identity",
    "Services",
    "Status",
    "RootCAType",
    "HasPrivateKey",
    "PrivateKeyExportable",
    "FriendlyName",
];
