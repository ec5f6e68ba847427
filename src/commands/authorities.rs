//! The CAs of a manifest whose certificates and keys are in files.

use std::path::Path;

use super::{
    error::{CommandError, Exit},
    files, secrets,
};
use crate::{
    issuers::{local_ca::LocalCa, pfx::PfxFile},
    manifest::{IssuerSpec, LocalCaSpec, Manifest, PfxSpec},
    model::{
        bundle::{Bundle, Chains},
        certificate::Certificate,
        desired::{CaSubjects, OfIssuers, PfxCertificates},
        fact::Fact,
        names::IssuerName,
        secret::Secret,
        shown::ShowPath,
    },
    pki::{
        keys::{self, Keys},
        mint::Authority,
        pem, pfx,
    },
    ports::issuer::Issuers,
};

/// What is known of the issuers' files. What lies there beside certificates, the rest of their chains, is noted.
pub(super) fn known(
    manifest: &Manifest,
    base: &Path,
    chains: &mut Chains,
) -> Result<OfIssuers, CommandError> {
    let mut certificate = |held: &Bundle| {
        chains.insert(held.certificate.thumbprint, held.chain.clone());
        Box::new(held.certificate.clone())
    };
    let pfx: PfxCertificates = pfx_files(manifest)
        .map(|(name, spec)| (name.clone(), held(name, spec, base).map(|held| certificate(held))))
        .collect();
    Ok(OfIssuers { cas: subjects(manifest, base)?, pfx })
}

/// What a PFX file holds. That it cannot be read is nothing to stop for: a plan may not need it.
fn held(name: &IssuerName, spec: &PfxSpec, base: &Path) -> Fact<Bundle> {
    let read = || -> Result<Bundle, CommandError> {
        let bytes = files::read(&base.join(&spec.file))?;
        let what = format!("the password of issuer {name}");
        let password =
            spec.password.as_ref().map(|password| secrets::read(password, &what, base)).transpose()?;
        let password = password.unwrap_or_else(|| Secret::new(Vec::new()));
        pfx::read(&bytes, &password).map_err(|error| CommandError::new(Exit::Error, error.to_string()))
    };
    match read() {
        Ok(bundle) => Fact::Known(bundle),
        Err(error) => {
            // Whoever tells it names the file.
            let told = error.in_one_line();
            let named = format!("{} cannot be read: ", base.join(&spec.file).shown());
            Fact::unknown(told.strip_prefix(&named).unwrap_or(&told).to_owned())
        }
    }
}

fn pfx_files(manifest: &Manifest) -> impl Iterator<Item = (&IssuerName, &PfxSpec)> {
    manifest.issuers.iter().filter_map(|(name, spec)| match spec {
        IssuerSpec::Pfx(pfx) => Some((name, pfx)),
        IssuerSpec::SelfSigned(_) | IssuerSpec::LocalCa(_) | IssuerSpec::Csr(_) => None,
    })
}

/// The subjects of the CAs.
fn subjects(manifest: &Manifest, base: &Path) -> Result<CaSubjects, CommandError> {
    let mut subjects = CaSubjects::new();
    for (name, ca) in local_cas(manifest) {
        let certificates = certificates(name, ca, base)?;
        subjects.extend(certificates.first().map(|certificate| (name.clone(), certificate.subject.clone())));
    }
    Ok(subjects)
}

/// Those certificates of the CAs that sign themselves.
pub(super) fn roots(manifest: &Manifest, base: &Path) -> Result<Vec<Certificate>, CommandError> {
    let mut roots = Vec::new();
    for (name, ca) in local_cas(manifest) {
        roots.extend(certificates(name, ca, base)?.into_iter().filter(Certificate::is_self_signed));
    }
    Ok(roots)
}

/// The CAs, opened for issuing: their keys are read.
pub(super) fn issuers(manifest: &Manifest, base: &Path) -> Result<Issuers, CommandError> {
    let mut issuers = Issuers::new();
    for (name, ca) in local_cas(manifest) {
        let authority = open(name, ca, base)?;
        issuers
            .insert(name.clone(), Box::new(LocalCa::new(name.clone(), authority, ca.lifetime, Keys::Fresh)));
    }
    for (name, spec) in pfx_files(manifest) {
        issuers.insert(name.clone(), Box::new(PfxFile::new(name.clone(), held(name, spec, base))));
    }
    Ok(issuers)
}

fn local_cas(manifest: &Manifest) -> impl Iterator<Item = (&IssuerName, &LocalCaSpec)> {
    manifest.issuers.iter().filter_map(|(name, spec)| match spec {
        IssuerSpec::LocalCa(ca) => Some((name, ca)),
        IssuerSpec::SelfSigned(_) | IssuerSpec::Csr(_) | IssuerSpec::Pfx(_) => None,
    })
}

pub(super) fn certificates(
    name: &IssuerName,
    ca: &LocalCaSpec,
    base: &Path,
) -> Result<Vec<Certificate>, CommandError> {
    let path = base.join(&ca.certificate);
    pem::certificates(&files::read(&path)?).map_err(|error| {
        CommandError::new(
            Exit::Error,
            format!("the certificate of issuer {name} in {} cannot be used", path.shown()),
        )
        .because(error)
        .hint("name a file with the certificate of the CA in PEM or DER")
    })
}

fn open(name: &IssuerName, ca: &LocalCaSpec, base: &Path) -> Result<Authority, CommandError> {
    let failed = || CommandError::new(Exit::Error, format!("issuer {name} cannot be used"));
    let mut certificates = certificates(name, ca, base)?.into_iter();
    let certificate = certificates.next().ok_or_else(failed)?;
    let what = format!("the key of issuer {name}");
    let key =
        keys::from_pem(&secrets::read(&ca.key, &what, base)?, &ca.key.to_string()).map_err(|error| {
            failed()
                .because(error)
                .detail("Without the CA's key no certificate can be issued; nothing was changed.")
                .hint("name the file of the CA's private key in PEM (PKCS#8), or a command that prints it")
        })?;
    Authority::new(certificate, certificates.collect(), key).map_err(|error| {
        failed().because(error).hint("name the certificate and the key of one and the same CA")
    })
}
