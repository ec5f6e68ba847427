//! The index of a repository, read as the file that it is (gitformat-index).

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

/// The root of the repository around a directory, and its index. The path has no links in it.
pub(super) fn around(base: &Path) -> Option<(PathBuf, Vec<u8>)> {
    let (root, git) = base.ancestors().map(|root| (root, root.join(".git"))).find(|(_, git)| git.exists())?;
    let git = if git.is_dir() { git } else { root.join(linked(&read(&git, 4096)?)?) };
    Some((root.to_owned(), read(&git.join("index"), LARGEST_INDEX)?))
}

/// Where the directory of a worktree or submodule is: its `.git` is a file that says so.
fn linked(text: &[u8]) -> Option<PathBuf> {
    std::str::from_utf8(text).ok()?.strip_prefix("gitdir:").map(|path| PathBuf::from(path.trim()))
}

/// A file that is no longer than that.
pub(super) fn read(path: &Path, limit: u64) -> Option<Vec<u8>> {
    let there = path.metadata().ok()?;
    if !there.is_file() || there.len() > limit {
        return None;
    }
    let mut bytes = Vec::with_capacity(usize::try_from(there.len()).ok()? + 1);
    File::open(path).ok()?.take(limit).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Those paths of an index of version 2, 3 or 4 that are `wanted`, in their order; none when it is something else.
pub(super) fn tracked(index: &[u8], wanted: &dyn Fn(&[u8]) -> bool) -> Option<Vec<PathBuf>> {
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
        if wanted(&path) {
            paths.push(PathBuf::from(String::from_utf8_lossy(&path).into_owned()));
        }
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
    use crate::model::shown::ShowPath;

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
        assert_eq!(names(tracked(&two, &|_| true)), ["a", "contoso/.certwright/lock", "key.pfx"]);
        assert_eq!(names(tracked(&two, &|file| file.ends_with(b".pfx"))), ["key.pfx"]);
        // Version 4 cuts off the end of the path before and adds another one.
        let first: Vec<u8> = [vec![0; 62], b"\0contoso/a.yaml\0".to_vec()].concat();
        let second: Vec<u8> = [vec![0; 62], b"\x06b.pfx\0".to_vec()].concat();
        assert_eq!(
            names(tracked(&index(4, &[first, second]), &|_| true)),
            ["contoso/a.yaml", "contoso/b.pfx"]
        );
    }

    #[test]
    fn something_else_tells_nothing() {
        for bytes in
            [&b""[..], b"DIRC", b"PACK\0\0\0\x02\0\0\0\x01", &index(2, &[entry("a")])[..40], &index(9, &[])]
        {
            assert_eq!(tracked(bytes, &|_| true), None);
        }
        let past: Vec<u8> = [vec![0; 62], b"\x7fx\0".to_vec()].concat();
        assert_eq!(tracked(&index(4, &[past]), &|_| true), None);
    }
}
