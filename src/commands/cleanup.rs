//! Files with keys that a killed process left behind, where nothing else would ever look again. The next command that
//! holds the lock removes them, and says so.

use std::{fs, io, path::Path};

use super::unfinished;
use crate::{durable::patiently, journal::Store, model::causes::with_causes, ports::balancer::Balancers};

/// Removes what is left, and tells what it was. What cannot be removed keeps nobody from going on.
pub(super) fn remove(store: &Store, keys: &Path, balancers: &Balancers) -> Vec<String> {
    let mut told = Vec::new();
    // A store that cannot be listed is found out about by what comes next.
    for run in store.runs().unwrap_or_default() {
        let folder = keys.join("runs").join(&run).join("issued");
        told.extend(of_a_run_that_is_over(store, &run, &folder));
        told.extend(match store.remove_drafts(&run) {
            Ok(0) => None,
            Ok(_) => Some(format!(
                "a backup of run {run} that was half written when the run was killed is removed"
            )),
            Err(error) => Some(cannot(&run, &error)),
        });
    }
    for (name, balancer) in balancers {
        told.extend(match balancer.remove_leftovers() {
            Ok(0) => None,
            Ok(_) => {
                Some(format!("a file with a key that a killed run left beside that of {name} is removed"))
            }
            Err(error) => Some(cannot(name.as_str(), &error)),
        });
    }
    told
}

/// A run notes that it is over, and then forgets the keys that were on their way: it may be killed in between.
fn of_a_run_that_is_over(store: &Store, run: &str, folder: &Path) -> Option<String> {
    if !folder.is_dir() || !unfinished::read(store, run).ok()??.is_over() {
        return None;
    }
    match patiently(|| fs::remove_dir_all(folder)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Some(cannot(run, &error)),
        Ok(()) | Err(_) => {
            Some(format!("keys that run {run} left behind when it was killed at its very end are removed"))
        }
    }
}

fn cannot(what: &str, error: &dyn std::error::Error) -> String {
    format!("a file with a key that is left over from {what} cannot be removed: {}", with_causes(error))
}
