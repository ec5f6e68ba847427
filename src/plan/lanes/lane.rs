//! A server's lane in the making.

use std::collections::BTreeSet;

use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, presented},
        named,
        selection::{Failing, Presented},
    },
    model::{
        action::{Action, CertRef, DefaultSmtp, Expectation, StepId},
        desired::{CertificateId, Desired, DesiredServer},
        names::{ConnectorName, ServerName},
        reason::Reason,
        server::Server,
        service::{Restartable, Service, Services},
        thumbprint::Thumbprint,
        unmet::Unmet,
        warning::ServerWarning,
    },
    plan::{builder::PlanBuilder, expect, told::Told},
};

/// A server's lane in the making: what belongs to it, and what has to be restarted at its end.
pub(super) struct Lane<'a> {
    pub(super) name: &'a ServerName,
    pub(super) own: &'a DesiredServer,
    pub(super) desired: &'a Desired,
    pub(super) told: &'a Told,
    pub(super) restart: BTreeSet<Restartable>,
    /// The certificates that came into its store.
    pub(super) arrived: BTreeSet<CertificateId>,
    /// Connectors that get their names when a person has told Exchange Online: everything else on the server comes before.
    pub(super) waiting: BTreeSet<ConnectorName>,
}

impl Lane<'_> {
    /// Whether a place gets its certificate only when a person has told Exchange Online of it.
    pub(super) fn waits(&self, place: &BindingPoint) -> bool {
        let by_people = self.desired.restarts.of(Restartable::Transport).is_none();
        matches!(place, BindingPoint::Connector(name) if self.waiting.contains(name))
            // A person who restarts transport is asked once, when all of it is set.
            || by_people && !self.waiting.is_empty() && place.loaded_by() == Some(Restartable::Transport)
    }

    /// What the server should serve by now, each with its place.
    pub(super) fn places(&self, builder: &PlanBuilder) -> Vec<(BindingPoint, Expectation)> {
        let Some(server) = builder.server(self.name) else { return Vec::new() };
        let mut places = expect::places(self.own, server, &|id| builder.thumbprint(id), builder.now);
        places.retain(|(place, _)| !self.waits(place));
        places
    }

    pub(super) fn restart_for(&mut self, services: &Services) {
        self.restart.extend(services.iter().filter_map(|service| service.restartable()));
    }

    /// Restarts transport and mailbox transport where enabling SMTP gives them another internal transport certificate (facts 3.7), also one
    /// that was enabled for SMTP before.
    pub(super) fn restart_for_internal_transport(
        &mut self,
        builder: &PlanBuilder,
        services: &Services,
        answer: DefaultSmtp,
        thumbprint: Thumbprint,
    ) {
        let have = builder.server(self.name).and_then(|server| server.internal_transport.known().copied());
        let is_other = have.is_some_and(|have| have != Some(thumbprint));
        if services.contains(&Service::Smtp) && answer == DefaultSmtp::Replace && is_other {
            self.restart.extend([Restartable::Transport, Restartable::MailboxTransport]);
        }
    }
}

/// Adds a verification of everything that the server should serve.
pub(in crate::plan) fn verify(
    builder: &mut PlanBuilder,
    own: &DesiredServer,
    name: &ServerName,
) -> Option<StepId> {
    let server = builder.server(name)?;
    let expect = expect::expectations(own, server, &|id| builder.thumbprint(id), builder.now);
    verify_with(builder, own, name, expect, Vec::new())
}

/// The same of these endpoints, and of these places that what they choose by themselves is served.
pub(super) fn verify_with(
    builder: &mut PlanBuilder,
    own: &DesiredServer,
    name: &ServerName,
    mut expect: Vec<Expectation>,
    further: Vec<BindingPoint>,
) -> Option<StepId> {
    let expect = {
        let server = builder.server(name)?;
        for further in expect::chosen_by_exchange(own, server, further, builder.now) {
            if expect.iter().all(|known| known.endpoint != further.endpoint) {
                expect.push(further);
            }
        }
        expect.sort_by_key(|expectation| expectation.endpoint);
        expect
    };
    // That POP or IMAP does not run is said of the service.
    let unmet = builder.unmet(own, name).into_iter().filter(|(place, _)| place.why != Unmet::Stopped);
    for (place, certificate) in unmet {
        let (server, certificate) = (name.clone(), CertRef::of(certificate));
        builder.warn(ServerWarning::PlaceNotMet { server, place, certificate });
    }
    builder.push(None, Action::Verify { server: name.clone(), expect }, vec![Reason::Proof], [])
}

/// The answer that the manifest gives to Exchange's question about the default SMTP certificate.
pub(in crate::plan) fn default_smtp(own: &DesiredServer, id: &CertificateId) -> DefaultSmtp {
    if own.internal_transport.as_ref() == Some(id) { DefaultSmtp::Replace } else { DefaultSmtp::Keep }
}

/// The connectors that choose this certificate and cannot use it, because SMTP is not enabled for it: those that receive on
/// this server, and those that send from it.
pub(super) fn failing_connectors(
    builder: &PlanBuilder,
    name: &ServerName,
    server: &Server,
    thumbprint: Thumbprint,
) -> Vec<ConnectorName> {
    let now = builder.now;
    let failing = Presented::Failing { certificate: thumbprint, why: Failing::NoKeyAccess };
    let senders =
        builder.senders_of(name).filter(|(_, sender)| named::presented(server, sender, now) == failing);
    let senders = senders.map(|(connector, _)| connector.clone());
    let connectors =
        binding_points(server).into_iter().filter(|presenter| presented(server, presenter, now) == failing);
    connectors
        .filter_map(|presenter| match presenter {
            BindingPoint::Connector(name) => Some(name),
            BindingPoint::Site(_)
            | BindingPoint::InternalTransport
            | BindingPoint::Pop
            | BindingPoint::Imap => None,
        })
        .chain(senders)
        .collect()
}
