//! Captures of a real Exchange 2019, which lie beside the checkout or where `CERTWRIGHT_CAPTURES` says; without them
//! these tests are skipped, and say so.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use certwright::{
    drivers::{
        capture::Capture,
        objects::{Bag, Kind, flattened},
    },
    manifest::CaptureSpec,
    model::{
        connector::TransportRole,
        fact::Fact,
        organization::Observed,
        server::{CertificateStatus, KeyProvider, RootType},
        service,
    },
    ports::driver::{Observer, Wanted},
    wire::clixml,
};

fn captures() -> Option<PathBuf> {
    let folder = std::env::var_os("CERTWRIGHT_CAPTURES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures"), PathBuf::from)
        .join("exchange-2019");
    if folder.is_dir() {
        return Some(folder);
    }
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let text = format!("\nSKIPPED: {name} needs the captures in {}, which is no folder\n", folder.display());
    let _ = std::io::stderr().write_all(text.as_bytes());
    None
}

fn of_organization(folder: &Path, organization: &str) -> Observed {
    let mut spec = CaptureSpec::at_path(folder.to_owned());
    spec.organization = Some(organization.into());
    spec.at = Some("2026-03-02T09:14:07Z".parse().unwrap());
    let now = "2026-03-02T10:00:00Z".parse().unwrap();
    Capture::open(&spec, Path::new(""), now).unwrap().observe(Wanted::Everything).unwrap()
}

/// Every property of every object is read, or is listed as one that is not.
pub(crate) fn assert_no_property_is_lost(file: &Path) -> usize {
    let document = clixml::read(&fs::read(file).unwrap()).unwrap();
    let stem = file.file_stem().unwrap().to_str().unwrap();
    let mut seen = 0;
    for value in flattened(&document) {
        let of_types = Kind::of_types(document.type_names(value).iter().map(String::as_str));
        let kind = of_types.or_else(|| Kind::of_file_name(stem).map(|(kind, _)| kind));
        let kind = kind.unwrap_or_else(|| panic!("{stem}: {:?}", document.type_names(value)));
        let lost: BTreeSet<&str> = Bag::new(&document, value, kind)
            .names()
            .filter(|name| !kind.uses(name) && !kind.ignores(name))
            .collect();
        assert!(lost.is_empty(), "{stem}: neither used nor ignored: {lost:?}");
        seen += 1;
    }
    seen
}

#[test]
fn every_property_is_used_or_ignored_by_name() {
    let Some(folder) = captures() else { return };
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let seen: usize = files.iter().map(|file| assert_no_property_is_lost(file)).sum();
    assert!(seen >= 22, "{seen} objects");
}

