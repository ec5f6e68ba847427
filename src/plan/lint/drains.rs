//! Servers that are drained: one after the other, and each only where another one takes over, which is in the same site.

use super::Unsafe;
use crate::model::{
    action::{Action, Drain, StepId},
    desired::Desired,
    names::ServerName,
    organization::Organization,
    plan::Step,
};

/// The last step that drained a server. A step puts back what it took out, so no beginning of a plan ends with a server that is
/// drained.
#[derive(Default)]
pub(super) struct Drains<'a> {
    last: Option<(&'a ServerName, StepId)>,
}

impl<'a> Drains<'a> {
    /// What is wrong with a step that drains.
    pub(super) fn check(
        &mut self,
        step: &'a Step,
        desired: &Desired,
        organization: &Organization,
    ) -> Vec<Unsafe> {
        let Action::Restart { server, drain: Some(Drain { redirect_to, balancers, left_out: _ }), .. } =
            &step.action
        else {
            return Vec::new();
        };
        let mut problems = Vec::new();
        let before = self.last.replace((server, step.id));
        if let Some((other, last)) = before.filter(|(other, _)| *other != server)
            && !step.after.contains(&last)
        {
            let (server, other) = (server.clone(), other.clone());
            problems.push(Unsafe::DrainedTogether { step: step.id, server, other });
        }
        let from = organization.servers.get(server);
        let to_itself =
            redirect_to.is_some() && redirect_to.as_ref() == from.and_then(|found| found.fqdn.known());
        let mut others = organization.servers.values();
        let takes_over = redirect_to.as_ref().and_then(|to| others.find(|own| own.fqdn.known() == Some(to)));
        if let (Some(from), Some(to)) = (from, takes_over)
            && from.is_in_another_site(to)
        {
            problems.push(Unsafe::TakenOverElsewhere { step: step.id, server: server.clone() });
        }
        let alone = balancers.iter().any(|name| {
            let known = desired.balancers.get(name);
            known.is_none_or(|balancer| !balancer.servers.iter().any(|other| other != server))
        });
        if to_itself || alone {
            problems.push(Unsafe::NobodyTakesOver { step: step.id, server: server.clone() });
        }
        problems
    }
}
