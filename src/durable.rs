//! Files that are whole or not there, also after a kill or a power cut: written beside their place under a name that
//! nobody can foresee and no link can take, made durable, and renamed into place.
#![expect(clippy::disallowed_methods, reason = "here files are written")]

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// Who may read a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Whom the process's umask lets.
    Usual,
    /// Its owner alone, for there is a secret in it.
    Owner,
}

/// Writes a file, in place of what is there. Whoever reads it meanwhile sees the one before. A folder that is not there
/// yet is made.
pub fn write(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    // Whoever collects files by their endings collects none of these.
    builder.prefix(".certwright-").suffix(".tmp");
    #[cfg(unix)]
    let usual: fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    if readers == Readers::Usual {
        builder.permissions(usual);
    }
    #[cfg(not(unix))]
    let _ = readers;
    // It is removed again when anything below fails.
    let mut beside = builder.tempfile_in(folder)?;
    beside.write_all(bytes)?;
    beside.as_file().sync_all()?;
    beside.persist(path)?;
    sync_directory(folder)
}

/// A name in a directory is durable once the directory is.
fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_replaced_whole_and_a_secret_is_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/key");
        write(&path, b"one", Readers::Usual).unwrap();
        assert_eq!((fs::read(&path).unwrap(), mode(&path) & 0o600), (b"one".to_vec(), 0o600));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        write(&path, b"two", Readers::Owner).unwrap();
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"two".to_vec(), 0o600));
        assert_eq!(fs::read_dir(folder.path().join("below")).unwrap().count(), 1, "nothing is left beside");
    }

    #[test]
    fn nothing_is_left_where_it_fails_and_no_link_is_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let (taken, link) = (folder.path().join("taken"), folder.path().join("link"));
        fs::create_dir(&taken).unwrap();
        assert!(write(&taken, b"text", Readers::Usual).is_err());
        let victim = folder.path().join("victim");
        fs::write(&victim, "as it was").unwrap();
        symlink(&victim, &link).unwrap();
        write(&link, b"text", Readers::Usual).unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"as it was");
        assert_eq!(fs::read(&link).unwrap(), b"text");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left beside");
    }
}
