//! Services that have loaded a certificate which is about to go. Of two with the same names Exchange chooses the newer
//! one, as long as it is there; so they cannot load the older one before, and would answer without any until they are
//! restarted after. They stand still meanwhile, as they do for a restart.

use std::collections::BTreeSet;

use super::Back;
use crate::{
    exchange::uses::{Use, uses},
    model::{
        action::{Action, CertRef, ServiceGroup},
        names::ServerName,
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

    /// Restarts what the run restarted, before anything is removed: from then on it serves what it has been given back.
    /// What would load the same certificate once more waits for its removal.
    pub(super) fn restart(&mut self) {
        let run = self.progress;
        for step in run.plan.steps.iter().filter(|step| run.steps.contains_key(&step.id)) {
            let Action::Restart { server, service: what, drain, .. } = &step.action else { continue };
            let key = (server.clone(), *what);
            let waits =
                self.removed_from(server).iter().any(|gone| self.loaded(server, *gone).contains(what));
            // One that was cut off in the middle may have left the server out of what it was drained from.
            let is_left_out = drain.is_some() && !self.progress.is_done(step.id);
            if (is_left_out || self.touched.contains(server) && !waits) && self.restarted.insert(key) {
                self.restart_again(step, is_left_out);
            }
        }
    }

    /// Restarts what would load a certificate of the run that stays, unless it was restarted before: the run may have been
    /// cut off between the import and its own restarts, and until then each serves what it has loaded.
    pub(super) fn load_what_stays(&mut self) {
        let stays: Vec<_> =
            self.left_alone.iter().map(|left| (left.server.clone(), left.certificate)).collect();
        for (server, certificate) in stays {
            for ServiceGroup { service: what, services } in self.while_stopped(&server, certificate) {
                if self.restarted.insert((server.clone(), what)) {
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

    /// The way back is not drained, but where it puts the server back.
    fn restart_again(&mut self, step: &Step, is_left_out: bool) {
        let why = vec![Reason::TakesBack { step: step.id }];
        let mut action = step.action.clone();
        // What the run would have had served is what is taken back: it says nothing about whether this restart is needed.
        if let Action::Restart { unless_served, drain, .. } = &mut action {
            unless_served.clear();
            drain.take_if(|_| !is_left_out);
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
