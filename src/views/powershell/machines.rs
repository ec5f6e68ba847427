//! Which steps belong to which computer. Cmdlets of Edge servers and of Exchange 2007 know their own computer only; all
//! others can be run in the management shell of any Mailbox server.

use std::collections::BTreeMap;

use crate::{
    exchange::cmdlet::Target,
    model::{
        action::{Action, CertRef, StepId},
        names::ServerName,
        organization::Organization,
        plan::{Plan, Step},
    },
};

/// The computers of a plan.
pub(super) struct Machines<'a> {
    organization: &'a Organization,
    /// The servers that have to be asked themselves, and that the plan does something on.
    own: Vec<&'a ServerName>,
    /// The one on which the settings of the organization are changed, when all servers have to be asked themselves.
    first: Option<&'a ServerName>,
    /// Where each certificate is made.
    makers: BTreeMap<StepId, Option<&'a ServerName>>,
}

impl<'a> Machines<'a> {
    pub(super) fn of(plan: &'a Plan, organization: &'a Organization) -> Self {
        let is_own = |server: &ServerName| Target::of(organization, server).is_local_only();
        let mut own: Vec<&ServerName> = plan.steps.iter().filter_map(|step| step.action.server()).collect();
        own.retain(|server| is_own(server));
        own.sort();
        own.dedup();
        let hubs = || organization.servers.iter().filter(|(_, server)| !server.is_edge());
        let first = hubs().map(|(name, _)| name).next().filter(|_| hubs().all(|(name, _)| is_own(name)));
        let mut machines = Self { organization, own, first, makers: BTreeMap::new() };
        for step in &plan.steps {
            let made = match &step.action {
                Action::Create { server, .. } => Some((step.id, server)),
                Action::Complete { server, certificate: CertRef::FromStep(made), .. } => {
                    Some((*made, server))
                }
                _ => None,
            };
            if let Some((made, server)) = made {
                machines.makers.insert(made, machines.machine(Some(server)));
            }
        }
        machines
    }

    /// Whether the cmdlets of a server have to be run on it.
    pub(super) fn is_own(&self, server: &ServerName) -> bool {
        Target::of(self.organization, server).is_local_only()
    }

    /// The computer for what is done on a server, or in the organization: none when it can be any but those of `own`.
    pub(super) fn machine(&self, server: Option<&'a ServerName>) -> Option<&'a ServerName> {
        match server {
            Some(server) if self.is_own(server) => Some(server),
            Some(_) => None,
            None => self.first,
        }
    }

    /// The steps in their order, in groups of one computer. What is no command belongs to the group before it.
    pub(super) fn groups(&self, plan: &'a Plan) -> Vec<(Option<&'a ServerName>, Vec<&'a Step>)> {
        let mut groups: Vec<(Option<&ServerName>, Vec<&Step>)> = Vec::new();
        for step in &plan.steps {
            let machine = self.machine(step.action.server());
            let is_told_only = matches!(step.action, Action::Gate { .. } | Action::CannotApply { .. });
            match groups.last_mut() {
                Some((last, steps)) if *last == machine || is_told_only => steps.push(step),
                _ => groups.push((machine, vec![step])),
            }
        }
        groups
    }

    /// The servers that have to be asked themselves.
    pub(super) fn own(&self) -> &[&'a ServerName] {
        &self.own
    }

    /// Where each certificate is made that a server makes.
    pub(super) fn makers(&self) -> &BTreeMap<StepId, Option<&'a ServerName>> {
        &self.makers
    }
}
