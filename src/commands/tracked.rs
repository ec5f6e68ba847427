//! What Git would show to everybody: keys, PFX files and the state of runs in the index of the repository around a manifest.
//! The index is read as the file that it is (gitformat-index); no Git is run and none is needed.

use std::{
    fs::File,
    io::Read,
    path::{Component, Path, PathBuf},
};

use crate::{
    manifest::finding::{DocPath, Finding, Severity},
    model::shown::ShowPath,
};

/// Warnings of files that Git tracks and that no repository should have. `secrets` are files that the manifest names for
/// their secrets, with the place where it does. Without a repository there are none, and an index that cannot be read tells
/// nothing.
pub(super) fn findings(base: &Path, secrets: &[(DocPath, PathBuf)]) -> Vec<Finding> {
    let Some((root, index)) = index_around(base) else { return Vec::new() };
    let Some(tracked) = tracked(&index) else { return Vec::new() };
    let Ok(below) =
        base.canonicalize().map(|base| base.strip_prefix(&root).map(Path::to_owned).unwrap_or_default())
    else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for (path, file) in secrets {
        let file = plain(&below.join(file));
        if tracked.contains(&file) {
            findings.push(finding(
                path.clone(),
                &format!("Git tracks {}, which holds a secret", file.shown()),
                &file,
            ));
        }
    }
    let mut others: Vec<&PathBuf> =
        tracked.iter().filter(|file| file.starts_with(&below) && is_secret(file)).collect();
    others.sort();
    if let Some(first) = others.first() {
        let more = match others.len() {
            1 => String::new(),
            many => format!(" and {} more", many - 1),
        };
        let what = format!("Git tracks {}{more}: private keys or the state of runs", first.shown());
        findings.push(finding(DocPath::root(), &what, first));
    }
    findings
}

fn finding(path: DocPath, what: &str, file: &Path) -> Finding {
    let why = "Everybody who can read the repository has the key, now and in every copy of its history.";
    Finding::new("secret-in-git", Severity::Warning, path, what, why).hinted(format!(
        "take it out (git rm --cached {}), add it to .gitignore, and replace the certificate if anybody else has seen it",
        file.shown()
    ))
}

