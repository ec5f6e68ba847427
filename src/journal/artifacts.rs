//! The files of a run that hold keys.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{Run, create_private, private_directory, sync_directory};
use crate::{
    engine::{
        artifacts::{ArtifactError, Artifacts},
        driver::BoxError,
    },
    model::{action::StepId, bundle::Bundle, names::ServerName, secret::Secret},
    pki::{keys, pem, pfx},
};

/// The files of a run, and the password of its backups.
#[derive(Debug)]
pub struct RunFiles {
    runs: PathBuf,
    run: String,
    password: Option<Secret>,
}

impl RunFiles {
    /// The files of this run. Backups get the password; without one it is empty.
    pub fn new(run: &Run, password: Option<Secret>) -> Self {
        use crate::engine::journal::Journal;
        Self { runs: run.runs().to_owned(), run: run.run().to_owned(), password }
    }

    fn folder(&self) -> PathBuf {
        self.runs.join(&self.run)
    }

    fn issued_file(&self, step: StepId) -> PathBuf {
        self.folder().join("issued").join(format!("{step}.pem"))
    }

    fn password(&self) -> Secret {
        self.password.clone().unwrap_or_else(|| Secret::new(Vec::new()))
    }

    /// The backup that a step made: its name begins with the step's number.
    fn backup_file(&self, run: Option<&str>, step: StepId) -> io::Result<PathBuf> {
        let folder = self.runs.join(run.unwrap_or(&self.run));
        let start = format!("{step}-");
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(&start)) {
                return Ok(path);
            }
        }
        Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("step {step} left no backup in {}", folder.display()),
        ))
    }
}

impl Artifacts for RunFiles {
    fn keep_issued(&self, step: StepId, bundle: &Bundle) -> Result<(), ArtifactError> {
        let path = self.issued_file(step);
        let key = bundle.key.as_ref().map(|key| keys::from_pkcs8(key).map(|key| key.serialize_pem()));
        let what = || format!("keeping the issued certificate in {}", path.display());
        let key = key.transpose().map_err(|error| failed(what(), error))?.unwrap_or_default();
        let chain = std::iter::once(&bundle.certificate.der).chain(&bundle.chain);
        let text: String = chain.map(|der| pem::of_certificate(&der.0)).chain([key]).collect();
        write_private(&path, &Secret::new(text.into_bytes())).map_err(|error| failed(what(), error))
    }

    fn issued(&self, step: StepId) -> Result<Option<Bundle>, ArtifactError> {
        let path = self.issued_file(step);
        let what = || format!("reading the issued certificate from {}", path.display());
        let bytes = match fs::read(&path) {
            Ok(bytes) => Secret::new(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(what(), error)),
        };
        let read = || -> Result<Bundle, BoxError> {
            let mut certificates = pem::certificates(bytes.expose())?.into_iter();
            let certificate = certificates.next().ok_or("it holds no certificate")?;
            let text = bytes.expose_text().ok_or("it is not text")?;
            let key = text
                .find("-----BEGIN PRIVATE KEY-----")
                .map(|at| Secret::new(text.as_bytes()[at..].to_vec()));
            let key = key.map(|key| pem::key(&key, "the issued key")).transpose()?;
            let chain = certificates.map(|certificate| certificate.der).collect();
            Ok(Bundle { certificate, chain, key: key.map(|key| keys::to_pkcs8(&key)) })
        };
        read().map(Some).map_err(|error| failed(what(), error))
    }

    fn forget_issued(&self) -> Result<(), ArtifactError> {
        let folder = self.folder().join("issued");
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed(format!("removing the keys in {}", folder.display()), error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn back_up(
        &self,
        step: StepId,
        server: &ServerName,
        bundle: &Bundle,
    ) -> Result<(String, String), ArtifactError> {
        let thumbprint = bundle.certificate.thumbprint;
        let what = || format!("backing up {} of {server}", thumbprint.short());
        let (extension, bytes) = match &bundle.key {
            Some(_) => {
                let name = format!("{server} {}", thumbprint.short());
                let written = pfx::write(bundle, &self.password(), &name, pfx::Encryption::Modern);
                ("pfx", written.map_err(|error| failed(what(), error))?)
            }
            None => ("cer", bundle.certificate.der.0.clone()),
        };
        let name = format!("{step}-{server}-{thumbprint}.{extension}");
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let path = self.folder().join(&name);
        write_private(&path, &Secret::new(bytes)).map_err(|error| failed(what(), error))?;
        Ok((name, sha256))
    }

    fn backup(&self, run: Option<&str>, step: StepId) -> Result<Bundle, ArtifactError> {
        let what = || format!("reading the backup of step {step}");
        let read = || -> Result<Bundle, BoxError> {
            let path = self.backup_file(run, step)?;
            Ok(pfx::read(&fs::read(path)?, &self.password())?)
        };
        read().map_err(|error| failed(what(), error))
    }
}

/// Writes a file that only its owner may read, whole or not at all. One that a run left half-way is replaced.
fn write_private(path: &Path, contents: &Secret) -> Result<(), BoxError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    private_directory(folder)?;
    let beside = path.with_extension("tmp");
    if let Err(error) = fs::remove_file(&beside)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error.into());
    }
    let mut file = create_private(&beside)?;
    file.write_all(contents.expose())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    Ok(sync_directory(folder)?)
}

fn failed(what: String, source: impl Into<BoxError>) -> ArtifactError {
    ArtifactError { what, source: source.into() }
}
