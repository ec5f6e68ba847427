//! What Git would show to everybody: keys, PFX files and the state of runs in the index of the repository around a manifest.
//! The index is read as the file that it is; no Git is run and none is needed.

mod index;
mod secret;

use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
};

use super::session::STATE;
use crate::{
    manifest::finding::{DocPath, Finding, Severity},
    model::shown::ShowPath,
};

/// Warnings of files that Git tracks and that no repository should have, wherever in the repository they are. `secrets` are
/// files that the manifest names for their secrets, with the place where it does. Without a repository there are none, and an
/// index that cannot be read tells nothing. Keys in folders for tests count only where the manifest lies in such a folder.
pub(super) fn findings(base: &Path, secrets: &[(DocPath, PathBuf)]) -> Vec<Finding> {
    let Ok(base) = base.canonicalize() else { return Vec::new() };
    let Some((root, index)) = index::around(&base) else { return Vec::new() };
    let below = base.strip_prefix(&root).map(Path::to_owned).unwrap_or_default();
    let secrets: Vec<(&DocPath, PathBuf)> =
        secrets.iter().map(|(path, file)| (path, plain(&below.join(file)))).collect();
    let named: Vec<String> = secrets.iter().map(|(_, file)| file.shown().to_string()).collect();
    let wanted = |file: &[u8]| secret::may_matter(file) || named.iter().any(|named| named.as_bytes() == file);
    let Some(mut tracked) = index::tracked(&index, &wanted) else { return Vec::new() };
    tracked.sort();
    tracked.dedup();
    let seen = |file: &Path| seen_from(&below, file);
    let mut findings = Vec::new();
    let mut told = BTreeSet::new();
    for (path, file) in secrets {
        if tracked.contains(&file) && told.insert(file.clone()) {
            let what = format!("Git tracks {}, which holds a secret", seen(&file).shown());
            findings.push(finding(path.clone(), what, &format!("git rm --cached {}", quoted(&seen(&file)))));
        }
    }
    let (of_runs, others): (Vec<&PathBuf>, Vec<&PathBuf>) =
        tracked.iter().filter(|file| !told.contains(*file)).partition(|file| secret::is_of_runs(file));
    let mut opened = 0;
    let mut is_key = |file: &Path| {
        if secret::is_named_so(file) {
            return true;
        }
        opened += usize::from(secret::may_hold_one(file));
        secret::may_hold_one(file) && opened <= MOST_OPENED && secret::holds_one(&root.join(file))
    };
    let counts = |file: &&PathBuf| file.starts_with(&below) || !secret::is_for_tests(file);
    let keys: Vec<PathBuf> =
        others.into_iter().filter(counts).filter(|file| is_key(file)).map(|file| seen(file)).collect();
    if !keys.is_empty() {
        let named: Vec<String> = keys.iter().map(|file| quoted(file)).collect();
        let what = format!("Git tracks {}", in_words(&keys, "private key"));
        let remove = format!("git rm --cached {}", named[..named.len().min(MOST_NAMED)].join(" "));
        findings.push(finding(DocPath::root(), what, &remove));
    }
    findings.extend(state(&of_runs, &seen));
    findings
}

/// The state of runs, folder by folder. Keys in it are said first: they are worse than a journal.
fn state(files: &[&PathBuf], seen: &dyn Fn(&Path) -> PathBuf) -> Option<Finding> {
    let folder = |file: &Path| -> PathBuf {
        let state = Component::Normal(STATE.as_ref());
        file.components().take_while(|part| *part != state).chain([state]).collect()
    };
    let folders: BTreeSet<PathBuf> = files.iter().map(|file| folder(file)).collect();
    let first = folders.iter().next()?;
    let keys: Vec<PathBuf> = files
        .iter()
        .filter(|file| secret::is_named_so(file))
        .map(|file| file.strip_prefix(first).unwrap_or(file).to_owned())
        .collect();
    let folders: Vec<PathBuf> = folders.iter().map(|folder| seen(folder)).collect();
    let with = match keys.len() {
        0 => String::new(),
        _ => format!(" with {}", in_words(&keys, "private key")),
    };
    let named: Vec<String> = folders.iter().map(|folder| quoted(folder)).collect();
    let what = format!("Git tracks {}, the state of runs{with}", in_words(&folders, "folder"));
    let remove = format!("git rm -r --cached {}", named[..named.len().min(MOST_NAMED)].join(" "));
    Some(finding(DocPath::root(), what, &remove))
}

fn finding(path: DocPath, what: String, remove: &str) -> Finding {
    let why = "Everybody who can read the repository has the key, now and in every copy of its history.";
    Finding::new("secret-in-git", Severity::Warning, path, what, why).hinted(format!(
        "take it out (`{remove}`), add it to .gitignore, and replace the certificate if anybody else has seen it"
    ))
}

/// One by its name, and how many more.
fn in_words(files: &[PathBuf], what: &str) -> String {
    let names: Vec<String> = files.iter().take(MOST_NAMED).map(|file| file.shown().to_string()).collect();
    match files.len() {
        1 => names.join(""),
        many if many <= MOST_NAMED => format!("{many} {what}s: {}", names.join(", ")),
        many => format!("{many} {what}s: {} and {} more", names.join(", "), many - MOST_NAMED),
    }
}

/// A path as a shell takes it for one word.
fn quoted(path: &Path) -> String {
    let path = path.shown().to_string();
    let is_plain = |char: char| char.is_alphanumeric() || "._-/+@".contains(char);
    if path.chars().all(is_plain) { path } else { format!("\"{path}\"") }
}

/// A file of the repository as it is seen from the manifest's folder, where people type.
fn seen_from(below: &Path, file: &Path) -> PathBuf {
    if let Ok(inside) = file.strip_prefix(below) {
        return inside.to_owned();
    }
    let shared = below.components().zip(file.components()).take_while(|(one, other)| one == other).count();
    let up = below.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(file.components().skip(shared)).collect()
}

/// The path without `.` and `..`, as Git writes it.
fn plain(path: &Path) -> PathBuf {
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(_) | Component::RootDir | Component::Prefix(_) => parts.push(part),
        }
    }
    parts.into_iter().collect()
}

/// So many files are opened to see whether they hold a key.
const MOST_OPENED: usize = 2000;
/// So many files are named; the others are counted.
const MOST_NAMED: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_seen_from_the_manifest() {
        assert_eq!(plain(Path::new("a/./b/../ca.key")), Path::new("a/ca.key"));
        for (below, file, seen) in [
            ("", "a.key", "a.key"),
            ("org", "org/a.key", "a.key"),
            ("org", "other/b.pfx", "../other/b.pfx"),
            ("orgs/one", "orgs/two/b.pfx", "../two/b.pfx"),
        ] {
            assert_eq!(seen_from(Path::new(below), Path::new(file)), Path::new(seen), "{file}");
        }
    }
}
