//! The organizations that benchmarks are made with: equal fleets are equal to the byte, and mean what they say.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

#[path = "capture/clixml.rs"]
mod clixml;
#[allow(dead_code, reason = "the tests of captures use the rest")]
#[path = "capture/exported.rs"]
mod exported;
#[path = "../benches/fleet/mod.rs"]
mod fleet;

use std::{collections::BTreeMap, fs, path::Path};

use certwright::{
    checks,
    drivers::capture::Capture,
    manifest::{
        CaptureSpec,
        yaml::{self, Source},
    },
    model::{
        desired::{Answers, CaSubjects, Desired},
        dn::DistinguishedName,
        organization::Observed,
        plan::ChangeKind,
    },
    plan::{self, lint},
    ports::driver::{Observer, Wanted},
};
use fleet::{Due, Fleet, Layout};

const SERVERS: usize = 3;

fn write(fleet: &Fleet, layout: Layout, folder: &Path) -> Observed {
    let observed = fleet::observed::write(fleet, layout, folder);
    exported::export_joined(&observed.organization, observed.at, &folder.join("capture"));
    observed
}

/// Every file below a folder, by its name from there.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for path in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

fn desired(layout: Layout) -> Desired {
    let texts = fleet::manifest(SERVERS, layout).into_iter();
    let sources: Vec<Source> =
        texts.map(|(name, text)| Source { file: name, bytes: text.into_bytes() }).collect();
    let (manifest, _) = yaml::manifest(&sources).unwrap_or_else(|error| panic!("{error:?}"));
    let (findings, resolved) = checks::check(&manifest);
    let resolved = resolved.unwrap_or_else(|| panic!("{findings:#?}"));
    let cas = [("corp-ca".parse().unwrap(), DistinguishedName::common_name_only("Contoso Issuing CA"))];
    resolved.with(&CaSubjects::from(cas).into(), &Answers::new())
}

#[test]
fn equal_fleets_have_equal_bytes() {
    let fleet = Fleet { servers: SERVERS, due: Due::All, seed: 7 };
    let [one, same, other] = [fleet, fleet, Fleet { seed: 8, ..fleet }].map(|fleet| {
        let folder = tempfile::tempdir().unwrap();
        write(&fleet, Layout::Files, folder.path());
        files(folder.path())
    });
    assert!(one.contains_key("observed.json") && one.contains_key("capture/Get-ExchangeCertificate.xml"));
    let differing = |with: &BTreeMap<String, Vec<u8>>| -> Vec<String> {
        one.iter()
            .filter(|(name, bytes)| with.get(*name) != Some(bytes))
            .map(|(name, _)| name.clone())
            .collect()
    };
    assert_eq!(differing(&same), Vec::<String>::new());
    assert!(differing(&other).contains(&"observed.json".to_owned()));
}

#[test]
fn everything_is_due_or_nothing_however_the_manifest_is_written() {
    for (due, kind) in [(Due::All, ChangeKind::Replace), (Due::None, ChangeKind::NoOp)] {
        let folder = tempfile::tempdir().unwrap();
        let observed = fleet::observed::observed(&Fleet { servers: SERVERS, due, seed: 0 }, folder.path());
        for layout in [Layout::Profile, Layout::SpelledOut, Layout::Files] {
            let desired = desired(layout);
            let plan = plan::plan(&desired, &observed, observed.at);
            let kinds: Vec<ChangeKind> = plan.changes.iter().map(|change| change.kind).collect();
            assert_eq!(kinds, [kind; 3 * SERVERS], "{layout:?}");
            assert_eq!(plan.steps.is_empty(), due == Due::None, "{layout:?}");
            assert_eq!(lint::lint(&plan, &desired, &observed, observed.at), []);
        }
    }
}

#[test]
fn a_capture_shows_what_the_observation_shows() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = Fleet { servers: SERVERS, due: Due::None, seed: 0 };
    let observed = write(&fleet, Layout::Profile, folder.path());
    let spec = CaptureSpec::at_path(folder.path().join("capture"));
    let captured = Capture::open(&spec, Path::new(""), observed.at).unwrap();
    let captured = captured.observe(Wanted::Everything).unwrap();
    assert_eq!(captured.notes, Vec::<String>::new());
    for (name, server) in &observed.organization.servers {
        let seen = &captured.organization.servers[name];
        assert_eq!(seen.certificates, server.certificates, "{name}");
        assert_eq!(seen.sites, server.sites, "{name}");
        assert_eq!(seen.receive_connectors, server.receive_connectors, "{name}");
        assert_eq!((&seen.pop, &seen.imap), (&server.pop, &server.imap), "{name}");
        assert_eq!(seen.internal_transport, server.internal_transport, "{name}");
    }
}
