//! `certwright plan`: the steps that would be done.

use std::path::Path;

use super::{
    CommandError, Exit, Terminal, files,
    narrow::Named,
    rehearse,
    saved_plan::SavedPlan,
    session::{Look, Session},
};
use crate::{
    model::{action::Action, desired::Desired, organization::Observed, plan::Plan, time::Timestamp},
    plan::{self, Narrowing, lint},
};

/// What the command line says about a plan.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// A capture to plan from instead of the servers.
    pub look: Option<Look<'a>>,
    /// Where the plan is saved.
    pub save: Option<&'a Path>,
    /// Whether the plan is carried out on a copy of what was observed.
    pub rehearse: bool,
    /// What goes wrong on the copy.
    pub faults: Option<&'a Path>,
    /// Whether pending changes have an exit code of their own.
    pub detailed_exitcode: bool,
    /// What it is narrowed to.
    pub only: Named<'a>,
    /// The output's format.
    pub format: &'a str,
}

/// Plans, and saves the plan when a file is named.
pub fn run(path: &Path, options: Options<'_>, terminal: Terminal) -> Result<Exit, CommandError> {
    let Options { look, save, rehearse, faults, detailed_exitcode, only, format } = options;
    let mut session = Session::open_looking_at(path, look)?;
    let observed = session.observe()?;
    let plan = make(&session, &only.narrowing(&session.desired)?, &observed)?;
    // What a rehearsal says in JSON holds the plan.
    if !rehearse || format == "human" {
        terminal.show(|out| terminal.view(format).plan(&plan, out))?;
    }
    if let Some(file) = save {
        files::write_json(file, &SavedPlan::new(&plan, path, file))?;
        terminal.say(&format!(
            "plan saved; apply exactly this one with:\n    certwright apply {}",
            file.display()
        ));
    }
    if rehearse {
        return rehearse::rehearse(&session, &observed, &plan, faults, format, terminal);
    }
    let pending = !plan.is_empty() || plan.is_blocked();
    Ok(if detailed_exitcode && pending { Exit::ChangesPending } else { Exit::Done })
}

/// A plan that was proved on paper.
pub(super) fn make(
    session: &Session,
    narrowing: &Narrowing,
    observed: &Observed,
) -> Result<Plan, CommandError> {
    let now = session.driver.now();
    let plan = plan::plan_only(narrowing, &session.desired, observed, now);
    prove(&plan, session, observed)?;
    Ok(plan)
}

/// Refuses a plan that removes more than the manifest allows.
fn within_limits(plan: &Plan, session: &Session) -> Result<(), CommandError> {
    let Some(limit) = session.desired.limits.removals else { return Ok(()) };
    let removals = plan.steps.iter().filter(|step| matches!(step.action, Action::Remove { .. })).count();
    let allowed = limit.of(plan.seen.certificates);
    if removals <= allowed {
        return Ok(());
    }
    Err(CommandError::new(Exit::Error, format!("the plan would remove {removals} certificates"))
        .detail(format!(
            "`limits.removals` is {limit}, which is {allowed} of the {} certificates on these servers; nothing is done.",
            plan.seen.certificates
        ))
        .hint("see whether that many should really go; then raise `limits.removals`, or narrow the plan with --server or --certificate")
        .hint("keep them for now: retire: never"))
}

/// Refuses a plan that is not safe.
pub(super) fn prove(plan: &Plan, session: &Session, observed: &Observed) -> Result<(), CommandError> {
    within_limits(plan, session)?;
    prove_on(plan, &session.desired, observed, session.driver.now())
}

/// The same for a manifest and a time by themselves.
pub(super) fn prove_on(
    plan: &Plan,
    desired: &Desired,
    observed: &Observed,
    now: Timestamp,
) -> Result<(), CommandError> {
    let problems = lint::lint(plan, desired, observed, now);
    if problems.is_empty() {
        return Ok(());
    }
    let error = CommandError::new(Exit::Error, "the plan is not safe, and nothing is done").detail(
        "A plan is carried out on paper first; at every step every endpoint must keep a valid certificate.",
    );
    Err(problems
        .iter()
        .fold(error, |error, problem| error.detail(format!("- {problem} [{}]", problem.law()))))
}
