//! Bad input: each mistake is one sentence that names the file and the place, and the rest of the capture still counts.

use std::{fs, path::Path};

use super::{
    clixml::{self, Cell, Thing, of_directory, text},
    exported, observe,
    support::Rig,
};
use certwright::{
    drivers::capture::Capture,
    manifest::CaptureSpec,
    model::{fact::Fact, organization::Observed, server::Server},
    ports::driver::{Observer, Wanted},
};

/// A capture of one server with nothing wrong in it.
pub(crate) fn good(folder: &Path) -> Observed {
    let mut rig = Rig::of_folder(Path::new("tests/scenarios/renew-before-expiry"));
    let mut observed = rig.observe();
    super::with_a_domain(&mut observed);
    exported::export(&observed.organization, observed.at, folder);
    observed
}

fn change(folder: &Path, file: &str, change: impl FnOnce(String) -> String) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed, "{file} was changed");
    fs::write(path, changed).unwrap();
}

fn certificate(properties: Vec<(&'static str, Cell)>) -> Thing {
    let kind = "Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate";
    Thing { types: vec![format!("Deserialized.{kind}")], adapted: properties, extended: Vec::new() }
}

const CONNECTORS: &str = "EX01.Get-ReceiveConnector.xml";
const CERTIFICATES: &str = "EX01.Get-ExchangeCertificate.xml";

/// What is wrong, how it comes about, what is said, and which facts of the server are unknown for it.
type Row = (&'static str, fn(&Path), &'static str, &'static [&'static str]);

