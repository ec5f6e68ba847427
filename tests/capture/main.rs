//! Captures: an organization as it was saved. Plans are made from them without servers, and nothing can be done to them.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests touch the disk and print figures"
)]

mod bad;
mod clixml;
mod exported;
mod formats;
mod mutated;
mod real;
#[path = "../support/mod.rs"]
mod support;
mod traps;

use std::{collections::BTreeSet, fs, path::Path};

use certwright::{
    drivers::{capture::Capture, lab::Lab},
    manifest::CaptureSpec,
    model::{
        certificate::{Certificate, CertificateFacts},
        fact::Fact,
        names::ServerName,
        organization::{AcceptedDomain, Observed, Organization},
        server::StoredCertificate,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    ports::driver::{Observer, Wanted},
};
use support::Rig;

fn open(folder: &Path) -> Capture {
    let now: Timestamp = "2026-03-03T09:14:07Z".parse().unwrap();
    Capture::open(&CaptureSpec::at_path(folder.to_owned()), Path::new(""), now)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn observe(folder: &Path) -> Observed {
    open(folder).observe(Wanted::Everything).unwrap_or_else(|error| panic!("{error:?}"))
}

fn save(observed: &Observed, file: &Path) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, serde_json::to_vec_pretty(observed).unwrap()).unwrap();
}

/// Every organization has an accepted domain; labs need none.
fn with_a_domain(observed: &mut Observed) {
    let domains = observed.organization.accepted_domains.known_mut().unwrap();
    if domains.is_empty() {
        domains.push(AcceptedDomain {
            name: "contoso.com".into(),
            domain: "contoso.com".into(),
            default: true,
        });
    }
}

/// Every scenario's lab, at its beginning.
fn labs() -> impl Iterator<Item = (String, Observed)> {
    let mut folders: Vec<_> =
        fs::read_dir("tests/scenarios").unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders.into_iter().filter(|folder| folder.join("lab.yaml").exists()).map(|folder| {
        let mut rig = Rig::of_folder(&folder);
        (folder.file_name().unwrap().to_str().unwrap().to_owned(), rig.observe())
    })
}

#[test]
fn an_observation_that_was_saved_is_seen_again() {
    for (name, observed) in labs() {
        let folder = tempfile::tempdir().unwrap();
        save(&observed, &folder.path().join("observed.json"));
        let again = observe(folder.path());
        assert_eq!(again.organization, observed.organization, "{name}");
        assert_eq!((again.at, again.driver.as_str(), again.notes), (observed.at, "capture", Vec::new()));
        // A file alone will do, too.
        let again = observe(&folder.path().join("observed.json"));
        assert_eq!(again.organization, observed.organization, "{name}");
    }
}

fn tells_details(observed: &Observed) -> bool {
    let stores = observed.organization.servers.values().filter_map(|server| server.certificates.known());
    let is_read = observed.organization.servers.values().all(|server| server.certificates.known().is_some());
    is_read && stores.flat_map(|store| store.0.values()).all(|stored| stored.services.known().is_some())
}

#[test]
fn what_the_printed_script_writes_is_the_same_observation() {
    let mut seen = 0;
    // Where an expired Auth certificate hides the details of certificates, or a server does not answer, there are none to
    // write down.
    for (name, mut observed) in labs().filter(|(_, observed)| tells_details(observed)) {
        // No cmdlet of Exchange shows what stands before it.
        observed.organization.balancers.clear();
        with_a_domain(&mut observed);
        // From where servers are met is seen by meeting them.
        observed.organization.servers.values_mut().for_each(|server| server.met_from = None);
        // Which servers a site has is told by the servers.
        let servers: BTreeSet<_> = observed.organization.servers.keys().cloned().collect();
        for subscription in observed.organization.edge_subscriptions.known_mut().unwrap() {
            subscription.site_servers.retain(|server| servers.contains(server));
            // And a server of that site says that it is in it.
            for server in &subscription.site_servers {
                let own = observed.organization.servers.get_mut(server).unwrap();
                own.directory_site = subscription.site.clone().map_or_else(Fact::not_captured, Fact::Known);
            }
        }
        let folder = tempfile::tempdir().unwrap();
        exported::export(&observed.organization, observed.at, folder.path());
        for entry in fs::read_dir(folder.path()).unwrap() {
            real::assert_no_property_is_lost(&entry.unwrap().path());
        }
        let again = observe(folder.path());
        assert_eq!(again.notes, Vec::<String>::new(), "{name}");
        assert_eq!(again.at, observed.at, "{name}");
        let Organization { servers, .. } = &again.organization;
        for (server, have) in servers {
            assert_eq!(*have, observed.organization.servers[server], "{name}: {server}");
        }
        assert_eq!(again.organization, observed.organization, "{name}");
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn what_is_not_there_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::of_folder(Path::new("tests/scenarios/renew-before-expiry"));
    let observed = rig.observe();
    exported::export(&observed.organization, observed.at, folder.path());
    for file in fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap();
        if !matches!(name, "certwright-capture.xml" | "EX01.Get-ReceiveConnector.xml") {
            fs::remove_file(&file).unwrap();
        }
    }
    fs::write(folder.path().join("EX01.Get-WebBinding.failed.txt"), "\u{feff}Access is denied.\r\n").unwrap();
    let again = observe(folder.path());
    assert_eq!(again.notes, Vec::<String>::new());
    let (have, want) = (
        &again.organization.servers[&"EX01".parse().unwrap()],
        &observed.organization.servers[&"EX01".parse().unwrap()],
    );
    assert_eq!(have.receive_connectors, want.receive_connectors);
    assert_eq!(have.sites, Fact::unknown("Get-WebBinding failed: Access is denied."));
    assert_eq!(have.certificates, Fact::unknown("not captured"));
    assert_eq!(again.organization.send_connectors, Fact::unknown("not captured"));
}