/// PFX files, and what runs leave: journals, backups, keys on their way.
fn is_secret(file: &Path) -> bool {
    let pfx = file
        .extension()
        .is_some_and(|ending| ["pfx", "p12"].iter().any(|pfx| ending.eq_ignore_ascii_case(pfx)));
    let of_runs = file.components().any(|part| part == Component::Normal(".certwright".as_ref()));
    let ignores = file.file_name().is_some_and(|name| name == ".gitignore");
    pfx || (of_runs && !ignores)
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

/// The root of the repository around a directory, and its index.
fn index_around(base: &Path) -> Option<(PathBuf, Vec<u8>)> {
    let base = base.canonicalize().ok()?;
    let (root, git) = base.ancestors().map(|root| (root, root.join(".git"))).find(|(_, git)| git.exists())?;
    let git = if git.is_dir() { git } else { root.join(linked(&read(&git, 4096)?)?) };
    Some((root.to_owned(), read(&git.join("index"), LARGEST_INDEX)?))
}

/// Where the directory of a worktree or submodule is: its `.git` is a file that says so.
fn linked(text: &[u8]) -> Option<PathBuf> {
    std::str::from_utf8(text).ok()?.strip_prefix("gitdir:").map(|path| PathBuf::from(path.trim()))
}

fn read(path: &Path, limit: u64) -> Option<Vec<u8>> {
    let there = path.metadata().ok()?;
    if !there.is_file() || there.len() > limit {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(limit).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The paths of an index of version 2, 3 or 4; none when it is something else.
fn tracked(index: &[u8]) -> Option<Vec<PathBuf>> {
    let number = |at: usize| Some(u32::from_be_bytes(index.get(at..at + 4)?.try_into().ok()?));
    if index.get(..4)? != b"DIRC" {
        return None;
    }
    let (version, entries) = (number(4)?, number(8)?);
    let mut at = 12;
    let mut path: Vec<u8> = Vec::new();
    let mut paths = Vec::new();
    for _ in 0..entries {
        let begin = at;
        // Times, device, inode, mode, owner, size: 40 bytes; the object's name: 20; flags: 2, and 2 more where they say so.
        let flags = u16::from_be_bytes(index.get(at + 60..at + 62)?.try_into().ok()?);
        let extended = version >= 3 && flags & 0x4000 != 0;
        at += if extended { 64 } else { 62 };
        if version == 4 {
            let (kept, length) = offset(index.get(at..)?)?;
            at += length;
            path.truncate(path.len().checked_sub(kept)?);
        } else {
            path.clear();
        }
        let name = index.get(at..)?;
        let end = name.iter().position(|byte| *byte == 0)?;
        path.extend_from_slice(&name[..end]);
        at += end + 1;
        if version < 4 {
            // At least one NUL, and as many as make the entry a multiple of eight long.
            at = begin + (at - begin).next_multiple_of(8);
        }
        paths.push(PathBuf::from(String::from_utf8_lossy(&path).into_owned()));
    }
    matches!(version, 2..=4).then_some(paths)
}

/// How much of the path before is cut off: a number of seven bits a byte, each but the last with the high bit, and one added
/// for each (the offsets of packs). With its length.
fn offset(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = usize::from(bytes.first()? & 0x7f);
    let mut length = 1;
    while bytes.get(length - 1)? & 0x80 != 0 {
        value = value.checked_add(1)?.checked_mul(128)? + usize::from(bytes.get(length)? & 0x7f);
        length += 1;
    }
    Some((value, length))
}

/// A million files make about a hundred megabytes.
const LARGEST_INDEX: u64 = 256 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str) -> Vec<u8> {
        let mut bytes = vec![0; 60];
        bytes.extend(u16::try_from(path.len()).unwrap().to_be_bytes());
        bytes.extend(path.as_bytes());
        bytes.push(0);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    fn index(version: u32, entries: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = b"DIRC".to_vec();
        bytes.extend(version.to_be_bytes());
        bytes.extend(u32::try_from(entries.len()).unwrap().to_be_bytes());
        bytes.extend(entries.concat());
        bytes
    }

    fn names(paths: Option<Vec<PathBuf>>) -> Vec<String> {
        paths.unwrap().iter().map(|path| path.shown().to_string()).collect()
    }

    #[test]
    fn an_index_is_read() {
        let two = index(2, &[entry("a"), entry("contoso/.certwright/lock"), entry("key.pfx")]);
        assert_eq!(names(tracked(&two)), ["a", "contoso/.certwright/lock", "key.pfx"]);
        // Version 4 cuts off the end of the path before and adds another one.
        let first: Vec<u8> = [vec![0; 62], b"\0contoso/a.yaml\0".to_vec()].concat();
        let second: Vec<u8> = [vec![0; 62], b"\x06b.pfx\0".to_vec()].concat();
        assert_eq!(names(tracked(&index(4, &[first, second]))), ["contoso/a.yaml", "contoso/b.pfx"]);
    }

    #[test]
    fn something_else_tells_nothing() {
        for bytes in
            [&b""[..], b"DIRC", b"PACK\0\0\0\x02\0\0\0\x01", &index(2, &[entry("a")])[..40], &index(9, &[])]
        {
            assert_eq!(tracked(bytes), None);
        }
        let past: Vec<u8> = [vec![0; 62], b"\x7fx\0".to_vec()].concat();
        assert_eq!(tracked(&index(4, &[past])), None);
    }

    #[test]
    fn keys_and_runs_are_told_of() {
        for (file, secret) in [
            ("contoso/.certwright/runs/1.jsonl", true),
            ("contoso/.certwright/.gitignore", false),
            ("contoso/old.PFX", true),
            ("contoso/manifest.yaml", false),
        ] {
            assert_eq!(is_secret(Path::new(file)), secret, "{file}");
        }
        assert_eq!(plain(Path::new("a/./b/../ca.key")), Path::new("a/ca.key"));
    }
}
