//! Captures in other dresses: zipped, as JSON, of certificates alone; and what is no capture and is named.

use std::{fs, io::Write, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use certwright::model::{
    client_names::{ClientDirectory, ClientNames},
    fact::Fact,
    names::ServerName,
};

use super::{
    bad::good,
    clixml::{self, Cell, Thing, text},
    observe,
};

fn ex01() -> ServerName {
    "EX01".parse().unwrap()
}

#[test]
fn a_zip_file_is_read_like_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let good = good(&folder.path().join("capture"));
    let archive = folder.path().join("sent/capture.zip");
    fs::create_dir_all(archive.parent().unwrap()).unwrap();
    let mut zip = zip::ZipWriter::new(fs::File::create(&archive).unwrap());
    for entry in fs::read_dir(folder.path().join("capture")).unwrap().map(|entry| entry.unwrap().path()) {
        // As Windows PowerShell names them.
        let name = format!("capture\\{}", entry.file_name().unwrap().to_str().unwrap());
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&fs::read(entry).unwrap()).unwrap();
    }
    zip.finish().unwrap();
    for place in [archive.as_path(), archive.parent().unwrap()] {
        let observed = observe(place);
        assert_eq!(
            (&observed.organization, observed.notes.len()),
            (&good.organization, 0),
            "{}",
            place.display()
        );
    }
}

#[test]
fn certificates_as_json_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let good = good(&folder.path().join("capture"));
    let store = good.organization.servers[&ex01()].certificates.known().unwrap();
    let objects = store.0.values().map(|stored| {
        serde_json::json!({
            "RawData": stored.certificate.der.0,
            "Identity": format!("ex01.contoso.com\\{}", stored.certificate.thumbprint),
            "Services": 1,
            "Status": 1,
            "HasPrivateKey": true,
            "FriendlyName": "mail",
        })
    });
    let json = serde_json::Value::from(objects.collect::<Vec<_>>()).to_string();
    let base64 = json.clone();
    assert!(!base64.contains(&BASE64_STANDARD.encode([0_u8; 64])));
    // Windows PowerShell writes UTF-16 with a mark into files.
    let utf16: Vec<u8> =
        "\u{feff}".encode_utf16().chain(json.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for (file, bytes) in [("certificates.json", json.into_bytes()), ("later/certificates.json", utf16)] {
        let file = folder.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, bytes).unwrap();
        let observed = observe(&file);
        let server = &observed.organization.servers[&ex01()];
        assert_eq!(server.certificates.known().unwrap().0.len(), store.0.len(), "{:?}", observed.notes);
        assert_eq!(server.fqdn, Fact::Known("ex01.contoso.com".parse().unwrap()));
    }
}

#[test]
fn what_is_no_capture_is_named_with_what_to_do() {
    for (file, content, says) in [
        (
            "cert.txt",
            "\nThumbprint         : 0123\nServices           : IIS\n",
            "Format-List or Format-Table",
        ),
        ("cert.csv", "\"Thumbprint\",\"Services\"\n", "a table of Export-Csv"),
        (
            "HealthChecker-EX01-20260302.txt",
            "Exchange Health Checker version 26",
            "a result of HealthChecker",
        ),
        ("HealthChecker-EX01-20260302.xml", "<Objs />", "a result of HealthChecker"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        good(folder.path());
        fs::write(folder.path().join(file), content).unwrap();
        fs::write(folder.path().join("readme.txt"), "Of Monday.").unwrap();
        let observed = observe(folder.path());
        let [note] = observed.notes.as_slice() else { panic!("{file}: {:?}", observed.notes) };
        assert!(note.starts_with(file) && note.contains(says), "{note}");
        assert!(note.contains("certwright observe --print-script"), "{note}");
    }
}

#[test]
fn files_of_other_cmdlets_are_one_line() {
    let folder = tempfile::tempdir().unwrap();
    good(folder.path());
    for number in 0..20 {
        let thing = Thing {
            types: vec!["Microsoft.Exchange.Data.Directory.Management.Mailbox".into()],
            adapted: vec![("Name", text("x"))],
            extended: Vec::new(),
        };
        clixml::write(folder.path(), &format!("Get-Mailbox{number}"), &[thing]);
    }
    let observed = observe(folder.path());
    let [note] = observed.notes.as_slice() else { panic!("{:?}", observed.notes) };
    assert!(note.starts_with("20 files are of cmdlets that say nothing about certificates"), "{note}");
}

#[test]
fn an_empty_file_proves_nothing_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    good(folder.path());
    let hybrid = |folder: &Path| observe(folder).organization.hybrid;
    assert_eq!(hybrid(folder.path()), Fact::Known(None), "the script says that the cmdlet succeeded");
    fs::remove_file(folder.path().join("certwright-answers.xml")).unwrap();
    let unsaid = hybrid(folder.path());
    assert!(unsaid.why_unknown().unwrap().contains("may have failed"), "{unsaid:?}");
    let connectors = observe(folder.path()).organization.send_connectors;
    assert!(connectors.known().is_none_or(|connectors| !connectors.is_empty()), "{connectors:?}");
}

#[test]
fn the_names_of_virtual_directories_and_the_state_of_services_are_read() {
    let folder = tempfile::tempdir().unwrap();
    good(folder.path());
    let directory = Thing {
        types: vec!["Microsoft.Exchange.Data.Directory.SystemConfiguration.ADOwaVirtualDirectory".into()],
        adapted: vec![
            ("Server", text("EX01")),
            ("InternalUrl", text("https://owa.contoso.com/owa")),
            ("ExternalUrl", Cell::Null),
        ],
        extended: Vec::new(),
    };
    clixml::write(folder.path(), "virtual", &[directory]);
    let service = Thing {
        types: vec!["System.Management.Automation.PSCustomObject".into()],
        adapted: Vec::new(),
        extended: vec![("Name", text("MSExchangePOP3")), ("State", text("Stopped"))],
    };
    clixml::write(folder.path(), "EX01.Win32_Service", &[service]);
    let observed = observe(folder.path());
    let server = &observed.organization.servers[&ex01()];
    let names =
        ClientNames { internal: ["owa.contoso.com".parse().unwrap()].into(), ..ClientNames::default() };
    assert_eq!(server.client_names.get(&ClientDirectory::Owa), Some(&names), "{:?}", observed.notes);
    assert_eq!(server.runs("msexchangepop3"), Some(false));
    assert_eq!(server.runs("MSExchangeIMAP4"), None);
}
