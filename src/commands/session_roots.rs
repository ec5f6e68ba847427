//! Whom a session trusts: the CAs of its manifest, of its organization and of the system.

use super::{
    authorities, brought,
    error::{CommandError, Exit},
    session::Session,
};
use crate::{
    model::{bundle::Chains, certificate::Certificate, desired::Origin},
    ports::driver::Observer,
    probe::roots::{self, RootsError},
    verify::path_validation::Roots,
};

impl Session {
    /// Notes what clients will not trust of what people have brought. A machine may have no roots of its own: nothing is known then.
    pub(super) fn judge(&mut self, chains: &Chains) -> Result<(), CommandError> {
        if !brought::is_judged(&self.desired) {
            return Ok(());
        }
        let mut roots = self.trusted()?;
        if self.asks_the_system() {
            match roots::system() {
                Ok(system) => roots = roots.with(system),
                Err(_) => return Ok(()),
            }
        }
        brought::judge(&mut self.desired, chains, &roots, self.driver.now());
        Ok(())
    }

    /// The CAs of the manifest whose certificates are at hand, and those that only the organization knows: roots for
    /// clients of this organization, beside the system's.
    pub(super) fn own_roots(&self) -> Result<Vec<Certificate>, CommandError> {
        let mut roots = self.driver.own_roots();
        roots.extend(authorities::roots(&self.manifest, &self.base)?);
        Ok(roots)
    }

    /// What clients trust without the roots of the system: the CAs of the manifest and of the organization, and the files
    /// that the manifest names.
    pub(super) fn trusted(&self) -> Result<Roots, CommandError> {
        let own = self.own_roots()?;
        let (mut trusted, _) = Roots::new(own.iter().map(|root| root.der.0.as_slice()));
        for file in &self.manifest.verify.roots {
            trusted = trusted.with(roots::bundle(&self.base.join(file)).map_err(no_roots)?);
        }
        for file in &self.manifest.verify.revocation_lists {
            trusted = roots::with_revocations(trusted, &self.base.join(file)).map_err(no_roots)?;
        }
        Ok(trusted)
    }

    /// What the handshakes of a run trust. The roots of the system are looked for only where they decide something: a
    /// machine that runs plans for a private CA may have none.
    pub fn trusted_by_clients(&self) -> Result<Roots, CommandError> {
        let trusted = self.trusted()?;
        if self.asks_the_system() {
            return Ok(trusted.with(roots::system().map_err(no_roots)?));
        }
        Ok(trusted)
    }

    /// Whether the roots of the system decide about any certificate.
    fn asks_the_system(&self) -> bool {
        let is_public = |origin: &Origin| {
            matches!(origin, Origin::Csr { public: true, .. } | Origin::Pfx { public: true, .. })
        };
        self.manifest.verify.system_roots
            && self.desired.certificates.values().any(|certificate| is_public(&certificate.origin))
    }
}

/// What is said when it cannot be told what clients trust.
pub(super) fn no_roots(error: RootsError) -> CommandError {
    let told = match error {
        RootsError::NoSystemRoots(_) => CommandError::new(Exit::Error, "there are no roots to trust").hint(
            "leave those of the system out with --no-system-roots, or `systemRoots: false` in the manifest",
        ),
        RootsError::Read(..)
        | RootsError::TooLarge(_)
        | RootsError::Empty(_)
        | RootsError::NotRoots { .. }
        | RootsError::NoList(_)
        | RootsError::NotAList(..) => {
            CommandError::new(Exit::Error, "a file with roots or revoked certificates cannot be used")
        }
    };
    told.because(error)
        .detail("Without roots it cannot be told what clients trust.")
        .hint("name a bundle with --roots, or in the manifest: `verify: { roots: [FILE] }`")
}
