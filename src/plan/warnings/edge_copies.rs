//! Edge servers that act by other settings than the organization's, because `EdgeSync` has not brought them there (facts 10.1).

use crate::{
    exchange::edge,
    model::{desired::Desired, warning::ServiceWarning},
    plan::builder::PlanBuilder,
};

/// Says which copies are behind when the plan is done: what it sets itself it has brought there.
pub(in crate::plan) fn warn(builder: &mut PlanBuilder, desired: &Desired) {
    let organization = &builder.world.organization;
    let subscriptions = organization.edge_subscriptions.known().into_iter().flatten();
    let own = subscriptions.filter(|own| desired.servers.contains_key(&own.edge));
    let behind: Vec<ServiceWarning> = own
        .flat_map(|own| {
            edge::behind(organization, &own.edge).map(|(connector, _)| ServiceWarning::EdgeConnectorBehind {
                edge: own.edge.clone(),
                connector: connector.clone(),
                by: own.site_servers.first().cloned(),
            })
        })
        .collect();
    for warning in behind {
        builder.warn(warning);
    }
}
