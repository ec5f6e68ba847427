//! The files of a run that hold keys.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::{
    Run, Store, StoreError, is_name,
    store::{BlobError, Blobs, LocalDirectory, Put, keep_out_of_git},
};
use crate::{
    durable::patiently,
    model::{action::StepId, bundle::Bundle, names::PeerName, secret::Secret, shown::ShowPath},
    pki::{keys, pem, pem_bundle, pfx},
    ports::{
        BoxError,
        artifacts::{ArtifactError, Artifacts},
        journal::Journal,
    },
};

/// The files of a run, and the password of its backups.
#[derive(Debug)]
pub struct RunFiles {
    run: String,
    backups: Arc<dyn Blobs>,
    keys: LocalDirectory,
    password: Option<Secret>,
    /// The backups of runs whose folder was listed, by their steps.
    listed: Mutex<BTreeMap<String, BTreeMap<StepId, String>>>,
}

impl RunFiles {
    /// The files of this run. Backups are kept where the run is and get the password; without one it is empty, and a
    /// bucket refuses them. Keys on their way to the servers are kept in `directory`, wherever the run is.
    pub fn new(run: &Run, directory: PathBuf, password: Option<Secret>) -> Self {
        Self::among(run.blobs(), run.run(), directory, password)
    }

    /// The same, for somebody who only looks at a run: the lock need not be held.
    pub fn of_run(
        store: &Store,
        run: &str,
        directory: PathBuf,
        password: Option<Secret>,
    ) -> Result<Self, StoreError> {
        if !is_name(run) {
            return Err(StoreError::NoSuchRun(run.into(), store.describe()));
        }
        Ok(Self::among(&store.blobs, run, directory, password))
    }

    fn among(blobs: &Arc<dyn Blobs>, run: &str, directory: PathBuf, password: Option<Secret>) -> Self {
        Self {
            run: run.to_owned(),
            backups: blobs.clone(),
            keys: LocalDirectory::new(directory),
            password: password.filter(|password| !password.expose().is_empty()),
            listed: Mutex::default(),
        }
    }

    fn issued_file(&self, step: StepId) -> String {
        format!("runs/{}/issued/{step}.pem", self.run)
    }

    /// The file as people see it.
    fn issued_place(&self, step: StepId) -> String {
        format!("{}/{}", self.keys.describe(), self.issued_file(step))
    }

    fn password(&self) -> Secret {
        self.password.clone().unwrap_or_else(|| Secret::new(Vec::new()))
    }

    /// The backup that a step made: its name begins with the step's number.
    fn backup_file(&self, run: Option<&str>, step: StepId) -> Result<String, BoxError> {
        let run = run.unwrap_or(&self.run);
        if !is_name(run) {
            return Err(StoreError::NoSuchRun(run.into(), self.backups.describe()).into());
        }
        let folder = format!("runs/{run}");
        let mut name = self.listed(run, step);
        if name.is_none() {
            // Not listed yet, or written since.
            self.list(run, &folder)?;
            name = self.listed(run, step);
        }
        let none = || format!("step {step} left no backup in {}/{folder}", self.backups.describe());
        name.map(|name| format!("{folder}/{name}")).ok_or_else(|| none().into())
    }

    fn listed(&self, run: &str, step: StepId) -> Option<String> {
        self.listed.lock().expect("no panic holds it").get(run)?.get(&step).cloned()
    }

    /// Notes which backups a run has. A folder is listed once for all its backups, and again only for one that is missing.
    fn list(&self, run: &str, folder: &str) -> Result<(), BlobError> {
        let files = self.backups.list(folder)?;
        let mut steps = BTreeMap::new();
        for name in files.into_iter().filter(|name| !name.ends_with('/')) {
            if let Some(step) = name.split_once('-').and_then(|(step, _)| step.parse().ok()) {
                steps.entry(StepId(step)).or_insert(name);
            }
        }
        self.listed.lock().expect("no panic holds it").insert(run.to_owned(), steps);
        Ok(())
    }
}

