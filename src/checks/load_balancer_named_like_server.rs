//! Names that mean two things.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::desired::Desired,
};

/// A load balancer has the name of a server, and reports could mean either.
pub(super) fn load_balancer_named_like_server(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let named_alike =
        manifest.load_balancers.keys().filter(|name| manifest.servers.contains_key(&name.as_peer()));
    named_alike
        .map(|name| {
            let path = DocPath::of(&["loadBalancers"]).key(name);
            let what = format!("`{name}` is the name of a server too");
            let why = "Plans, verdicts and backups name both by it, and nobody could tell them apart.";
            Finding::new("", Severity::Error, path, what, why).hinted("give the load balancer another name")
        })
        .collect()
}
