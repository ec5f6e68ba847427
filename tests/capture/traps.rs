//! What only real servers show: texts in their own language, displays that are not what is in use, names of what is gone.
//! Each is a capture, a manifest and what the plan makes of them.

use std::{fs, path::Path};

use super::{clixml, exported, observe, support::Rig};
use certwright::{
    commands::session::{Look, Session},
    model::{
        action::Action,
        organization::Observed,
        plan::{ChangeKind, Plan},
        reason::Reason,
        service::{Service, Services},
        site::SiteBinding,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    plan::{self, lint},
};

/// A manifest for the server of these tests: its own certificate is what everything uses.
const MANIFEST: &str = r#"
apiVersion: certwright/v1
organization: contoso
driver: { capture: { path: capture } }
issuers: { exchange: { selfSigned: {} } }
certificates:
  transport:
    issuer: exchange
    scope: server
    subject: CN=${server.name}
    names: ["${server.name}", "${server.fqdn}"]
    key: { exportable: false }
servers:
  EX01:
    fqdn: ex01.contoso.com
    services: { IIS: transport, POP: transport, IMAP: transport, SMTP: transport }
    internalTransport: transport
    iis: { "Exchange Back End:444": transport }
"#;

const LAB: &str = "
apiVersion: certwright.lab/v1
clock: 2026-03-02T09:00:00Z
keys: keys
acceptedDomains: [contoso.com]
servers:
  EX01: { fqdn: ex01.contoso.com, version: 2019 CU14, installed: 2024-05-06T10:00:00Z }
";

/// A fresh server, with this done to it.
fn server(change: impl FnOnce(&mut Observed)) -> Observed {
    let manifest = MANIFEST.replace("capture: { path: capture }", "lab: { directory: . }");
    let mut rig = Rig::of_texts(&manifest, LAB);
    let mut observed = rig.observe();
    change(&mut observed);
    observed
}

/// Captures it as the printed script does, spoils the files, and plans.
fn planned(observed: &Observed, spoil: impl FnOnce(&Path)) -> (Observed, Plan) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("manifest.yaml"), MANIFEST).unwrap();
    exported::export(&observed.organization, observed.at, &folder.path().join("capture"));
    spoil(&folder.path().join("capture"));
    let now: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
    let look = Look { capture: None, at: Some(now) };
    let mut session = Session::open_looking_at(&folder.path().join("manifest.yaml"), Some(look)).unwrap();
    let seen = session.observe().unwrap();
    let plan = plan::plan(&session.desired, &seen, now);
    let problems = lint::lint(&plan, &session.desired, &seen, now);
    assert!(problems.is_empty(), "{problems:#?}");
    (seen, plan)
}

fn ex01(observed: &mut Observed) -> &mut certwright::model::server::Server {
    observed.organization.servers.get_mut(&"EX01".parse().unwrap()).unwrap()
}

#[test]
fn a_fresh_server_is_as_it_should_be() {
    let (seen, plan) = planned(&server(|_| {}), |_| {});
    assert_eq!(seen.notes, Vec::<String>::new());
    assert!(plan.is_empty() && !plan.is_blocked(), "{plan:#?}");
}

#[test]
fn services_that_nobody_saw_block_what_depends_on_them() {
    let observed = server(|_| {});
    let (seen, plan) = planned(&observed, |capture| {
        let file = capture.join("EX01.Get-ExchangeCertificate.xml");
        let text = fs::read_to_string(&file).unwrap();
        let mut plain = String::new();
        for piece in text.split_inclusive("</BA>") {
            // The bytes stay, the blob goes.
            let blob = piece.find("<BA N=\"SerializationData\">");
            plain.push_str(blob.map_or(piece, |at| &piece[..at]));
        }
        fs::write(file, plain).unwrap();
    });
    let store = seen.organization.servers.values().next().unwrap().certificates.known().unwrap();
    assert!(store.0.values().all(|stored| stored.services.known().is_none()));
    assert!(
        plan.steps.iter().all(|step| matches!(step.action, Action::CannotApply { .. })),
        "{:#?}",
        plan.steps
    );
    let told = format!("{:?} {:?}", plan.changes, plan.steps);
    assert!(told.contains("the certificate came as its bytes alone"), "{told}");
    assert!(
        plan.warnings.iter().any(|warning| warning.to_string().contains("came as their bytes alone")),
        "{:#?}",
        plan.warnings
    );
}