const ROWS: &[Row] = &[
    (
        "a file that was cut",
        |folder| change(folder, CONNECTORS, |text| text.chars().take(text.chars().count() / 2).collect()),
        "EX01.Get-ReceiveConnector.xml is left out: line ",
        &["receive_connectors"],
    ),
    (
        "an entity that grows",
        |folder| {
            change(folder, CONNECTORS, |text| {
                text.replacen(
                    "<Objs",
                    "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><Objs",
                    1,
                )
            });
        },
        "a document type definition is refused",
        &["receive_connectors"],
    ),
    (
        "a million elements in each other",
        |folder| fs::write(folder.join(CONNECTORS), "<Obj><LST>".repeat(500_000)).unwrap(),
        "deep; PowerShell itself ends before that",
        &["receive_connectors"],
    ),
    (
        "a reference to nowhere",
        |folder| {
            change(folder, CONNECTORS, |text| {
                text.replacen(
                    "<Nil N=\"TlsCertificateName\" />",
                    "<Ref N=\"TlsCertificateName\" RefId=\"4711\" />",
                    1,
                )
            })
        },
        "refers to RefId `4711`, which nothing before it has",
        &["receive_connectors"],
    ),
    (
        "a file with nothing in it",
        |folder| fs::write(folder.join(CONNECTORS), "").unwrap(),
        "it is empty",
        &["receive_connectors"],
    ),
    (
        "a connector whose list was cut off for its depth",
        |folder| {
            let cut =
                text("Microsoft.Exchange.Data.MultiValuedProperty`1[[Microsoft.Exchange.Data.IPBinding]]");
            let thing =
                of_directory("ReceiveConnector", "EX01\\Cut", vec![("Name", text("Cut")), ("Bindings", cut)]);
            clixml::write(folder, "EX01.Get-ReceiveConnector", &[thing]);
        },
        "EX01.Get-ReceiveConnector.xml, object 1: its Bindings was cut off; export it again with Export-Clixml -Depth 3",
        &["receive_connectors"],
    ),
    (
        "a connector with a name of no certificate",
        |folder| {
            change(folder, CONNECTORS, |text| {
                text.replacen("<Nil N=\"TlsCertificateName\" />", "<S N=\"TlsCertificateName\">mail</S>", 1)
            })
        },
        "its TlsCertificateName is `mail`: it has the form <I>issuer<S>subject",
        &["receive_connectors"],
    ),
    (
        "a blob with absurd lengths",
        |folder| {
            let absurd =
                [&[0, 1, 0, 0, 0, 255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0, 15][..], &[255; 12]].concat();
            let der = a_certificate();
            clixml::write(
                folder,
                "EX01.Get-ExchangeCertificate",
                &[certificate(vec![
                    ("RawData", Cell::Bytes(der)),
                    ("SerializationData", Cell::Bytes(absurd)),
                ])],
            );
        },
        "EX01.Get-ExchangeCertificate.xml, object 1: its SerializationData cannot be used: ",
        &[],
    ),
    (
        "a blob of another certificate",
        |folder| {
            change(folder, CERTIFICATES, |text| {
                let bytes = format!("<BA N=\"RawData\">{}</BA>", base64(&a_certificate()));
                let start = text.find("<BA N=\"RawData\">").unwrap();
                let end = start + text[start..].find("</BA>").unwrap() + 5;
                format!("{}{bytes}{}", &text[..start], &text[end..])
            });
        },
        "its SerializationData is of another certificate; only the bytes are used",
        &[],
    ),
    (
        "a certificate that does not parse",
        |folder| {
            let things = [
                certificate(vec![("RawData", Cell::Bytes(vec![0x30, 0x82, 0xff, 0xff]))]),
                certificate(vec![("RawData", Cell::Bytes(a_certificate()))]),
            ];
            clixml::write(folder, "EX01.Get-ExchangeCertificate", &things);
        },
        "EX01.Get-ExchangeCertificate.xml, object 1: its RawData is 4 bytes: these 4 bytes are not an X.509 certificate",
        &[],
    ),
    (
        "certificates without their bytes",
        |folder| {
            clixml::write(
                folder,
                "EX01.Get-ExchangeCertificate",
                &[certificate(vec![("Services", text("IIS"))])],
            );
        },
        "EX01.Get-ExchangeCertificate.xml, object 1: it has no RawData",
        &["certificates", "requests"],
    ),
    (
        "certificates as their bytes alone",
        |folder| {
            let bytes = Cell::Bytes(a_certificate());
            clixml::write(folder, "EX01.Get-ExchangeCertificate", &[certificate(vec![("RawData", bytes)])]);
        },
        "1 of 1 certificates came as their bytes alone, so their services are unknown",
        &[],
    ),
    (
        "a list of certificates in which there is none",
        |folder| clixml::write(folder, "EX01.Get-ExchangeCertificate", &[]),
        "EX01.Get-ExchangeCertificate.xml: it is empty, which it never is where the cmdlet succeeded",
        &["certificates", "requests"],
    ),
    (
        "a file whose cmdlet cannot be told",
        |folder| {
            let thing = Thing {
                types: vec!["System.IO.FileInfo".into()],
                adapted: vec![("Name", text("x"))],
                extended: Vec::new(),
            };
            clixml::write(folder, "stuff", &[thing]);
        },
        "stuff.xml is left out: its objects are of the type System.IO.FileInfo, and neither that nor its name tells the cmdlet",
        &[],
    ),
    (
        "a file of another organization",
        |folder| {
            let mut thing =
                of_directory("ReceiveConnector", "EX07\\Default EX07", vec![("Name", text("Default EX07"))]);
            for (name, cell) in &mut thing.adapted {
                if *name == "DistinguishedName" {
                    *cell = text("CN=Default EX07,CN=Fabrikam,CN=Configuration,DC=fabrikam,DC=com");
                }
            }
            clixml::write(folder, "EX07.Get-ReceiveConnector", &[thing]);
        },
        "EX07.Get-ReceiveConnector.xml is left out: it is of the organization fabrikam.com, and this is about contoso.com",
        &[],
    ),
    (
        "a server that is there twice",
        |folder| {
            change(folder, "Get-ExchangeServer.xml", |text| {
                let start = text.find("<LST>").unwrap() + 5;
                let end = text.rfind("</LST>").unwrap();
                let again = text[start..end].replace("ex01.contoso.com", "ex01.fabrikam.com");
                let again = again.replace("RefId=\"", "RefId=\"9");
                format!("{}{again}{}", &text[..end], &text[end..])
            });
        },
        "Get-ExchangeServer.xml, object 2: EX01 is there twice, and not the same",
        &["fqdn", "version", "roles", "um"],
    ),
    (
        "two files that contradict each other",
        |folder| {
            fs::copy(folder.join(CONNECTORS), folder.join("EX01.Get-ReceiveConnector - Copy.xml")).unwrap();
            change(folder, CONNECTORS, |text| {
                text.replace("<B N=\"Enabled\">true</B>", "<B N=\"Enabled\">false</B>")
            });
        },
        "do not say the same about the receive connectors of EX01, which is unknown now; keep the newer file only",
        &["receive_connectors"],
    ),
    (
        "JSON that was cut",
        |folder| fs::write(folder.join("observed.json"), "{\"version\": 1,").unwrap(),
        "observed.json is left out: it ends in the middle",
        &[],
    ),
    (
        "an observation of a later certwright",
        |folder| {
            let text = r#"{"version":9,"at":"2026-03-02T09:00:00Z","driver":"lab","organization":{"servers":{},"sendConnectors":{},"acceptedDomains":[],"hybrid":null,"auth":null,"federation":null,"edgeSubscriptions":[]}}"#;
            fs::write(folder.join("observed.json"), text).unwrap();
        },
        "observed.json is left out: its format is 9; this certwright reads format 1",
        &[],
    ),
    (
        "a binding of no site",
        |folder| change(folder, "EX01.Get-WebBinding.xml", |text| text.replacen("@name=", "@nobody=", 1)),
        "EX01.Get-WebBinding.xml, object 1: its ItemXPath is ",
        &["sites"],
    ),
    (
        "settings of which server nobody says",
        |folder| {
            let mut thing = of_directory("Pop3AdConfiguration", "1", vec![]);
            thing.extended.clear();
            clixml::write(folder, "Get-ImapSettings", &[]);
            clixml::write(folder, "somewhere", &[thing]);
        },
        "Get-ImapSettings.xml: it is empty, and of which server it is cannot be told",
        &["pop"],
    ),
];

