//! Reasons and paths that are empty.

use crate::{
    manifest::{
        DriverSpec, IssuerSpec, Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::desired::Desired,
};

/// A text for people, which says why something is as it is, is empty; or a path.
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
    let reasons = empty.map(|(path, _, key, example)| {
        let what = format!("`{key}` is empty");
        let why = "Without a reason, nobody knows later whether this exception is still needed.";
        Finding::new("", Severity::Error, path, what, why)
            .hinted(format!("give a reason: `{key}: {example}`"))
    });
    reasons.chain(paths(manifest)).collect()
}

/// The paths of CAs and of the driver that are empty.
fn paths(manifest: &Manifest) -> Vec<Finding> {
    let of_issuers = manifest.issuers.iter().filter_map(|(name, issuer)| {
        let at = |kind: &str, key: &str| DocPath::of(&["issuers"]).key(name).key(kind).key(key);
        match issuer {
            IssuerSpec::SelfSigned(_) => None,
            IssuerSpec::LocalCa(ca) => {
                Some((at("localCa", "certificate"), &ca.certificate, "ca/issuing.crt"))
            }
            IssuerSpec::Csr(csr) => Some((at("csr", "directory"), &csr.directory, "requests")),
            IssuerSpec::Pfx(pfx) => Some((at("pfx", "file"), &pfx.file, "certificates/mail.pfx")),
        }
    });
    let of_driver = match &manifest.driver {
        DriverSpec::Lab(lab) => Some((DocPath::of(&["driver", "lab", "directory"]), &lab.directory, "lab")),
        DriverSpec::Capture(capture) => {
            Some((DocPath::of(&["driver", "capture", "path"]), &capture.path, "capture"))
        }
        DriverSpec::PowerShell(_) => None,
    };
    let empty = of_issuers.chain(of_driver).filter(|(_, path, _)| path.as_os_str().is_empty());
    empty
        .map(|(at, _, example)| {
            let key = at.last_key().to_owned();
            let what = format!("`{key}` is empty");
            let why = "An empty path would mean the manifest's directory, which is probably not intended.";
            Finding::new("", Severity::Error, at, what, why)
                .hinted(format!("write a path: `{key}: {example}`; `.` is the manifest's directory"))
        })
        .collect()
}
