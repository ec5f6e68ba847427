//! What was not met is not proved, what was not seen may use anything, and what ends in use is told, declared or not.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use certwright::{
    exchange::uses::{Use, uses},
    model::{
        names::ServerName,
        organization::Organization,
        server::Server,
        unseen::{Unseen, UnseenPart},
    },
    ports::driver::Observer,
};
use serde_json::Value;
use support::{Rig, certwright, key_pool};

fn scenario(name: &str) -> PathBuf {
    Path::new("tests/scenarios").join(name)
}

/// What `verify` says in words and as JSON, and whether it is content.
fn verify(folder: &str, change: impl Fn(String) -> String) -> (String, Value, bool) {
    let directory = tempfile::tempdir().unwrap();
    let lab = directory.path().join("lab");
    fs::create_dir(&lab).unwrap();
    let text = fs::read_to_string(scenario(folder).join("lab.yaml")).unwrap();
    let text = text.replace("../../keys", key_pool().to_str().unwrap());
    fs::write(lab.join("lab.yaml"), text).unwrap();
    let manifest = fs::read_to_string(scenario(folder).join("manifest.yaml")).unwrap();
    let manifest = manifest.replace("directory: .", "directory: lab").replace("state/", "lab/state/");
    fs::write(directory.path().join("manifest.yaml"), change(manifest)).unwrap();
    let run = |arguments: &[&str]| certwright(arguments, directory.path()).output().unwrap();
    let (text, json) = (run(&["verify"]), run(&["verify", "--format", "json"]));
    assert_eq!(text.status.success(), json.status.success());
    let said = String::from_utf8(text.stdout).unwrap();
    let value = serde_json::from_slice(&json.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&json.stderr)));
    (said.split_whitespace().collect::<Vec<_>>().join(" "), value, text.status.success())
}

#[test]
fn a_relay_for_others_is_listed_as_not_provable() {
    let (text, json, good) = verify("relay-for-certain-clients", |manifest| manifest);
    assert!(text.contains("for clients of 10.0.5.0/24 only"), "{text}");
    let listed = json["notProvable"].as_array().unwrap();
    assert!(listed.iter().any(|one| one["code"] == "place-not-met"), "{json:#}");
    assert!(good, "what cannot be met is no failure: {text}");
}

#[test]
fn what_ends_in_use_is_told_though_nobody_declares_it() {
    let (text, json, _) = verify("setup-certificate-ends", |manifest| manifest);
    assert!(text.contains("ends 2026-03-04"), "{text}");
    let ending = &json["ending"][0];
    assert_eq!((&ending["named"], &ending["expired"]), (&"CN=EX01".into(), &false.into()));

    let (text, json, _) =
        verify("setup-certificate-ends", |manifest| format!("{manifest}\nexpiryWarning: never\n"));
    assert!(!text.contains("ends 2026-03-04"), "{text}");
    assert_eq!(json.get("ending"), None);
}

/// Takes something away that no server is without.
type Emptying = fn(&mut Server);

#[test]
fn what_no_server_is_without_and_was_not_seen_may_use_everything() {
    let mut rig = Rig::of_folder(&scenario("relay-for-certain-clients"));
    let observed = rig.observe();
    let (now, name): (_, ServerName) = (rig.lab.now(), "EX01".parse().unwrap());
    let unseen = |organization: &Organization| -> Vec<UnseenPart> {
        let store = organization.servers[&name].certificates.known().unwrap();
        let thumbprint = *store.0.keys().next().unwrap();
        uses(organization, &name, thumbprint, now)
            .into_iter()
            .filter_map(|found| match found {
                Use::Unknown(Unseen { part, .. }) => Some(part),
                _ => None,
            })
            .collect()
    };
    assert_eq!(unseen(&observed.organization), []);
    let rows: [(Emptying, UnseenPart); 4] = [
        (|server| server.receive_connectors.known_mut().unwrap().clear(), UnseenPart::ReceiveConnectors),
        (|server| server.sites.known_mut().unwrap().clear(), UnseenPart::IisBindings),
        (|server| *server.pop.known_mut().unwrap() = None, UnseenPart::PopSettings),
        (|server| *server.imap.known_mut().unwrap() = None, UnseenPart::ImapSettings),
    ];
    for (empty, part) in rows {
        let mut organization = observed.organization.clone();
        empty(organization.servers.get_mut(&name).unwrap());
        assert_eq!(unseen(&organization), [part]);
    }
}
