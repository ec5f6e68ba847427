//! Where a manifest says that secrets are.

use super::{DriverSpec, IssuerSpec, Manifest, NotifySpec, finding::DocPath};
use crate::model::secret::SecretRef;

/// Every secret that the manifest refers to, and where it says so.
pub fn secrets(manifest: &Manifest) -> Vec<(DocPath, SecretRef)> {
    let mut secrets: Vec<(DocPath, SecretRef)> = Vec::new();
    for (name, issuer) in &manifest.issuers {
        let path = DocPath::of(&["issuers"]).key(name);
        match issuer {
            IssuerSpec::LocalCa(ca) => secrets.push((path.key("localCa").key("key"), ca.key.clone())),
            IssuerSpec::Pfx(pfx) => {
                let password = pfx.password.clone();
                secrets.extend(password.map(|password| (path.key("pfx").key("password"), password)));
            }
            IssuerSpec::SelfSigned(_) | IssuerSpec::Csr(_) => {}
        }
    }
    if let Some(password) = manifest.backup.as_ref().and_then(|backup| backup.password.secret()) {
        secrets.push((DocPath::of(&["backup", "password"]), password));
    }
    if let DriverSpec::PowerShell(spec) = &manifest.driver {
        let path = DocPath::of(&["driver", "powershell"]);
        let own = spec.servers.iter().map(|(name, server)| (path.key("servers").key(name), &server.account));
        for (path, account) in std::iter::once((path.clone(), &spec.account)).chain(own) {
            let password = account.as_ref().map(|account| account.password.clone());
            secrets.extend(password.map(|password| (path.key("account").key("password"), password)));
        }
    }
    for (name, recipient) in &manifest.notify {
        let path = DocPath::of(&["notify", name]).key(recipient.kind()).key("url");
        match recipient {
            NotifySpec::Webhook(hook) | NotifySpec::Slack(hook) | NotifySpec::Teams(hook) => {
                secrets.push((path, hook.url.clone()));
            }
            NotifySpec::Command(_) => {}
        }
    }
    secrets
}
