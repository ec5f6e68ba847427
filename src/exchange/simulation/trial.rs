//! Steps that are tried and taken back: whether something would be possible, without a copy of all servers.

use super::{Impossible, SimulatedOrganization};
use crate::model::{
    action::{Action, StepId},
    thumbprint::Thumbprint,
};

impl SimulatedOrganization {
    /// Whether a step could be done now. Nothing of it stays.
    pub fn try_out(&mut self, action: &Action) -> Result<(), Impossible> {
        match action {
            // What people do may be on any server.
            Action::Manual { .. } => self.clone().perform(NO_STEP, action).map(drop),
            _ => match action.server() {
                Some(_) => self.try_on_server(action),
                None => self.try_on_organization(action),
            },
        }
    }

    fn try_on_server(&mut self, action: &Action) -> Result<(), Impossible> {
        let before = action.server().and_then(|name| self.organization.servers.get_key_value(name));
        let before = before.map(|(name, server)| (name.clone(), server.clone()));
        let was_replaced = before.as_ref().is_some_and(|(name, _)| self.replaced.contains(name));
        let result = self.perform(NO_STEP, action).map(drop);
        if let Some((name, server)) = before {
            if !was_replaced {
                self.replaced.remove(&name);
            }
            self.organization.servers.insert(name, server);
        }
        result
    }

    fn try_on_organization(&mut self, action: &Action) -> Result<(), Impossible> {
        let servers = std::mem::take(&mut self.organization.servers);
        let before = self.organization.clone();
        self.organization.servers = servers;
        let result = self.perform(NO_STEP, action).map(drop);
        let servers = std::mem::replace(&mut self.organization, before).servers;
        self.organization.servers = servers;
        self.issued.remove(&Thumbprint::placeholder(NO_STEP.0));
        result
    }
}

/// A number that no step of a plan has.
const NO_STEP: StepId = StepId(u32::MAX);
