//! Files that a manifest names and that are not there: `check` would pass, and the run that needs them would fail.

use std::path::{Path, PathBuf};

use crate::{
    manifest::{
        DriverSpec, IssuerSpec, Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::shown::ShowPath,
};

/// Warnings of roots, lists of revoked certificates and certificates of CAs that do not exist. What a lab makes itself is there
/// later; keys and PFX files may be on another computer, and belong into no repository.
pub(super) fn findings(base: &Path, manifest: &Manifest) -> Vec<Finding> {
    let verify = |key: &'static str, files: &[PathBuf]| -> Vec<(DocPath, PathBuf)> {
        let path = DocPath::of(&["verify", key]);
        files.iter().enumerate().map(|(index, file)| (path.index(index), file.clone())).collect()
    };
    let authorities = manifest.issuers.iter().filter_map(|(name, issuer)| match issuer {
        IssuerSpec::LocalCa(ca) => {
            let path = DocPath::of(&["issuers"]).key(name).key("localCa").key("certificate");
            Some((path, ca.certificate.clone()))
        }
        IssuerSpec::SelfSigned(_) | IssuerSpec::Csr(_) | IssuerSpec::Pfx(_) => None,
    });
    let named = authorities
        .chain(verify("roots", &manifest.verify.roots))
        .chain(verify("revocationLists", &manifest.verify.revocation_lists));
    let made = match &manifest.driver {
        DriverSpec::Lab(lab) => {
            Some(base.join(&lab.directory).join("state").components().collect::<PathBuf>())
        }
        DriverSpec::Capture(_) | DriverSpec::PowerShell(_) => None,
    };
    let is_made = |file: &Path| made.as_ref().is_some_and(|made| file.starts_with(made));
    let missing = named.filter(|(_, file)| {
        let file = base.join(file);
        !is_made(&file) && !file.try_exists().unwrap_or(true)
    });
    missing
        .map(|(path, file)| {
            let what = format!("there is no file {}", file.shown());
            let why = "What needs it fails: a run with this CA, or `verify`.";
            Finding::new("file-not-there", Severity::Warning, path, what, why)
                .hinted("correct the path, which is relative to the manifest's folder, or put the file there")
        })
        .collect()
}
