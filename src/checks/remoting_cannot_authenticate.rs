//! Sessions that could never be opened.

use crate::manifest::finding::DocPath;
use crate::{
    manifest::{
        Authentication, DriverSpec, Manifest, Way,
        finding::{Finding, Severity},
    },
    model::desired::Desired,
};

/// `remoting` is to prove who certwright is in a way that it has no means for, or that would send a password in the clear.
pub(super) fn remoting_cannot_authenticate(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let DriverSpec::PowerShell(spec) = &manifest.driver else { return Vec::new() };
    let mut findings: Vec<Finding> = Vec::new();
    for name in manifest.servers.keys() {
        let Way::Remoting(remoting) = spec.way_to(name) else { continue };
        let account = spec.account_of(name).is_some();
        // From that computer Windows goes on to the server, and a ticket does not go with it.
        let goes_on = spec.windows_of(name).is_some_and(|windows| windows.ssh.host.is_some());
        let (message, why, hint) = match remoting.authentication {
            Authentication::Basic if remoting.tls.is_none() => (
                "`authentication: basic` without `tls`",
                "Basic sends the password itself; without TLS everybody on the way could read it.",
                "add `tls: {}`, or leave `authentication` out and use Kerberos",
            ),
            Authentication::Basic if !account => (
                "`authentication: basic` without an `account`",
                "Basic proves who one is by a password, and there is none.",
                "name one: account: { user: 'CONTOSO\\certwright', password: { env: NAME } }",
            ),
            Authentication::Kerberos if account && !goes_on => (
                "`remoting` uses Kerberos, and `account` names a password",
                "Kerberos takes tickets; the password would never be used.",
                "leave `account` out and name a ticket cache or a keytab, or write `authentication: basic` with `tls`",
            ),
            Authentication::Basic | Authentication::Kerberos => continue,
        };
        let own = spec.servers.get(name).is_some_and(|own| own.remoting.is_some());
        let path = DocPath::of(&["driver", "powershell"]);
        let path =
            if own { path.key("servers").key(name.as_str()).key("remoting") } else { path.key("remoting") };
        let finding = Finding::new("", Severity::Error, path, message, why).hinted(hint);
        // What is written once for all servers is said once.
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    findings
}
