//! Entries of `drift.ignore` that are of no server.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
        suggestion::suggestion,
    },
    model::{
        desired::Desired,
        names::{BalancerName, ServerName},
    },
};

/// An entry of `drift.ignore` begins with a server that the manifest does not have.
pub(super) fn ignore_fits_nothing(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let servers = manifest.servers.keys().map(ServerName::as_str);
    let balancers = manifest.load_balancers.keys().map(BalancerName::as_str);
    let known: Vec<&str> = servers.chain(balancers).chain([ORGANIZATION]).collect();
    let of_nobody = manifest.drift.ignore.iter().enumerate().filter_map(|(index, rule)| {
        let (owner, _) = rule.difference.split_once('/').filter(|(owner, _)| !owner.contains('*'))?;
        if known.iter().any(|known| known.eq_ignore_ascii_case(owner)) {
            return None;
        }
        let path = DocPath::of(&["drift", "ignore"]).index(index).key("difference");
        let what = format!("`{}` ignores nothing: the manifest has no server `{owner}`", rule.difference);
        let why = "The id of a difference begins with its server, its load balancer or `organization`.";
        Some(Finding::new("", Severity::Warning, path, what, why).hinted(suggestion(owner, &known)))
    });
    of_nobody.collect()
}

/// How the ids begin of what belongs to no one server.
const ORGANIZATION: &str = "organization";
