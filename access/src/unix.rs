//! Modes.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::Path,
};

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    private().create_new(true).open(path)
}

pub(crate) fn open(path: &Path) -> io::Result<File> {
    private().create(true).truncate(false).open(path)
}

pub(crate) fn create_new_for_one_writer(path: &Path) -> io::Result<Option<File>> {
    locked(create_new(path)?)
}

pub(crate) fn open_for_one_writer(path: &Path) -> io::Result<Option<File>> {
    locked(OpenOptions::new().read(true).write(true).open(path)?)
}

/// The operating system's lock, which ends with the process and keeps no reader out.
fn locked(file: File) -> io::Result<Option<File>> {
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

pub(crate) fn create_new_like(path: &Path, like: &Path) -> io::Result<File> {
    let present = match fs::metadata(like) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        present => Some(present?),
    };
    let file = create_new(path)?;
    if let Some(present) = present {
        make_like(&file, &present)?;
    }
    Ok(file)
}

fn make_like(file: &File, like: &Metadata) -> io::Result<()> {
    let ours = file.metadata()?;
    if (ours.uid(), ours.gid()) != (like.uid(), like.gid()) {
        fchown(file, Some(like.uid()), Some(like.gid()))?;
    }
    // After the owner: changing that takes bits away.
    file.set_permissions(like.permissions())
}

pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

pub(crate) fn others_can_read(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

pub(crate) fn is_in_use(_: &io::Error) -> bool {
    false
}