impl Artifacts for RunFiles {
    fn keep_issued(&self, step: StepId, bundle: &Bundle) -> Result<(), ArtifactError> {
        let what = || format!("keeping the issued certificate in {}", self.issued_place(step));
        let key = bundle.key.as_ref().map(|_| pem_bundle::key(bundle)).transpose();
        let key = key.map_err(|error| failed(what(), error))?;
        let certificates = pem_bundle::certificates(bundle);
        let key = key.as_ref().map_or(&[][..], Secret::expose);
        let text = Secret::new([certificates.as_bytes(), key].concat());
        // Where runs are in a bucket, nobody has kept Git from this folder yet.
        if let (None, Some(folder)) = (self.backups.directory(), self.keys.directory()) {
            keep_out_of_git(folder).map_err(|error| failed(what(), error))?;
        }
        write_over(&self.keys, &self.issued_file(step), &text).map_err(|error| failed(what(), error))
    }

    fn issued(&self, step: StepId) -> Result<Option<Bundle>, ArtifactError> {
        let what = || format!("reading the issued certificate from {}", self.issued_place(step));
        let found = self.keys.read(&self.issued_file(step)).map_err(|error| failed(what(), error))?;
        let Some(bytes) = found.map(|blob| Secret::new(blob.bytes)) else { return Ok(None) };
        let read = || -> Result<Bundle, BoxError> {
            let mut certificates = pem::certificates(bytes.expose())?.into_iter();
            let certificate = certificates.next().ok_or("it holds no certificate")?;
            let key = keys::find_in_pem(&bytes, "the issued key")?;
            let chain = certificates.map(|certificate| certificate.der.clone()).collect();
            Ok(Bundle { certificate, chain, key: key.map(|key| keys::to_pkcs8(&key)) })
        };
        read().map(Some).map_err(|error| failed(what(), error))
    }

    fn forget_issued(&self) -> Result<(), ArtifactError> {
        let root = self.keys.directory().unwrap_or(Path::new(""));
        let folder = root.join("runs").join(&self.run).join("issued");
        match patiently(|| fs::remove_dir_all(&folder)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed(format!("removing the keys in {}", folder.shown()), error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn back_up(
        &self,
        step: StepId,
        of: &PeerName,
        bundle: &Bundle,
    ) -> Result<(String, String), ArtifactError> {
        let thumbprint = bundle.certificate.thumbprint;
        let what = || format!("backing up {} of {of}", thumbprint.short());
        let (extension, bytes) = match &bundle.key {
            Some(_) if self.password.is_none() && self.backups.directory().is_none() => {
                return Err(failed(what(), StoreError::Unprotected(self.backups.describe())));
            }
            Some(_) => {
                let name = format!("{of} {}", thumbprint.short());
                let written = pfx::to_keep(bundle, &self.password(), &name);
                ("pfx", written.map_err(|error| failed(what(), error))?)
            }
            None => ("cer", bundle.certificate.der.0.clone()),
        };
        let name = format!("{step}-{of}-{thumbprint}.{extension}");
        let sha256 = HEXLOWER.encode(&Sha256::digest(&bytes));
        let path = format!("runs/{}/{name}", self.run);
        let written = write_over(self.backups.as_ref(), &path, &Secret::new(bytes));
        written.map_err(|error| failed(what(), error))?;
        Ok((name, sha256))
    }

    fn backup(&self, run: Option<&str>, step: StepId) -> Result<Bundle, ArtifactError> {
        let what = || format!("reading the backup of step {step}");
        let read = || -> Result<Bundle, BoxError> {
            let file = self.backup_file(run, step)?;
            let blob = self.backups.read(&file)?.ok_or("it was removed just now")?;
            Ok(pfx::read(Secret::new(blob.bytes).expose(), &self.password())?)
        };
        read().map_err(|error| failed(what(), error))
    }
}

/// Writes a file, whatever is there: a run that is resumed does its step again.
fn write_over(blobs: &dyn Blobs, path: &str, contents: &Secret) -> Result<(), BlobError> {
    loop {
        let put = match blobs.read(path)? {
            None => blobs.create(path, contents.expose())?,
            Some(blob) => blobs.replace(path, contents.expose(), &blob.version)?,
        };
        if let Put::Done(_) = put {
            return Ok(());
        }
    }
}

fn failed(what: String, source: impl Into<BoxError>) -> ArtifactError {
    ArtifactError { what, source: source.into() }
}
