//! Edge subscriptions: made anew by people when the default SMTP certificate of either side was replaced (facts 10). The file
//! that travels between the two sides holds credentials, and the Edge server answers to nobody but itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    exchange::edge::{self, EdgeDistrust},
    model::{
        action::{Action, Condition, StepId},
        desired::Desired,
        names::ServerName,
        organization::{EdgeSubscription, Organization},
        reason::Reason,
        warning::ServiceWarning,
    },
    plan::builder::PlanBuilder,
};

/// The new Edge subscriptions, by each server that is a side of one.
#[derive(Debug, Default)]
#[must_use = "they have to be there before what the old ones rest on goes, and before a send connector reaches an Edge server"]
pub(in crate::plan) struct Subscriptions(BTreeMap<ServerName, BTreeSet<StepId>>);

impl Subscriptions {
    /// Those that this server is a side of.
    pub(in crate::plan) fn of(&self, side: &ServerName) -> impl Iterator<Item = StepId> + '_ {
        self.0.get(side).into_iter().flatten().copied()
    }
}

/// The Edge servers whose subscriptions a plan breaks, while nobody is ready to make them anew, each with the sides of its
/// subscriptions that present another certificate by the plan.
pub(in crate::plan) type Unready = BTreeMap<ServerName, BTreeSet<ServerName>>;

/// The Edge servers whose subscriptions a plan breaks, while the manifest names nobody who is ready to make them anew. Where
/// trust is broken already, waiting for somebody mends nothing.
pub(in crate::plan) fn unready(builder: &PlanBuilder, desired: &Desired, observed: &Organization) -> Unready {
    let broken = builder.steps().iter().filter_map(|step| match &step.action {
        Action::Manual { until: Condition::EdgeSubscribed { edge, .. }, .. } => Some(edge),
        _ => None,
    });
    let presents = |side: &ServerName| {
        let Some(server) = observed.servers.get(side) else { return true };
        let internal = edge::presents(observed, side);
        internal.is_some_and(|internal| {
            server.certificates.known().is_none_or(|store| store.0.contains_key(&internal))
        })
    };
    let trusted = |edge: &ServerName| {
        let own = observed.edge_subscriptions.known().into_iter().flatten();
        own.filter(|own| own.edge == *edge).any(|own| {
            let mut sides = own.site_servers.iter().chain([edge]);
            sides.all(presents) && edge::distrust(observed, own).is_empty()
        })
    };
    let planned = &builder.world.organization;
    let changing = |edge: &ServerName| -> BTreeSet<ServerName> {
        let own = observed.edge_subscriptions.known().into_iter().flatten().filter(|own| own.edge == *edge);
        let sides = own.flat_map(|own| own.site_servers.iter().chain([&own.edge]));
        sides
            .filter(|side| edge::presents(observed, side) != edge::presents(planned, side))
            .cloned()
            .collect()
    };
    let unready = broken.filter(|edge| trusted(edge) && !desired.can_subscribe(edge, builder.now));
    unready.map(|edge| (edge.clone(), changing(edge))).collect()
}

/// Has somebody ready before either side presents another certificate: from then on mail with the Edge server and `EdgeSync` stand
/// still until the subscription is made anew (facts 10.4). Whatever else is done there has nothing to do with it.
pub(in crate::plan) fn await_people(builder: &mut PlanBuilder, edges: &Unready) {
    for (edge, changing) in edges {
        let task = format!(
            "have somebody ready to subscribe {edge} anew, with administrators' rights there and on a Mailbox server of its site: this plan \
             replaces what the subscription rests on, and from then on mail with {edge} and EdgeSync stand still until that is done; then \
             write into the manifest the last day on which somebody is ready, `subscribeAnew: {{ {edge}: DAY }}`"
        );
        let until = Condition::EdgeAwaited { edge: edge.clone() };
        let Some(step) = builder.push(None, Action::Manual { server: None, task, until }, Vec::new(), [])
        else {
            continue;
        };
        builder.hold_default(changing, step);
    }
}

/// Asks for a new subscription wherever an Edge server and its site will not trust each other.
pub(in crate::plan) fn subscriptions(builder: &mut PlanBuilder, desired: &Desired) -> Subscriptions {
    let mut new = Subscriptions::default();
    let known = builder.world.organization.edge_subscriptions.known().cloned().unwrap_or_default();
    for subscription in known {
        let sides = || subscription.site_servers.iter().chain([&subscription.edge]);
        if sides().any(|side| desired.servers.contains_key(side)) {
            let sides: Vec<ServerName> = sides().cloned().collect();
            if let Some(step) = subscribe(builder, desired, &subscription, &sides) {
                for side in sides {
                    new.0.entry(side).or_default().insert(step);
                }
            }
        }
    }
    new
}

