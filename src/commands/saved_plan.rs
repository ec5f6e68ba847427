//! Plans in files.

use std::path::{Component, Path, PathBuf};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{CommandError, Exit, files, session::Session};
use crate::{
    json::{self, JsonError, Spacing},
    model::{
        organization::Observed,
        plan::Plan,
        schema::JsonSchema,
        shown::{ShowPath, portable},
        time::Timestamp,
        unfinished_run::UnfinishedRun,
    },
    plan::{self, Narrowing},
    views::RefusedPlan,
};

/// A plan in a file: the plan, the manifest it was made from, and a digest that tells whether somebody changed it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SavedPlan {
    /// The format of this file.
    pub version: u32,
    /// The manifest, as it is seen from this file's directory, with `/` between names.
    pub manifest: String,
    /// SHA-256 over everything else in this file, as `sha256:` and hexadecimal. Of certwright 0.1 over the plan alone, without
    /// `sha256:`.
    pub digest: String,
    /// The plan.
    pub plan: Plan,
}

/// What tells which kind of file it is, and of which format.
#[derive(Debug, Default, Deserialize)]
#[serde(default, expecting = "a mapping")]
struct Head {
    version: Option<Value>,
    digest: Option<IgnoredAny>,
    plan: Option<Box<Self>>,
    steps: Option<IgnoredAny>,
    organization: Option<IgnoredAny>,
}

/// A plan beside other things.
#[derive(Debug, Deserialize)]
struct WithPlan {
    plan: Plan,
}

/// The run that was in the way when a plan was printed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WithRun {
    #[serde(default)]
    unfinished_run: Option<UnfinishedRun>,
}

/// A plan that lost a part: it begins as one, and is no whole JSON.
fn damaged(path: &Path, bytes: &[u8], error: &JsonError) -> Option<CommandError> {
    let begins = bytes.trim_ascii_start().starts_with(b"{") && error.is_syntax();
    begins.then(|| {
        CommandError::new(Exit::Error, format!("{} is a damaged plan", path.shown()))
            .detail("A plan is one object of JSON, and this file does not hold a whole one: it was cut off, or changed.")
    })
}

/// A plan as `plan --format json` prints it, without what stands beside its own fields.
fn printed(bytes: &[u8]) -> Result<Plan, JsonError> {
    let mut value: Value = json::read(bytes)?;
    let beside = |fields: &mut Map<String, Value>| {
        ["unfinishedRun", "refused", "skipped"]
            .map(|field| fields.remove(field))
            .into_iter()
            .flatten()
            .count()
    };
    match value.as_object_mut().map(beside) {
        Some(1..) => json::read(value.to_string().as_bytes()),
        Some(0) | None => json::read(bytes),
    }
}

impl Head {
    /// The part that is the plan.
    fn of_plan(&self) -> &Self {
        self.plan.as_deref().unwrap_or(self)
    }

    fn has_plan(&self) -> bool {
        let plan = self.of_plan();
        plan.steps.is_some() && plan.organization.is_some()
    }

