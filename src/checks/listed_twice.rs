//! Lists that say a thing twice.

use std::{collections::BTreeSet, fmt::Display};

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::desired::Desired,
};

/// A list has the same item twice, perhaps in another case: one of the two was to be another one.
pub(super) fn listed_twice(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, spec) in &manifest.certificates {
        twice(&spec.names, || DocPath::of(&["certificates"]).key(name).key("names"), &mut findings);
    }
    let of_profiles =
        manifest.profiles.iter().map(|(name, uses)| ("profiles", name.as_str(), &uses.services));
    let of_servers = manifest.servers.iter().map(|(name, spec)| ("servers", name.as_str(), &spec.services));
    for (section, name, services) in of_profiles.chain(of_servers) {
        for (service, names) in services {
            let path = || DocPath::of(&[section, name, "services"]).key(service);
            twice(&names.0, path, &mut findings);
        }
    }
    for (name, spec) in &manifest.load_balancers {
        twice(&spec.endpoints, || DocPath::of(&["loadBalancers"]).key(name).key("endpoints"), &mut findings);
    }
    twice(&manifest.compromised, || DocPath::of(&["compromised"]), &mut findings);
    findings
}

fn twice<T: Display>(items: &[T], path: impl Fn() -> DocPath, findings: &mut Vec<Finding>) {
    if items.len() < 2 {
        return;
    }
    let mut seen = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        if seen.insert(item.to_string().to_lowercase()) {
            continue;
        }
        let what = format!("`{item}` is listed twice");
        let why = "It counts once; perhaps the other line was meant to be something else.";
        let finding = Finding::new("", Severity::Warning, path().index(index), what, why);
        findings.push(finding.hinted("remove one of the two, or correct it"));
    }
}
