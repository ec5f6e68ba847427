//! HAProxy: one file with certificate, chain and key, and the Runtime API or a reload.
//!
//! By the Runtime API the running process takes the certificate first and the file follows, so that the next start finds
//! it too. A run that dies between the two leaves the old file, and the next plan does both again.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use super::{
    files,
    outcome::of_command,
    runtime::{Runtime, RuntimeError},
    surroundings::{Surroundings, pause},
};
use crate::{
    manifest::{BackendServer, CommandLine, HaproxySpec, HaproxyUpdate, Host, OneOrMany},
    model::{
        bundle::Bundle, certificate::Certificate, endpoint::Endpoint, names::ServerName, secret::Secret,
        shown::ShowPath, thumbprint::Thumbprint,
    },
    pki::{pem, pem_bundle},
    ports::{
        BoxError, FoundDrained,
        balancer::{Balancer, BalancerError},
    },
};

/// An HAProxy on this machine.
pub struct Haproxy {
    bundle: PathBuf,
    update: Update,
    servers: BTreeMap<ServerName, OneOrMany<BackendServer>>,
    address: Host,
    around: Surroundings,
}

enum Update {
    Runtime(Runtime),
    Reload(CommandLine),
}

impl Haproxy {
    pub(super) fn new(spec: &HaproxySpec, address: Host, around: Surroundings) -> Self {
        let bundle = around.base.join(&spec.bundle);
        let update = match &spec.update {
            HaproxyUpdate::Reload(command) => Update::Reload(command.clone()),
            HaproxyUpdate::Runtime { socket, name } => Update::Runtime(Runtime {
                socket: socket.clone(),
                name: name.as_ref().map_or_else(|| bundle.shown().to_string(), |name| name.as_str().into()),
                base: around.base.clone(),
                patience: around.patience,
            }),
        };
        Self { bundle, update, servers: spec.servers.clone(), address, around }
    }

    fn failed(&self, what: &str, error: impl Into<BoxError>) -> BalancerError {
        BalancerError::failed(format!("{what} {}", self.bundle.shown()), error)
    }

    /// What a server is called in the configuration of HAProxy.
    fn known(&self, server: &ServerName) -> Result<(&Runtime, &[BackendServer]), String> {
        match (&self.update, self.servers.get(server)) {
            (Update::Runtime(runtime), Some(names)) => Ok((runtime, &names.0)),
            (Update::Reload(_), _) | (_, None) => Err(format!("{server} is not among its `servers`")),
        }
    }

    fn file(&self) -> Result<Option<Secret>, BalancerError> {
        files::read(&self.bundle).map_err(|error| self.failed("reading", error))
    }

    fn write(&self, contents: &Secret) -> Result<(), BalancerError> {
        let written =
            files::write_beside(&self.bundle, contents).and_then(|draft| files::put(draft, &self.bundle));
        written.map_err(|error| self.failed("replacing", error))
    }

    fn by_runtime(
        &self,
        runtime: &Runtime,
        before: Option<&Secret>,
        after: &Secret,
    ) -> Result<(), BalancerError> {
        runtime.replace(after).map_err(|error| self.failed("giving HAProxy the certificate for", error))?;
        let Err(error) = self.write(after) else { return Ok(()) };
        let back = before.map(|before| runtime.replace(before));
        match back {
            Some(Ok(())) => Err(error),
            Some(Err(left)) => Err(BalancerError::unknown(
                format!("{error}, and giving HAProxy the former certificate"),
                left,
            )),
            None => Err(BalancerError::unknown("writing the file that HAProxy should start with", error)),
        }
    }

    fn by_reload(
        &self,
        reload: &CommandLine,
        before: Option<&Secret>,
        after: &Secret,
    ) -> Result<(), BalancerError> {
        self.write(after)?;
        let what = format!("reloading HAProxy with {}", self.bundle.shown());
        let Err(error) = self.around.run(reload, None) else { return Ok(()) };
        let error = of_command(&what, error);
        match files::restore(&self.bundle, before) {
            Ok(()) => Err(error),
            Err(left) => {
                Err(BalancerError::unknown(format!("{error}, and putting back the former file"), left))
            }
        }
    }
}

impl Balancer for Haproxy {
    fn observe(&self) -> Result<Option<Certificate>, BalancerError> {
        let Some(text) = self.file()? else { return Ok(None) };
        let certificates = pem::certificates(text.expose()).map_err(|error| self.failed("reading", error))?;
        Ok(certificates.into_iter().next())
    }

    fn remove_leftovers(&self) -> Result<usize, BalancerError> {
        files::remove_beside(&self.bundle).map_err(|error| self.failed("tidying up beside", error))
    }

    fn loaded(&self) -> Result<Option<Thumbprint>, BalancerError> {
        match &self.update {
            Update::Reload(_) => Ok(None),
            Update::Runtime(runtime) => {
                runtime.loaded().map_err(|error| self.failed("asking HAProxy for its certificate of", error))
            }
        }
    }

    fn is_readable(&self) -> bool {
        true
    }

    fn export(&self) -> Result<Option<Bundle>, BalancerError> {
        let Some(text) = self.file()? else { return Ok(None) };
        let bundle = pem_bundle::read(&text, &text);
        bundle.map(Some).map_err(|error| self.failed("reading", error))
    }

    fn install(&self, bundle: &Bundle) -> Result<(), BalancerError> {
        let after = pem_bundle::write(bundle).map_err(|error| self.failed("writing", error))?;
        let before = self.file()?;
        match &self.update {
            Update::Runtime(runtime) => self.by_runtime(runtime, before.as_ref(), &after),
            Update::Reload(reload) => self.by_reload(reload, before.as_ref(), &after),
        }
    }

    fn take_out(&self, server: &ServerName, found: FoundDrained) -> Result<(), BalancerError> {
        let doing = || format!("taking {server} out of HAProxy");
        let failed = |error: RuntimeError| BalancerError::failed(doing(), error);
        let (runtime, names) = self.known(server).map_err(|error| BalancerError::failed(doing(), error))?;
        for (index, name) in names.iter().enumerate() {
            let Err(error) = runtime.drain(name, found) else { continue };
            // What was taken out before it comes back.
            for before in &names[..index] {
                runtime.ready(before).map_err(|left| {
                    BalancerError::unknown(format!("{}, and putting it back after {error}", doing()), left)
                })?;
            }
            return Err(failed(error));
        }
        let ends = Instant::now() + self.around.patience.min(LONGEST_VISIT);
        for name in names {
            while runtime.clients(name).map_err(|error| BalancerError::unknown(doing(), error))? != Some(0)
                && Instant::now() < ends
            {
                pause();
            }
        }
        Ok(())
    }

    fn put_back(&self, server: &ServerName) -> Result<(), BalancerError> {
        let failed =
            |error: BoxError| BalancerError::failed(format!("putting {server} back into HAProxy"), error);
        let (runtime, names) = self.known(server).map_err(|error| failed(error.into()))?;
        let back = names.iter().map(|name| runtime.ready(name)).collect::<Vec<_>>();
        back.into_iter().collect::<Result<(), _>>().map_err(|error| failed(error.into()))
    }

    fn pause(&self) {
        pause();
    }

    fn address(&self, endpoint: Endpoint) -> Result<String, BalancerError> {
        Ok(self.address.with_port(endpoint.port))
    }
}

/// How long clients that a server has are waited for. Those that stay longer are dropped as they would be without draining.
const LONGEST_VISIT: Duration = Duration::from_secs(30);