    fn newest(&self) -> u64 {
        let versions = [self, self.of_plan()].map(|part| part.version.as_ref().and_then(Value::as_u64));
        versions.into_iter().flatten().max().unwrap_or_default()
    }
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
        let manifest = place(&relative(manifest, directory));
        let digest = digest(&manifest, plan);
        Self { version: Plan::VERSION, manifest, digest, plan: plan.clone() }
    }

    /// Reads a plan to be shown, as far as it can be understood.
    pub(super) fn read_leniently(path: &Path) -> Result<Lenient, CommandError> {
        let no_plan = || CommandError::new(Exit::Error, format!("{} is no plan", path.shown()));
        let bytes = files::read_json(path)?;
        let head: Head = json::read(&bytes).map_err(|error| {
            let refused = damaged(path, &bytes, &error).unwrap_or_else(no_plan);
            refused.because(error).hint("save one: certwright plan MANIFEST --out plan.json")
        })?;
        if !head.has_plan() {
            return Err(no_plan()
                .detail("It has neither steps nor an organization.")
                .hint("save one: certwright plan MANIFEST --out plan.json"));
        }
        if let Ok(saved) = json::read::<Self>(&bytes) {
            let manifest = Some(saved.manifest_path(path));
            let refused = (!saved.is_as_written()).then_some(RefusedPlan::Changed);
            return Ok(Lenient::Whole {
                plan: Box::new(saved.plan),
                manifest,
                refused,
                version: head.newest(),
                unfinished_run: None,
            });
        }
        // What `plan --format json` prints is the plan alone, or the plan beside its comparison.
        let plan = match &head.plan {
            Some(_) => json::read(&bytes).map(|WithPlan { plan }| plan),
            None => printed(&bytes),
        };
        match plan {
            Ok(plan) => {
                let refused =
                    Some(head.digest.as_ref().map_or(RefusedPlan::NoDigest, |_| RefusedPlan::Changed));
                let unfinished_run = json::read::<WithRun>(&bytes).ok().and_then(|with| with.unfinished_run);
                let (plan, version) = (Box::new(plan), head.newest());
                Ok(Lenient::Whole { plan, manifest: None, refused, version, unfinished_run })
            }
            Err(error) => match head.newest() {
                version if version > u64::from(Plan::VERSION) => {
                    let value = json::read(&bytes).map_err(|error| no_plan().because(error))?;
                    Ok(Lenient::Newer { value, version })
                }
                _ => Err(no_plan().because(error)),
            },
        }
    }

    /// Whether it is as certwright wrote it.
    fn is_as_written(&self) -> bool {
        match self.digest.strip_prefix(SHA256) {
            Some(_) => self.digest == digest(&self.manifest, &self.plan),
            None => self.digest == digest_of(&self.plan),
        }
    }

    pub(super) fn read(path: &Path) -> Result<Self, CommandError> {
        let refused =
            || CommandError::new(Exit::Error, format!("{} is not a plan that can be applied", path.shown()));
        let again = "make a fresh plan: certwright plan MANIFEST --out plan.json";
        let bytes = files::read_json(path)?;
        let head: Head = json::read(&bytes).map_err(|error| {
            damaged(path, &bytes, &error).unwrap_or_else(refused).because(error).hint(again)
        })?;
        match head.version.as_ref().and_then(Value::as_u64) {
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
        let saved: Self = json::read(&bytes).map_err(|mistake| refused().because(mistake).hint(again))?;
        if !saved.is_as_written() {
            return Err(refused()
                .detail(
                    "It was changed after certwright wrote it: what was reviewed is not what would be done.",
                )
                .hint(again));
        }
        Ok(saved)
    }

    /// Refuses a plan of another organization: nothing in it fits, and that is no matter of its age.
    pub(super) fn check_organization(&self, file: &Path, session: &Session) -> Result<(), CommandError> {
        let (own, other) = (&session.desired.organization, &self.plan.organization);
        if own == other {
            return Ok(());
        }
        let what = format!("{} is a plan of {other}, and the manifest is of {own}", file.shown());
        Err(CommandError::new(Exit::StalePlan, what)
            .detail("A plan is applied to the organization that it was made for.")
            .hint(format!("name the manifest of {other}: certwright apply {} --manifest DIR", file.shown()))
            .hint(format!("or make a plan of {own}: certwright plan MANIFEST --out plan.json")))
    }

    /// The manifest beside which the plan lies now.
    pub(super) fn found_manifest(&self, file: &Path) -> Result<PathBuf, CommandError> {
        let manifest = self.manifest_path(file);
        if manifest.exists() {
            return Ok(manifest);
        }
        Err(CommandError::new(Exit::Error, format!("the manifest of {} is not where it was", file.shown()))
            .detail(format!(
                "The plan was made from the manifest at {}, seen from its own place.",
                self.manifest
            ))
            .hint(format!("say where it is: certwright apply {} --manifest DIR", file.shown())))
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

/// A saved plan as far as it can be understood.
pub(super) enum Lenient {
    /// A plan of a known format.
    Whole {
        /// The plan.
        plan: Box<Plan>,
        /// The manifest that it was made from.
        manifest: Option<PathBuf>,
        /// Why `apply` does not take it, but for its format.
        refused: Option<RefusedPlan>,
        /// Its format. A newer one may say nothing that is not known.
        version: u64,
        /// The run that was in its way when it was printed.
        unfinished_run: Option<UnfinishedRun>,
    },
    /// A plan of a format that is not known yet.
    Newer {
        /// The file.
        value: Value,
        /// Its format.
        version: u64,
    },
}

fn digest(manifest: &str, plan: &Plan) -> String {
    format!("{SHA256}{}", digest_of(&(Plan::VERSION, manifest, plan)))
}

fn digest_of(what: &impl Serialize) -> String {
    let bytes = json::bytes(what, Spacing::Line).expect("a plan can be written as JSON");
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// Where the manifest is, as it stands in the plan.
fn place(path: &Path) -> String {
    if path.as_os_str().is_empty() { ".".to_owned() } else { portable(path) }
}

/// `path` as it is seen from `directory`: a repository can be checked out elsewhere, and its plans still find it.
pub(super) fn relative(path: &Path, directory: &Path) -> PathBuf {
    let absolute = |path: &Path| {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        // `.` at an end is no name of its own.
        absolute.components().collect::<PathBuf>()
    };
    let (path, directory) = (absolute(path), absolute(directory));
    let common = path.components().zip(directory.components()).take_while(|(a, b)| a == b).count();
    let up = directory.components().skip(common).map(|_| Component::ParentDir);
    let relative: PathBuf = up.chain(path.components().skip(common)).collect();
    if common == 0 { path } else { relative }
}

const MOST_CHANGES: usize = 12;
const SHA256: &str = "sha256:";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_named_as_it_is_seen_from_the_plan() {
        for (manifest, file, told) in [
            (".", "plan.json", "."),
            ("./", "./plan.json", "."),
            ("contoso", "plan.json", "contoso"),
            ("contoso/manifest.yaml", "out/plan.json", "../contoso/manifest.yaml"),
            ("contoso", "contoso/plan.json", "."),
        ] {
            let directory = Path::new(file).parent().unwrap();
            assert_eq!(place(&relative(Path::new(manifest), directory)), told, "{manifest} {file}");
        }
    }
}
