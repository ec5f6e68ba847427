//! A lab's state as a whole: it is made once, by whoever comes first, and thrown away only by who asks for that.

use std::{fs, io};

use super::{
    directory::{Directory, LOCK},
    files::{self, LabError},
};

impl Directory {
    /// Sets the state up in this way, unless that was done before. Of several processes one does it, and the others wait.
    pub(super) fn set_up_once(&self, set_up: impl FnOnce() -> Result<(), LabError>) -> Result<(), LabError> {
        if self.is_set_up() {
            return Ok(());
        }
        let state = self.state();
        fs::create_dir_all(&state).map_err(|error| LabError::Write(state.clone(), error))?;
        let _lock = self.lock()?;
        if self.is_set_up() {
            return Ok(());
        }
        let unfinished = state.join(UNFINISHED);
        if !unfinished.exists() && MADE.iter().any(|made| state.join(made).exists()) {
            return Err(LabError::Lost(self.organization_file()));
        }
        self.begin_anew()?;
        set_up()?;
        fs::remove_file(&unfinished).map_err(|error| LabError::Write(unfinished, error))
    }

    /// Throws the state away, whole or half-made. The next opening sets it up anew.
    pub(super) fn clear(&self) -> Result<(), LabError> {
        if !self.state().exists() {
            return Ok(());
        }
        let _lock = self.lock()?;
        self.begin_anew()
    }

    /// Leaves nothing but the lock, which somebody may wait for, and the sign that the state is not made yet.
    fn begin_anew(&self) -> Result<(), LabError> {
        let state = self.state();
        files::write(&state.join(UNFINISHED), b"")?;
        // The state is complete as long as this file is there.
        let complete = self.organization_file();
        removed(fs::remove_file(&complete)).map_err(|error| LabError::Write(complete, error))?;
        for entry in fs::read_dir(&state).map_err(|error| LabError::Read(state.clone(), error))? {
            let entry = entry.map_err(|error| LabError::Read(state.clone(), error))?;
            let path = entry.path();
            if [LOCK, UNFINISHED].iter().any(|kept| entry.file_name() == *kept) {
                continue;
            }
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let gone = if is_directory { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed(gone).map_err(|error| LabError::Write(path, error))?;
        }
        Ok(())
    }
}

/// What somebody else has removed is removed.
fn removed(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// Is there while the state is being made: what a killed process left of it is nobody's.
const UNFINISHED: &str = "unfinished";
/// What only the making of a state makes.
const MADE: [&str; 3] = ["authorities", "keys", "servers"];
