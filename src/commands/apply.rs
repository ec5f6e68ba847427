//! `certwright apply`: carrying a plan out, or going on with a run that did not come to its end.

use std::path::Path;

pub use super::apply_session::RunOptions;
use super::{
    CommandError, Exit, Terminal,
    apply_session::{Running, Task},
    confirm, lost_requests,
    notifications::Notifications,
    plan as plan_command, prove,
    saved_plan::{SavedPlan, check_unchanged},
    session::Session,
    show,
    unfinished::{self, Unfinished},
};
use crate::{
    apply::{
        answered,
        resume::{self, Asked, Course, End, Refused},
    },
    model::{organization::Observed, plan::Plan, shown::ShowPath},
    plan::Narrowing,
};

/// Applies a manifest, or a saved plan.
pub fn run(
    path: &Path,
    manifest: Option<&Path>,
    options: RunOptions<'_>,
    terminal: Terminal,
) -> Result<Exit, CommandError> {
    let saved = if show::is_plan(path) { Some(SavedPlan::read(path)?) } else { None };
    let manifest = match (&saved, manifest) {
        (None, None) => path.to_owned(),
        (None, Some(_)) => {
            return Err(CommandError::new(Exit::Usage, format!("{} is no saved plan", path.shown()))
                .detail("--manifest says where the manifest of a saved plan is.")
                .hint("apply a manifest without it: certwright apply MANIFEST"));
        }
        (Some(_), Some(manifest)) => manifest.to_owned(),
        (Some(saved), None) => saved.found_manifest(path)?,
    };
    if saved.is_some() && !(options.only.is_empty() && options.only.replace.is_empty()) {
        return Err(CommandError::new(Exit::Usage, "a saved plan is applied as it was reviewed")
            .hint("narrow it when it is made: certwright plan MANIFEST --server SERVER --out plan.json"));
    }
    if saved.is_some() && options.handshakes {
        return Err(CommandError::new(Exit::Usage, "a saved plan is applied as it was reviewed").hint(
            "probe the services when it is made: certwright plan MANIFEST --handshakes --out plan.json",
        ));
    }
    let session = Session::open(&manifest)
        .inspect_err(|error| tell_of_manifest("apply", &manifest, error, options, terminal))?;
    if let Some(saved) = &saved {
        saved.check_organization(path, &session)?;
    }
    apply(session, saved, options, terminal)
}

/// Tells of a manifest that cannot be opened, when nobody is there to read it.
pub(super) fn tell_of_manifest(
    command: &str,
    manifest: &Path,
    error: &CommandError,
    options: RunOptions<'_>,
    terminal: Terminal,
) {
    if options.auto_approve {
        Notifications::of_path(manifest, options.notify, terminal).tell_error(command, error);
    }
}

/// Applies the manifest of a session that is open.
pub fn session(session: Session, options: RunOptions<'_>, terminal: Terminal) -> Result<Exit, CommandError> {
    apply(session, None, options, terminal)
}

fn apply(
    session: Session,
    saved: Option<SavedPlan>,
    options: RunOptions<'_>,
    terminal: Terminal,
) -> Result<Exit, CommandError> {
    session.acting()?;
    let narrowing = options.only.narrowing(&session.desired)?;
    Running::with_lock(session, options, terminal, "apply", |running| {
        go_on_or_begin(running, saved, narrowing)
    })
}

fn go_on_or_begin(
    running: &mut Running<'_>,
    saved: Option<SavedPlan>,
    mut narrowing: Narrowing,
) -> Result<Exit, CommandError> {
    let mut observed = running.session.observe()?;
    running.session.remember(&mut observed, &running.store)?;
    if running.options.handshakes {
        running.session.see_served(&mut observed, None);
    }
    let mut giving_up = None;
    if let Some(unfinished) = unfinished::find(&running.store)? {
        match go_on(running, &unfinished, saved.as_ref(), &narrowing, &mut observed)? {
            Gone::On(exit) => return Ok(exit),
            Gone::Over => {
                if narrowing.is_empty() && !running.options.abandon {
                    narrowing = resume::narrowing(&unfinished.progress);
                }
                giving_up = Some(unfinished);
            }
        }
    }
    let contradictions = running.session.contradictions(&observed);
    if !contradictions.is_empty() {
        return Err(CommandError::contradictions(contradictions));
    }
    let plan = if let Some(saved) = saved {
        running.session.means(&saved.plan);
        saved.check_fresh(&running.session, &observed)?;
        prove::prove(&saved.plan, &running.session, &observed)?;
        saved.plan
    } else {
        let replace = running.options.only.replace;
        running.session.replace(replace, &observed)?;
        plan_command::make(&running.session, &narrowing, &observed)?
    };
    let give_up = |running: &Running<'_>| match &giving_up {
        Some(unfinished) => give_up(running, unfinished),
        None => Ok(()),
    };
    // Where nothing is asked nobody can say no.
    if plan.is_empty() || plan.does_nothing() {
        give_up(running)?;
        return begin_after(running, &plan, &|_| Ok(()));
    }
    begin_after(running, &plan, &give_up)
}

