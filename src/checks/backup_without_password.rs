//! Backups that a run will refuse to make.

use crate::{
    manifest::{
        DriverSpec, Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{desired::Desired, policy::Retire},
};

/// Certificates will be backed up with their keys, and the manifest does not say how the backups are protected.
pub(super) fn backup_without_password(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let real = matches!(manifest.driver, DriverSpec::PowerShell(_));
    let backs_up = |retire: &Retire| matches!(retire, Retire::When(when) if when.backup);
    let mut certificates = manifest.certificates.iter();
    let Some((name, _)) = certificates.find(|(_, spec)| backs_up(&spec.retire)).filter(|_| real) else {
        return Vec::new();
    };
    if manifest.backup.is_some() {
        return Vec::new();
    }
    let what =
        format!("the predecessors of `{name}` are backed up with their keys, and `backup` has no password");
    let why = "`apply` refuses a plan that would write private keys to files without a password.";
    let finding = Finding::new("", Severity::Warning, DocPath::of(&["certificates"]).key(name), what, why);
    vec![finding.hinted(
        "add `backup: { password: { env: NAME } }`; or `backup: { password: none }`; or `retire: { backup: false }`",
    )]
}
