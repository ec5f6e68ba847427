//! Whether connectors are as the Hybrid Configuration Wizard leaves them: seen, and never guessed.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::path::Path;

use certwright::{
    exchange::hybrid,
    model::{
        connector::{ReceiveConnector, SendConnector, TlsAuthLevel},
        fact::Fact,
        names::ServerName,
        organization::Organization,
    },
};
use support::Rig;

/// EX01 and EX02, after the wizard has run.
fn organization() -> Organization {
    let mut rig = Rig::of_folder(Path::new("tests/scenarios/hybrid-wizard-by-hand"));
    rig.observe().organization
}

fn to_microsoft(organization: &mut Organization) -> &mut SendConnector {
    organization.send_connectors.known_mut().unwrap().values_mut().next().unwrap()
}

fn from_outside<'a>(organization: &'a mut Organization, server: &str) -> &'a mut ReceiveConnector {
    let server: ServerName = server.parse().unwrap();
    let connectors = organization.servers.get_mut(&server).unwrap().receive_connectors.known_mut().unwrap();
    connectors.values_mut().find(|connector| connector.ports().contains(&25)).unwrap()
}

/// What was changed, what is missing then, and whether it is taken for done.
type Row = (&'static str, fn(&mut Organization), usize, bool);

const ROWS: &[Row] = &[
    ("after the wizard nothing is missing", |_| {}, 0, true),
    (
        "the connector to Microsoft 365 names no certificate",
        |organization| to_microsoft(organization).tls_certificate_name = None,
        1,
        false,
    ),
    (
        "it checks the chain of its peer and not the name",
        |organization| to_microsoft(organization).tls_auth_level = Some(TlsAuthLevel::CertificateValidation),
        1,
        false,
    ),
    (
        "it checks another name",
        |organization| to_microsoft(organization).tls_domain = Some("contoso.com".into()),
        1,
        false,
    ),
    (
        "a wildcard before the name does no harm",
        |organization| to_microsoft(organization).tls_domain = Some("*.mail.protection.outlook.com".into()),
        0,
        true,
    ),
    (
        "a connector that does not go to Microsoft 365 may name what it likes",
        |organization| {
            let connector = to_microsoft(organization);
            (connector.cloud_services_mail, connector.tls_certificate_name) = (false, None);
        },
        0,
        true,
    ),
    (
        "mail of Microsoft 365 is not known for its own on one server",
        |organization| from_outside(organization, "EX02").tls_domain_capabilities.clear(),
        1,
        false,
    ),
    (
        "the connector from outside names no certificate on both servers",
        |organization| {
            from_outside(organization, "EX01").tls_certificate_name = None;
            from_outside(organization, "EX02").tls_certificate_name = None;
        },
        2,
        false,
    ),
    (
        "a server could not be seen",
        |organization| drop(organization.servers.remove(&"EX02".parse().unwrap())),
        0,
        false,
    ),
    (
        "send connectors could not be seen",
        |organization| organization.send_connectors = Fact::unknown("access denied"),
        0,
        false,
    ),
    (
        "whether it is hybrid could not be seen",
        |organization| organization.hybrid = Fact::unknown("access denied"),
        0,
        false,
    ),
    ("it is not hybrid", |organization| organization.hybrid = Fact::Known(None), 0, false),
];

#[test]
fn what_the_wizard_leaves_is_seen_and_never_guessed() {
    let organization = organization();
    for (row, change, missing, applied) in ROWS {
        let mut organization = organization.clone();
        change(&mut organization);
        assert_eq!(hybrid::missing(&organization).len(), *missing, "{row}");
        assert_eq!(hybrid::is_applied(&organization), *applied, "{row}");
        hybrid::run_wizard(&mut organization);
        assert_eq!(hybrid::missing(&organization), [], "{row}: the wizard mends it");
    }
}
