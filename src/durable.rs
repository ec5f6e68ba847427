//! Files that are whole or not there, also after a kill or a power cut: written beside their place under a name that
//! nobody can foresee and no link can take, made durable, and put into place. And files of others, which are read in bounds.
#![expect(clippy::disallowed_methods, reason = "here files are written")]

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use certwright_access as access;
use tempfile::NamedTempFile;

/// Who may read a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Whom the process's umask lets, or on Windows the folder.
    Usual,
    /// Its owner alone, for there is a secret in it.
    Owner,
    /// Those who may read the file that is in its place, and its owner stays. A new one is its owner's alone.
    AsBefore,
}

/// A file that is written and not in its place yet. It goes away with the value.
#[derive(Debug)]
pub struct Draft {
    file: NamedTempFile,
    place: PathBuf,
}

/// What became of a draft that was to be put where nothing is.
#[derive(Debug)]
pub enum PutNew {
    /// It is there.
    Done,
    /// Something else is there.
    Taken,
    /// The file system has no way to do that in one go: FAT and some network shares.
    Unsupported(Draft),
}

/// Opens a file of others. A pipe by a name in the file system could keep its reader waiting for ever; what the shell hands over
/// under `/dev` has somebody who writes.
pub fn open(path: &Path) -> io::Result<File> {
    let there = fs::metadata(path)?;
    if there.is_file() || there.is_dir() || path.starts_with("/dev") {
        return File::open(path);
    }
    Err(io::Error::other("it is not a file; reading a pipe or a device could wait for ever"))
}

/// Reads a file of others, up to what a file of a certificate, a key or a state can have.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let length = file.metadata()?.len().min(LARGEST);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 64 MiB"));
    }
    Ok(bytes)
}

/// Writes a file, in place of what is there. Whoever reads it meanwhile sees the one before. A folder that is not there
/// yet is made.
pub fn write(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    fs::create_dir_all(folder_of(path))?;
    Draft::write(path, bytes, readers)?.put()
}

impl Draft {
    /// Writes a file durably beside its place, in a folder that is there.
    pub fn write(place: &Path, bytes: &[u8], readers: Readers) -> io::Result<Self> {
        let prefix = prefix_of(place);
        let open = |path: &Path| match readers {
            Readers::Usual => File::options().read(true).write(true).create_new(true).open(path),
            Readers::Owner => access::create_new(path),
            Readers::AsBefore => access::create_new_like(path, place),
        };
        // Whoever collects files by their endings collects none of these.
        let mut file =
            tempfile::Builder::new().prefix(&prefix).suffix(ENDING).make_in(folder_of(place), open)?;
        file.write_all(bytes)?;
        point();
        file.as_file().sync_all()?;
        Ok(Self { file, place: place.to_owned() })
    }

    /// Puts it into its place, instead of what is there.
    pub fn put(mut self) -> io::Result<()> {
        point();
        patiently(|| fs::rename(self.file.path(), &self.place))?;
        // Nothing lies under its former name any more, so there is nothing to clear away.
        self.file.disable_cleanup(true);
        sync_place(self.file.as_file(), &self.place)
    }

    /// Puts it into its place if nothing is there. Of several who try, one succeeds.
    pub fn put_new(self) -> io::Result<PutNew> {
        let Self { mut file, place } = self;
        let begun = Instant::now();
        point();
        loop {
            file = match file.persist_noclobber(&place) {
                Ok(file) => return sync_place(&file, &place).map(|()| PutNew::Done),
                Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => {
                    return Ok(PutNew::Taken);
                }
                Err(failed) if access::is_in_use(&failed.error) && begun.elapsed() < PATIENCE => failed.file,
                Err(failed) => return Ok(PutNew::Unsupported(Self { file: failed.file, place })),
            };
            thread::sleep(GLANCE);
        }
    }
}

/// Does something with a file, and again for a while when somebody has it open in a way that keeps us out, as scanners and
/// backups do on Windows. Elsewhere there is no such thing.
pub fn patiently<T>(mut act: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let begun = Instant::now();
    loop {
        match act() {
            Err(error) if access::is_in_use(&error) && begun.elapsed() < PATIENCE => thread::sleep(GLANCE),
            result => return result,
        }
    }
}

