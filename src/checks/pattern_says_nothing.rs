//! Patterns that fit nothing or everything.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{desired::Desired, pattern::says_nothing, protection::Protection},
};

/// An entry of `protect` or of `drift.ignore` names nothing in particular.
pub(super) fn pattern_says_nothing(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, Protection { friendly_name, subject, thumbprint }) in manifest.protect.iter().enumerate() {
        let path = DocPath::of(&["protect"]).index(index);
        if friendly_name.is_none() && subject.is_none() && thumbprint.is_none() {
            findings.push(protects("it says nothing", path));
            continue;
        }
        for (key, pattern) in [("friendlyName", friendly_name), ("subject", subject)] {
            if let Some(pattern) = pattern.as_deref().filter(|pattern| says_nothing(pattern)) {
                let what = if pattern.contains('*') { "it matches every certificate" } else { "it is empty" };
                findings.push(protects(what, path.key(key)));
            }
        }
    }
    for (index, rule) in manifest.drift.ignore.iter().enumerate() {
        let path = DocPath::of(&["drift", "ignore"]).index(index).key("difference");
        // Every id has slashes.
        if says_nothing(&rule.difference.replace('/', "")) {
            let every = rule.difference.contains('*');
            let what = if every { "every difference is ignored" } else { "`difference` is empty" };
            let why = "`drift` would report no difference at all.";
            findings.push(
                Finding::new("", Severity::Error, path, what, why)
                    .hinted("write the ids to ignore as `certwright drift` shows them, such as `EX02/*`"),
            );
        }
    }
    findings
}

fn protects(what: &str, path: DocPath) -> Finding {
    let what = format!("an entry of `protect` names no certificate: {what}");
    let why = "It would protect nothing, or everything.";
    Finding::new("", Severity::Error, path, what, why).hinted(
        "write the subject, the friendly name or the thumbprint that `certwright observe` shows; `*` stands for any text",
    )
}
