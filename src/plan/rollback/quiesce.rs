//! Services that have loaded a certificate which is about to go. Of two with the same names Exchange chooses the newer
//! one, as long as it is there; so they cannot load the older one before, and would answer without any until they are
//! restarted after. They stand still meanwhile, as they do for a restart.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::Back;
use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, endpoints, presented},
        selection::Presented,
        uses::{Use, uses},
    },
    model::{
        action::{Action, CertRef, ServiceGroup, StepId},
        names::ServerName,
        organization::Organization,
        plan::Step,
        reason::Reason,
        service::Restartable,
        thumbprint::Thumbprint,
    },
};

impl Back<'_> {
    /// What goes over to another certificate when this one is gone.
    pub(super) fn loaded(&self, name: &ServerName, thumbprint: Thumbprint) -> BTreeSet<Restartable> {
        let world = &self.builder.world;
        let found = uses(&world.organization, name, thumbprint, self.builder.now);
        found.iter().filter_map(Use::loaded_by).collect()
    }

    /// The same as Windows calls them.
    pub(super) fn while_stopped(&self, name: &ServerName, thumbprint: Thumbprint) -> Vec<ServiceGroup> {
        let Some(server) = self.builder.server(name) else { return Vec::new() };
        let group = |what: Restartable| ServiceGroup { service: what, services: server.restarted(what) };
        let groups = self.loaded(name, thumbprint).into_iter().map(group);
        groups.filter(|group| !group.services.is_empty()).collect()
    }

    /// Restarts what the run restarted, before anything is removed, and proves it: from then on it serves what it has been given
    /// back. What would load the same certificate once more waits for its removal. Where restarts are drained, a server is
    /// proved before the next one is taken out.
    pub(super) fn load(&mut self) -> BTreeMap<ServerName, StepId> {
        let run = self.progress;
        let mut restarts: IndexMap<&ServerName, Vec<&Step>> = IndexMap::new();
        for step in run.plan.steps.iter().filter(|step| run.steps.contains_key(&step.id)) {
            if let Action::Restart { server, .. } = &step.action {
                restarts.entry(server).or_default().push(step);
            }
        }
        let mut to_be_proved = self.to_be_proved();
        let mut proofs = BTreeMap::new();
        for (server, steps) in restarts {
            for step in steps {
                self.restart(step);
            }
            if self.desired.restarts.drain && to_be_proved.remove(server) {
                proofs.extend(self.prove(server).map(|proof| (server.clone(), proof)));
            }
        }
        for server in to_be_proved {
            proofs.extend(self.prove(&server).map(|proof| (server, proof)));
        }
        proofs
    }

    /// Restarts what a step of the run has restarted, where it is given something back.
    fn restart(&mut self, step: &Step) {
        let Action::Restart { server, service: what, drain, .. } = &step.action else { return };
        if self.is_left_out(server) {
            return;
        }
        let key = (server.clone(), *what);
        let waits = self.removed_from(server).iter().any(|gone| self.loaded(server, *gone).contains(what));
        // One that was cut off in the middle may have left the server out of what it was drained from.
        let is_left_out = drain.is_some() && !self.progress.is_done(step.id);
        let gives_back = self.touched.contains(server) && self.is_given_back(server, *what);
        if (is_left_out || gives_back && !waits) && self.restarted.insert(key) {
            self.restart_again(step);
        }
    }

    /// Whether a service has anything but certificates of the run to load by now. What goes on presenting those has been given
    /// nothing back, and is not restarted for it.
    fn is_given_back(&self, name: &ServerName, what: Restartable) -> bool {
        let Some(server) = self.builder.server(name) else { return true };
        let concerned = |place: &BindingPoint| match what {
            Restartable::Iis => matches!(place, BindingPoint::Site(_)),
            Restartable::MailboxTransport => *place == BindingPoint::InternalTransport,
            Restartable::Transport | Restartable::Pop | Restartable::Imap => place.loaded_by() == Some(what),
            Restartable::Um | Restartable::UmCallRouter | Restartable::ServiceHost | Restartable::WebApps => {
                false
            }
        };
        let places: Vec<BindingPoint> = binding_points(server).into_iter().filter(concerned).collect();
        let met = self.met.get(name);
        let before = self.observed.organization.servers.get(name);
        let is_other = |place: &BindingPoint| {
            let Presented::Certificate(shown) = presented(server, place, self.builder.now) else {
                return true;
            };
            // A place that the run neither met nor changed has had the same all the time.
            let changed = before.is_none_or(|before| {
                presented(before, place, self.builder.now) != presented(server, place, self.builder.now)
            });
            let own = endpoints(server, place);
            !self.made.contains(&shown)
                && (changed
                    || own.is_empty()
                    || own.iter().any(|own| met.is_some_and(|met| met.contains(own))))
        };
        let sends = what == Restartable::Transport && self.sends_with_what_it_had(name);
        places.is_empty() || places.iter().any(is_other) || sends
    }

    /// Whether a send connector of this server selects another certificate than one of the run, which it did not before.
    fn sends_with_what_it_had(&self, name: &ServerName) -> bool {
        let connectors = |organization: &Organization| {
            let known = organization.send_connectors.known().into_iter().flatten();
            let own = known.filter(|(_, connector)| connector.source_servers.contains(name));
            own.map(|(connector, settings)| (connector.clone(), settings.tls_certificate_name.clone()))
                .collect::<Vec<_>>()
        };
        connectors(&self.observed.organization) != connectors(&self.builder.world.organization)
    }

    /// Restarts what would load a certificate of the run that stays, unless it was restarted before: the run may have been
    /// cut off between the import and its own restarts, and until then each serves what it has loaded.
    pub(super) fn load_what_stays(&mut self) {
        let stays: Vec<_> =
            self.left_alone.iter().map(|left| (left.server.clone(), left.certificate)).collect();
        for (server, certificate) in stays {
            for ServiceGroup { service: what, services } in self.while_stopped(&server, certificate) {
                if !self.run_restarted.contains(&(server.clone(), what))
                    && self.restarted.insert((server.clone(), what))
                {
                    let action = Action::Restart {
                        server: server.clone(),
                        service: what,
                        services,
                        unless_served: Vec::new(),
                        drain: None,
                    };
                    self.builder.push(None, action, vec![Reason::RestartNeeded { service: what }], []);
                }
            }
        }
    }

    /// The same restart. Whether it is drained, the manifest says, as for the way forward.
    fn restart_again(&mut self, step: &Step) {
        let why = vec![Reason::TakesBack { step: step.id }];
        let mut action = step.action.clone();
        // What the run would have had served is what is taken back: it says nothing about whether this restart is needed.
        if let Action::Restart { unless_served, drain, .. } = &mut action {
            unless_served.clear();
            // One that was cut off may have left the server out: it is put back where it was taken out.
            drain.take_if(|_| self.progress.is_done(step.id));
            if let Some(drain) = drain {
                drain.left_out = self.progress.may_have_left_drained().contains(&step.id);
            }
        }
        self.builder.push_restart(action, why, []);
    }

    /// What is to be removed from a server.
    pub(super) fn removed_from(&self, name: &ServerName) -> Vec<Thumbprint> {
        let removed = |certificate: &CertRef| {
            let thumbprint = self.builder.world.thumbprint(*certificate);
            let stored = self.builder.server(name)?.certificate(thumbprint)?;
            self.stays(name, stored).is_none().then_some(thumbprint)
        };
        self.removing.get(name).into_iter().flatten().filter_map(removed).collect()
    }
}
