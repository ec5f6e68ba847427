//! Load balancers: they get the certificate once every server has it, and are met by handshake at once. Extended
//! Protection lets clients in only while both present the same certificate (facts 11.3), so nothing comes between.

use std::collections::BTreeMap;

use crate::{
    model::{
        action::{Action, BundleSource, CertRef, Milestone, StepId},
        cannot::Cannot,
        desired::{CertificateId, Desired, DesiredBalancer, DesiredCertificate, Origin},
        fact::Fact,
        names::{BalancerName, ServerName},
        reason::Reason,
    },
    plan::builder::PlanBuilder,
};

/// The verification of each load balancer that got a certificate.
#[derive(Debug, Default)]
#[must_use = "a predecessor may go only after the load balancers were verified"]
pub(in crate::plan) struct Balanced(BTreeMap<BalancerName, StepId>);

impl Balanced {
    /// The verification of this one, when it got a certificate.
    pub(in crate::plan) fn verified(&self, name: &BalancerName) -> Option<StepId> {
        self.0.get(name).copied()
    }
}

/// Gives every load balancer the certificate that the manifest says.
pub(in crate::plan) fn balancers<'a>(builder: &mut PlanBuilder, desired: &'a Desired) -> Balanced {
    let before = |own: &'a DesiredBalancer| {
        let certificate = desired.certificates.get(&own.certificate);
        (&own.certificate, certificate.map(|certificate| own.servers_of(certificate)).unwrap_or_default())
    };
    let mut fronts: BTreeMap<(&CertificateId, Vec<&ServerName>), Front> = BTreeMap::new();
    for own in desired.balancers.values() {
        fronts.entry(before(own)).or_default().balancers += 1;
    }
    let mut balanced = Balanced::default();
    for (name, own) in &desired.balancers {
        let front = fronts.entry(before(own)).or_default();
        let verified = balancer(builder, desired, name, own, front);
        balanced.0.extend(verified.map(|step| (name.clone(), step)));
    }
    balanced
}

/// The load balancers that get the same certificate and are before the same servers.
#[derive(Default)]
struct Front {
    balancers: usize,
    /// What each of them waits for, once one needs to know.
    deployed: Option<Vec<StepId>>,
}

impl Front {
    /// Every server behind them has the certificate before. Those behind others are not waited for: with Extended Protection
    /// each step in between refuses sign-in for longer (facts 11.7).
    fn deployed(
        &mut self,
        builder: &mut PlanBuilder,
        certificate: &DesiredCertificate,
        own: &DesiredBalancer,
    ) -> Vec<StepId> {
        if let Some(deployed) = &self.deployed {
            return deployed.clone();
        }
        let behind = own.servers_of(certificate);
        let steps = behind.into_iter().filter_map(|server| builder.deployed(server)).collect();
        let id = Some(&certificate.id);
        self.deployed.insert(builder.gate(id, Milestone::Deployed, steps, self.balancers)).clone()
    }
}

/// Adds handshakes with a load balancer.
pub(in crate::plan) fn verify_balancer(
    builder: &mut PlanBuilder,
    desired: &Desired,
    name: &BalancerName,
    after: Option<StepId>,
) -> Option<StepId> {
    let own = &desired.balancers[name];
    let certificate = builder.chosen(&own.certificate)?;
    let expect = own.expectations(&desired.certificates[&own.certificate], certificate);
    let action = Action::VerifyBalancer { balancer: name.clone(), expect };
    builder.push(Some(&own.certificate), action, vec![Reason::Proof], after)
}

/// Gives one load balancer its certificate, and verifies it.
fn balancer(
    builder: &mut PlanBuilder,
    desired: &Desired,
    name: &BalancerName,
    own: &DesiredBalancer,
    front: &mut Front,
) -> Option<StepId> {
    let id = &own.certificate;
    let chosen = builder.chosen(id)?;
    let observed = builder.world.organization.balancers.get(name);
    let have = match observed.map(|balancer| (&balancer.certificate, balancer.loaded)) {
        // A process that was not told of its new file goes on with the old certificate.
        Some((Fact::Known(_), Some(loaded))) if Some(loaded) != builder.thumbprint(id) => Some(loaded),
        Some((Fact::Known(have), _)) => have.as_ref().map(|certificate| certificate.thumbprint),
        Some((Fact::Unknown(why), _)) => {
            let (balancer, why) = (name.clone(), why.why.clone());
            builder.cannot(Some(id), Cannot::BalancerUnseen { balancer, why });
            return None;
        }
        None => {
            builder.cannot(Some(id), Cannot::BalancerNotObserved { balancer: name.clone() });
            return None;
        }
    };
    if have == builder.thumbprint(id) {
        return None;
    }
    let certificate = &desired.certificates[id];
    let lacks = |server: &&ServerName| builder.on_server(server, id).is_none();
    let servers: Vec<ServerName> = own.servers_of(certificate).into_iter().filter(lacks).cloned().collect();
    if !servers.is_empty() {
        let (balancer, certificate) = (name.clone(), id.clone());
        builder.cannot(Some(id), Cannot::BalancerWaits { balancer, certificate, servers });
        return None;
    }
    let Some(from) = source(builder, certificate, chosen) else {
        let (balancer, certificate) = (name.clone(), id.clone());
        builder.cannot(Some(id), Cannot::BalancerKeyUnavailable { balancer, certificate });
        return None;
    };
    let after = front.deployed(builder, certificate, own);
    let action = Action::Install { balancer: name.clone(), certificate: chosen, from };
    let why = vec![Reason::BalancerDiffers { balancer: name.clone(), have }];
    let step = builder.push(Some(id), action, why, after)?;
    verify_balancer(builder, desired, name, Some(step))
}

/// Where the key can be had: from the run that issued it, or from a server that may export it.
fn source(builder: &PlanBuilder, certificate: &DesiredCertificate, chosen: CertRef) -> Option<BundleSource> {
    if let (CertRef::FromStep(step), Origin::LocalCa { .. } | Origin::Pfx { .. }) =
        (chosen, &certificate.origin)
    {
        return Some(BundleSource::Issued(step));
    }
    let thumbprint = builder.world.thumbprint(chosen);
    let may_export = |server: &&ServerName| {
        let stored = builder.server(server).and_then(|server| server.certificate(thumbprint));
        stored.is_some_and(|stored| stored.has_private_key && stored.exportable.known() == Some(&true))
    };
    certificate.servers.iter().find(may_export).cloned().map(BundleSource::Server)
}
