//! What the run brought and something uses still: it stays, and says for what.

use std::collections::BTreeSet;

use super::Back;
use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, presented},
        named,
        selection::Presented,
        uses::{Use, uses},
    },
    model::{
        action::{Action, StepId},
        dn::TlsCertificateName,
        names::{ConnectorName, ServerName},
        no_way_back::NoWayBack,
        plan::LeftBecause,
        recorded::Recorded,
        server::{Server, StoredCertificate},
        unseen::Unseen,
    },
    plan::lineage,
};

/// Why something stays that a run brought.
pub(super) enum Stays {
    /// The manifest protects it.
    Protected,
    /// It is used, by these.
    Used(Vec<Use>),
    /// Whether it is used cannot be seen.
    MayBeUsed(Vec<Unseen>),
}

impl From<Stays> for LeftBecause {
    fn from(why: Stays) -> Self {
        match why {
            Stays::Protected => Self::Protected { rule: "the manifest".into() },
            Stays::Used(by) => Self::StillUsed { by: by.into_iter().map(Recorded::from).collect() },
            Stays::MayBeUsed(what) => Self::UseUnknown { what },
        }
    }
}

impl Back<'_> {
    /// What stays after all changes nothing on its server.
    pub(super) fn touch_by_removals(&mut self) {
        let changes = |action: &Action| match action {
            Action::Remove { server, certificate, .. } => {
                let thumbprint = self.builder.world.thumbprint(*certificate);
                let stored = self.builder.server(server).and_then(|server| server.certificate(thumbprint));
                stored.is_none_or(|stored| self.stays(server, stored).is_none())
            }
            _ => true,
        };
        let changing = self.removals.iter().map(|(_, action)| action).filter(|action| changes(action));
        let servers: Vec<ServerName> = changing.filter_map(|action| action.server().cloned()).collect();
        self.touched.extend(servers);
    }

    /// Why what the run brought to a server has to stay there; none when it can go.
    pub(super) fn stays(&self, server: &ServerName, stored: &StoredCertificate) -> Option<Stays> {
        if lineage::may_be_protected(&self.desired.protect, stored) {
            return Some(Stays::Protected);
        }
        let thumbprint = stored.certificate.thumbprint;
        let (world, now) = (&self.builder.world, self.builder.now);
        let found = uses(&world.organization, server, thumbprint, now);
        // While it goes, send connectors name none, with transport stopped where they send from.
        let naming = self.naming(&TlsCertificateName::of(&stored.certificate));
        if !naming.is_empty() && !self.can_stand_still(&naming) {
            return Some(Stays::Used(
                naming.into_iter().map(|named| Use::SendConnector(named.connector)).collect(),
            ));
        }
        let hard = found.iter().filter(|found| !found.moves_on() && !matches!(found, Use::SendConnector(_)));
        let mut by: Vec<Use> = hard.cloned().collect();
        by.extend(self.left_without(server, stored));
        let mut told = BTreeSet::new();
        by.retain(|user| told.insert(user.clone()));
        let unseen: Option<Vec<Unseen>> = by.iter().map(Use::unseen).map(Option::<&Unseen>::cloned).collect();
        match unseen {
            Some(what) => (!what.is_empty()).then_some(Stays::MayBeUsed(what)),
            None => Some(Stays::Used(by)),
        }
    }

    /// Says of what stays that nothing is given back where it is.
    pub(super) fn say_it_stays(&mut self, step: StepId, why: &Stays) {
        let why = match why {
            Stays::Protected => return,
            Stays::MayBeUsed(what) => NoWayBack::MayBeInUse { what: what.clone() },
            Stays::Used(by) => self.still_in_use(by),
        };
        if let Some(own) = self.progress.plan.step(step) {
            self.say_beforehand(own, false, why);
        }
    }

    fn still_in_use(&self, by: &[Use]) -> NoWayBack {
        let senders = by.iter().filter_map(|by| match by {
            Use::SendConnector(name) => Some(name.clone()),
            _ => None,
        });
        let connectors: Vec<ConnectorName> = senders.collect();
        let organization = &self.builder.world.organization;
        let hindering = named::hindering(organization, &named::sources(organization, &connectors));
        if hindering.is_empty() {
            NoWayBack::StillInUse { by: by.iter().cloned().map(Recorded::from).collect() }
        } else {
            NoWayBack::NamedAlike { connectors, hindering }
        }
    }

    /// The places that would present nothing valid without this certificate, or one whose key others may have.
    fn left_without(&self, name: &ServerName, stored: &StoredCertificate) -> Vec<Use> {
        let now = self.builder.now;
        let Some(before) = self.builder.server(name) else { return Vec::new() };
        let mut after = before.clone();
        if let Some(store) = after.certificates.known_mut() {
            store.0.remove(&stored.certificate.thumbprint);
        }
        let valid = |server: &Server, presenter: &BindingPoint| match presented(server, presenter, now) {
            Presented::Certificate(thumbprint) => {
                server.certificate(thumbprint).is_some_and(|stored| stored.certificate.is_valid_at(now))
            }
            Presented::Failing { .. } | Presented::Nothing(_) | Presented::Unknown(_) => false,
        };
        let lost = |presenter: &BindingPoint| {
            let shown = presented(&after, presenter, now);
            let compromised =
                matches!(shown, Presented::Certificate(shown) if self.compromised.contains(&shown));
            valid(before, presenter) && (!valid(&after, presenter) || compromised)
        };
        let mut lost: Vec<Use> =
            binding_points(before).into_iter().filter(lost).map(Use::Presented).collect();
        lost.extend(self.senders_back_to_compromised(name, &after));
        lost
    }

    /// The send connectors that would select a certificate whose key others may have.
    fn senders_back_to_compromised(&self, name: &ServerName, after: &Server) -> Vec<Use> {
        let connectors = self.builder.world.organization.send_connectors.known().into_iter().flatten();
        let own =
            connectors.filter(|(_, connector)| connector.enabled && connector.source_servers.contains(name));
        let back = own.filter(|(_, connector)| {
            let shown = named::presented(after, connector, self.builder.now);
            matches!(shown, Presented::Certificate(shown) if self.compromised.contains(&shown))
        });
        back.map(|(connector, _)| Use::SendConnector(connector.clone())).collect()
    }
}
