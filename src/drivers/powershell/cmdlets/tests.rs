use std::collections::BTreeSet;

use super::*;
use crate::{
    exchange::cmdlet::{self, Cmdlet, Content as File, Target},
    model::{
        action::{CertRef, CertificateRequest, ConnectorRef, DefaultSmtp, StepId},
        key::KeySpec,
        names::ServerName,
        server::UmStartupMode,
        service::{MailService, Service, Services},
        version::Release,
    },
};

/// The script refuses what is not in its own table, which has to be this one.
#[test]
fn the_script_has_the_same_table() {
    let script = super::super::script::text();
    let table = script.split_once("$Allowed = @{").unwrap().1.split_once("\n}").unwrap().0;
    let table = table.replace("\n        ", " ");
    let mut rows = 0;
    for line in table.lines().filter(|line| line.contains('=')) {
        let (name, parameters) = line.split_once('=').unwrap();
        let words =
            |text: &str| -> Vec<String> { text.split('\'').skip(1).step_by(2).map(str::to_owned).collect() };
        let name = words(name).remove(0);
        let cmdlet = CMDLETS.iter().find(|cmdlet| cmdlet.name == name);
        let cmdlet = cmdlet.unwrap_or_else(|| panic!("{name} is in the script only"));
        assert_eq!(words(parameters), cmdlet.parameters, "{name}");
        rows += 1;
    }
    assert_eq!(rows, CMDLETS.len(), "{table}");
}

/// What the steps of plans are made of: each cmdlet that is made anywhere, with whatever parameters it gets there.
#[test]
fn every_cmdlet_that_is_made_is_in_the_table() {
    let sources = [
        include_str!("../../../exchange/cmdlet/mod.rs"),
        include_str!("../../../exchange/cmdlet/certificates.rs"),
        include_str!("../../../exchange/cmdlet/settings.rs"),
        include_str!("../../../exchange/cmdlet/drain.rs"),
        include_str!("../../../exchange/cmdlet/of_action.rs"),
    ];
    let mut words: BTreeSet<&str> = BTreeSet::new();
    for source in sources {
        words.extend(source.split('"').skip(1).step_by(2));
    }
    let is_cmdlet = |word: &&&str| {
        let verb = word.split_once('-').map(|(verb, _)| verb);
        verb.is_some_and(|verb| {
            ["Get", "Set", "New", "Start", "Import", "Export", "Enable", "Remove", "Redirect"].contains(&verb)
        }) && !word.contains(' ')
    };
    let made: Vec<&&str> = words.iter().filter(is_cmdlet).collect();
    assert!(made.len() > 15, "{made:?}");
    for name in made {
        assert!(CMDLETS.iter().any(|cmdlet| cmdlet.name == *name), "{name}");
    }
    for cmdlet in unattended() {
        let used = CMDLETS.iter().find(|used| used.name == cmdlet.name).unwrap();
        for parameter in &cmdlet.parameters {
            assert!(used.parameters.contains(&parameter.name), "{} -{}", cmdlet.name, parameter.name);
        }
    }
}

/// What nobody has to answer, for each version and kind of server.
fn unattended() -> Vec<Cmdlet> {
    let server: ServerName = "EX01".parse().unwrap();
    let (own, name) = (CertRef::FromStep(StepId(1)), "own".parse().unwrap());
    let request = CertificateRequest {
        subject: "CN=mail.contoso.com".parse().unwrap(),
        names: vec!["mail.contoso.com".parse().unwrap()],
        key: KeySpec::Rsa(2048),
        exportable: true,
        friendly_name: "mail".parse().unwrap(),
        lifetime: None,
    };
    let mut made = vec![
        cmdlet::synchronize_edge(&server),
        cmdlet::stage_auth(own, None),
        cmdlet::stage_auth(own, Some("2026-03-02T09:00:00Z".parse().unwrap())),
        cmdlet::publish_auth(),
        cmdlet::clear_previous_auth(),
        cmdlet::set_override(&name, own).1,
        cmdlet::set_hub_transport(&server, true),
        cmdlet::redirect_messages(&server, &"ex02.contoso.com".parse().unwrap()),
    ];
    for connector in [
        ConnectorRef::Hybrid {},
        ConnectorRef::Send { name: "Outbound".parse().unwrap() },
        ConnectorRef::Receive { server: server.clone(), name: "Default".parse().unwrap() },
    ] {
        made.push(cmdlet::repoint(&connector, None).set);
    }
    let releases =
        [Release::Exchange2010, Release::Exchange2013, Release::Exchange2016, Release::Exchange2019];
    let services = Services::from([Service::Iis, Service::Smtp]);
    for (release, edge) in releases.into_iter().flat_map(|release| [(release, false), (release, true)]) {
        let target = Target { server: &server, release: Some(release), edge, requires_ssl: false };
        let file = || File::File("x".into());
        made.extend([
            cmdlet::create(target, &request),
            cmdlet::request(target, &request, "x"),
            cmdlet::complete(target, file(), &request.friendly_name),
            cmdlet::import(target, file(), &request.friendly_name, true),
            cmdlet::export(target, own, "x"),
            cmdlet::enable(target, own, &services, DefaultSmtp::Replace),
            cmdlet::remove(target, own),
            cmdlet::set_x509_certificate_name(target, MailService::Pop, None).set,
            cmdlet::set_x509_certificate_name(target, MailService::Imap, None).set,
            cmdlet::set_um_startup_mode(target, false, UmStartupMode::Dual).set,
            cmdlet::set_um_startup_mode(target, true, UmStartupMode::Dual).set,
        ]);
    }
    made.into_iter().map(Cmdlet::unattended).chain([cmdlet::refresh_overrides(&server)]).collect()
}