#[test]
fn a_server_of_another_language_is_seen_the_same() {
    let observed = server(|observed| {
        let connectors = ex01(observed).receive_connectors.known_mut().unwrap();
        let renamed = std::mem::take(connectors).into_iter().map(|(name, connector)| {
            let name = name
                .to_string()
                .replace("Default Frontend", "Standard-Frontend für")
                .replace("Client", "Klient");
            (name.parse().unwrap(), connector)
        });
        *connectors = renamed.collect();
    });
    let (seen, plan) = planned(&observed, |capture| {
        for (file, english, translated) in [
            ("Get-ExchangeServer.xml", "Version 15.2 (Build 1544.4)", "バージョン 15.2 (ビルド 1544.4)"),
            ("Get-ExchangeServer.xml", "<ToString>Mailbox</ToString>", "<ToString>Postfach</ToString>"),
            (
                "EX01.Get-ReceiveConnector.xml",
                "<ToString>FrontendTransport</ToString>",
                "<ToString>Front-End-Transport</ToString>",
            ),
            (
                "EX01.Get-ReceiveConnector.xml",
                "<ToString>HubTransport</ToString>",
                "<ToString>Hub-Transport</ToString>",
            ),
        ] {
            let path = capture.join(file);
            let text = fs::read_to_string(&path).unwrap();
            // The lab's version has a fourth number; the text of a real one has four, too.
            let text = if english.starts_with("Version") {
                text.replace("Version 15.2 (Build 1544.4)", translated)
            } else {
                text.replace(english, translated)
            };
            assert!(text.contains(translated), "{file}: {english}");
            fs::write(path, text).unwrap();
        }
    });
    assert_eq!(seen.notes, Vec::<String>::new());
    assert_eq!(seen.organization, observed.organization);
    assert!(plan.is_empty(), "{plan:#?}");
}

#[test]
fn a_date_in_the_language_of_the_server_is_read_by_its_order() {
    for (order, written, expected) in [
        ("M/d/yyyy", "4/3/2026 2:16:02 PM", Some("2026-04-03T14:16:02Z")),
        ("dd/MM/yyyy", "04/03/2026 14:16:02", Some("2026-03-04T14:16:02Z")),
        ("dd.MM.yyyy", "04.03.2026 14:16:02", Some("2026-03-04T14:16:02Z")),
        ("?", "04/03/2026 14:16:02", None),
    ] {
        let observed = server(|_| {});
        let folder = tempfile::tempdir().unwrap();
        exported::export(&observed.organization, observed.at, folder.path());
        for (file, old, new) in [
            ("certwright-capture.xml", "M/d/yyyy".to_owned(), order.to_owned()),
            (
                "Get-AuthConfig.xml",
                "<Nil N=\"NextCertificateEffectiveDate\" />".to_owned(),
                format!("<S N=\"NextCertificateEffectiveDate\">{written}</S>"),
            ),
        ] {
            let path = folder.path().join(file);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(&old), "{file}");
            fs::write(path, text.replace(&old, &new)).unwrap();
        }
        let auth = observe(folder.path()).organization.auth;
        let effective =
            auth.known().map(|auth| auth.as_ref().unwrap().next_effective.map(|at| at.to_string()));
        assert_eq!(effective, expected.map(|text| Some(text.to_owned())), "{order}: {auth:?}");
    }
}

#[test]
fn an_iis_display_that_only_means_the_back_end_is_no_binding_of_the_front_end() {
    // `Services` shows IIS for a certificate that is bound to Exchange Back End alone (facts 2.2).
    let other: Thumbprint = "12FD38FA8F58C8A74B3039962882DEFE4199D453".parse().unwrap();
    let observed = server(|observed| {
        let sites = ex01(observed).sites.known_mut().unwrap();
        sites.insert(SiteBinding::default_web_site(), Some(other));
    });
    let (_, plan) = planned(&observed, |_| {});
    let told = plan.changes.iter().flat_map(|change| &change.reasons).any(|reason| {
        matches!(reason, Reason::NotBound { service: Service::Iis, .. } | Reason::SiteDiffers { .. })
    });
    assert!(told, "{plan:#?}");
}

