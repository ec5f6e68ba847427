//! What the run brought and something uses still: it stays, and says for what.

use std::collections::BTreeSet;

use super::Back;
use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, presented},
        selection::Presented,
        uses::{Use, uses},
    },
    model::{
        action::Action,
        dn::TlsCertificateName,
        names::ServerName,
        plan::LeftBecause,
        recorded::Recorded,
        server::{Server, StoredCertificate},
    },
    plan::lineage,
};

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
    pub(super) fn stays(&self, server: &ServerName, stored: &StoredCertificate) -> Option<LeftBecause> {
        if lineage::is_protected(&self.desired.protect, stored) {
            return Some(LeftBecause::Protected { rule: "the manifest".into() });
        }
        let thumbprint = stored.certificate.thumbprint;
        let (world, now) = (&self.builder.world, self.builder.now);
        let found = uses(&world.organization, server, thumbprint, now);
        // While it goes, send connectors name none, with transport stopped where they send from.
        let naming = self.naming(&TlsCertificateName::of(&stored.certificate));
        if !naming.is_empty() && !self.can_stand_still(&naming) {
            let by = naming.into_iter().map(|named| Use::SendConnector(named.connector).into()).collect();
            return Some(LeftBecause::StillUsed { by });
        }
        let hard = found.iter().filter(|found| !found.moves_on() && !matches!(found, Use::SendConnector(_)));
        let mut by: Vec<Use> = hard.cloned().collect();
        by.extend(self.left_without(server, stored));
        let mut told = BTreeSet::new();
        by.retain(|user| told.insert(user.clone()));
        let by = by.into_iter().map(Recorded::from).collect::<Vec<_>>();
        (!by.is_empty()).then_some(LeftBecause::StillUsed { by })
    }

    /// The places that would present nothing valid without this certificate.
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
        let lost = |presenter: &BindingPoint| valid(before, presenter) && !valid(&after, presenter);
        binding_points(before).into_iter().filter(lost).map(Use::Presented).collect()
    }
}
