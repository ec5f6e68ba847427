//! Where trusted roots come from, the system or a bundle, and lists of what their CAs revoked.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, pem::PemObject};

use crate::{durable, model::shown::ShowPath, verify::path_validation::Roots};

/// Why there are no roots.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// The system has none.
    #[error("the system has no trusted roots, so that nothing could be trusted: {}", .0.join("; "))]
    NoSystemRoots(Vec<String>),
    /// The bundle cannot be read.
    #[error("{} cannot be read", .0.shown())]
    Read(PathBuf, #[source] std::io::Error),
    /// The bundle is larger than bundles are.
    #[error("{} has more than 16 MiB; the roots of the whole world have less than one", .0.shown())]
    TooLarge(PathBuf),
    /// There is nothing in it.
    #[error("the root bundle {} holds no certificate; it should hold PEM, or one certificate in DER", .0.shown())]
    Empty(PathBuf),
    /// A certificate in it cannot be a root.
    #[error("{count} certificates of {} cannot be read; take them out", path.shown())]
    NotRoots {
        /// The bundle.
        path: PathBuf,
        /// How many.
        count: usize,
    },
    /// There is no list in it.
    #[error("{} holds no list of revoked certificates; it should hold PEM (X509 CRL), or one list in DER", .0.shown())]
    NoList(PathBuf),
    /// What is in it is no list that can be used.
    #[error("the list of revoked certificates in {} cannot be used", .0.shown())]
    NotAList(PathBuf, #[source] webpki::Error),
}

/// The roots that the system trusts. On Unix `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
pub fn system() -> Result<Roots, RootsError> {
    let found = rustls_native_certs::load_native_certs();
    // Systems carry a few certificates that are of no use to TLS; clients leave them out too.
    let (roots, _) = Roots::new(found.certs.iter().map(|certificate| &**certificate));
    if roots.is_empty() {
        let errors = found.errors.iter().map(ToString::to_string);
        return Err(RootsError::NoSystemRoots(errors.collect()));
    }
    Ok(roots)
}

/// The roots in a file: certificates in PEM, or one in DER.
pub fn bundle(path: &Path) -> Result<Roots, RootsError> {
    let read = |error| RootsError::Read(path.to_owned(), error);
    let bytes = contents(path)?;
    let (roots, count) = if bytes.first() == Some(&0x30) {
        Roots::new([bytes.as_slice()])
    } else {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
        let found = found.map_err(|error| read(std::io::Error::other(error)))?;
        Roots::new(found.iter().map(|certificate| &**certificate))
    };
    match (count, roots.is_empty()) {
        (1.., _) => Err(RootsError::NotRoots { path: path.to_owned(), count }),
        (0, true) => Err(RootsError::Empty(path.to_owned())),
        (0, false) => Ok(roots),
    }
}

/// These roots, with the lists of revoked certificates in a file: in PEM, or one in DER.
pub fn with_revocations(mut roots: Roots, path: &Path) -> Result<Roots, RootsError> {
    let bytes = contents(path)?;
    let lists: Vec<CertificateRevocationListDer<'_>> = if bytes.first() == Some(&0x30) {
        vec![CertificateRevocationListDer::from(bytes.as_slice())]
    } else {
        let found: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(&bytes).collect();
        found.map_err(|error| RootsError::Read(path.to_owned(), std::io::Error::other(error)))?
    };
    if lists.is_empty() {
        return Err(RootsError::NoList(path.to_owned()));
    }
    for list in lists {
        roots = roots.with_revocations(&list).map_err(|why| RootsError::NotAList(path.to_owned(), why))?;
    }
    Ok(roots)
}

fn contents(path: &Path) -> Result<Vec<u8>, RootsError> {
    let read = |error| RootsError::Read(path.to_owned(), error);
    let mut bytes = Vec::new();
    durable::open(path).map_err(read)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(read)?;
    if bytes.len() as u64 > LARGEST {
        return Err(RootsError::TooLarge(path.to_owned()));
    }
    Ok(bytes)
}

const LARGEST: u64 = 16 * 1024 * 1024;