/// Notes that nobody goes on with a run. Its keys go with that, so somebody has agreed before.
fn give_up(running: &Running<'_>, unfinished: &Unfinished) -> Result<(), CommandError> {
    unfinished.give_up(&running.files(&unfinished.run), running.session.driver.now())
}

/// What became of a run that did not come to its end.
enum Gone {
    /// It went on.
    On(Exit),
    /// Nobody goes on with it: a new plan is made.
    Over,
}

/// Shows a plan, asks, and carries it out as a new run, after something that has to be done once somebody has agreed.
pub(super) fn begin_after(
    running: &mut Running<'_>,
    plan: &Plan,
    agreed: &dyn Fn(&Running<'_>) -> Result<(), CommandError>,
) -> Result<Exit, CommandError> {
    running.show(plan)?;
    if plan.is_empty() {
        running.tell_nothing_done(plan)?;
        return Ok(if plan.is_blocked() { Exit::of_obstacles(plan) } else { Exit::Done });
    }
    if plan.does_nothing() && plan.rolls_back.is_none() {
        running.tell_nothing_done(plan)?;
        return Err(CommandError::new(
            Exit::of_obstacles(plan),
            "nothing of this plan can be done, and no run is begun",
        )
        .hint("correct what the plan says, in the manifest or on the server, and apply again"));
    }
    running.check_backups(plan)?;
    confirm::confirm(plan, running.options.auto_approve, running.terminal)?;
    // While somebody read and answered, the organization may have changed.
    let observed = running.session.observe()?;
    check_unchanged(plan, &running.session, &observed)?;
    agreed(running)?;
    lost_requests::restore(running, plan)?;
    let run = running.store.begin(running.session.driver.now())?;
    running.carry_out(&run, Task::Begin(plan))
}

/// Goes on with a run that did not come to its end, where there is something to go on with.
fn go_on(
    running: &mut Running<'_>,
    unfinished: &Unfinished,
    saved: Option<&SavedPlan>,
    narrowing: &Narrowing,
    observed: &mut Observed,
) -> Result<Gone, CommandError> {
    let name = unfinished.name().to_owned();
    let progress = &unfinished.progress;
    let replaced = running.session.replaced(running.options.only.replace, observed)?;
    let asked = Asked {
        abandon: running.options.abandon,
        saved: saved.map(|saved| &saved.plan),
        narrowing,
        replaced: &replaced,
    };
    if let Some(end) = resume::at_first(progress, &asked) {
        return end_of(running, unfinished, end, observed);
    }
    running.session.means(&progress.plan);
    let files = running.files(&unfinished.run);
    let standing = match unfinished::standing(&name, progress, &files, &running.session, observed) {
        Err(_) if resume::is_of_another_plan(progress, &asked) => {
            return end_of(running, unfinished, End::Refuse(Refused::OtherPlan), observed);
        }
        standing => standing?,
    };
    let course = unfinished::course(progress, &asked, &standing, &running.session, observed);
    let mut rest = match course {
        Course::GoOn(rest) => rest,
        Course::End(end) => return end_of(running, unfinished, end, observed),
    };
    let (desired, now) = (&running.session.desired, running.session.driver.now());
    let warnings = answered::warnings(progress, &rest, &standing, desired, observed, now);
    rest.warnings.extend(warnings);
    let all = unfinished.progress.plan.steps.len();
    let (at, by) = &unfinished.progress.sessions[0];
    running.terminal.say(&format!(
        "run {name} of {by}, begun {at}, is not finished: {} of {all} steps are done; it goes on with the rest",
        all - rest.steps.len(),
    ));
    unfinished::tell_restarts(progress, &standing, running.terminal);
    go_on_with(running, unfinished, &rest, &standing.settled, observed).map(Gone::On)
}

/// Tells why a new plan is made, or refuses to begin anything.
fn end_of(
    running: &Running<'_>,
    unfinished: &Unfinished,
    end: End,
    observed: &Observed,
) -> Result<Gone, CommandError> {
    let name = unfinished.name();
    match end {
        End::GiveUp(why) => {
            running.terminal.say(&unfinished::given_up(name, &unfinished.progress, &why, observed));
            Ok(Gone::Over)
        }
        End::Refuse(why) => Err(unfinished::refused(name, why, running.place())),
    }
}

/// Asks, and goes on with what is left of a run.
pub(super) fn go_on_with(
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