/// What each certificate of an organization says, without what a copy makes anew.
fn words_of_certificates(organization: &Organization) -> Vec<(Thumbprint, String)> {
    let all = organization.servers.values().flat_map(|server| {
        let stored = server.certificates.known().into_iter().flat_map(|store| store.0.values());
        let requests = server.requests.known().into_iter().flatten();
        stored.map(|stored| &stored.certificate).chain(requests.map(|request| &request.certificate))
    });
    let words = |certificate: &Certificate| {
        let CertificateFacts { subject, issuer, names: dns, not_before, not_after, usages, is_ca, .. } =
            &**certificate;
        format!("{subject} {issuer} {dns:?} {not_before} {not_after} {usages:?} {is_ca}")
    };
    all.map(|certificate| (certificate.thumbprint, words(certificate))).collect()
}

#[test]
fn a_lab_can_be_made_of_what_was_captured() {
    let kept = |observed: &Observed| {
        let mut organization = observed.organization.clone();
        organization.balancers.clear();
        let names = words_of_certificates(&organization);
        // Thumbprints are the copy's own: each stands for what its certificate says.
        let called = |thumbprint: &Thumbprint| {
            let found = names.iter().find(|(own, _)| own == thumbprint);
            found.map_or_else(|| thumbprint.to_string(), |(_, told)| told.clone())
        };
        let mut told = Vec::new();
        for (name, server) in &mut organization.servers {
            let stored = server.certificates.known().into_iter().flat_map(|store| store.0.iter());
            let mut lines: Vec<String> = stored
                .map(|(thumbprint, stored)| {
                    let StoredCertificate { certificate: _, has_private_key, key_provider, exportable, friendly_name, services, root_type, status } = stored;
                    format!("{name} {} {has_private_key} {key_provider:?} {exportable:?} {friendly_name:?} {services:?} {root_type:?} {status:?}", called(thumbprint))
                })
                .collect();
            lines.sort();
            told.extend(lines);
            let pending = server.requests.known().into_iter().flatten();
            told.extend(pending.map(|request| {
                format!("{name} {} {:?}", called(&request.certificate.thumbprint), request.friendly_name)
            }));
            told.push(format!(
                "{name} {:?}",
                server.internal_transport.map(|internal| internal.as_ref().map(called))
            ));
            let sites = server.sites.map(|sites| {
                sites
                    .iter()
                    .map(|(site, hash)| format!("{site} {:?}", hash.as_ref().map(called)))
                    .collect::<Vec<_>>()
            });
            told.push(format!("{name} {sites:?}"));
            told.push(format!(
                "{name} {:?}",
                server.peers.map(|peers| {
                    peers.as_ref().map(|peers| {
                        let called =
                            |(peer, known): (&ServerName, &Thumbprint)| format!("{peer} {}", called(known));
                        peers.iter().map(called).collect::<Vec<_>>()
                    })
                })
            ));
            server.peers = Fact::unknown("told");
            // A copy has CAs of its own, and nobody has looked into its stores.
            server.authorities = Fact::unknown("told");
            server.certificates = Fact::unknown("told");
            server.requests = Fact::unknown("told");
            server.internal_transport = Fact::unknown("told");
            server.sites = Fact::unknown("told");
        }
        let auth =
            organization.auth.map(|auth| auth.as_ref().and_then(|auth| auth.current.as_ref().map(called)));
        told.push(format!("{auth:?}"));
        organization.auth = Fact::unknown("told");
        for subscription in organization.edge_subscriptions.known_mut().into_iter().flatten() {
            told.push(format!("{:?}", subscription.edge_certificate.take().as_ref().map(called)));
        }
        for setting in organization.im_overrides.known_mut().into_iter().flat_map(|all| all.values_mut()) {
            told.push(format!("{:?}", setting.certificate.take().as_ref().map(called)));
        }
        let federation = organization
            .federation
            .map(|trust| trust.as_ref().and_then(|trust| trust.current.as_ref().map(called)));
        told.push(format!("{federation:?}"));
        organization.federation = Fact::unknown("told");
        (told, organization)
    };
    // Keys take their time: a third of the labs will do.
    for (name, observed) in labs().step_by(3) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        let lab =
            Lab::copy(&observed, &path, observed.at).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let copied = lab.observe(Wanted::Everything).unwrap();
        assert_eq!(kept(&copied), kept(&observed), "{name}");
        assert_eq!((lab.now(), copied.answers_prompts), (observed.at, observed.answers_prompts), "{name}");
        // Every copy is another certificate, and can be served: its key is its own.
        let thumbprints = |observed: &Observed| {
            let stores =
                observed.organization.servers.values().filter_map(|server| server.certificates.known());
            stores.flat_map(|store| store.0.keys().copied()).collect::<BTreeSet<_>>()
        };
        assert!(thumbprints(&copied).is_disjoint(&thumbprints(&observed)), "{name}");
        assert!(Lab::copy(&observed, &path, observed.at).is_err(), "{name}: an earlier lab is left alone");
    }
}

