//! `certwright apply`: carrying a plan out, or going on with a run that did not come to its end.

use std::path::Path;

pub use super::apply_session::RunOptions;
use super::{
    CommandError, Exit, Terminal,
    apply_session::{Running, Task},
    confirm, plan as plan_command, prove,
    saved_plan::{SavedPlan, check_unchanged},
    session::Session,
    unfinished::{self, Unfinished},
};
use crate::{
    model::{organization::Observed, plan::Plan},
    plan::Narrowing,
};

/// Applies a manifest, or a saved plan.
pub fn run(path: &Path, options: RunOptions<'_>, terminal: Terminal) -> Result<Exit, CommandError> {
    let is_plan = path.extension().is_some_and(|extension| extension == "json");
    let saved = if is_plan { Some(SavedPlan::read(path)?) } else { None };
    let manifest = saved.as_ref().map_or_else(|| path.to_owned(), |saved| saved.manifest_path(path));
    if saved.is_some() && !options.only.is_empty() {
        return Err(CommandError::new(Exit::Usage, "a saved plan is applied as it was reviewed")
            .hint("narrow it when it is made: certwright plan MANIFEST --server SERVER --out plan.json"));
    }
    if saved.is_some() && options.handshakes {
        return Err(CommandError::new(Exit::Usage, "a saved plan is applied as it was reviewed").hint(
            "meet the services when it is made: certwright plan MANIFEST --handshakes --out plan.json",
        ));
    }
    let mut session = Session::open(&manifest)?;
    session.driver.acting()?;
    let narrowing = options.only.narrowing(&session.desired)?;
    if let Some(servers) = options.parallelism {
        session.desired.limits.servers_at_once = servers;
    }
    Running::with_lock(session, options, terminal, |running| go_on_or_begin(running, saved, narrowing))
}

fn go_on_or_begin(
    running: &mut Running<'_>,
    saved: Option<SavedPlan>,
    mut narrowing: Narrowing,
) -> Result<Exit, CommandError> {
    let mut observed = running.session.observe()?;
    if running.options.handshakes {
        running.session.see_served(&mut observed, None);
    }
    if let Some(unfinished) = unfinished::find(&running.store)? {
        if let Some(exit) = go_on(running, &unfinished, saved.as_ref(), &narrowing, &mut observed)? {
            return Ok(exit);
        }
        if narrowing.is_empty() && !running.options.abandon {
            narrowing = unfinished.narrowing();
        }
    }
    let plan = match saved {
        Some(saved) => {
            saved.check_fresh(&running.session, &observed)?;
            prove::prove(&saved.plan, &running.session, &observed)?;
            saved.plan
        }
        None => plan_command::make(&running.session, &narrowing, &observed)?,
    };
    begin(running, &plan)
}

/// Shows a plan, asks, and carries it out as a new run.
fn begin(running: &mut Running<'_>, plan: &Plan) -> Result<Exit, CommandError> {
    begin_after(running, plan, &|_| Ok(()))
}