/// Whether a name is that of a draft.
pub fn is_draft(name: &str) -> bool {
    name.starts_with('.') && name.contains(MARK) && name.ends_with(ENDING) || name.starts_with(DRAFT_OF_0_1)
}

/// Removes the drafts in a folder, left by processes that were killed while they wrote: all of them, when it is known that
/// nobody writes there, or those of a certain age. Returns how many there were.
pub fn remove_drafts(folder: &Path, older_than: Duration) -> io::Result<usize> {
    remove_where(folder, older_than, is_draft)
}

/// The same for the drafts of one file.
pub fn remove_drafts_of(place: &Path) -> io::Result<usize> {
    let prefix = prefix_of(place);
    remove_where(folder_of(place), Duration::ZERO, |name| name.starts_with(&prefix) && name.ends_with(ENDING))
}

fn remove_where(folder: &Path, older_than: Duration, is_meant: impl Fn(&str) -> bool) -> io::Result<usize> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let is_old = |entry: &fs::DirEntry| {
        let age = entry.metadata().and_then(|metadata| metadata.modified()).map(|time| time.elapsed());
        older_than.is_zero() || matches!(age, Ok(Ok(age)) if age > older_than)
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(&is_meant) && is_old(&entry) {
            match patiently(|| fs::remove_file(entry.path())) {
                // Somebody else was quicker.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => {
                    result?;
                    removed += 1;
                }
            }
        }
    }
    Ok(removed)
}

/// Makes a directory, and those above it, durably. Only its owner may look into it. One that exists keeps the mode that
/// somebody gave it.
pub fn make_private_directory(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let above = path.parent().unwrap_or(Path::new(""));
    make_private_directory(above)?;
    match access::create_directory(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_directory(above),
    }
}

/// Makes what was created or removed in a directory durable. Windows has no such call, and needs none: NTFS keeps names in
/// its log, and what is written durably into a file takes the log's earlier records to the disk with it.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    point();
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// Makes durable that a file has come into its place: on Unix by the directory, on Windows by the file itself.
fn sync_place(file: &File, place: &Path) -> io::Result<()> {
    if cfg!(unix) { sync_directory(folder_of(place)) } else { file.sync_all() }
}

/// A place at which a test ends the process: before each rename and each write to disk is made durable. With
/// `CERTWRIGHT_END_AT=7` the seventh ends it, as a kill or a power cut does: nothing is cleaned up. A release has none of it.
pub fn point() {
    #[cfg(debug_assertions)]
    {
        use std::sync::{
            OnceLock,
            atomic::{AtomicU64, Ordering},
        };
        static END_AT: OnceLock<Option<u64>> = OnceLock::new();
        static PASSED: AtomicU64 = AtomicU64::new(1);
        let end_at = END_AT.get_or_init(|| std::env::var("CERTWRIGHT_END_AT").ok()?.parse().ok());
        if end_at.is_some() && *end_at == Some(PASSED.fetch_add(1, Ordering::SeqCst)) {
            std::process::abort();
        }
    }
}

/// Opens a new file that only its owner may read, to be written bit by bit.
pub fn create_private(path: &Path) -> io::Result<File> {
    access::create_new(path)
}

/// Opens a file that only its owner may read, new or not.
pub fn open_private(path: &Path) -> io::Result<File> {
    patiently(|| access::open(path))
}

/// Opens a new file that only its owner may read and that has one writer at a time. None when somebody else was quicker to
/// write into it.
pub fn create_for_one_writer(path: &Path) -> io::Result<Option<File>> {
    access::create_new_for_one_writer(path)
}