fn subscribe(
    builder: &mut PlanBuilder,
    desired: &Desired,
    subscription: &EdgeSubscription,
    sides: &[ServerName],
) -> Option<StepId> {
    let edge = &subscription.edge;
    let distrust = builder.world.distrust(subscription);
    let (shared, replaced): (Vec<_>, Vec<_>) =
        distrust.into_iter().partition(|distrust| matches!(distrust, EdgeDistrust::Shared { .. }));
    for shared in &shared {
        if let EdgeDistrust::Shared { edge, server, certificate } = shared {
            let (edge, server) = (edge.clone(), server.clone());
            builder.warn(ServiceWarning::SharedWithEdge { edge, server, thumbprint: *certificate });
        }
    }
    if replaced.is_empty() || !shared.is_empty() {
        return None;
    }
    builder.warn(ServiceWarning::EdgeNeedsPerson { edge: edge.clone() });
    let why = replaced.iter().cloned().map(Into::into).collect();
    let after: Vec<StepId> = sides.iter().filter_map(|side| builder.last_step(side)).collect();
    let until = Condition::EdgeSubscribed { edge: edge.clone(), before: subscription.created };
    let what = how(builder, subscription);
    let action = Action::Manual { server: None, task: what, until };
    let why = vec![Reason::EdgeDistrusts { edge: edge.clone(), why }];
    let new = replaced
        .iter()
        .find_map(|distrust| desired.servers.get(new_on(distrust))?.internal_transport.as_ref());
    builder.push(new, action, why, after)
}

/// The server that presents what the other side does not know.
fn new_on(distrust: &EdgeDistrust) -> &ServerName {
    match distrust {
        EdgeDistrust::EdgeReplaced { edge, .. } => edge,
        EdgeDistrust::ServerReplaced { server, .. } | EdgeDistrust::Shared { server, .. } => server,
    }
}

/// What to do, in the order in which it works. The wizard has to know an Edge server that was subscribed anew.
fn how(builder: &PlanBuilder, subscription: &EdgeSubscription) -> String {
    let EdgeSubscription { edge, site, .. } = subscription;
    let site_name = site.as_deref();
    let site = site_name.map_or_else(|| "SITE".to_owned(), |site| format!("\"{site}\""));
    let hybrid = builder.world.organization.hybrid.known().and_then(Option::as_ref);
    let wizard = if hybrid.is_some_and(|hybrid| hybrid.edge_servers.contains(edge)) {
        "; then run the Hybrid Configuration Wizard again, because hybrid mail goes through it"
    } else {
        ""
    };
    let connectors = connectors_as_they_are(builder, site_name);
    format!(
        "subscribe {edge} anew: there New-EdgeSubscription -FileName C:\\{edge}.xml; within 24 hours, on a Mailbox server of \
         the site, New-EdgeSubscription -FileData ([System.IO.File]::ReadAllBytes('C:\\{edge}.xml')) -Site {site}{connectors}, \
         then Start-EdgeSynchronization -ForceFullSync and Test-EdgeSynchronization; delete the file in both places, it holds \
         credentials{wizard}"
    )
}

/// A new subscription makes two send connectors unless it is told not to. Where one of them was left out on purpose, as where
/// mail leaves by a smart host, it would be a second way out (facts 10.3).
fn connectors_as_they_are(builder: &PlanBuilder, site: Option<&str>) -> String {
    let connectors = builder.world.organization.send_connectors.known();
    let (Some(connectors), Some(site)) = (connectors, site) else {
        return " with -CreateInternetSendConnector and -CreateInboundSendConnector $true or $false, as such a connector is there \
                today or not"
            .into();
    };
    let site = site.rsplit('/').next().unwrap_or(site);
    let is_there = |name: String| {
        let there = connectors.keys().any(|connector| connector.as_str().eq_ignore_ascii_case(&name));
        if there { "$true" } else { "$false" }
    };
    format!(
        " -CreateInternetSendConnector {} -CreateInboundSendConnector {}",
        is_there(format!("EdgeSync - {site} to Internet")),
        is_there(format!("EdgeSync - Inbound to {site}"))
    )
}
