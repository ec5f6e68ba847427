//! Words of the driver that another word makes meaningless.

use super::driver_words::{Place, places};
use crate::{
    manifest::{
        Authentication, DriverSpec, Manifest, Way,
        finding::{DocPath, Finding, Severity},
    },
    model::desired::Desired,
};

/// Two words of which one alone counts.
pub(super) fn driver_word_without_effect(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let DriverSpec::PowerShell(spec) = &manifest.driver else { return Vec::new() };
    let mut findings = Vec::new();
    let mut found = |path: DocPath, word: &str, other: &str| {
        let (what, why) = (format!("`{word}` has no effect"), format!("{other}."));
        let finding = Finding::new("", Severity::Warning, path.key(word), what, why);
        findings.push(finding.hinted("remove the one that you do not want"));
    };
    for Place { path, ssh, remoting, account: _, authentication: _ } in places(spec) {
        let Some(remoting) = remoting else { continue };
        let own = path.key("remoting");
        if ssh.iter().any(|(at, _)| *at == path.key("ssh")) {
            found(path.clone(), "remoting", "`ssh` stands beside it, and PowerShell is asked there");
        }
        if let Some(tls) = &remoting.tls
            && tls.pin.is_some()
            && tls.ca.is_some()
        {
            found(
                own.key("tls"),
                "ca",
                "`pin` names the one certificate that is trusted, whoever has issued it",
            );
        }
        if remoting.keytab.is_some() && remoting.ticket_cache.is_some() {
            found(own.clone(), "ticketCache", "Tickets are fetched with `keytab` and kept in memory");
        }
        if remoting.authentication == Authentication::Basic {
            let words = [
                ("keytab", remoting.keytab.is_some()),
                ("ticketCache", remoting.ticket_cache.is_some()),
                ("principal", remoting.principal.is_some()),
            ];
            for (word, _) in words.into_iter().filter(|(_, is_there)| *is_there) {
                found(own.clone(), word, "Basic proves who one is by a password, and takes no tickets");
            }
        }
    }
    let over_remoting = |name| matches!(spec.way_to(name), Way::Remoting(_));
    let path = DocPath::of(&["driver", "powershell"]);
    let why = "It is for servers whose cmdlets are called by `remoting`; PowerShell itself reaches IIS and services";
    if spec.windows.is_some() && !manifest.servers.keys().any(over_remoting) {
        found(path.clone(), "windows", why);
    }
    for (name, own) in &spec.servers {
        if own.windows.is_some() && !over_remoting(name) {
            found(path.key("servers").key(name.as_str()), "windows", why);
        }
    }
    findings
}
