//! Variables where none is put in.

use crate::{
    manifest::{
        IssuerSpec, Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{desired::Desired, shown::ShowPath},
};

/// `${…}` stands in a text that is taken as it is.
pub(super) fn variable_not_here(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let mut texts = vec![(DocPath::of(&["organization"]), manifest.organization.to_string())];
    for (name, spec) in &manifest.certificates {
        let path = || DocPath::of(&["certificates"]).key(name).key("friendlyName");
        texts.extend(spec.friendly_name.as_ref().map(|friendly| (path(), friendly.to_string())));
    }
    for (name, issuer) in &manifest.issuers {
        let path = DocPath::of(&["issuers"]).key(name);
        match issuer {
            IssuerSpec::Csr(csr) => {
                texts.push((path.key("csr").key("directory"), csr.directory.shown().to_string()));
            }
            IssuerSpec::Pfx(pfx) => texts.push((path.key("pfx").key("file"), pfx.file.shown().to_string())),
            IssuerSpec::LocalCa(ca) => {
                texts.push((path.key("localCa").key("certificate"), ca.certificate.shown().to_string()));
            }
            IssuerSpec::SelfSigned(_) => {}
        }
    }
    let with_variable = texts.into_iter().filter(|(_, text)| text.contains("${"));
    with_variable
        .map(|(path, text)| {
            let key = path.last_key().to_owned();
            let what = format!("`{text}` is used as it is: `{key}` takes no variables");
            let why =
                "Variables work in `subject`, `names`, `receiveConnectors` and `x509CertificateName` only.";
            Finding::new("", Severity::Error, path, what, why).hinted("write the text out")
        })
        .collect()
}
