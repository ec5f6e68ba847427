//! Load balancers: they get the certificate once every server has it, and are met by handshake at once. Extended
//! Protection lets clients in only while both present the same certificate (facts 11.3), so nothing comes between.

use crate::{
    model::{
        action::{Action, BundleSource, CertRef, StepId},
        desired::{Desired, DesiredBalancer, DesiredCertificate, Origin},
        fact::Fact,
        manifest::BalancerName,
        names::ServerName,
        reason::Reason,
    },
    plan::draft::Draft,
};

/// Gives every load balancer the certificate that the manifest says.
pub(in crate::plan) fn balancers(draft: &mut Draft, desired: &Desired) {
    for (name, own) in &desired.balancers {
        balancer(draft, desired, name, own);
    }
}

/// Adds handshakes with a load balancer.
pub(in crate::plan) fn verify_balancer(
    draft: &mut Draft,
    desired: &Desired,
    name: &BalancerName,
    after: Option<StepId>,
) -> Option<StepId> {
    let own = &desired.balancers[name];
    let certificate = draft.chosen(&own.certificate)?;
    let expect = own.expectations(&desired.certificates[&own.certificate], certificate);
    let action = Action::VerifyBalancer { balancer: name.clone(), expect };
    let step = draft.push(Some(&own.certificate), action, vec![Reason::Proof], after)?;
    draft.note_balancer_verified(name, step);
    Some(step)
}

fn balancer(draft: &mut Draft, desired: &Desired, name: &BalancerName, own: &DesiredBalancer) {
    let id = &own.certificate;
    let Some(chosen) = draft.chosen(id) else { return };
    let observed = draft.world.organization.balancers.get(name);
    let have = match observed.map(|balancer| (&balancer.certificate, balancer.loaded)) {
        // A process that was not told of its new file goes on with the old certificate.
        Some((Fact::Known(_), Some(loaded))) if Some(loaded) != draft.thumbprint(id) => Some(loaded),
        Some((Fact::Known(have), _)) => have.as_ref().map(|certificate| certificate.thumbprint),
        Some((Fact::Unknown(why), _)) => {
            let why = why.why.clone();
            draft.cannot(Some(id), format!("the certificate of load balancer {name} cannot be seen: {why}"));
            return;
        }
        None => {
            draft.cannot(Some(id), format!("load balancer {name} was not observed"));
            return;
        }
    };
    if have == draft.thumbprint(id) {
        return;
    }
    let certificate = &desired.certificates[id];
    let lacks = |server: &&ServerName| draft.on_server(server, id).is_none();
    let lacking: Vec<String> = certificate.servers.iter().filter(lacks).map(ToString::to_string).collect();
    if !lacking.is_empty() {
        let lacking = lacking.join(", ");
        draft.cannot(
            Some(id),
            format!("load balancer {name} gets {id} only after {lacking}, which will not have it"),
        );
        return;
    }
    let Some(from) = source(draft, certificate, chosen) else {
        let why = format!("load balancer {name} needs the key of {id}, and no server may export it");
        draft.cannot(Some(id), why);
        return;
    };
    let after: Vec<StepId> =
        certificate.servers.iter().filter_map(|server| draft.last_step(server)).collect();
    let action = Action::Install { balancer: name.clone(), certificate: chosen, from };
    let why = vec![Reason::BalancerDiffers { balancer: name.clone(), have }];
    if let Some(step) = draft.push(Some(id), action, why, after) {
        verify_balancer(draft, desired, name, Some(step));
    }
}

/// Where the key can be had: from the run that issued it, or from a server that may export it.
fn source(draft: &Draft, certificate: &DesiredCertificate, chosen: CertRef) -> Option<BundleSource> {
    if let (CertRef::FromStep(step), Origin::LocalCa { .. }) = (chosen, &certificate.origin) {
        return Some(BundleSource::Issued(step));
    }
    let thumbprint = draft.world.thumbprint(chosen);
    let may_export = |server: &&ServerName| {
        let stored = draft.server(server).and_then(|server| server.certificate(thumbprint));
        stored.is_some_and(|stored| stored.has_private_key && stored.exportable.known() == Some(&true))
    };
    certificate.servers.iter().find(may_export).cloned().map(BundleSource::Server)
}
