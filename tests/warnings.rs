//! What plans warn of that no lab can show: facts that only captures and live servers have.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use certwright::{
    model::{
        client_names::ClientDirectory,
        fact::Fact,
        names::ServerName,
        organization::DomainSecurity,
        time::Span,
        warning::{AuthWarning, PartnersSee, ServerWarning, Warning},
    },
    pki::pem,
    plan,
    ports::driver::Observer,
};
use support::{Rig, certwright};

/// Clients are sent to names by URLs: those that the certificate for IIS lacks are told, with where they are set.
#[test]
fn names_that_clients_are_sent_to_are_in_the_certificate() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/renew-before-expiry");
    let mut rig = Rig::of_folder(&folder);
    let mut observed = rig.observe();
    let server = observed.organization.servers.values_mut().next().unwrap();
    for (directory, internal, external) in [
        (ClientDirectory::Owa, "mail.contoso.com", "webmail.contoso.com"),
        (ClientDirectory::Autodiscover, "autodiscover.contoso.com", "autodiscover.contoso.com"),
        (ClientDirectory::Ews, "ex01.contoso.com", "mail.contoso.com"),
    ] {
        let names = server.client_names.entry(directory).or_default();
        names.internal.insert(internal.parse().unwrap());
        names.external.insert(external.parse().unwrap());
    }
    let plan = plan::plan(&rig.session.desired, &observed, rig.lab.now());
    let missing = plan.warnings.iter().find_map(|warning| match warning {
        Warning::Server(ServerWarning::ClientNamesMissing { missing, .. }) => Some(missing.clone()),
        _ => None,
    });
    let missing: Vec<String> = missing.expect("the plan warns").iter().map(ToString::to_string).collect();
    assert_eq!(missing, ["webmail.contoso.com (OWA external)", "ex01.contoso.com (EWS internal)"]);
}

/// Public CAs leave clientAuth out: it is said once, where a send connector is given such a certificate.
#[test]
fn a_send_connector_shows_a_certificate_that_is_for_servers_only() {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/certificate-without-subject");
    let mut rig = Rig::of_folder(&folder);
    let mut observed = rig.observe();
    let told = |observed: &certwright::model::organization::Observed, rig: &Rig| {
        let plan = plan::plan(&rig.session.desired, observed, rig.lab.now());
        plan.warnings.iter().filter(|warning| warning.code() == "not-for-clients").count()
    };
    assert_eq!(told(&observed, &rig), 0);
    for server in observed.organization.servers.values_mut() {
        for stored in server.certificates.known_mut().unwrap().0.values_mut() {
            stored.certificate.usages = Some(vec!["serverAuth".into()]);
        }
    }
    assert_eq!(told(&observed, &rig), 1);
}

/// Partners of Domain Security look at the CA and at names. A renewal that changes neither is no news to them.
#[test]
fn partners_are_told_of_another_ca_and_of_a_name_that_goes() {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/domain-security-partners");
    let mut rig = Rig::of_folder(&folder);
    let observed = rig.observe();
    let told = |change: &dyn Fn(&mut certwright::model::organization::Organization)| {
        let mut observed = observed.clone();
        change(&mut observed.organization);
        let plan = plan::plan(&rig.session.desired, &observed, rig.lab.now());
        let told = plan.warnings.into_iter().filter_map(|warning| match warning {
            Warning::Server(ServerWarning::DomainSecurityPartners { connectors, domains, sees, .. }) => {
                Some((connectors.len(), domains.join(" "), sees))
            }
            _ => None,
        });
        told.collect::<Vec<_>>()
    };
    let (was, will_be) =
        ("CN=Old CA, O=Trust Services, C=NL".to_owned(), "CN=New CA, O=Other Trust, C=NL".to_owned());
    let other_issuer = PartnersSee::OtherIssuer { was, will_be };
    let both = "tailspin.com woodgrovebank.com".to_owned();
    assert_eq!(told(&|_| {}), [(2, both.clone(), other_issuer.clone())]);
    let renamed = told(&|organization| {
        for connector in organization.send_connectors.known_mut().unwrap().values_mut() {
            connector.fqdn = Some("smtp.contoso.com".parse().unwrap());
        }
    });
    let name_missing = PartnersSee::NameMissing { name: "smtp.contoso.com".parse().unwrap() };
    assert!(renamed.contains(&(1, both, name_missing)), "{renamed:?}");
    // Without partners the switch of a connector means nothing, and setup leaves it on at one.
    assert_eq!(
        told(&|organization| organization.domain_security = Fact::Known(DomainSecurity::default())),
        []
    );
    assert_eq!(told(&|organization| organization.domain_security = Fact::not_captured()), []);
}