#[test]
fn a_forgotten_binding_on_the_loopback_address_is_told() {
    // Managed Availability probes 127.0.0.1:443, which IIS Manager's users forget (facts 11.1).
    let old: Thumbprint = "12FD38FA8F58C8A74B3039962882DEFE4199D453".parse().unwrap();
    let observed = server(|observed| {
        let local = SiteBinding { address: Some("127.0.0.1".into()), ..SiteBinding::default_web_site() };
        ex01(observed).sites.known_mut().unwrap().insert(local, Some(old));
    });
    let (_, plan) = planned(&observed, |_| {});
    assert_eq!(plan.changes[0].kind, ChangeKind::Update, "{plan:#?}");
    let told = |reason: &Reason| matches!(reason, Reason::NotBound { service: Service::Iis, have: Some(have), .. } if *have == old);
    assert!(plan.changes[0].reasons.iter().any(told), "{:?}", plan.changes[0].reasons);
}

#[test]
fn an_internal_transport_certificate_that_is_gone_is_replaced() {
    // The directory names a certificate that the store does not have (facts 5.2).
    let gone: Thumbprint = "D003810EBE1624145889D031FBB77ED2BD280FD3".parse().unwrap();
    let observed = server(|observed| {
        *ex01(observed).internal_transport.known_mut().unwrap() = Some(gone);
    });
    let (_, plan) = planned(&observed, |_| {});
    let sets = plan
        .steps
        .iter()
        .any(|step| matches!(step.action, Action::SetInternalTransport { .. } | Action::Bind { .. }));
    assert!(sets, "{plan:#?}");
}

#[test]
fn what_another_machine_uses_between_servers_is_not_taken_for_the_server_of_the_capture() {
    let other = {
        let manifest = MANIFEST.replace("capture: { path: capture }", "lab: { directory: . }");
        let (manifest, lab) = (manifest.replace("EX01", "EX09"), LAB.replace("EX01", "EX09"));
        let rename = |text: String| text.replace("ex01", "ex09");
        Rig::of_texts(&rename(manifest), &rename(lab)).observe()
    };
    let observed = server(|_| {});
    let certificate = |observed: &Observed| {
        let server = observed.organization.servers.values().next().unwrap();
        let internal = server.internal_transport.known().unwrap().unwrap();
        clixml::Thing {
            types: vec!["System.Security.Cryptography.X509Certificates.X509Certificate2".into()],
            adapted: vec![(
                "RawData",
                clixml::Cell::Bytes(server.certificate(internal).unwrap().certificate.der.0.clone()),
            )],
            extended: Vec::new(),
        }
    };
    let seen_with = |name: &str, thing: clixml::Thing| {
        planned(&observed, |capture| {
            fs::remove_file(capture.join("EX01.Get-TransportService.xml")).unwrap();
            clixml::write(capture, name, &[thing]);
        })
    };
    let internal =
        |seen: &Observed| seen.organization.servers[&"EX01".parse().unwrap()].internal_transport.clone();
    let file = "Get-InternalTransportCertificateFromServer";
    let (seen, plan) = seen_with(file, certificate(&other));
    let left_out = format!(
        "{file}.xml is left out: it is of EX09, and the capture is of EX01; name the file of EX01 like EX01.Get-InternalTransportCertificate.xml"
    );
    assert_eq!(seen.notes, [left_out]);
    assert_eq!(internal(&seen).why_unknown(), Some(format!("{file}.xml is of EX09").as_str()));
    let touched = plan.steps.iter().any(|step| {
        matches!(
            step.action,
            Action::SetInternalTransport { .. } | Action::Bind { .. } | Action::Remove { .. }
        )
    });
    assert!(!touched, "{:#?}", plan.steps);
    // The same file of the server itself counts, and one that says by its name whose it is.
    let own = observed.organization.servers.values().next().unwrap().internal_transport.clone();
    let (seen, _) = seen_with(file, certificate(&observed));
    assert_eq!((internal(&seen), seen.notes), (own, Vec::new()));
    let (seen, _) = seen_with(&format!("EX01.{file}"), certificate(&other));
    assert!(internal(&seen).known().unwrap().is_some());
    // A server that names itself is another server, and its files are told.
    let service = clixml::Thing {
        types: vec!["Microsoft.Exchange.Data.Directory.Management.TransportServer".into()],
        adapted: Vec::new(),
        extended: vec![
            ("Name", clixml::text("EX09")),
            (
                "InternalTransportCertificateThumbprint",
                clixml::text("D003810EBE1624145889D031FBB77ED2BD280FD3"),
            ),
        ],
    };
    let (seen, _) = seen_with("Get-TransportService", service);
    assert_eq!(
        seen.notes,
        ["the capture shows servers that the manifest does not name: EX09 (in Get-TransportService.xml)"]
    );
    assert_eq!(internal(&seen).why_unknown(), Some("not captured"));
}

