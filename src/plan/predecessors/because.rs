//! What shows that a certificate is a predecessor, for people to judge: of a plan's removals each says it.

use std::collections::BTreeSet;

use super::{Predecessors, is_of_declared_ca, thumbprint, undeclared_connectors};
use crate::{
    exchange::binding_points::{BindingPoint, presented},
    model::{
        certificate::Certificate,
        desired::{CertificateId, DesiredCertificate},
        names::ServerName,
        removed::Predecessor,
        server::{Server, StoredCertificate},
        service::Service,
        thumbprint::Thumbprint,
    },
    plan::usages::holders,
};

impl Predecessors<'_> {
    /// The strongest of what shows it; none for a certificate that is not certwright's to remove.
    pub(in crate::plan) fn because(
        &self,
        certificate: &DesiredCertificate,
        server: &ServerName,
        stored: &StoredCertificate,
        successor: &Certificate,
    ) -> Option<Predecessor> {
        let thumbprint = stored.certificate.thumbprint;
        if is_of_declared_ca(certificate, stored, successor) {
            return Some(Predecessor::DeclaredCa);
        }
        if self.issued.is_some_and(|issued| issued.contains(&thumbprint)) {
            return Some(Predecessor::Issued);
        }
        if self.takeovers.contains_key(&(server, thumbprint))
            || self.replaced.is_some_and(|replaced| replaced.contains(&thumbprint))
        {
            return Some(Predecessor::Replaced);
        }
        self.held_place(&certificate.id, server, thumbprint)
    }

    /// The places that it holds on its own server; where it holds none there, those of the others.
    fn held_place(
        &self,
        id: &CertificateId,
        server: &ServerName,
        thumbprint: Thumbprint,
    ) -> Option<Predecessor> {
        if !self.held.get(id)?.contains(&thumbprint) {
            return None;
        }
        let mut places = self.places_on(id, server, thumbprint);
        places.extend(self.outside.get(&(id, thumbprint)).into_iter().flatten().cloned());
        if places.is_empty() {
            places =
                self.desired.servers.keys().flat_map(|name| self.places_on(id, name, thumbprint)).collect();
        }
        let set = places.iter().filter(|(by_name, _)| !by_name).map(|(_, place)| place.clone());
        let set: Vec<String> = set.collect();
        Some(if set.is_empty() {
            Predecessor::ChosenByName { places: places.into_iter().map(|(_, place)| place).collect() }
        } else {
            Predecessor::Held { places: set }
        })
    }

    fn places_on(&self, id: &CertificateId, name: &ServerName, held: Thumbprint) -> BTreeSet<(bool, String)> {
        let (Some(own), Some(server)) = (self.desired.servers.get(name), self.organization.servers.get(name))
        else {
            return BTreeSet::new();
        };
        let declared = holders(own, server, id, self.now).into_iter();
        let declared = declared.filter(|(_, holder)| *holder == Some(held)).map(|(place, _)| place);
        let for_smtp = own.services.get(&Service::Smtp).is_some_and(|ids| ids.contains(id));
        let undeclared = if for_smtp { undeclared_connectors(own, server) } else { Vec::new() };
        let undeclared = undeclared
            .into_iter()
            .filter(|place| thumbprint(&presented(server, place, self.now)) == Some(held));
        declared.chain(undeclared).map(|place| (chooses_by_name(server, &place), place.to_string())).collect()
    }
}

/// POP and IMAP always do, receive connectors without a `TlsCertificateName` (facts 5.1, 5.4).
fn chooses_by_name(server: &Server, place: &BindingPoint) -> bool {
    match place {
        BindingPoint::Pop | BindingPoint::Imap => true,
        BindingPoint::Site(_) | BindingPoint::InternalTransport => false,
        BindingPoint::Connector(name) => {
            let connector = server.receive_connectors.known().and_then(|connectors| connectors.get(name));
            connector.is_none_or(|connector| connector.tls_certificate_name.is_none())
        }
    }
}
