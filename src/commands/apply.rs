//! `certwright apply`: carrying a plan out.

use std::path::Path;

use super::{
    CommandError, Exit, Terminal, plan as plan_command,
    saved_plan::{SavedPlan, check_unchanged},
    session::{Session, holder, wall_clock},
    terminal::numbered,
};
use crate::{
    engine::apply::{self, Event, Ports, StepResult},
    journal::{LockOptions, RunFiles},
    model::{
        action::Action,
        entry::Outcome,
        plan::{Plan, Undo},
    },
    probe::Network,
    views::human::describe,
};

/// What the command line says about a run.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Whether nobody is asked.
    pub auto_approve: bool,
    /// Servers at the same time, instead of the manifest's limit.
    pub parallelism: Option<u32>,
    /// Where runs are kept.
    pub state: Option<&'a str>,
    /// The output's format.
    pub format: &'a str,
}

/// Applies a manifest, or a saved plan.
pub fn run(path: &Path, options: Options<'_>, terminal: Terminal) -> Result<Exit, CommandError> {
    let is_plan = path.extension().is_some_and(|extension| extension == "json");
    let saved = if is_plan { Some(SavedPlan::read(path)?) } else { None };
    let manifest = saved.as_ref().map_or_else(|| path.to_owned(), |saved| saved.manifest_path(path));
    let mut session = Session::open(&manifest)?;
    session.driver.acting()?;
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
        return Ok(if plan.is_blocked() { Exit::Stopped } else { Exit::Done });
    }
    if !options.auto_approve {
        confirm(&plan, terminal)?;
    }
    carry_out(&plan, &mut session, options, terminal)
}

fn carry_out(
    plan: &Plan,
    session: &mut Session,
    options: Options<'_>,
    terminal: Terminal,
) -> Result<Exit, CommandError> {
    let issuers = session.issuers()?;
    let password = session.backup_password()?;
    let store = session.store(options.state)?;
    if plan.steps.iter().any(|step| matches!(step.action, Action::BackUp { with_key: true, .. })) {
        store.check_backups(password.as_ref())?;
    }
    let (by, now) = (holder(), session.driver.now());
    let lock = store.lock(&by, wall_clock(), &LockOptions::default())?;
    if let Some(taken_over) = lock.taken_over() {
        terminal.say(&format!("{taken_over}; this run goes on with it"));
    }
    // Between the look and the lock somebody else may have been at work.
    let observed = session.observe()?;
    check_unchanged(plan, session, &observed)?;
    let run = store.begin(now)?;
    let files = RunFiles::new(&run, session.keys_directory(&store), password);
    let clock = || session.driver.now();
    let ports = Ports {
        driver: session.driver.acting()?,
        issuers: &issuers,
        requests: &session.requests(),
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
    match report.outcome {
        Outcome::Converged if plan.is_blocked() => Ok(Exit::Stopped),
        Outcome::Converged => Ok(Exit::Done),
        Outcome::Waiting => Ok(Exit::Waiting),
        Outcome::Stopped => {
            terminal.say(&format!("the journal of this run is {}", run.place()));
            Ok(Exit::Stopped)
        }
    }
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
        Event::Ended(step, StepResult::Unknown(error)) => {
            terminal.say(&format!("{}: {error}", line(step, "UNKNOWN")))
        }
        Event::Ended(step, StepResult::Parked(_)) => terminal.say(&line(step, "waits  ")),
        Event::Ended(step, StepResult::Skipped(_)) => terminal.say(&line(step, "skipped")),
        Event::Ended(step, StepResult::Waiting(_)) => terminal.say(&line(step, "not yet")),
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