#[test]
fn pop_is_shown_for_every_certificate_with_its_name_and_used_by_one() {
    // Two certificates have the name that POP looks for, and both show POP and IMAP (facts 2.2).
    let observed = server(|observed| {
        for stored in ex01(observed).certificates.known_mut().unwrap().0.values_mut() {
            let services: &mut Services = stored.services.known_mut().unwrap();
            services.extend([Service::Pop, Service::Imap]);
        }
    });
    let (_, plan) = planned(&observed, |_| {});
    assert!(plan.is_empty(), "{plan:#?}");
}

#[test]
fn a_session_with_one_server_that_asked_another_does_not_mix_them_up() {
    // PSComputerName says who was asked, not about whom: `Get-ExchangeCertificate -Server EX02` on EX01 (facts 2.5).
    let observed = server(|_| {});
    let folder = tempfile::tempdir().unwrap();
    exported::export(&observed.organization, observed.at, folder.path());
    let der = {
        let store = observed.organization.servers.values().next().unwrap().certificates.known().unwrap();
        store.0.values().next().unwrap().certificate.der.0.clone()
    };
    let thing = clixml::Thing {
        types: vec![
            "Deserialized.Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate".into(),
        ],
        adapted: vec![("RawData", clixml::Cell::Bytes(der))],
        extended: vec![("PSComputerName", clixml::text("ex01.contoso.com"))],
    };
    clixml::write(folder.path(), "EX02.Get-ExchangeCertificate", &[thing]);
    let seen = observe(folder.path());
    let count = |name: &str| {
        seen.organization.servers[&name.parse().unwrap()].certificates.known().map(|store| store.0.len())
    };
    assert_eq!((count("EX01"), count("EX02")), (Some(3), Some(1)), "{:?}", seen.notes);
}

/// What a row writes as `Parameters` and as `Server`, and what is read of it; the start of why not, where nothing is.
type OverrideRow = (&'static str, clixml::Cell, clixml::Cell, Result<(bool, usize), &'static str>);

#[test]
fn settings_of_instant_messaging_are_read_and_never_guessed() {
    use clixml::Cell;

    let thumbprint = "cdf34a740e9d225a1a06193a9d44b2ce22775308";
    let list = |texts: &[&str]| Cell::List(texts.iter().map(clixml::text).collect());
    let named = format!("imcertificatethumbprint = {thumbprint} ");
    let rows: [OverrideRow; 6] = [
        ("as documented", list(&["IMServerName=skype01", &named]), Cell::Null, Ok((true, 0))),
        ("for some servers", list(&[&named]), list(&["EX01", "DE*"]), Ok((true, 2))),
        ("one server as one text", list(&[&named]), clixml::text("EX01"), Ok((true, 1))),
        ("another setting alone", list(&["IMServerName=skype01"]), Cell::Null, Ok((false, 0))),
        ("no thumbprint at all", list(&["IMCertificateThumbprint=mail"]), Cell::Null, Err("object 1 of")),
        (
            "a list that was cut off",
            clixml::text("Microsoft.Exchange.Data.MultiValuedProperty`1[System.String]"),
            Cell::Null,
            Err("object 1 of"),
        ),
    ];
    for (row, parameters, servers, expected) in rows {
        let (seen, _) = planned(&server(|_| {}), |capture| {
            let setting = clixml::Thing {
                types: vec!["System.Object".into()],
                adapted: Vec::new(),
                extended: vec![
                    ("Name", clixml::text("IM Override")),
                    ("ComponentName", clixml::text("OwaServer")),
                    ("SectionName", clixml::text("IMSettings")),
                    ("Server", servers.clone()),
                    ("Parameters", parameters.clone()),
                ],
            };
            clixml::write(capture, "Get-SettingOverride", &[setting]);
        });
        let overrides = &seen.organization.im_overrides;
        match expected {
            Ok((names_one, servers)) => {
                let setting = &overrides.known().unwrap()[&"im override".parse().unwrap()];
                let certificate = names_one.then(|| thumbprint.parse::<Thumbprint>().unwrap());
                assert_eq!((setting.certificate, setting.servers.len()), (certificate, servers), "{row}");
            }
            Err(why) => assert!(overrides.why_unknown().unwrap().starts_with(why), "{row}: {overrides:?}"),
        }
    }
}
