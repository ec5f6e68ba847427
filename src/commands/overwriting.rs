//! What a command reads it never writes over: neither a manifest, nor a file that the manifest names, nor the observation, the
//! plan or the baseline that the command line names.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{CommandError, Exit, files, session::STATE};
use crate::{
    journal::store::StorePlace,
    manifest::{
        DriverSpec, IssuerSpec, Manifest,
        secrets::secrets,
        yaml::{self, Source},
    },
    model::{secret::SecretRef, shown::ShowPath},
};

/// What a command reads.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Inputs<'a> {
    /// Manifests: files, or directories whose YAML files are read.
    pub(super) manifests: &'a [&'a Path],
    /// Other files, and folders of which every file may be read.
    pub(super) others: &'a [&'a Path],
    /// Where runs are kept, when it is said.
    pub(super) state: Option<&'a str>,
}

/// Something that is read, and what it is.
struct Input {
    path: PathBuf,
    what: String,
    /// Whether everything in it is meant, where it is a folder.
    whole: bool,
}

/// Refuses to write into what is read, and twice into one file.
pub(super) fn refuse<'a>(
    targets: impl IntoIterator<Item = &'a Path>,
    inputs: Inputs<'_>,
) -> Result<(), CommandError> {
    let targets: Vec<&Path> = targets.into_iter().filter(|target| is_or_becomes_file(target)).collect();
    if targets.is_empty() {
        return Ok(());
    }
    let read = read(inputs);
    for (index, target) in targets.iter().enumerate() {
        let place = resolved(target);
        if targets[..index].iter().any(|other| resolved(other) == place) {
            let what = format!("{} is named for two outputs", target.shown());
            return Err(CommandError::new(Exit::Usage, what)
                .detail("Only what is written last would be in it.")
                .hint("give each output a file of its own"));
        }
        let kept = |what: &str| {
            let summary = format!("{} is not written over: it is {what}", target.shown());
            CommandError::new(Exit::Usage, summary)
                .detail("Nothing that a command reads is overwritten with what it writes.")
                .hint("name another file")
        };
        if let Some(input) = read.iter().find(|input| input.is_at(&place)) {
            return Err(kept(&input.what));
        }
        if is_manifest(&place) {
            return Err(kept("a manifest"));
        }
        if is_among_runs(&place, inputs.state) {
            let what = format!("{} is among what runs leave: journals, keys and backups", target.shown());
            return Err(CommandError::new(Exit::Usage, what)
                .detail("What a run did is known by its journal alone.")
                .hint("name a file in another folder"));
        }
        if let Some(folder) = inputs.manifests.iter().find(|manifest| would_join(manifest, &place)) {
            let what =
                format!("{} would be read as a part of the manifest at {}", target.shown(), folder.shown());
            return Err(CommandError::new(Exit::Usage, what)
                .detail("All YAML files of a manifest's directory are read as one manifest.")
                .hint("write it into another directory, or with another ending, such as .json"));
        }
    }
    Ok(())
}

/// Refuses to write a new manifest over a file that is there.
pub(super) fn refuse_existing(target: &Path) -> Result<(), CommandError> {
    if fs::metadata(target).is_ok_and(|there| there.is_file()) {
        let what = format!("{} is there already, and is not written over", target.shown());
        return Err(CommandError::new(Exit::Error, what)
            .detail("It may be a manifest that somebody wrote by hand.")
            .hint("name a file that is not there yet, compare the two, and move it into place yourself"));
    }
    Ok(())
}

impl Input {
    fn is_at(&self, place: &Path) -> bool {
        *place == self.path || (self.whole && place.starts_with(&self.path) && place.exists())
    }
}

