//! Files and directories that only their owner may read: by their mode on Unix, by their access list on Windows. They are
//! born that way, so there is no moment in which somebody else could open them.
//!
//! On Windows the owner, Administrators and SYSTEM have access, and nothing is inherited from the folder above:
//! administrators can read every file anyway, and another one of them may have to go on with a run. On Unix it is the
//! owner alone (and root).
#![expect(clippy::disallowed_methods, reason = "here files are made")]

use std::{fs::File, io, path::Path};

#[cfg(any(windows, test))]
mod sddl;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

/// Opens a new file for reading and writing. What is there already, also a link, is an error.
pub fn create_new(path: &Path) -> io::Result<File> {
    system::create_new(path)
}

/// Opens a file for reading and writing, a new one when there is none. One that exists keeps the readers it has.
pub fn open(path: &Path) -> io::Result<File> {
    system::open(path)
}

/// The same as [`create_new`], for a file that has one writer at a time: none when another process writes it. Others can
/// read it meanwhile.
pub fn create_new_for_one_writer(path: &Path) -> io::Result<Option<File>> {
    system::create_new_for_one_writer(path)
}

/// Opens an existing file for its one writer: none when another process writes it.
pub fn open_for_one_writer(path: &Path) -> io::Result<Option<File>> {
    system::open_for_one_writer(path)
}

/// Opens a new file that those may read who may read another one, and with its owner as far as the system lets us give it
/// away. Where the other one does not exist, it is its owner's alone.
pub fn create_new_like(path: &Path, like: &Path) -> io::Result<File> {
    system::create_new_like(path, like)
}

/// Makes a directory. What is there already is an error.
pub fn create_directory(path: &Path) -> io::Result<()> {
    system::create_directory(path)
}

/// Whether somebody else may read a file: on Unix its group or everybody, on Windows anybody but its owner,
/// Administrators and SYSTEM.
pub fn others_can_read(path: &Path) -> io::Result<bool> {
    system::others_can_read(path)
}

/// Whether an error says that somebody else has a file open at this moment, in a way that keeps us out: on Windows what
/// scanners, indexers and backups do to new files. It goes over by itself. Unix has no such error.
pub fn is_in_use(error: &io::Error) -> bool {
    system::is_in_use(error)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_made_is_its_owners() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        drop(create_new(&at("new")).expect("a new file"));
        drop(open(&at("opened")).expect("a file"));
        drop(create_new_for_one_writer(&at("journal")).expect("a file").expect("nobody else writes"));
        drop(create_new_like(&at("alike"), &at("none")).expect("a file"));
        create_directory(&at("below")).expect("a directory");
        for name in ["new", "opened", "journal", "alike", "below"] {
            assert!(!others_can_read(&at(name)).expect("it is there"), "{name}");
        }
        for again in [create_new(&at("new")).err(), create_directory(&at("below")).err()] {
            assert_eq!(again.map(|error| error.kind()), Some(io::ErrorKind::AlreadyExists));
        }
        assert!(others_can_read(&at("missing")).is_err());
    }

    #[test]
    fn a_file_like_another_has_its_readers() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("usual"), "for all").expect("a file");
        drop(create_new_like(&at("like usual"), &at("usual")).expect("a file"));
        drop(create_new(&at("own")).expect("a file"));
        drop(create_new_like(&at("like own"), &at("own")).expect("a file"));
        for (one, other) in [("usual", "like usual"), ("own", "like own")] {
            let both = [one, other].map(|name| others_can_read(&at(name)).expect("it is there"));
            assert_eq!(both[0], both[1], "{other}");
        }
    }

    #[test]
    fn a_journal_has_one_writer_and_many_readers() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a journal with blanks — and more than ASCII");
        let first = create_new_for_one_writer(&path).expect("a file").expect("nobody else writes");
        assert!(open_for_one_writer(&path).expect("it is there").is_none(), "one writer at a time");
        assert_eq!(fs::read(&path).expect("readers are let in"), b"");
        drop(first);
        assert!(open_for_one_writer(&path).expect("it is there").is_some());
        assert!(open_for_one_writer(&folder.path().join("none")).is_err());
    }

    #[test]
    fn an_open_file_stays_open_and_keeps_what_it_has() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        drop(open(&path).expect("a file"));
        fs::write(&path, "text").expect("it can be written");
        drop(open(&path).expect("a file"));
        assert_eq!(fs::read(&path).expect("it can be read"), b"text");
    }
}
