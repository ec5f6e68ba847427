//! Commands of the user: one prints the certificate, the other takes a new one from stdin.

use serde::Serialize;

use super::{
    outcome::of_command,
    surroundings::{Surroundings, pause},
};
use crate::{
    json::{self, Spacing},
    manifest::{HookSpec, Host},
    model::{bundle::Bundle, certificate::Certificate, endpoint::Endpoint, secret::Secret},
    pki::{pem, pem_bundle},
    ports::balancer::{Balancer, BalancerError},
};

/// A load balancer behind two commands.
pub struct Hook {
    spec: HookSpec,
    address: Host,
    around: Surroundings,
}

/// What the command reads from stdin.
#[derive(Serialize)]
struct Input<'a> {
    certificate: String,
    chain: Vec<String>,
    key: &'a str,
    thumbprint: String,
}

impl Hook {
    pub(super) fn new(spec: &HookSpec, address: Host, around: Surroundings) -> Self {
        Self { spec: spec.clone(), address, around }
    }
}

impl Balancer for Hook {
    fn observe(&self) -> Result<Option<Certificate>, BalancerError> {
        let doing = || format!("asking `{}` for the certificate", self.spec.observe);
        let printed =
            self.around.output(&self.spec.observe).map_err(|error| BalancerError::failed(doing(), error))?;
        if printed.expose().trim_ascii().is_empty() {
            return Ok(None);
        }
        let certificates =
            pem::certificates(printed.expose()).map_err(|error| BalancerError::failed(doing(), error))?;
        Ok(certificates.into_iter().next())
    }

    fn is_readable(&self) -> bool {
        false
    }

    /// A command prints no keys.
    fn export(&self) -> Result<Option<Bundle>, BalancerError> {
        Ok(None)
    }

    fn install(&self, bundle: &Bundle) -> Result<(), BalancerError> {
        let doing = format!("giving `{}` the certificate", self.spec.install);
        let input = input(bundle).map_err(|error| BalancerError::failed(doing.as_str(), error))?;
        self.around.run(&self.spec.install, Some(&input)).map_err(|error| of_command(&doing, error))
    }

    fn pause(&self) {
        pause();
    }

    fn address(&self, endpoint: Endpoint) -> Result<String, BalancerError> {
        Ok(self.address.with_port(endpoint.port))
    }
}

fn input(bundle: &Bundle) -> Result<Secret, pem_bundle::BundleError> {
    let key = pem_bundle::key(bundle)?;
    let input = Input {
        certificate: pem::of_certificate(&bundle.certificate.der.0),
        chain: bundle.chain.iter().map(|der| pem::of_certificate(&der.0)).collect(),
        key: key.expose_text().expect("PEM is text"),
        thumbprint: bundle.certificate.thumbprint.to_string(),
    };
    Ok(Secret::new(json::bytes(&input, Spacing::Line).expect("texts are JSON")))
}
