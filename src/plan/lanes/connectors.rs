//! Receive connectors: the names by which they find their certificates.

use super::lane::Lane;
use crate::{
    exchange::hybrid,
    model::{
        action::{Action, ConnectorRef, TlsName},
        cannot::Cannot,
        connector::ReceiveConnector,
        desired::{CertificateId, ConnectorSelector},
        dn::TlsCertificateName,
        fact::Fact,
        names::ConnectorName,
        reason::Reason,
        service::Restartable,
    },
    plan::builder::PlanBuilder,
};

/// Gives every receive connector the name that the manifest says, but for those for which a person has to tell Exchange Online before.
pub(super) fn repoint_receive(builder: &mut PlanBuilder, lane: &mut Lane<'_>) {
    repoint(builder, lane, None, When::Now);
}

/// Gives those their names that had to wait for a person.
pub(super) fn repoint_told(builder: &mut PlanBuilder, lane: &mut Lane<'_>) {
    if !lane.waiting.is_empty() {
        lane.waiting.clear();
        repoint(builder, lane, None, When::Told);
    }
}

/// Whether connectors may wait for a person.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Now,
    Told,
}

/// Gives the receive connectors of one certificate its name.
pub(super) fn repoint_receive_to(builder: &mut PlanBuilder, lane: &mut Lane<'_>, id: &CertificateId) {
    repoint(builder, lane, Some(id), When::Told);
}

fn repoint(builder: &mut PlanBuilder, lane: &mut Lane<'_>, only: Option<&CertificateId>, when: When) {
    let entries = lane.own.receive_connectors.iter();
    for (selector, id) in entries.filter(|(_, id)| only.is_none() || id.as_ref() == only) {
        let Some(Fact::Known(connectors)) =
            builder.server(lane.name).map(|server| &server.receive_connectors)
        else {
            continue;
        };
        let selected: Vec<(ConnectorName, ReceiveConnector)> = connectors
            .iter()
            .filter(|(name, _)| selector.selects(name, connectors))
            .filter(|(name, _)| is_nearest(lane, selector, name))
            .map(|(name, connector)| (name.clone(), connector.clone()))
            .collect();
        if selected.is_empty() && !connectors.keys().any(|name| selector.selects(name, connectors)) {
            builder.cannot(
                id.as_ref(),
                Cannot::NoReceiveConnector { server: lane.name.clone(), connector: selector.to_string() },
            );
        }
        for (name, connector) in selected {
            repoint_one(builder, lane, (&name, connector), id.as_ref(), when);
        }
    }
}

/// A connector that is also named by its name belongs to that entry alone.
fn is_nearest(lane: &Lane<'_>, selector: &ConnectorSelector, name: &ConnectorName) -> bool {
    match selector {
        ConnectorSelector::Name(_) => true,
        ConnectorSelector::Role(..) => {
            !lane.own.receive_connectors.contains_key(&ConnectorSelector::Name(name.clone()))
        }
    }
}

fn repoint_one(
    builder: &mut PlanBuilder,
    lane: &mut Lane<'_>,
    (name, settings): (&ConnectorName, ReceiveConnector),
    id: Option<&CertificateId>,
    when: When,
) {
    let (want, to) = match id {
        None => (None, None),
        Some(id) => {
            let (Some(certificate), Some(chosen)) = (builder.on_server(lane.name, id), builder.chosen(id))
            else {
                return;
            };
            (Some(TlsCertificateName::of(certificate)), Some(TlsName::Of(chosen)))
        }
    };
    let judged = hybrid::is_judged_online(&builder.world.organization, &settings);
    let told = lane.told.before(id).filter(|_| judged);
    let have = settings.tls_certificate_name;
    if is_same(have.as_ref(), want.as_ref()) {
        return;
    }
    if told.is_some() && when == When::Now {
        lane.waiting.insert(name.clone());
        return;
    }
    let connector = ConnectorRef::Receive { server: lane.name.clone(), name: name.clone() };
    let why = vec![Reason::ConnectorDiffers { connector: connector.clone(), have }];
    lane.restart.insert(Restartable::Transport);
    builder.push(id, Action::Repoint { connector, to }, why, told);
}

pub(in crate::plan) fn is_same(have: Option<&TlsCertificateName>, want: Option<&TlsCertificateName>) -> bool {
    match (have, want) {
        (Some(have), Some(want)) => have.is_same_as(want),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}
