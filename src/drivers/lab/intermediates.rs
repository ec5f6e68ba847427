//! The store of intermediate CAs of each server: what comes with an import or an answer, and what a server adds to its
//! certificate in a handshake. Windows builds the chain by names, and sends no root (RFC 8446 section 4.4.2).

use std::{fs, path::PathBuf};

use super::{
    directory::Directory,
    files::{self, LabError},
};
use crate::durable;
use crate::model::{
    certificate::{Certificate, Der},
    dn::Rdn,
    names::ServerName,
    server::{RootType, Server},
    thumbprint::Thumbprint,
};

impl Directory {
    /// Keeps the CAs above a certificate that came to a server.
    pub(super) fn add_intermediates(&self, server: &ServerName, chain: &[Der]) -> Result<(), LabError> {
        for der in chain {
            let file = self.intermediates(server).join(format!("{}.crt", Thumbprint::of(&der.0)));
            files::write(&file, &der.0)?;
        }
        Ok(())
    }

    /// The CAs above a certificate, the nearest first, as far as the server has them; without the root.
    pub(super) fn chain_above(
        &self,
        server: &ServerName,
        certificate: &Certificate,
    ) -> Result<Vec<Der>, LabError> {
        let mut known = self.intermediates_of(server)?;
        known.retain(|known| !known.is_self_signed());
        let (mut chain, mut issuer) = (Vec::new(), &certificate.issuer);
        while let Some(above) = known.iter().find(|known| known.subject == *issuer)
            && chain.len() < known.len()
        {
            chain.push(above.der.clone());
            issuer = &above.issuer;
        }
        Ok(chain)
    }

    /// The CAs that came to a server with certificates.
    pub(super) fn intermediates_of(&self, server: &ServerName) -> Result<Vec<Certificate>, LabError> {
        let mut known = Vec::new();
        let folder = self.intermediates(server);
        // No folder: nothing ever came with a chain.
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.map_err(|error| LabError::Read(folder.clone(), error))?.path();
            let der = durable::read(&path).map_err(|error| LabError::Read(path, error))?;
            known.extend(Certificate::from_der(&der).ok());
        }
        Ok(known)
    }

    fn intermediates(&self, server: &ServerName) -> PathBuf {
        self.state().join("intermediates").join(server.as_str().to_uppercase())
    }
}

/// Where the root of a certificate is trusted from: as with the others of that CA, whose intermediates have one root and
/// differ in their common names alone.
pub(super) fn root_type(server: &Server, certificate: &Certificate) -> RootType {
    if certificate.is_self_signed() {
        return RootType::None;
    }
    let store = server.certificates.known().into_iter().flat_map(|store| store.0.values());
    let mut of_the_ca = store.filter(|stored| ca(&stored.certificate) == ca(certificate));
    of_the_ca.find_map(|stored| stored.root_type.known().copied()).unwrap_or(RootType::Registry)
}

/// A CA by its name without the common name.
fn ca(certificate: &Certificate) -> Vec<&Rdn> {
    let is_common_name = |rdn: &Rdn| {
        rdn.0.iter().any(|attribute| Some(attribute.value.as_str()) == certificate.issuer.common_name())
    };
    certificate.issuer.rdns().iter().filter(|rdn| !is_common_name(rdn)).collect()
}
