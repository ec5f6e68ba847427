//! `certwright apply`: carrying a plan out.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    CommandError, Exit, Terminal, files, plan as plan_command,
    session::{Session, holder, wall_clock},
    terminal::numbered,
};
use crate::{
    engine::{
        apply::{self, Event, Ports, StepResult},
        journal::Journal,
    },
    journal::RunFiles,
    model::{
        organization::Observed,
        plan::{Plan, Undo},
        time::Timestamp,
    },
    plan,
    probe::Network,
    views::human::describe,
};

/// A plan in a file: the plan, the manifest it was made from, and a digest that tells whether somebody changed it.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SavedPlan {
    /// The format of this file.
    pub version: u32,
    /// The manifest, relative to this file's directory when it is not absolute.
    pub manifest: PathBuf,
    /// SHA-256 over the plan, in hexadecimal.
    pub digest: String,
    /// The plan.
    pub plan: Plan,
}

/// What the command line says about a run.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Whether nobody is asked.
    pub auto_approve: bool,
    /// Servers at the same time, instead of the manifest's limit.
    pub parallelism: Option<u32>,
    /// Where runs are kept.
    pub state: Option<&'a Path>,
    /// The output's format.
    pub format: &'a str,
}

/// Applies a manifest, or a saved plan.
pub fn run(path: &Path, options: Options<'_>, terminal: Terminal) -> Result<Exit, CommandError> {
    let is_plan = path.extension().is_some_and(|extension| extension == "json");
    let saved = if is_plan { Some(SavedPlan::read(path)?) } else { None };
    let manifest = saved.as_ref().map_or_else(|| path.to_owned(), |saved| saved.manifest_path(path));
    let mut session = Session::open(&manifest)?;
    if let Some(servers) = options.parallelism {
        session.desired.limits.servers_at_once = servers;
    }
    let observed = session.observe()?;
    let plan = match saved {
        Some(saved) => {
            saved.check_fresh(&session, &observed)?;
            plan_command::prove(&saved.plan, &session, &observed)?;
            saved.plan
        }
        None => plan_command::make(&session, &observed)?,
    };
    if options.format == "human" {
        terminal.show(|out| terminal.view(options.format).plan(&plan, out))?;
    }
    if plan.is_empty() {
        return Ok(Exit::Done);
    }
    if !options.auto_approve {
        confirm(&plan, terminal)?;
    }
    carry_out(&plan, &session, options, terminal)
}

fn carry_out(
    plan: &Plan,
    session: &Session,
    options: Options<'_>,
    terminal: Terminal,
) -> Result<Exit, CommandError> {
    let issuers = session.issuers()?;
    let password = session.backup_password()?;
    let store = session.store(options.state);
    let (by, now) = (holder(), session.driver.now());
    let _lock = store.lock(&by, wall_clock())?;
    // Between the look and the lock somebody else may have been at work.
    check_unchanged(plan, session, &session.observe()?)?;
    let run = store.begin(now)?;
    let files = RunFiles::new(&run, password);
    let clock = || session.driver.now();
    let ports = Ports {
        driver: session.driver.as_ref(),
        issuers: &issuers,
        journal: &run,
        artifacts: &files,
        prober: &Network::default(),
        clock: &clock,
        by,
    };
    let total = plan.steps.len();
    let on_event = |event: &Event<'_>| progress(event, total, terminal);
    let report = apply::apply(plan, &session.desired, &ports, &on_event)?;
    terminal.show(|out| terminal.view(options.format).report(&report, plan, out))?;
    if report.is_complete() {
        return Ok(Exit::Done);
    }
    terminal.say(&format!("the journal of this run is {}.jsonl", run.folder().display()));
    debug_assert_eq!(report.run, run.run());
    Ok(Exit::Stopped)
}

fn progress(event: &Event<'_>, total: usize, terminal: Terminal) {
    let line = |step: &crate::model::plan::Step, word: &str| {
        let server = step.action.server().map_or(String::new(), |server| format!("{server}: "));
        format!(
            "{} {word} {server}{} {}",
            numbered(step.id, total),
            step.action.verb(),
            describe(&step.action)
        )
    };
    match event {
        Event::Started(_) => {}
        Event::Ended(step, StepResult::Done(_)) => terminal.say(&line(step, "done   ")),
        Event::Ended(step, StepResult::Failed(error)) => {
            terminal.say(&format!("{}: {error}", line(step, "FAILED ")))
        }
        Event::Ended(step, StepResult::Skipped(_)) => terminal.say(&line(step, "skipped")),
    }
}

/// Asks before anything is done. Somebody has to be there to answer.
fn confirm(plan: &Plan, terminal: Terminal) -> Result<(), CommandError> {
    if !terminal.can_answer {
        return Err(CommandError::new(Exit::Usage, "nobody can be asked whether to apply this plan")
            .detail("Input or output is not a terminal, and certwright does not guess the answer.")
            .hint("pass --auto-approve, best with a plan that was reviewed: certwright apply plan.json --auto-approve"));
    }
    let irreversible = plan.steps.iter().any(|step| matches!(step.undo, Undo::Irreversible { .. }));
    let wanted = if irreversible { plan.organization.as_str() } else { "yes" };
    let question = format!("\nApply these {} steps? Only `{wanted}` is accepted:", plan.steps.len());
    if terminal.ask(&question)? == wanted {
        return Ok(());
    }
    Err(CommandError::new(Exit::Error, "not applied; nothing was changed"))
}

/// Refuses a plan whose observed facts are different by now, and says which.
fn check_unchanged(plan: &Plan, session: &Session, observed: &Observed) -> Result<(), CommandError> {
    let found = plan::facts(&session.desired, &observed.organization);
    let changed = plan::changed_facts(&plan.basis.facts, &found);
    if changed.is_empty() {
        return Ok(());
    }
    let error = CommandError::new(Exit::StalePlan, "the plan is stale")
        .detail(format!("The organization changed after it was observed at {}:", plan.observed_at));
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

    fn read(path: &Path) -> Result<Self, CommandError> {
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

    fn manifest_path(&self, file: &Path) -> PathBuf {
        file.parent().unwrap_or(Path::new("")).join(&self.manifest)
    }

    fn check_fresh(&self, session: &Session, observed: &Observed) -> Result<(), CommandError> {
        check_unchanged(&self.plan, session, observed)?;
        let now: Timestamp = session.driver.now();
        let today = plan::plan(&session.desired, observed, now);
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
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `path` as it is seen from `directory`: a repository can be checked out elsewhere, and its plans still find it.
fn relative(path: &Path, directory: &Path) -> PathBuf {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (path, directory) = (absolute(path), absolute(directory));
    let common = path.components().zip(directory.components()).take_while(|(a, b)| a == b).count();
    let up = directory.components().skip(common).map(|_| std::path::Component::ParentDir);
    let relative: PathBuf = up.chain(path.components().skip(common)).collect();
    if common == 0 { path } else { relative }
}

const MOST_CHANGES: usize = 12;
