//! What real systems wrote: PowerShell 7.6 and Exchange 2019. The captures lie beside the checkout, or where
//! `CERTWRIGHT_CAPTURES` says; without them these tests are skipped, and say so.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod replay;
mod session;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use certwright::{
    model::{certificate::Certificate, thumbprint::Thumbprint},
    wire::{
        clixml::{self, Document, Value},
        exchange_certificate::{self, ExchangeCertificateBlob},
        nrbf,
    },
};
use serde_json::Value as Json;
use session::{assert_is, data_of, expected_outputs, messages, pipeline_outputs, scenarios};

/// The folder of captures of one kind.
fn captures(kind: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("CERTWRIGHT_CAPTURES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures"), PathBuf::from)
        .join(kind);
    if folder.is_dir() {
        return Some(folder);
    }
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let _ = std::io::stderr().write_all(
        format!("\nSKIPPED: {name} needs the captures in {}, which is no folder\n", folder.display())
            .as_bytes(),
    );
    None
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|have| have == extension)).collect();
    found.sort();
    assert!(!found.is_empty(), "no .{extension} in {}", folder.display());
    found
}

fn read(path: &Path) -> Document {
    clixml::read(&fs::read(path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text<'a>(document: &'a Document, value: &'a Value, name: &str) -> Option<&'a str> {
    document.get(value, name).and_then(|value| document.text(value))
}

fn texts<'a>(document: &'a Document, value: &'a Value, name: &str) -> Vec<&'a str> {
    let items = document.get(value, name).and_then(|value| document.items(value)).unwrap();
    items.iter().map(|item| document.text(item).unwrap()).collect()
}

#[test]
fn files_of_powershell_7_decode() {
    let Some(folder) = captures("powershell-7.6") else { return };
    let document = read(&folder.join("certificates.clixml"));
    let [first, second] = document.roots() else { panic!("two certificates") };
    for (root, services, number) in [(first, "IMAP, POP, SMTP", 19), (second, "IIS", 8)] {
        let enumeration = document.enumeration(document.get(root, "services").unwrap()).unwrap();
        assert_eq!((enumeration.text, enumeration.number), (services, number));
        let der = document.bytes(document.get(root, "RawData").unwrap()).unwrap();
        let certificate = Certificate::from_der(der).unwrap();
        assert_eq!(text(&document, root, "Thumbprint").unwrap(), certificate.thumbprint.to_string());
        let not_after = document.moment(document.get(root, "NotAfter").unwrap()).unwrap();
        assert_eq!(not_after.timestamp(), Some(certificate.not_after));
    }
    assert_eq!(text(&document, second, "FriendlyName"), Some("Zürich 😀 <&> \"q\" \u{7}_x0041_"));
    assert_eq!(document.type_names(first), document.type_names(second), "TNRef");

    let document = read(&folder.join("shapes.clixml"));
    let expected = expected_outputs(&folder, "with-host").remove("shapes").unwrap();
    assert_eq!(document.roots().len(), expected.len());
    for (root, expected) in document.roots().iter().zip(&expected) {
        assert_is(&document, root, expected, "shapes.clixml");
    }
}

#[test]
fn outputs_of_sessions_are_what_another_client_decoded() {
    let Some(folder) = captures("powershell-7.6") else { return };
    for session in ["with-host", "null-host"] {
        let pipelines = scenarios(&folder, session);
        let outputs = pipeline_outputs(&fs::read_to_string(folder.join(format!("{session}.jsonl"))).unwrap());
        let mut checked = 0;
        for (scenario, pipeline, expected) in &pipelines {
            let messages = outputs.get(pipeline).map_or(&[][..], Vec::as_slice);
            assert_eq!(messages.len(), expected.len(), "{session}, {scenario}: number of objects");
            for (message, expected) in messages.iter().zip(expected) {
                // The protocol sends no bytes for $null.
                if message.is_empty() {
                    assert_eq!(*expected, Json::Null, "{session}, {scenario}");
                    continue;
                }
                let document = clixml::read(message).unwrap_or_else(|error| panic!("{scenario}: {error}"));
                let [root] = document.roots() else { panic!("{scenario}: one value in a message") };
                assert_is(&document, root, expected, scenario);
                checked += 1;
            }
        }
        assert_eq!(checked, 38, "{session}");
    }
}

#[test]
fn every_message_of_a_session_decodes() {
    let Some(folder) = captures("powershell-7.6") else { return };
    for path in files(&folder, "jsonl") {
        let mut count = 0;
        for line in fs::read_to_string(&path).unwrap().lines() {
            let line: Json = serde_json::from_str(line).unwrap();
            count += usize::from(data_of(line["line"].as_str().unwrap()).is_some());
        }
        let messages = messages(&fs::read_to_string(&path).unwrap());
        assert!(messages.len() > count / 2, "{} messages in {count} lines", messages.len());
        for message in messages.iter().filter(|message| !message.data.is_empty()) {
            let read = clixml::read(&message.data);
            assert!(read.is_ok(), "{}: {:x}: {}", path.display(), message.kind, read.unwrap_err());
        }
    }
}

#[test]
fn settings_of_exchange_can_be_read() {
    let Some(folder) = captures("exchange-2019") else { return };
    for path in files(&folder, "xml") {
        assert!(!read(&path).roots().is_empty(), "{}", path.display());
    }

    let document = read(&folder.join("GetReceiveConnector.xml"));
    let find = |name: &str| {
        let connector = document.roots().iter().find(|root| text(&document, root, "Identity") == Some(name));
        connector.unwrap_or_else(|| panic!("{name} is missing"))
    };
    let frontend = find("WIN-CTD3L0RGEN4\\Default Frontend WIN-CTD3L0RGEN4");
    assert_eq!(texts(&document, frontend, "Bindings"), ["[::]:25", "0.0.0.0:25"]);
    let tls = document.get(frontend, "TlsCertificateName").unwrap();
    assert_eq!(document.text(tls), Some("<I>CN=WIN-CTD3L0RGEN4<S>CN=WIN-CTD3L0RGEN4"));
    assert_eq!(text(&document, tls, "CertificateSubject"), Some("CN=WIN-CTD3L0RGEN4"));
    let mechanism = document.enumeration(document.get(frontend, "AuthMechanism").unwrap()).unwrap();
    let words = "Tls, Integrated, BasicAuth, BasicAuthRequireTLS, ExchangeServer";
    assert_eq!((mechanism.number, mechanism.text), (31, words));
    let role = document.enumeration(document.get(frontend, "TransportRole").unwrap()).unwrap();
    assert_eq!((role.number, role.text), (16384, "FrontendTransport"));
    let hub = find("WIN-CTD3L0RGEN4\\Default WIN-CTD3L0RGEN4");
    assert!(document.is_null(document.get(hub, "TlsCertificateName").unwrap()));
    assert_eq!(document.boolean(document.get(hub, "RequireTLS").unwrap()), Some(false));
    assert!(
        document.is_of_type(hub, "Microsoft.Exchange.Data.Directory.SystemConfiguration.ReceiveConnector")
    );

    let document = read(&folder.join("GetSendConnector.xml"));
    let o365 = &document.roots()[0];
    assert_eq!(text(&document, o365, "Identity"), Some("Mail to O365"));
    assert_eq!(texts(&document, o365, "SmartHosts"), ["microsoft-com.mail.protection.outlook.com"]);
    let changed = document.moment(document.get(o365, "WhenChangedUTC").unwrap()).unwrap();
    assert_eq!(changed.timestamp().unwrap().to_string(), "2022-03-23T17:00:30Z");
    let local = document.moment(document.get(o365, "WhenChanged").unwrap()).unwrap();
    assert_eq!(local.timestamp(), changed.timestamp(), "the same moment with an offset");

    let document = read(&folder.join("GetAuthConfig.xml"));
    let auth = &document.roots()[0];
    assert_eq!(
        text(&document, auth, "CurrentCertificateThumbprint"),
        Some("C3EDCF181EF4F9B53D01768ECA99564014BCA6E7")
    );
    let hybrid = read(&folder.join("GetHybridConfiguration.xml"));
    let name = text(&hybrid, &hybrid.roots()[0], "TlsCertificateName").unwrap();
    assert!(name.ends_with("<S>CN=mail.contoso.com"), "{name}");
    let bindings = read(&folder.join("GetWebBinding.xml"));
    let ssl: Vec<_> = bindings
        .roots()
        .iter()
        .filter(|binding| text(&bindings, binding, "protocol") == Some("https"))
        .collect();
    assert!(!ssl.is_empty());
}

#[test]
fn every_exchange_certificate_holds_what_the_facts_say() {
    let Some(folder) = captures("exchange-2019") else { return };
    let document = read(&folder.join("GetExchangeCertificate.xml"));
    // What the files' three certificates hold, decoded by hand; facts 2.5 says what the members are.
    let auth = "Microsoft Exchange Server Auth Certificate";
    let expected = [
        ("C3EDCF181EF4F9B53D01768ECA99564014BCA6E7", 16, 0, true, &[][..], auth),
        ("6C7DE09FB39A40144F57EFEBC3DF0148E3A9AB28", 27, 3, false, &[1, 2][..], "Microsoft Exchange"),
        ("38247AD2B76244411748274C508D13446311830B", 0, 3, true, &[][..], "CN=WMSvc-WIN-K300A9DA9VA"),
    ];
    assert_eq!(document.roots().len(), expected.len());
    for (root, (thumbprint, services, root_ca_type, exportable, sites, friendly_name)) in
        document.roots().iter().zip(expected)
    {
        let bytes = document.bytes(document.get(root, "SerializationData").unwrap()).unwrap();
        let blob = exchange_certificate::decode(bytes).unwrap();
        let raw = document.bytes(document.get(root, "RawData").unwrap()).unwrap();
        assert_eq!(blob.certificate.0, raw, "{thumbprint}: the DER stands in both places");
        assert_eq!(Thumbprint::of(raw).to_string(), thumbprint);
        let sites: Vec<_> = sites.iter().map(|site| format!("IIS://Solo-E19A/W3SVC/{site}")).collect();
        let wanted = ExchangeCertificateBlob {
            certificate: blob.certificate.clone(),
            friendly_name: Some(friendly_name.to_owned()),
            has_private_key: true,
            provider_type: Some(12),
            self_signed: true,
            status: 1,
            root_ca_type,
            services,
            iis_services: sites,
            private_key_exportable: exportable,
            identity: Some(format!("Solo-E19A.Solo.com\\{thumbprint}")),
        };
        assert_eq!(blob, wanted);
        assert_same_records(bytes, &exchange_certificate::encode(&blob));
    }
}

/// What the encoder writes is what Exchange wrote, but for the properties of the store, which keeps hashes and more, and
/// for how often a list was changed.
fn assert_same_records(exchange: &[u8], ours: &[u8]) {
    let (exchange, ours) = (nrbf::read(exchange).unwrap(), nrbf::read(ours).unwrap());
    let outline = |message: &nrbf::Message| {
        let root = message.root();
        let list = message.member(&root, "IISServices").unwrap().clone();
        let items = message.member(&list, "_items").unwrap().clone();
        let mut lines = Vec::new();
        for object in [&root, &list].into_iter().chain(message.items(&items).unwrap()) {
            lines.push(format!("{:?} of {:?}", message.class_name(object), message.library(object)));
            for (name, value) in message.members(object).filter(|(name, _)| *name != "_version") {
                let (class, text) = (message.class_name(value), message.text(value));
                lines.push(format!("{name} = {value:?}, {class:?}, {text:?}, {:?}", message.integer(value)));
            }
        }
        lines
    };
    assert_eq!(outline(&exchange), outline(&ours));
}

#[test]
fn all_serialized_data_of_exchange_can_be_read() {
    let Some(folder) = captures("exchange-2019") else { return };
    let mut count = 0;
    for path in files(&folder, "xml") {
        let text = fs::read_to_string(&path).unwrap();
        for (at, start) in text.match_indices("N=\"SerializationData\">") {
            let base64 = text[at + start.len()..].split('<').next().unwrap();
            let message = nrbf::read(&BASE64_STANDARD.decode(base64).unwrap());
            assert!(message.is_ok(), "{}: {}", path.display(), message.unwrap_err());
            let message = message.unwrap();
            assert!(message.class_name(&message.root()).is_some(), "{}", path.display());
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}
