//! Files that not every system can hold.

use std::collections::HashMap;

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{
        certificate_id::CertificateId,
        desired::{Desired, Origin},
    },
};

/// Two certificates would have one request on systems whose file names know no case, or a request would be a device of
/// Windows.
pub(super) fn request_file_not_portable(_: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let mut taken: HashMap<String, &CertificateId> = HashMap::new();
    let mut findings = Vec::new();
    for (id, certificate) in &desired.certificates {
        let Origin::Csr { file, .. } = &certificate.origin else { continue };
        let path = DocPath::of(&["certificates"]).key(&id.name);
        let name = file.rsplit('/').next().unwrap_or_default();
        if is_device(name) {
            let what =
                format!("`{file}.csr` cannot be a file on Windows: `{}` is the name of a device", stem(name));
            let why = "A run may be continued on Windows, and what is written to a device is lost.";
            findings.push(
                Finding::new("", Severity::Error, path, what, why)
                    .hinted("give the certificate another name"),
            );
        } else if let Some(other) = taken.insert(file.to_lowercase(), id) {
            let what = format!("the requests of {other} and {id} would be one file on Windows, {file}.csr");
            let why = "Windows ignores case in file names: the CA would get one of the two requests, and its answer would be used for both.";
            let hint = "give one of them another name";
            findings.push(Finding::new("", Severity::Error, path, what, why).hinted(hint));
        }
    }
    findings
}

/// Windows gives these names to devices, whatever stands behind a dot (Microsoft, "Naming Files, Paths, and Namespaces").
fn is_device(name: &str) -> bool {
    let name = stem(name).to_ascii_uppercase();
    let numbered = |kind: &str| {
        name.strip_prefix(kind)
            .is_some_and(|number| number.len() == 1 && number.bytes().all(|digit| digit.is_ascii_digit()))
    };
    matches!(name.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

fn stem(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
}
