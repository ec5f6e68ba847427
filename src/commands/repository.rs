//! The repository that a command was started in: forges name files as they are seen from its root.

use std::path::{Path, PathBuf};

use crate::{model::shown::ShowPath, views::Diagnostics};

/// The repository of this directory.
struct Repository {
    root: PathBuf,
}

impl Repository {
    /// The nearest directory upwards that holds a `.git`, which is a file in a worktree.
    fn here() -> Option<Self> {
        let here = std::env::current_dir().ok()?;
        let root = here.ancestors().find(|directory| directory.join(".git").exists())?;
        Some(Self { root: root.to_owned() })
    }

    /// A file as it is seen from the root; what lies elsewhere by its whole path.
    fn seen(&self, file: &str) -> String {
        let whole = whole(Path::new(file));
        let inside = whole.strip_prefix(&self.root).ok().map(Path::to_owned);
        // Links may lead into the repository, such as that of a temporary directory.
        let inside = inside.or_else(|| {
            let (file, root) = (whole.canonicalize().ok()?, self.root.canonicalize().ok()?);
            file.strip_prefix(root).ok().map(Path::to_owned)
        });
        inside.unwrap_or(whole).shown().to_string()
    }
}

/// The whole path, without `.` and `..`.
fn whole(path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components() {
        match part {
            std::path::Component::ParentDir => {
                whole.pop();
            }
            std::path::Component::CurDir => {}
            part => whole.push(part),
        }
    }
    whole
}

/// The messages with their files as they are seen from the root of the repository. Outside of one they stay as they were named.
pub(super) fn seen_from_root(diagnostics: &Diagnostics) -> Diagnostics {
    let mut seen = diagnostics.clone();
    let Some(repository) = Repository::here() else { return seen };
    let files =
        std::iter::once(&mut seen.file).chain(seen.skipped.iter_mut().map(|skipped| &mut skipped.file));
    let accepted = seen.accepted.iter_mut().map(|accepted| &mut accepted.diagnostic);
    let places = seen.list.iter_mut().chain(accepted).filter_map(|told| told.location.as_mut());
    for file in files.chain(places.map(|place| &mut place.file)) {
        *file = repository.seen(file);
    }
    seen.root = Some(repository.root.shown().to_string());
    seen
}
