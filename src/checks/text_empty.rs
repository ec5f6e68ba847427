//! Reasons and names that are empty.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::desired::Desired,
};

/// A text for people, which says why something is as it is, is empty.
pub(super) fn text_empty(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let left_out = manifest.servers.iter().filter_map(|(name, spec)| {
        let path = DocPath::of(&["servers"]).key(name).key("leftOut");
        Some((path, spec.left_out.as_deref()?, "leftOut", "its mainboard is replaced"))
    });
    let ignored = manifest.drift.ignore.iter().enumerate().map(|(index, rule)| {
        let path = DocPath::of(&["drift", "ignore"]).index(index).key("because");
        (path, rule.because.as_str(), "because", "EX02 is being rebuilt")
    });
    let empty = left_out.chain(ignored).filter(|(_, text, _, _)| text.trim().is_empty());
    empty
        .map(|(path, _, key, example)| {
            let what = format!("`{key}` is empty");
            let why = "Nobody would know later why this is left aside, and so it would stay for ever.";
            Finding::new("", Severity::Error, path, what, why).hinted(format!("say why: `{key}: {example}`"))
        })
        .collect()
}
