//! Proofs of the way back: what is served again, before anything is removed and at the end.

use std::collections::BTreeSet;

use super::Back;
use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, endpoints, presented},
        selection::Presented,
    },
    model::{
        action::{Action, CertRef, Expectation, StepId},
        endpoint::Endpoint,
        names::ServerName,
        reason::Reason,
        service::Restartable,
    },
    plan::expect,
};

impl Back<'_> {
    /// Proves that a load balancer serves again what it had; an expired certificate proves nothing.
    fn verify_balancer(&mut self, action: &Action, after: StepId) {
        let Action::Install { balancer, .. } = action else { return };
        let observed = self.builder.world.organization.balancers.get(balancer);
        let certificate = observed.and_then(|balancer| balancer.certificate.known()?.as_ref());
        let (Some(certificate), Some(own)) = (certificate, self.desired.balancers.get(balancer)) else {
            return;
        };
        if !certificate.is_valid_at(self.builder.now) {
            return;
        }
        let name = certificate.names.iter().find(|name| !name.is_wildcard()).cloned();
        let certificate = CertRef::of(certificate.thumbprint);
        let expectation = |endpoint| Expectation { endpoint, name: name.clone(), certificate };
        let expect = own.endpoints.iter().copied().map(expectation).collect();
        let action = Action::VerifyBalancer { balancer: balancer.clone(), expect };
        self.builder.push(None, action, vec![Reason::Proof], [after]);
    }

    /// The servers that are proved before anything is removed from them.
    pub(super) fn to_be_proved(&self) -> BTreeSet<ServerName> {
        self.removing.keys().filter(|server| !self.removed_from(server).is_empty()).cloned().collect()
    }

    /// Proves what a server serves again before anything is removed: by every site, which needs no restart, and by what was
    /// restarted.
    pub(super) fn prove(&mut self, name: &ServerName) -> Option<StepId> {
        let restarted = |what| self.restarted.contains(&(name.clone(), what));
        let mut expect = self.expectations(name, &|presenter| match presenter {
            BindingPoint::Site(_) => true,
            BindingPoint::Connector(_) | BindingPoint::InternalTransport => restarted(Restartable::Transport),
            BindingPoint::Pop => restarted(Restartable::Pop),
            BindingPoint::Imap => restarted(Restartable::Imap),
        });
        // Of the rest nobody asked anything, unless nothing else can be met by now.
        let concerned = self.concerned(name);
        if !expect.iter().any(|expectation| concerned.contains(&expectation.endpoint)) {
            let loaded = self.expectations(name, &|presenter| self.has_loaded(name, presenter));
            if loaded.iter().any(|expectation| concerned.contains(&expectation.endpoint)) {
                expect = loaded;
            }
        }
        if expect.iter().any(|expectation| concerned.contains(&expectation.endpoint)) {
            expect.retain(|expectation| concerned.contains(&expectation.endpoint));
        }
        let action = Action::Verify { server: name.clone(), expect };
        self.builder.push(None, action, vec![Reason::Proof], [])
    }

    /// Whether a service has loaded what a place presents: the run restarted it, and the way back has changed nothing there yet.
    fn has_loaded(&self, name: &ServerName, place: &BindingPoint) -> bool {
        let (before, now) = (self.observed.organization.servers.get(name), self.builder.server(name));
        let shown = |server| presented(server, place, self.builder.now);
        place.loaded_by().is_some_and(|what| self.run_restarted.contains(&(name.clone(), what)))
            && before.map(shown) == now.map(shown)
    }

    /// Gives load balancers back what they had, once the servers behind them have it again: between the two Extended Protection
    /// refuses who signs in through them, so nothing comes between (facts 11.3). A load balancer stays with servers that do not
    /// get it back.
    pub(super) fn install(&mut self) {
        let installs = std::mem::take(&mut self.installs);
        let before = if installs.is_empty() { Vec::new() } else { self.all_taken_back(installs.len()) };
        for (step, action) in installs {
            if let (Some(why), Some(own)) = (self.servers_stay(&action), self.progress.plan.step(step)) {
                self.say_beforehand(own, false, why);
                continue;
            }
            let certificate = self.progress.plan.step(step).and_then(|own| own.certificate.clone());
            let why = vec![Reason::TakesBack { step }];
            let after = before.iter().copied();
            if let Some(id) = self.builder.push(certificate.as_ref(), action.clone(), why, after) {
                self.undone.insert(step, vec![id]);
                self.verify_balancer(&action, id);
            }
        }
    }

    /// Proves that what the run has met or changed serves what it presents by then. Of the rest nobody asked anything.
    pub(super) fn verify(&mut self) {
        for name in self.touched.clone() {
            let mut expect = self.expectations(&name, &|_| true);
            let concerned = self.concerned(&name);
            expect.retain(|expectation| concerned.contains(&expectation.endpoint));
            let action = Action::Verify { server: name.clone(), expect };
            self.builder.push(None, action, vec![Reason::Proof], []);
        }
    }

    /// What the run has met, and what the way back changes.
    fn concerned(&self, name: &ServerName) -> BTreeSet<Endpoint> {
        let mut concerned = self.met.get(name).cloned().unwrap_or_default();
        concerned.extend(self.changed(name));
        concerned
    }

    /// The endpoints of places that present something else on the way back, or were restarted.
    fn changed(&self, name: &ServerName) -> BTreeSet<Endpoint> {
        let before = self.observed.organization.servers.get(name);
        let (Some(before), Some(server)) = (before, self.builder.server(name)) else {
            return BTreeSet::new();
        };
        let now = self.builder.now;
        let stopped = self.stopped.get(name).map(Vec::as_slice).unwrap_or_default();
        let restarted = |what| {
            self.restarted.contains(&(name.clone(), what)) || stopped.iter().any(|own| own.service == what)
        };
        let changed = binding_points(server).into_iter().filter(|place| {
            place.loaded_by().is_some_and(restarted)
                || presented(before, place, now) != presented(server, place, now)
        });
        changed.flat_map(|place| endpoints(server, &place)).collect()
    }

    fn expectations(&self, name: &ServerName, wanted: &dyn Fn(&BindingPoint) -> bool) -> Vec<Expectation> {
        let Some(server) = self.builder.server(name) else { return Vec::new() };
        let Some(own) = self.desired.servers.get(name) else { return Vec::new() };
        let mut expected = Vec::new();
        for presenter in binding_points(server).into_iter().filter(wanted) {
            let found = presented(server, &presenter, self.builder.now);
            let Presented::Certificate(thumbprint) = found else { continue };
            let Some(stored) = server.certificate(thumbprint) else { continue };
            // What is taken back may be the expired certificate that the run replaced; that proves nothing.
            if !stored.certificate.is_valid_at(self.builder.now) {
                continue;
            }
            let name = expect::client_name(own, server, &presenter, &stored.certificate);
            let expectation =
                |endpoint| Expectation { endpoint, name: name.clone(), certificate: CertRef::of(thumbprint) };
            expected.extend(endpoints(server, &presenter).into_iter().map(expectation));
        }
        expected.sort_by_key(|expectation| expectation.endpoint);
        expected.dedup_by_key(|expectation| expectation.endpoint);
        expected
    }
}
