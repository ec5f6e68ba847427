//! New certificates as files, for the day on which all servers that have them are lost.

use crate::{
    model::{
        action::Action,
        desired::{Desired, Origin},
        reason::Reason,
    },
    plan::{
        builder::PlanBuilder,
        decision::{Decisions, Supply},
    },
};

/// Exports each new certificate of a CA from the first server that has it, once it serves there. Of a PFX file there is the file,
/// and what a server signs for itself it signs again.
pub(super) fn safe_keeping(builder: &mut PlanBuilder, desired: &Desired, decisions: &Decisions<'_>) {
    if !desired.keep_issued {
        return;
    }
    for decision in decisions.all() {
        let certificate = decision.certificate;
        let is_new = match decision.supply {
            Supply::New | Supply::Requested { .. } => true,
            Supply::Have { .. } | Supply::Blocked => false,
        };
        let is_kept = match certificate.origin {
            Origin::LocalCa { .. } | Origin::Csr { .. } => certificate.exportable,
            Origin::SelfSigned | Origin::Pfx { .. } => false,
        };
        let Some(chosen) = builder.chosen(&certificate.id).filter(|_| is_new && is_kept) else { continue };
        let thumbprint = builder.world.thumbprint(chosen);
        let has_it = |name: &&_| {
            builder.server(name).is_some_and(|server| {
                server.certificate(thumbprint).is_some_and(|stored| stored.has_private_key)
            })
        };
        let Some(server) = certificate.servers.iter().find(has_it).cloned() else { continue };
        let action = Action::BackUp { server, certificate: chosen, with_key: true };
        builder.push(Some(&certificate.id), action, vec![Reason::SafeKeeping], []);
    }
}
