//! What plans warn of that no lab can show: facts that only captures and live servers have.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use certwright::{
    model::{
        client_names::ClientDirectory,
        warning::{ServerWarning, Warning},
    },
    plan,
    ports::driver::Observer,
};
use support::Rig;

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
