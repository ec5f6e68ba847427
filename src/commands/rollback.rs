//! `certwright rollback`: the way back from a run, as a plan like any other.

use std::path::Path;

use super::{
    CommandError, Exit, Terminal, apply,
    apply_session::RunOptions,
    apply_session::Running,
    prove,
    session::Session,
    unfinished::{self, Unfinished},
};
use crate::{
    apply::resume::{self, Standing},
    model::{
        action::StepId,
        causes::with_causes,
        entry::Outcome,
        organization::Observed,
        plan::Plan,
        warning::{RunWarning, Warning},
    },
    plan::{
        progress::Progress,
        rollback::{self, LostBackups},
    },
    ports::artifacts::Artifacts,
};

/// Takes back what a run did; the newest one, when none is named.
pub fn run(
    manifest: &Path,
    run: Option<&str>,
    options: RunOptions<'_>,
    terminal: Terminal,
) -> Result<Exit, CommandError> {
    let opened = Session::open(manifest)
        .inspect_err(|error| apply::tell_of_manifest("rollback", manifest, error, options, terminal))?;
    session(opened, run, options, terminal)
}

/// The same for a session that is open.
pub fn session(
    session: Session,
    run: Option<&str>,
    options: RunOptions<'_>,
    terminal: Terminal,
) -> Result<Exit, CommandError> {
    Running::with_lock(session, options, terminal, "rollback", |running| take_back_or_go_on(running, run))
}

fn take_back_or_go_on(running: &mut Running<'_>, run: Option<&str>) -> Result<Exit, CommandError> {
    let observed = running.session.observe()?;
    let unfinished = unfinished::find(&running.store)?;
    let is_way_back = |unfinished: &Unfinished| {
        let taken_back = unfinished.progress.plan.rolls_back.as_deref();
        taken_back.is_some() && (run.is_none() || run == taken_back || run == Some(unfinished.name()))
    };
    if let Some(way_back) = unfinished.as_ref().filter(|unfinished| is_way_back(unfinished)) {
        return match go_on(running, way_back, &observed)? {
            GoneOn::Over(exit) => Ok(exit),
            GoneOn::Anew(run) => take_back(running, &run, None, &observed),
        };
    }
    let name = match (run, &unfinished) {
        (Some(run), _) => run.to_owned(),
        (None, Some(unfinished)) => unfinished.name().to_owned(),
        (None, None) => match newest(running)? {
            Newest::Run(name) => name,
            Newest::TakenBack { run, by } => {
                // Asked again, after a connection was lost for example: what was wanted is so.
                if let Some(progress) = unfinished::read(&running.store, &by)? {
                    running.tell_nothing_done(&Plan { steps: Vec::new(), ..progress.plan })?;
                }
                running
                    .terminal
                    .say(&format!("run {run} was already rolled back by run {by}; nothing is left to do"));
                running.terminal.say(&format!(
                    "to roll back an earlier run, name it: {} lists them",
                    running.place().history()
                ));
                return Ok(Exit::Done);
            }
        },
    };
    if let Some(other) = unfinished.as_ref().filter(|other| other.name() != name) {
        // A name that no run has is the mistake, whatever else is open.
        unfinished::read(&running.store, &name)?;
        return Err(CommandError::new(
            Exit::Unfinished,
            format!("run {} is newer than {name} and is not finished", other.name()),
        )
        .detail("Runs are rolled back one after the other, the newest first.")
        .hint(format!("roll it back: {}", running.place().rollback(Some(other.name())))));
    }
    take_back(running, &name, unfinished, &observed)
}

fn take_back(
    running: &mut Running<'_>,
    name: &str,
    unfinished: Option<Unfinished>,
    observed: &Observed,
) -> Result<Exit, CommandError> {
    let target = match unfinished {
        Some(unfinished) => unfinished,
        None => Unfinished {
            run: running.store.resume(name)?,
            progress: unfinished::read(&running.store, name)?.ok_or_else(|| {
                CommandError::new(
                    Exit::Error,
                    format!("run {name} changed nothing; there is nothing to roll back"),
                )
            })?,
        },
    };
    heed_compromised(running, &target.progress.plan);
    let files = running.files(&target.run);
    let Standing { settled, .. } =
        unfinished::standing(name, &target.progress, &files, &running.session, observed)?;
    let now = running.session.driver.now();
    let lost = lost_backups(&target.progress, &files);
    let desired = &running.session.desired;
    let plan = rollback::rollback(name, &target.progress, &settled, &lost, desired, observed, now);
    prove::prove_way_back(&plan, &running.session, observed, &running.place().plan())?;
    // From here on it is this plan that somebody has to go on with.
    let close = |running: &Running<'_>| {
        if target.progress.is_over() { Ok(()) } else { target.give_up(&running.files(&target.run), now) }
    };
    if plan.is_empty() {
        running.show(&plan)?;
        running.tell_nothing_done(&plan)?;
        close(running)?;
        running.terminal.say(&if plan.warnings.is_empty() && plan.left_alone.is_empty() {
            format!("nothing of run {name} is left to roll back")
        } else {
            format!("nothing more of run {name} can be rolled back; everything stays as it is now")
        });
        return Ok(of_way_back(&plan, Exit::Done));
    }
    apply::begin_after(running, &plan, &close).map(|exit| of_way_back(&plan, exit))
}