#[test]
fn each_mistake_is_one_sentence_and_the_rest_counts() {
    for (what, spoil, says, unknown) in ROWS {
        let folder = tempfile::tempdir().unwrap();
        let good = good(folder.path());
        spoil(folder.path());
        let observed = observe(folder.path());
        let said: Vec<_> = observed.notes.iter().filter(|note| note.contains(says)).collect();
        assert_eq!(said.len(), 1, "{what}: {:#?}", observed.notes);
        assert!(said[0].len() < 400, "{what}: {}", said[0]);
        let name = "EX01".parse().unwrap();
        let (have, want) = (&observed.organization.servers[&name], &good.organization.servers[&name]);
        for fact in unknown_facts(have) {
            assert!(unknown.contains(&fact), "{what}: {fact} is unknown: {:#?}", observed.notes);
        }
        for fact in *unknown {
            assert!(unknown_facts(have).contains(fact), "{what}: {fact} is known");
        }
        assert_eq!(have.internal_transport, want.internal_transport, "{what}");
        assert_eq!(observed.organization.send_connectors, good.organization.send_connectors, "{what}");
    }
}

#[test]
fn what_is_no_capture_at_all_is_an_error() {
    let now = "2026-03-02T10:00:00Z".parse().unwrap();
    for (what, file, bytes, says) in [
        ("no file", "", &b""[..], "holds no file of `certwright observe --out`"),
        ("files of another kind", "notes.txt", b"hello", "holds no file of `certwright observe --out`"),
        ("nothing that can be used", "a.xml", b"<html>", "nothing in "),
        ("nothing that can be used", "a.json", b"[]", "nothing in "),
    ] {
        let folder = tempfile::tempdir().unwrap();
        if !file.is_empty() {
            fs::write(folder.path().join(file), bytes).unwrap();
        }
        let opened = Capture::open(&CaptureSpec::at_path(folder.path().to_owned()), Path::new(""), now);
        let error = opened.err().unwrap().to_string();
        assert!(error.contains(says), "{what}: {error}");
    }
}

#[test]
fn a_capture_without_any_date_has_to_be_told_one() {
    let folder = tempfile::tempdir().unwrap();
    good(folder.path());
    for entry in fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap().to_str().unwrap().to_owned();
        if !["Get-ExchangeServer.xml", "EX01.Get-WebBinding.xml"].contains(&name.as_str()) {
            fs::remove_file(entry).unwrap();
        }
    }
    let now = "2026-03-02T10:00:00Z".parse().unwrap();
    let mut spec = CaptureSpec::at_path(folder.path().to_owned());
    let observed = Capture::open(&spec, Path::new(""), now).unwrap().observe(Wanted::Everything);
    let error = std::error::Error::source(&observed.unwrap_err()).unwrap().to_string();
    assert!(error.contains("does not say when it was captured; say it with --at MOMENT"), "{error}");
    spec.at = Some(now);
    let observed = Capture::open(&spec, Path::new(""), now).unwrap().observe(Wanted::Everything).unwrap();
    assert_eq!((observed.at, observed.notes), (now, Vec::new()));
}

#[test]
fn files_as_windows_writes_them_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let good = good(folder.path());
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        fs::write(&path, utf16).unwrap();
    }
    let observed = observe(folder.path());
    assert_eq!((observed.organization, observed.notes), (good.organization, Vec::new()));
}

/// The names of the facts of a server that are unknown.
fn unknown_facts(server: &Server) -> Vec<&'static str> {
    fn name<T>(fact: &Fact<T>, name: &'static str) -> Option<&'static str> {
        fact.known().is_none().then_some(name)
    }
    [
        name(&server.fqdn, "fqdn"),
        name(&server.version, "version"),
        name(&server.roles, "roles"),
        name(&server.operating_system, "operating_system"),
        name(&server.certificates, "certificates"),
        name(&server.requests, "requests"),
        name(&server.internal_transport, "internal_transport"),
        name(&server.pop, "pop"),
        name(&server.imap, "imap"),
        name(&server.um, "um"),
        name(&server.sites, "sites"),
        name(&server.receive_connectors, "receive_connectors"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Some certificate, which no server of the tests has.
fn a_certificate() -> Vec<u8> {
    let key = rcgen::KeyPair::generate().unwrap();
    rcgen::CertificateParams::new(vec!["other.contoso.com".into()])
        .unwrap()
        .self_signed(&key)
        .unwrap()
        .der()
        .to_vec()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}
