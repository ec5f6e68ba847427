//! `certwright plan`: the steps that would be done.

use std::path::Path;

use super::{
    CommandError, Exit, Terminal, files, rehearse,
    saved_plan::SavedPlan,
    session::{Look, Session},
    targeting::Named,
};
use crate::{
    model::{action::Action, desired::Desired, organization::Observed, plan::Plan, time::Timestamp},
    plan::{self, Narrowing, lint},
    views::powershell,
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
    /// Whether services are met, and restarted when they serve an old certificate.
    pub handshakes: bool,
    /// How the plan is written.
    pub format: Format,
}

/// How a plan is written.
#[derive(Clone, Copy, Debug)]
pub enum Format {
    /// As the view of this name writes it.
    View(&'static str),
    /// As a script of the same steps.
    Powershell,
}

/// Plans, and saves the plan when a file is named.
pub fn run(path: &Path, options: Options<'_>, terminal: Terminal) -> Result<Exit, CommandError> {
    let Options { look, save, rehearse, faults, detailed_exitcode, only, handshakes, format } = options;
    if rehearse && matches!(format, Format::Powershell) {
        return Err(CommandError::new(Exit::Usage, "a rehearsal cannot be told as a PowerShell script")
            .hint("leave out --rehearse, or take --format human or json"));
    }
    let mut session = Session::open_looking_at(path, look)?;
    let mut observed = session.observe()?;
    if handshakes {
        session.see_served(&mut observed, None);
    }
    let plan = make(&session, &only.narrowing(&session.desired)?, &observed)?;
    match format {
        // What a rehearsal says in JSON holds the plan.
        Format::View(name) if rehearse && name != "human" => {}
        Format::View(name) => terminal.show(|out| terminal.view(name).plan(&plan, out))?,
        Format::Powershell => {
            terminal.show(|out| powershell::plan(&plan, &observed.organization, out))?;
        }
    }
    if let Some(file) = save {
        files::write_json(file, &SavedPlan::new(&plan, path, file))?;
        terminal.say(&format!(
            "plan saved; apply exactly this one with:\n    certwright apply {}",
            file.display()
        ));
    }
    if let (true, Format::View(name)) = (rehearse, format) {
        return rehearse::rehearse(&session, &observed, &plan, faults, name, terminal);
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
