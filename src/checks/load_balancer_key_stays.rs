//! Keys that a load balancer needs and that cannot leave their server.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::desired::{Desired, Origin},
};

/// A load balancer should have a certificate whose key may not leave the server it is made on.
pub(super) fn load_balancer_key_stays(_: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let mut findings = Vec::new();
    for (name, balancer) in &desired.balancers {
        let certificate = &desired.certificates[&balancer.certificate];
        if certificate.exportable {
            continue;
        }
        let (severity, why) = match certificate.origin {
            Origin::SelfSigned | Origin::Csr { .. } => (
                Severity::Error,
                "The server makes the key, and without export the load balancer cannot get it.",
            ),
            Origin::LocalCa { .. } | Origin::Pfx { .. } => (
                Severity::Warning,
                "certwright brings it there when it is issued; a load balancer that loses it later needs a new one for all.",
            ),
        };
        let path = DocPath::of(&["loadBalancers"]).key(name).key("certificate");
        let what =
            format!("load balancer `{name}` needs the key of `{}`, which is not exportable", certificate.id);
        findings.push(Finding::new("", severity, path, what, why).hinted("set `key: { exportable: true }`"));
    }
    findings
}