/// Everything that is read, resolved.
fn read(Inputs { manifests, others, state: _ }: Inputs<'_>) -> Vec<Input> {
    let mut all: Vec<Input> = others
        .iter()
        .map(|path| Input {
            path: resolved(path),
            what: format!("read by this command ({})", path.shown()),
            whole: true,
        })
        .collect();
    for manifest in manifests {
        // What cannot be read is told by whoever reads it.
        let sources = files::manifest_sources(manifest).unwrap_or_default();
        all.extend(sources.iter().map(|source| Input {
            path: resolved(Path::new(&source.file)),
            what: "a part of the manifest".into(),
            whole: false,
        }));
        if let Some(read) = as_far_as_possible(sources) {
            all.extend(named(&read, &files::base_directory(manifest)));
        }
    }
    all
}

fn as_far_as_possible(sources: Vec<Source>) -> Option<Manifest> {
    yaml::without_mistakes(&sources).or_else(|| yaml::manifest_and_mistakes(sources).value)
}

/// What a manifest names.
fn named(manifest: &Manifest, base: &Path) -> Vec<Input> {
    let mut all: Vec<(PathBuf, &str, bool)> = Vec::new();
    match &manifest.driver {
        DriverSpec::Lab(lab) => all.push((lab.directory.clone(), "a part of the lab", true)),
        DriverSpec::Capture(capture) => all.push((capture.path.clone(), "the capture of the manifest", true)),
        DriverSpec::PowerShell(_) => {}
    }
    for issuer in manifest.issuers.values() {
        match issuer {
            IssuerSpec::LocalCa(ca) => {
                all.push((ca.certificate.clone(), "the certificate of an issuer", false))
            }
            IssuerSpec::Pfx(pfx) => all.push((pfx.file.clone(), "the PFX file of an issuer", false)),
            IssuerSpec::Csr(csr) => all.push((csr.directory.clone(), "a request or an answer of a CA", true)),
            IssuerSpec::SelfSigned(_) => {}
        }
    }
    let roots = manifest.verify.roots.iter().chain(&manifest.verify.revocation_lists);
    all.extend(roots.map(|file| (file.clone(), "a file of `verify`", false)));
    all.extend(secrets(manifest).into_iter().filter_map(|(_, secret)| match secret {
        SecretRef::File(file) => Some((file, "the file of a secret", false)),
        SecretRef::Env(_) | SecretRef::Command(_) => None,
    }));
    let input = |(path, what, whole): (PathBuf, &str, bool)| Input {
        path: resolved(&base.join(path)),
        what: what.to_owned(),
        whole,
    };
    all.into_iter().map(input).collect()
}

/// Whether a file lies, or would lie, where runs are kept.
fn is_among_runs(place: &Path, state: Option<&str>) -> bool {
    let usual = place.components().any(|part| part.as_os_str() == STATE);
    let Some(Ok(StorePlace::Directory(directory))) = state.map(StorePlace::parse) else { return usual };
    let directory = resolved(&directory);
    let of_lock = place.parent() == Some(&directory)
        && place.file_name().is_some_and(|name| {
            let name = name.to_string_lossy();
            name.starts_with("lock") || name.starts_with('.')
        });
    usual || of_lock || place.starts_with(directory.join("runs"))
}

/// Whether the file would be read with the others of a manifest's directory.
fn would_join(manifest: &Path, place: &Path) -> bool {
    let yaml = place.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    let hidden = place.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    yaml && !hidden && manifest.is_dir() && place.parent() == Some(resolved(manifest).as_path())
}

/// Whether a file holds a manifest, whoever named it.
fn is_manifest(place: &Path) -> bool {
    let yaml = place.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    yaml && files::read(place).is_ok_and(|bytes| {
        let text = String::from_utf8_lossy(&bytes);
        text.lines().any(|line| line.trim_start().starts_with("apiVersion") && line.contains("certwright/"))
    })
}

/// Devices and pipes are written into, and lose nothing.
fn is_or_becomes_file(target: &Path) -> bool {
    fs::metadata(target).map_or(true, |there| there.is_file())
}

/// The place itself, behind links; of a file that is not there yet by the directory in which it will be.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(place) = fs::canonicalize(path) {
        return place;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}