/// The same, after something that has to be done once somebody has agreed.
pub(super) fn begin_after(
    running: &mut Running<'_>,
    plan: &Plan,
    agreed: &dyn Fn(&Running<'_>) -> Result<(), CommandError>,
) -> Result<Exit, CommandError> {
    running.show(plan)?;
    if plan.is_empty() {
        return Ok(if plan.is_blocked() { Exit::Stopped } else { Exit::Done });
    }
    running.check_backups(plan)?;
    confirm::confirm(plan, running.options.auto_approve, running.terminal)?;
    // While somebody read and answered, the organization may have changed.
    let observed = running.session.observe()?;
    check_unchanged(plan, &running.session, &observed)?;
    agreed(running)?;
    let run = running.store.begin(running.session.driver.now())?;
    running.carry_out(&run, Task::Begin(plan))
}

/// Goes on with a run that did not come to its end. None when there is nothing to go on with and a new plan is to be
/// made.
fn go_on(
    running: &mut Running<'_>,
    unfinished: &Unfinished,
    saved: Option<&SavedPlan>,
    narrowing: &Narrowing,
    observed: &mut Observed,
) -> Result<Option<Exit>, CommandError> {
    let name = unfinished.name().to_owned();
    let files = running.files(&unfinished.run);
    let now = running.session.driver.now();
    if running.options.abandon {
        unfinished.give_up(&files, now)?;
        running.terminal.say(&format!("run {name} is given up"));
        return Ok(None);
    }
    if let Some(taken_back) = &unfinished.progress.plan.rolls_back {
        return Err(CommandError::new(
            Exit::Stopped,
            format!("run {name}, which takes back {taken_back}, did not come to its end"),
        )
        .hint("go on with it: certwright rollback")
        .hint("or leave everything as it is now and plan anew: certwright apply --abandon"));
    }
    if saved.is_some_and(|saved| saved.plan != unfinished.progress.plan) {
        return Err(CommandError::new(Exit::Stopped, format!("run {name} did not come to its end"))
            .detail("It was of another plan than this one, which was made for an organization without it.")
            .hint("go on with it: certwright apply MANIFEST")
            .hint(format!("take it back: certwright rollback {name}"))
            .hint("or leave everything as it is now and plan anew: certwright apply --abandon"));
    }
    if !narrowing.is_empty() && *narrowing != unfinished.narrowing() {
        let part = unfinished.progress.plan.only.as_ref();
        let part = part.map_or("for the whole manifest".into(), |only| format!("for {}", only.names()));
        return Err(CommandError::new(Exit::Stopped, format!("run {name} did not come to its end"))
            .detail(format!("It is {part}, and this command is for another part."))
            .hint("go on with it: certwright apply MANIFEST")
            .hint(format!("take it back: certwright rollback {name}"))
            .hint("or leave everything as it is now and plan anew: certwright apply --abandon"));
    }
    let standing = unfinished::standing(&name, &unfinished.progress, &files, &running.session, observed)?;
    let mut obstacles: Vec<String> =
        unfinished.obstacles(&standing, &running.session, observed).iter().map(ToString::to_string).collect();
    running.session.see_served(observed, Some(&unfinished.served_wrongly()));
    obstacles.extend(unfinished.not_restarted(&running.session, observed));
    let lost = standing.would_be_lost(observed);
    let cannot = unfinished.cannot(&standing.settled);
    if let (Some(why), true, true) = (cannot, lost.is_empty(), standing.settled.begun.is_empty()) {
        unfinished.give_up(&files, now)?;
        running.terminal.say(&format!(
            "run {name} has done what it could ({why}); nothing is lost with it, and a new plan is made"
        ));
        return Ok(None);
    }
    if !obstacles.is_empty() && lost.is_empty() && standing.settled.begun.is_empty() {
        unfinished.give_up(&files, now)?;
        running.terminal.say(&format!(
            "run {name} cannot go on as it was planned ({}); nothing is lost with it, and a new plan is made",
            obstacles[0]
        ));
        return Ok(None);
    }
    if !obstacles.is_empty() {
        let error = CommandError::new(Exit::Stopped, format!("run {name} cannot go on as it was planned"))
            .detail("It did not come to its end, and what is left of it does not fit any more:");
        let error = obstacles.iter().fold(error, |error, problem| error.detail(format!("- {problem}")));
        let error = lost.iter().fold(error, |error, lost| {
            error.detail(format!("Its certificate {lost} is on no server yet; its key is with the run."))
        });
        return Err(error
            .hint(format!("take it back: certwright rollback {name}"))
            .hint("or leave everything as it is now and plan anew: certwright apply --abandon"));
    }
    let rest = unfinished.rest(&standing.settled);
    let all = unfinished.progress.plan.steps.len();
    let (at, by) = &unfinished.progress.sessions[0];
    running.terminal.say(&format!(
        "run {name} of {} on {}, begun {at}, did not come to its end: {} of {all} steps are done; it goes on with the rest",
        by.user,
        by.host,
        all - rest.steps.len(),
    ));
    resume(running, unfinished, &rest, &standing.settled, observed).map(Some)
}

/// Asks, and goes on with what is left of a run.
pub(super) fn resume(
    running: &mut Running<'_>,
    unfinished: &Unfinished,
    rest: &Plan,
    settled: &crate::plan::recovery::Settled,
    observed: &Observed,
) -> Result<Exit, CommandError> {
    if !rest.is_empty() {
        running.show(rest)?;
        running.check_backups(rest)?;
        confirm::confirm(rest, running.options.auto_approve, running.terminal)?;
        let again = running.session.observe()?;
        super::saved_plan::check_same(observed, &again, &running.session)?;
    }
    running.carry_out(&unfinished.run, Task::GoOn(&unfinished.progress.plan, settled))
}