#[test]
fn what_was_unknown_is_unknown_in_the_copy() {
    let mut rig = Rig::of_folder(Path::new("tests/scenarios/renew-before-expiry"));
    let mut observed = rig.observe();
    observed.organization.send_connectors = Fact::unknown("not captured");
    observed
        .organization
        .servers
        .values_mut()
        .for_each(|server| server.sites = Fact::unknown("access denied"));
    let folder = tempfile::tempdir().unwrap();
    let lab = Lab::copy(&observed, folder.path(), observed.at).unwrap();
    let copied = lab.observe(Wanted::Everything).unwrap();
    assert_eq!(copied.organization.send_connectors, Fact::unknown("not captured"));
    assert_eq!(copied.organization.servers.values().next().unwrap().sites, Fact::unknown("access denied"));
}

#[test]
fn what_is_imported_is_what_is_there() {
    let mut told = Vec::new();
    for (name, observed) in labs() {
        let folder = tempfile::tempdir().unwrap();
        save(&observed, &folder.path().join("capture/observed.json"));
        let at = observed.at.to_string();
        let run = |arguments: &[&str]| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_certwright"));
            let output =
                command.args(arguments).env("COLUMNS", "80").current_dir(folder.path()).output().unwrap();
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
        };
        let (exit, _, said) = run(&["import", "capture", "--at", &at, "--out", "imported.yaml"]);
        // What some servers have cannot be seen: their part is missing, and the exit code says so.
        let is_seen =
            observed.organization.servers.values().all(|server| server.certificates.known().is_some());
        assert_eq!(exit, if is_seen { 0 } else { 10 }, "{name}: {said}");
        let text = fs::read_to_string(folder.path().join("imported.yaml")).unwrap();
        // Where a binding has a certificate without its host name, somebody has to say what it should have.
        if said.contains("by which clients come to") {
            continue;
        }
        assert!(!said.contains("cannot be planned"), "{name}: {said}\n{text}");
        let (exit, shown, said_then) = run(&["plan", "imported.yaml", "--at", &at, "--detailed-exitcode"]);
        let nothing = said.contains("No changes.");
        let wanted = match (nothing, shown.contains("cannot be done")) {
            (true, _) => 0,
            (false, true) => 10,
            (false, false) => 2,
        };
        assert_eq!(exit, wanted, "{name}: {said}\n{text}\n{shown}{said_then}");
        if !nothing {
            told.push(format!(
                "{name}: {}",
                said.lines().filter(|line| line.starts_with("- ")).collect::<Vec<_>>().join(" ")
            ));
        }
    }
    insta::assert_snapshot!(told.join("\n"));
}