/// Opens a file for its one writer. None when another process writes it.
pub fn open_for_one_writer(path: &Path) -> io::Result<Option<File>> {
    access::open_for_one_writer(path)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What the names of a file's drafts begin with: a dot, so that nobody who collects all files of a folder takes one.
fn prefix_of(place: &Path) -> String {
    format!(".{}{MARK}", place.file_name().unwrap_or_default().to_string_lossy())
}

const MARK: &str = ".certwright-";
const ENDING: &str = ".tmp";
/// What certwright 0.1 called them.
const DRAFT_OF_0_1: &str = ".draft-";
/// For how long a file that somebody has open is tried again, and how often.
const PATIENCE: Duration = Duration::from_secs(2);
const GLANCE: Duration = Duration::from_millis(20);

/// More than the state of any lab or any answer of a CA.
const LARGEST: u64 = 64 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn is_private(path: &Path) -> bool {
        !access::others_can_read(path).unwrap()
    }

    /// Opens a file as an editor or a scanner does that lets nobody replace it.
    fn hold(path: &Path) -> File {
        let mut options = File::options();
        options.read(true);
        #[cfg(windows)]
        std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, 1);
        options.open(path).unwrap()
    }

    #[test]
    fn a_file_is_replaced_whole_and_a_secret_is_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/key");
        write(&path, b"one", Readers::Usual).unwrap();
        assert_eq!((fs::read(&path).unwrap(), is_private(&path)), (b"one".to_vec(), false));
        write(&path, b"two", Readers::AsBefore).unwrap();
        assert_eq!((fs::read(&path).unwrap(), is_private(&path)), (b"two".to_vec(), false));
        write(&path, b"three", Readers::Owner).unwrap();
        write(&path, b"four", Readers::AsBefore).unwrap();
        assert_eq!((fs::read(&path).unwrap(), is_private(&path)), (b"four".to_vec(), true));
        assert_eq!(fs::read_dir(folder.path().join("below")).unwrap().count(), 1, "nothing is left beside");
    }

    #[test]
    fn a_file_that_somebody_has_open_is_replaced_and_removed_once_it_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        for is_there_then in [true, false] {
            write(&path, b"one", Readers::Usual).unwrap();
            let (held, let_go) = (hold(&path), Duration::from_millis(200));
            thread::scope(|scope| {
                scope.spawn(move || {
                    thread::sleep(let_go);
                    drop(held);
                });
                if is_there_then {
                    write(&path, b"two", Readers::Usual).unwrap();
                    assert_eq!(fs::read(&path).unwrap(), b"two");
                } else {
                    patiently(|| fs::remove_file(&path)).unwrap();
                }
            });
            assert_eq!(path.exists(), is_there_then);
        }
    }

    #[test]
    fn nothing_is_left_where_it_fails() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        assert!(write(&taken, b"text", Readers::Usual).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside");
    }

    // On Windows links take a privilege.
    #[cfg(unix)]
    #[test]
    fn no_link_is_written_through() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        let victim = folder.path().join("victim");
        fs::write(&victim, "as it was").unwrap();
        symlink(&victim, &link).unwrap();
        write(&link, b"text", Readers::Usual).unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"as it was");
        assert_eq!(fs::read(&link).unwrap(), b"text");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside");
    }

    #[test]
    fn of_two_drafts_one_is_put_where_nothing_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let [one, two] = [b"one", b"two"].map(|bytes| Draft::write(&path, bytes, Readers::Owner).unwrap());
        assert!(matches!(one.put_new().unwrap(), PutNew::Done));
        assert!(matches!(two.put_new().unwrap(), PutNew::Taken));
        assert_eq!((fs::read(&path).unwrap(), is_private(&path)), (b"one".to_vec(), true));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside");
    }

    #[test]
    fn what_a_killed_process_left_beside_a_file_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        for name in ["mail.pem", "mail.pem.certwright-4711.tmp", ".mail.pem.swp"] {
            fs::write(file(name), "a key").unwrap();
        }
        for name in ["mail.pem", "other.pem"] {
            // As a process does that is killed.
            Draft::write(&file(name), b"a key", Readers::Owner).unwrap().file.keep().unwrap();
        }
        assert_eq!(
            remove_drafts(folder.path(), Duration::from_secs(3600)).unwrap(),
            0,
            "somebody may be writing"
        );
        assert_eq!(remove_drafts_of(&file("mail.pem")).unwrap(), 1);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
        assert_eq!(remove_drafts(folder.path(), Duration::ZERO).unwrap(), 1);
        let left = ["mail.pem", "mail.pem.certwright-4711.tmp", ".mail.pem.swp"];
        assert!(left.into_iter().all(|name| file(name).exists()));
        assert_eq!(remove_drafts_of(&file("none/mail.pem")).unwrap(), 0);
    }

    #[test]
    fn of_what_has_no_end_no_more_is_read_than_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        File::create(&path).unwrap().set_len(7).unwrap();
        assert_eq!(read(&path).unwrap(), [0; 7]);
    }
}
