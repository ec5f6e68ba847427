//! Files that a manifest names and that are not there, or hold something else: `check` would pass, and the run that needs them would fail.

use std::path::{Path, PathBuf};

use super::super::authorities;
use crate::{
    manifest::{
        DriverSpec, IssuerSpec, LocalCaSpec, Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{causes::with_causes, names::IssuerName, shown::ShowPath},
    probe::roots::{self, RootsError},
    verify::path_validation::Roots,
};

/// A file that a manifest names.
struct Named<'a> {
    path: DocPath,
    file: &'a Path,
    holds: Holds<'a>,
}

/// What a file should hold.
enum Holds<'a> {
    /// The certificate of a CA.
    Ca(&'a IssuerName, &'a LocalCaSpec),
    /// Roots.
    Roots,
    /// Lists of revoked certificates.
    RevocationLists,
}

/// What is wrong with roots, lists of revoked certificates and certificates of CAs. What a lab makes itself is there later; keys and
/// PFX files may be on another computer, and belong into no repository.
pub(super) fn findings(base: &Path, manifest: &Manifest) -> Vec<Finding> {
    let made = match &manifest.driver {
        DriverSpec::Lab(lab) => {
            Some(base.join(&lab.directory).join("state").components().collect::<PathBuf>())
        }
        DriverSpec::Capture(_) | DriverSpec::PowerShell(_) => None,
    };
    let is_made = |file: &Path| made.as_ref().is_some_and(|made| file.starts_with(made));
    let finding = |named: Named<'_>| {
        let file = base.join(named.file);
        match file.try_exists() {
            Ok(true) => Some(unusable(&named, named.holds.error(base, &file)?)),
            Ok(false) if is_made(&file) => None,
            Ok(false) => Some(absent(&named)),
            Err(error) => Some(unusable(&named, with_causes(&error))),
        }
    };
    named(manifest).filter_map(finding).collect()
}

fn named(manifest: &Manifest) -> impl Iterator<Item = Named<'_>> {
    let authorities = manifest.issuers.iter().filter_map(|(name, issuer)| match issuer {
        IssuerSpec::LocalCa(ca) => {
            let path = DocPath::of(&["issuers"]).key(name).key("localCa").key("certificate");
            Some(Named { path, file: &ca.certificate, holds: Holds::Ca(name, ca) })
        }
        IssuerSpec::SelfSigned(_) | IssuerSpec::Csr(_) | IssuerSpec::Pfx(_) => None,
    });
    let verify = &manifest.verify;
    let roots = verify.roots.iter().enumerate().map(|(index, file)| Named {
        path: DocPath::of(&["verify", "roots"]).index(index),
        file,
        holds: Holds::Roots,
    });
    let lists = verify.revocation_lists.iter().enumerate().map(|(index, file)| Named {
        path: DocPath::of(&["verify", "revocationLists"]).index(index),
        file,
        holds: Holds::RevocationLists,
    });
    authorities.chain(roots).chain(lists)
}

impl Holds<'_> {
    /// Why the file cannot be used.
    fn error(&self, base: &Path, file: &Path) -> Option<String> {
        let told = |error: RootsError| with_causes(&error);
        match self {
            Self::Ca(name, ca) => {
                authorities::certificates(name, ca, base).err().map(|error| error.in_one_line())
            }
            Self::Roots => roots::bundle(file).err().map(told),
            Self::RevocationLists => roots::with_revocations(Roots::default(), file).err().map(told),
        }
    }
}

fn absent(named: &Named<'_>) -> Finding {
    let what = format!("there is no file {}", named.file.shown());
    Finding::new("file-not-there", Severity::Warning, named.path.clone(), what, NEEDED)
        .hinted("correct the path, which is relative to the manifest's folder, or put the file there")
}

fn unusable(named: &Named<'_>, why: String) -> Finding {
    let hint = match named.holds {
        Holds::Ca(..) | Holds::Roots => "put certificates in PEM there, or one in DER",
        Holds::RevocationLists => "put lists of revoked certificates in PEM there (X509 CRL), or one in DER",
    };
    Finding::new("file-not-usable", Severity::Error, named.path.clone(), why, NEEDED).hinted(hint)
}

const NEEDED: &str = "What needs it fails: a run with this CA, or `verify`.";
