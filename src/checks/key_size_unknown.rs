//! A key that does not exist.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{desired::Desired, key::KeySpec},
};

/// The key's size and algorithm do not go together, or the key is too short to be trusted.
pub(super) fn key_size_unknown(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, spec) in &manifest.certificates {
        let path = || DocPath::of(&["certificates"]).key(name).key("key");
        match spec.key.spec() {
            Some(KeySpec::Rsa(1024)) => {
                let what = format!("certificate `{name}` asks for an RSA key of 1024 bits");
                let why = "Such a key is too weak: browsers refuse it, and CAs do not sign it.";
                let finding = Finding::new("", Severity::Error, path().key("size"), what, why);
                findings.push(finding.hinted("use 2048 or 4096"));
            }
            Some(KeySpec::Rsa(_) | KeySpec::EcP256) => {}
            None => {
                let what =
                    format!("certificate `{name}` asks for a key size that its algorithm does not have");
                let why =
                    "New-ExchangeCertificate makes RSA keys of 2048 and 4096 bits; EC keys here are P-256.";
                let finding = Finding::new("", Severity::Error, path().key("size"), what, why);
                findings.push(finding.hinted("use 2048 or 4096 for rsa, 256 for ec"));
            }
        }
    }
    findings
}