/// Whoever wanted everything back does not have it where something stays.
fn of_way_back(plan: &Plan, exit: Exit) -> Exit {
    let stays = |warning: &Warning| matches!(warning, Warning::Run(RunWarning::NotTakenBack { .. }));
    let all_back = plan.left_alone.is_empty() && !plan.warnings.iter().any(stays);
    if exit == Exit::Done && !all_back { Exit::Cannot } else { exit }
}

/// Nothing is given back to a certificate whose key others may have: those of the manifest, and those that the run replaced for
/// it. Only who says so gets it all the same.
fn heed_compromised(running: &mut Running<'_>, run: &Plan) {
    running.session.means(run);
    let compromised = running.session.desired.compromised();
    if !running.options.give_back_compromised || compromised.is_empty() {
        return;
    }
    running.session.desired = running.session.desired.clone().with_none_compromised();
    for thumbprint in compromised {
        running.terminal.say(&format!(
            "others may have the key of {thumbprint}: what had it before has it again, as `--give-back-compromised` says"
        ));
    }
}

/// The backups that cannot be read, while there is time to do something about it.
fn lost_backups(progress: &Progress, files: &dyn Artifacts) -> LostBackups {
    let made = progress.done();
    let needed = rollback::backups_needed(progress).into_iter().filter(|step| made.contains_key(step));
    let lost = |step: StepId| Some((step, with_causes(&files.backup(None, step).err()?)));
    needed.filter_map(lost).collect()
}

/// What came of going on with a way back.
enum GoneOn {
    /// It was gone on with.
    Over(Exit),
    /// It does not fit any more and nothing is lost with it: the way back from this run is planned anew.
    Anew(String),
}

fn go_on(
    running: &mut Running<'_>,
    way_back: &Unfinished,
    observed: &Observed,
) -> Result<GoneOn, CommandError> {
    let name = way_back.name().to_owned();
    let files = running.files(&way_back.run);
    let standing = unfinished::standing(&name, &way_back.progress, &files, &running.session, observed)?;
    let obstacles = resume::unsafe_rest(
        &way_back.progress,
        &standing,
        &running.session.desired,
        observed,
        running.session.driver.now(),
    );
    let of_run = way_back.progress.plan.rolls_back.as_ref();
    if let (Some(problem), Some(run), true) = (obstacles.first(), of_run, standing.settled.begun.is_empty()) {
        way_back.give_up(&files, running.session.driver.now())?;
        running.terminal.say(&format!(
            "run {name} cannot go on as it was planned ({problem}); the rollback of run {run} is planned again"
        ));
        return Ok(GoneOn::Anew(run.clone()));
    }
    if !obstacles.is_empty() {
        let error = CommandError::new(Exit::Stopped, format!("run {name} cannot go on as it was planned"));
        let error = obstacles.iter().fold(error, |error, problem| error.detail(format!("- {problem}")));
        let abandon = running.place().abandon();
        return Err(
            error.hint(format!("leave everything as it is now and plan from the manifest: {abandon}"))
        );
    }
    let rest = resume::rest(&way_back.progress, &standing.settled);
    running.terminal.say(&format!("run {name} is not finished; it goes on with the rest"));
    unfinished::tell_restarts(&way_back.progress, &standing, running.terminal);
    let exit = apply::go_on_with(running, way_back, &rest, &standing.settled, observed)?;
    Ok(GoneOn::Over(of_way_back(&way_back.progress.plan, exit)))
}

/// The newest run that changed something.
enum Newest {
    /// It can be taken back.
    Run(String),
    /// It was a way back itself, and came to its end.
    TakenBack { run: String, by: String },
}

fn newest(running: &Running<'_>) -> Result<Newest, CommandError> {
    for run in running.store.runs()? {
        let Some(progress) = unfinished::read(&running.store, &run)? else { continue };
        let given_up = matches!(progress.ended, Some((_, Outcome::Abandoned)));
        if let Some(taken_back) = progress.plan.rolls_back {
            return Ok(if given_up {
                Newest::Run(taken_back)
            } else {
                Newest::TakenBack { run: taken_back, by: run }
            });
        }
        return Ok(Newest::Run(run));
    }
    Err(CommandError::new(Exit::Error, "there is no run to roll back")
        .detail(format!("No run was found in {}.", running.store.describe())))
}
