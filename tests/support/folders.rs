//! Cases that are folders, on all cores.

use std::{
    fs,
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Whether only some of the cases are run: those whose folder has `CERTWRIGHT_CASE` in its name.
pub fn is_narrowed() -> bool {
    wanted().is_some()
}

fn wanted() -> Option<String> {
    std::env::var("CERTWRIGHT_CASE").ok()
}

/// Runs each folder of `tests/PARENT` that has `file`, and gives what came of them in the order of their names. A case that
/// fails does not keep the others.
pub fn each<R: Send>(parent: &str, file: &str, run: impl Fn(&Path) -> R + Sync) -> Vec<R> {
    let parent = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(parent);
    let wanted = wanted().unwrap_or_default();
    let is_wanted = |folder: &Path| folder.file_name().unwrap().to_str().unwrap().contains(&wanted);
    let entries = fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> =
        entries.filter(|folder| folder.join(file).exists() && is_wanted(folder)).collect();
    folders.sort();
    assert!(!folders.is_empty(), "no case is called so");
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(folder) = folders.get(index) else { return };
            let result = catch_unwind(AssertUnwindSafe(|| run(folder)));
            done.lock().unwrap().push((index, result));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(work);
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(index, _)| *index);
    let failed: Vec<&str> = done
        .iter()
        .filter(|(_, result)| result.is_err())
        .map(|(index, _)| folders[*index].file_name().unwrap().to_str().unwrap())
        .collect();
    // What went wrong in them was told when it did.
    assert!(failed.is_empty(), "failed: {}", failed.join(", "));
    done.into_iter().map(|(_, result)| result.unwrap_or_else(|panic| resume_unwind(panic))).collect()
}
