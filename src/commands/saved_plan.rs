//! Plans in files.

use std::path::{Component, Path, PathBuf};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{CommandError, Exit, files, session::Session};
use crate::{
    model::{organization::Observed, plan::Plan, time::Timestamp},
    plan::{self, Narrowing},
};

/// A plan in a file: the plan, the manifest it was made from, and a digest that tells whether somebody changed it.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SavedPlan {
    /// The format of this file.
    pub version: u32,
    /// The manifest, relative to this file's directory when it is not absolute.
    pub manifest: PathBuf,
    /// SHA-256 over the plan, in hexadecimal.
    pub digest: String,
    /// The plan.
    pub plan: Plan,
}

/// Refuses a plan whose observed facts are different by now, and says which.
pub(super) fn check_unchanged(
    plan: &Plan,
    session: &Session,
    observed: &Observed,
) -> Result<(), CommandError> {
    refuse_changes(&plan.basis.facts, plan.observed_at, session, observed)
}

/// Refuses when the organization is not as it was when somebody was asked, and says what is different.
pub(super) fn check_same(
    before: &Observed,
    observed: &Observed,
    session: &Session,
) -> Result<(), CommandError> {
    let facts = plan::facts(&session.desired, &before.organization);
    refuse_changes(&facts, before.at, session, observed)
}

fn refuse_changes(
    before: &plan::Facts,
    at: Timestamp,
    session: &Session,
    observed: &Observed,
) -> Result<(), CommandError> {
    let found = plan::facts(&session.desired, &observed.organization);
    let changed = plan::changed_facts(before, &found);
    if changed.is_empty() {
        return Ok(());
    }
    let error = CommandError::new(Exit::StalePlan, "the plan is stale")
        .detail(format!("The organization changed after it was observed at {at}:"));
    let error =
        changed.iter().take(MOST_CHANGES).fold(error, |error, change| error.detail(format!("- {change}")));
    let more = changed.len().saturating_sub(MOST_CHANGES);
    let error = if more > 0 { error.detail(format!("- and {more} more")) } else { error };
    Err(error
        .detail("Applying it could remove a certificate that is now in use.")
        .hint("make a fresh plan: certwright plan MANIFEST --out plan.json"))
}

impl SavedPlan {
    /// The plan of the manifest at `manifest`, to be saved in `file`.
    pub(super) fn new(plan: &Plan, manifest: &Path, file: &Path) -> Self {
        let directory = file.parent().unwrap_or(Path::new(""));
        let manifest = relative(manifest, directory);
        Self { version: Plan::VERSION, manifest, digest: digest(plan), plan: plan.clone() }
    }

    pub(super) fn read(path: &Path) -> Result<Self, CommandError> {
        let refused = || {
            CommandError::new(Exit::Error, format!("{} is not a plan that can be applied", path.display()))
        };
        let again = "make a fresh plan: certwright plan MANIFEST --out plan.json";
        let bytes = files::read(path)?;
        let value: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|error| refused().because(error).hint(again))?;
        let version = value.get("version").and_then(serde_json::Value::as_u64);
        match version {
            Some(version) if version == u64::from(Plan::VERSION) => {}
            Some(version) if version > u64::from(Plan::VERSION) => {
                return Err(refused()
                    .detail(format!(
                        "Its format is {version}; this certwright knows up to {}.",
                        Plan::VERSION
                    ))
                    .hint("use the certwright that made it, or make a fresh plan with this one"));
            }
            _ => return Err(refused().detail("It does not say which format it has.").hint(again)),
        }
        let saved: Self = serde_path_to_error::deserialize(value).map_err(|error| {
            let place = error.path().to_string();
            refused().because(error.into_inner()).detail(format!("The mistake is at {place}.")).hint(again)
        })?;
        if saved.digest != digest(&saved.plan) {
            return Err(refused()
                .detail(
                    "It was changed after certwright wrote it: what was reviewed is not what would be done.",
                )
                .hint(again));
        }
        Ok(saved)
    }

    pub(super) fn manifest_path(&self, file: &Path) -> PathBuf {
        file.parent().unwrap_or(Path::new("")).join(&self.manifest)
    }

    pub(super) fn check_fresh(&self, session: &Session, observed: &Observed) -> Result<(), CommandError> {
        check_unchanged(&self.plan, session, observed)?;
        let now = session.driver.now();
        let narrowing = self.plan.only.as_ref().map(Narrowing::from).unwrap_or_default();
        let today = plan::plan_only(&narrowing, &session.desired, observed, now);
        if today.steps == self.plan.steps {
            return Ok(());
        }
        Err(CommandError::new(Exit::StalePlan, "the plan is stale")
            .detail("The servers are as they were, but the manifest or the time is not: another plan would be made now.")
            .hint("make a fresh plan: certwright plan MANIFEST --out plan.json"))
    }
}

fn digest(plan: &Plan) -> String {
    let bytes = serde_json::to_vec(plan).expect("a plan can be written as JSON");
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// `path` as it is seen from `directory`: a repository can be checked out elsewhere, and its plans still find it.
pub(super) fn relative(path: &Path, directory: &Path) -> PathBuf {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (path, directory) = (absolute(path), absolute(directory));
    let common = path.components().zip(directory.components()).take_while(|(a, b)| a == b).count();
    let up = directory.components().skip(common).map(|_| Component::ParentDir);
    let relative: PathBuf = up.chain(path.components().skip(common)).collect();
    if common == 0 { path } else { relative }
}

const MOST_CHANGES: usize = 12;
