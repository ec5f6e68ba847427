//! Setting overrides for instant messaging: which servers they are for, and that what they name is in use.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::path::Path;

use certwright::{
    exchange::{im, uses},
    model::{fact::Fact, names::ServerName, organization::Organization, version::Role},
    ports::driver::Observer,
};
use support::Rig;

/// EX01 (2019) and EX02 (2016), with one override for both that names the certificate of IIS.
fn organization() -> (Rig, Organization) {
    let mut rig = Rig::of_folder(Path::new("tests/scenarios/im-override-after-renewal"));
    let organization = rig.observe().organization;
    (rig, organization)
}

fn ex02(organization: &mut Organization) -> &mut certwright::model::server::Server {
    organization.servers.get_mut(&"EX02".parse::<ServerName>().unwrap()).unwrap()
}

fn patterns(organization: &mut Organization, patterns: &[&str]) {
    let setting = organization.im_overrides.known_mut().unwrap().values_mut().next().unwrap();
    setting.servers = patterns.iter().map(ToString::to_string).collect();
}

/// What was changed, for which servers the override is then, and what it says of EX02's certificate of IIS.
type Row = (&'static str, fn(&mut Organization), &'static [&'static str], &'static [&'static str]);

const NAMED: &[&str] = &["setting override IM Override (instant messaging)"];

const ROWS: &[Row] = &[
    ("one for all servers", |_| {}, &["EX01", "EX02"], NAMED),
    ("one for some servers", |all| patterns(all, &["ex01"]), &["EX01"], NAMED),
    ("one for servers that fit a pattern", |all| patterns(all, &["DE*", "*02"]), &["EX02"], NAMED),
    (
        "Exchange 2013 has it elsewhere",
        |all| ex02(all).version = Fact::Known("15.0.1497.2".parse().unwrap()),
        &["EX01"],
        NAMED,
    ),
    (
        "an Edge server has no Outlook on the web",
        |all| ex02(all).roles = Fact::Known([Role::EdgeTransport].into()),
        &["EX01"],
        NAMED,
    ),
    (
        "overrides could not be seen",
        |all| all.im_overrides = Fact::unknown("access denied"),
        &[],
        &["unknown (the setting overrides: access denied)"],
    ),
    (
        "overrides could not be seen, and the server has none",
        |all| {
            all.im_overrides = Fact::unknown("access denied");
            ex02(all).version = Fact::Known("15.0.1497.2".parse().unwrap());
        },
        &[],
        &[],
    ),
];

#[test]
fn what_an_override_names_is_in_use_and_never_guessed() {
    let (rig, organization) = organization();
    let setting = organization.im_overrides.known().unwrap().values().next().unwrap();
    let thumbprint = setting.certificate.unwrap();
    let name: ServerName = "EX02".parse().unwrap();
    for (row, change, servers, said) in ROWS {
        let mut organization = organization.clone();
        change(&mut organization);
        let overrides = organization.im_overrides.known().into_iter().flat_map(|all| all.values());
        let of: Vec<String> = overrides
            .flat_map(|setting| im::servers_of(&organization, setting))
            .map(ToString::to_string)
            .collect();
        assert_eq!(of, *servers, "{row}");
        let uses = uses::uses(&organization, &name, thumbprint, rig.lab.now());
        let told: Vec<String> =
            uses.iter().map(ToString::to_string).filter(|text| text.contains("override")).collect();
        assert_eq!(told, *said, "{row}");
    }
}
