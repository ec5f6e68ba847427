//! Times that are no time.

use crate::{
    manifest::{
        DriverSpec, IssuerSpec, Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{desired::Desired, time::Span},
};

/// A time in which something has to happen is zero.
pub(super) fn span_of_zero(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let mut spans: Vec<(DocPath, Span, &str)> = Vec::new();
    if let DriverSpec::PowerShell(spec) = &manifest.driver {
        let path = DocPath::of(&["driver", "powershell", "timeout"]);
        spans.push((path, spec.timeout, "Every request would have failed before it is answered."));
    }
    let age = manifest.limits.capture_age.map(|age| {
        (
            DocPath::of(&["limits", "captureAge"]),
            age,
            "Every capture is older than that, and none could be planned from.",
        )
    });
    spans.extend(age);
    for (name, issuer) in &manifest.issuers {
        if let IssuerSpec::LocalCa(ca) = issuer {
            let path = DocPath::of(&["issuers"]).key(name).key("localCa").key("lifetime");
            spans.push((path, ca.lifetime, "Its certificates would have ended when they are issued."));
        }
    }
    let zero = spans.into_iter().filter(|(_, span, _)| *span == Span::ZERO);
    zero.map(|(path, span, why)| {
        let key = path.last_key().to_owned();
        let what = format!("`{key}: {span}` is zero");
        Finding::new("", Severity::Error, path, what, why)
            .hinted("write a longer time, or remove the line to use the default")
    })
    .collect()
}