#[test]
fn every_organization_in_the_folder_is_seen() {
    let Some(folder) = captures() else { return };
    let solo = of_organization(&folder, "solo.com");
    let server = &solo.organization.servers[&"SOLO-E19A".parse().unwrap()];
    assert_eq!(server.version.known().unwrap().to_string(), "15.2.986.5");
    let store = server.certificates.known().unwrap();
    let told: Vec<String> = store
        .0
        .values()
        .map(|stored| {
            let certificate = &stored.certificate;
            assert_eq!(stored.status, Fact::Known(CertificateStatus::Valid));
            assert_eq!(stored.key_provider, Fact::Known(KeyProvider::Csp), "as setup and WMSvc have them");
            format!(
                "{} {} {} {:?} {}",
                certificate.thumbprint.short(),
                service::list(stored.services.known().unwrap()),
                stored.exportable.known().unwrap(),
                stored.root_type.known().unwrap(),
                stored.friendly_name.known().unwrap()
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "38247A…830B none true Registry CN=WMSvc-WIN-K300A9DA9VA",
            "6C7DE0…AB28 IIS, SMTP, POP, IMAP false Registry Microsoft Exchange",
            "C3EDCF…A6E7 SMTP true None Microsoft Exchange Server Auth Certificate",
        ]
    );
    assert_eq!(store.0.values().filter(|stored| stored.root_type == Fact::Known(RootType::None)).count(), 1);
    assert_eq!(server.requests, Fact::Known(Vec::new()));
    // A hash of http.sys that no certificate has any more.
    let sites = server.sites.known().unwrap();
    let hashes: BTreeSet<_> = sites.values().flatten().map(ToString::to_string).collect();
    assert_eq!(
        (sites.len(), hashes),
        (3, BTreeSet::from(["12FD38FA8F58C8A74B3039962882DEFE4199D453".to_owned()]))
    );
    // The file says by its certificate that it is of another machine.
    let internal = server.internal_transport.why_unknown();
    assert_eq!(internal, Some("GetInternalTransportCertificateFromServer.xml is of E2k16-1"));
    let auth = solo.organization.auth.known().unwrap().as_ref().unwrap();
    assert_eq!(auth.current.unwrap().to_string(), "C3EDCF181EF4F9B53D01768ECA99564014BCA6E7");
    assert_eq!((auth.next, auth.previous, auth.next_effective), (None, None, None));
    let domains = solo.organization.accepted_domains.known().unwrap();
    let domains: Vec<_> = domains.iter().map(|domain| (domain.domain.as_str(), domain.default)).collect();
    assert_eq!(domains, [("Solo.com", true), ("*.contoso.local", false), ("*.com", false)]);
    assert_eq!(solo.organization.send_connectors, Fact::unknown("not captured"));

    let lab = of_organization(&folder, "EXLAB.dom");
    let server = &lab.organization.servers[&"win-ctd3l0rgen4".parse().unwrap()];
    let connectors = server.receive_connectors.known().unwrap();
    assert_eq!(connectors.len(), 5);
    let frontend = &connectors[&"Default Frontend WIN-CTD3L0RGEN4".parse().unwrap()];
    assert_eq!(frontend.role, TransportRole::FrontendTransport);
    assert_eq!(frontend.bindings, ["[::]:25", "0.0.0.0:25"]);
    assert_eq!(frontend.tls_domain_capabilities, ["fabrikam.com:AcceptCloudServicesMail"]);
    assert_eq!(
        frontend.tls_certificate_name.as_ref().unwrap().to_string(),
        "<I>CN=WIN-CTD3L0RGEN4<S>CN=WIN-CTD3L0RGEN4"
    );
    assert_eq!(frontend.auth.len(), 5);
    let send = &lab.organization.send_connectors.known().unwrap()[&"Mail to O365".parse().unwrap()];
    assert_eq!(send.address_spaces, ["SMTP:*;1"]);
    assert_eq!(send.source_servers, ["WIN-CTD3L0RGEN4".parse().unwrap()]);
    assert_eq!(send.tls_certificate_name.as_ref().unwrap().subject(), "CN=localhost");
    assert!(send.cloud_services_mail && send.enabled && !send.require_tls);
    assert_eq!((&send.fqdn, send.tls_auth_level, &send.tls_domain), (&None, None, &None));

    let hybrid = of_organization(&folder, "365labs.net").organization.hybrid;
    let hybrid = hybrid.known().unwrap().as_ref().unwrap();
    assert_eq!(hybrid.sending_servers, ["EX-02".parse().unwrap()]);
    assert_eq!(hybrid.receiving_servers, ["EX-02".parse().unwrap()]);
    assert_eq!(
        hybrid.tls_certificate_name.as_ref().unwrap().to_string(),
        "<I>CN=GeoTrust TLS RSA CA G1, OU=www.digicert.com, O=DigiCert Inc, C=US<S>CN=mail.contoso.com"
    );
}

#[test]
fn files_of_other_organizations_are_said() {
    let Some(folder) = captures() else { return };
    let spec = CaptureSpec::at_path(folder);
    let now = "2026-03-02T10:00:00Z".parse().unwrap();
    let observed = Capture::open(&spec, Path::new(""), now).unwrap().observe(Wanted::Everything).unwrap();
    for said in [
        "GetReceiveConnector.xml, GetSendConnector.xml are left out: they are of the organization exlab.dom",
        "GetHybridConfiguration.xml is left out: it is of the organization 365labs.net",
        "the capture does not say when it was made",
        "GetInternalTransportCertificateFromServer.xml is left out: it is of E2k16-1, and the capture is of SOLO-E19A",
    ] {
        assert!(observed.notes.iter().any(|note| note.starts_with(said)), "{said}: {:#?}", observed.notes);
    }
    assert_eq!(observed.organization.servers.len(), 1);
}
