//! Names that mean two things.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{desired::Desired, names::ServerName},
};

/// A load balancer has the name of a server, and reports could mean either.
pub(super) fn load_balancer_named_like_server(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let is_a_server =
        |name: &str| name.parse().is_ok_and(|name: ServerName| manifest.servers.contains_key(&name));
    let named_alike = manifest.load_balancers.keys().filter(|name| is_a_server(name.as_str()));
    named_alike
        .map(|name| {
            let path = DocPath::of(&["loadBalancers"]).key(name);
            let what = format!("`{name}` is the name of a server too");
            let why = "Plans, verdicts and backups would use one name for both.";
            Finding::new("", Severity::Error, path, what, why).hinted("give the load balancer another name")
        })
        .collect()
}
