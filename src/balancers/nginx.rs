//! nginx: two files, a test and a reload.

use std::path::PathBuf;

use super::{
    files::{self, FileError},
    outcome::of_command,
    surroundings::{Surroundings, pause},
};
use crate::{
    manifest::{CommandLine, Host, NginxSpec},
    model::{bundle::Bundle, certificate::Certificate, endpoint::Endpoint, secret::Secret, shown::ShowPath},
    pki::{pem, pem_bundle},
    ports::balancer::{Balancer, BalancerError},
};

/// An nginx on this machine.
pub struct Nginx {
    certificate: PathBuf,
    key: PathBuf,
    test: CommandLine,
    reload: CommandLine,
    address: Host,
    around: Surroundings,
}

/// What was in the files.
struct Before {
    certificate: Option<Secret>,
    key: Option<Secret>,
}

impl Nginx {
    pub(super) fn new(spec: &NginxSpec, address: Host, around: Surroundings) -> Self {
        let NginxSpec { certificate, key, test, reload } = spec.clone();
        let (certificate, key) = (around.base.join(certificate), around.base.join(key));
        Self { certificate, key, test, reload, address, around }
    }

    fn before(&self) -> Result<Before, FileError> {
        Ok(Before { certificate: files::read(&self.certificate)?, key: files::read(&self.key)? })
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} {}", self.certificate.shown())
    }

    /// Both files are complete before either takes its place: a reload by somebody else meanwhile finds a pair, but for
    /// the moment between two renames.
    fn replace(&self, bundle: &Bundle) -> Result<(), BalancerError> {
        let failed = |error| BalancerError::failed(self.doing("replacing"), error);
        let key =
            pem_bundle::key(bundle).map_err(|error| BalancerError::failed(self.doing("writing"), error))?;
        let certificates = Secret::new(pem_bundle::certificates(bundle).into_bytes());
        let certificate = files::write_beside(&self.certificate, &certificates).map_err(failed)?;
        let key = files::write_beside(&self.key, &key).map_err(failed)?;
        files::put(certificate, &self.certificate).map_err(failed)?;
        files::put(key, &self.key).map_err(failed)
    }

    fn take_over(&self) -> Result<(), BalancerError> {
        self.around
            .run(&self.test, None)
            .map_err(|error| BalancerError::failed(self.doing("testing nginx with"), error))?;
        self.around
            .run(&self.reload, None)
            .map_err(|error| of_command(&self.doing("reloading nginx with"), error))
    }

    fn put_back(&self, before: &Before) -> Result<(), FileError> {
        let certificate = files::restore(&self.certificate, before.certificate.as_ref());
        files::restore(&self.key, before.key.as_ref()).and(certificate)
    }
}

impl Balancer for Nginx {
    fn remove_leftovers(&self) -> Result<usize, BalancerError> {
        let removed = files::remove_beside(&self.certificate)
            .and_then(|certificates| Ok(certificates + files::remove_beside(&self.key)?));
        removed.map_err(|error| BalancerError::failed(self.doing("tidying up beside"), error))
    }

    fn observe(&self) -> Result<Option<Certificate>, BalancerError> {
        let failed = |error: crate::ports::BoxError| BalancerError::failed(self.doing("reading"), error);
        let Some(text) = files::read(&self.certificate).map_err(|error| failed(error.into()))? else {
            return Ok(None);
        };
        let certificates = pem::certificates(text.expose()).map_err(|error| failed(error.into()))?;
        Ok(certificates.into_iter().next())
    }

    fn is_readable(&self) -> bool {
        true
    }

    fn export(&self) -> Result<Option<Bundle>, BalancerError> {
        let before = self.before().map_err(|error| BalancerError::failed(self.doing("reading"), error))?;
        let (Some(certificate), Some(key)) = (before.certificate, before.key) else { return Ok(None) };
        let bundle = pem_bundle::read(&certificate, &key);
        bundle.map(Some).map_err(|error| BalancerError::failed(self.doing("reading"), error))
    }

    fn install(&self, bundle: &Bundle) -> Result<(), BalancerError> {
        let before = self.before().map_err(|error| BalancerError::failed(self.doing("reading"), error))?;
        let done = self.replace(bundle).and_then(|()| self.take_over());
        let Err(error) = done else { return Ok(()) };
        match self.put_back(&before) {
            Ok(()) => Err(error),
            Err(left) => {
                Err(BalancerError::unknown(format!("{error}, and putting back the former files"), left))
            }
        }
    }

    fn pause(&self) {
        pause();
    }

    fn address(&self, endpoint: Endpoint) -> Result<String, BalancerError> {
        Ok(self.address.with_port(endpoint.port))
    }
}