/// Programs beside Exchange that nobody asked about are unknown, as those that did not answer are: the certificate stays.
#[test]
fn what_was_not_captured_is_not_nobody() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/renew-before-expiry");
    let mut rig = Rig::of_folder(&folder);
    let mut observed = rig.observe();
    let removals = |observed: &certwright::model::organization::Observed, rig: &Rig| {
        let plan = plan::plan(&rig.session.desired, observed, rig.lab.now());
        plan.steps.iter().filter(|step| step.action.verb() == "remove").count()
    };
    assert!(removals(&observed, &rig) > 0);
    for unknown in [Fact::not_captured(), Fact::unknown("Access is denied.")] {
        for server in observed.organization.servers.values_mut() {
            server.other_programs = unknown.clone();
        }
        assert_eq!(removals(&observed, &rig), 0);
    }
}

/// Every server of the organization signs and checks tokens, also one that the manifest does not have.
#[test]
fn a_server_that_the_manifest_does_not_have_needs_the_next_auth_certificate_too() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/auth-rotation");
    let mut rig = Rig::of_folder(&folder);
    let observed = rig.observe();
    let now = rig.lab.now();
    let needed = |desired: &_, observed: &_| {
        plan::plan(desired, observed, now).warnings.into_iter().find_map(|warning| match warning {
            Warning::Auth(AuthWarning::AuthNeededElsewhere { servers }) => Some(servers),
            _ => None,
        })
    };
    assert_eq!(needed(&rig.session.desired, &observed), None);
    let mut alone = rig.session.desired.clone();
    let other: ServerName = "EX02".parse().unwrap();
    alone.servers.shift_remove(&other);
    alone.auth.as_mut().unwrap().certificate.servers.retain(|name| *name != other);
    rig.session.desired = alone;
    let observed = rig.observe();
    assert_eq!(needed(&rig.session.desired, &observed), Some(vec![other]));
}

const WAITS_FOR_A_CA: &str = "
apiVersion: certwright/v1
organization: contoso
driver: { lab: { directory: . } }
issuers: { public-ca: { csr: { directory: requests } } }
certificates:
  mail: { issuer: public-ca, names: [mail.contoso.com], renewBefore: 30d }
servers:
  EX01: { fqdn: ex01.contoso.com, services: { IIS: mail, SMTP: mail } }
sendConnectors: { Internet: mail }
";

const WITH_A_SEND_CONNECTOR: &str = r#"
apiVersion: certwright.lab/v1
clock: 2026-03-02T09:00:00Z
keys: keys
authorities:
  public-ca: { subject: "CN=Public CA R10, O=Public CA, C=US" }
acceptedDomains: [contoso.com]
servers:
  EX01: { fqdn: ex01.contoso.com, version: 2019 CU14, installed: 2024-05-06T10:00:00Z }
sendConnectors:
  Internet: { sourceServers: [EX01], addressSpaces: ["smtp:*;1"] }
"#;

/// Nobody could look at the answer of a CA when the run was planned that waits for it.
#[test]
fn an_answer_is_looked_at_when_a_run_goes_on_with_it() {
    let mut rig = Rig::of_texts(WAITS_FOR_A_CA, WITH_A_SEND_CONNECTOR);
    let apply = |rig: &Rig| {
        let output = certwright(&["apply", ".", "--auto-approve"], &rig.base).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).replace('\n', " "))
    };
    let not_for_clients = "is not for TLS clients";
    let (code, told) = apply(&rig);
    assert!(code == Some(7) && !told.contains(not_for_clients), "{told}");
    rig.reopen();
    let requests = rig.session.requests();
    for (file, request) in requests.open(rig.session.desired.request_files()).unwrap() {
        let request = pem::request(&request).unwrap();
        let authority = Some("public-ca".parse().unwrap());
        let issuer = rig.session.desired.issuer_of(file);
        let answer = rig.lab.answer(&request, issuer, authority.as_ref(), Span::days(90)).unwrap();
        requests.put_answer(file, &support::without_names(&answer, &request, &[])).unwrap();
    }
    let (_, told) = apply(&rig);
    assert!(told.contains(not_for_clients), "{told}");
}
