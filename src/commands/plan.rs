//! `certwright plan`: the steps that would be done.

use std::path::Path;

use super::{
    CommandError, Exit, Terminal, files, prove, rehearse,
    saved_plan::SavedPlan,
    session::{Look, Session},
    targeting::Named,
};
use crate::{
    model::{organization::Observed, plan::Plan},
    plan::{self, Narrowing},
    views::powershell,
};

/// What the command line says about a plan.
#[derive(Clone, Copy, Debug)]
pub struct PlanOptions<'a> {
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
    pub format: PlanOutput,
}

/// How a plan is written.
#[derive(Clone, Copy, Debug)]
pub enum PlanOutput {
    /// As the view of this name writes it.
    View(&'static str),
    /// As a script of the same steps.
    Powershell,
}

/// Plans, and saves the plan when a file is named.
pub fn run(path: &Path, options: PlanOptions<'_>, terminal: Terminal) -> Result<Exit, CommandError> {
    let PlanOptions { look, save, rehearse, faults, detailed_exitcode, only, handshakes, format } = options;
    if rehearse && matches!(format, PlanOutput::Powershell) {
        return Err(CommandError::new(Exit::Usage, "a rehearsal cannot be told as a PowerShell script")
            .hint("leave out --rehearse, or take --format human or json"));
    }
    let mut session = Session::open_looking_at(path, look)?;
    let mut observed = session.observe()?;
    session.remember(&mut observed, &session.store(None)?)?;
    if handshakes {
        session.see_served(&mut observed, None);
    }
    let plan = make(&session, &only.narrowing(&session.desired)?, &observed)?;
    match format {
        // What a rehearsal says in JSON holds the plan.
        PlanOutput::View(name) if rehearse && name != "human" => {}
        PlanOutput::View(name) => terminal.show(|out| terminal.view(name).plan(&plan, out))?,
        PlanOutput::Powershell => {
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
    if let (true, PlanOutput::View(name)) = (rehearse, format) {
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
    prove::prove(&plan, session, observed)?;
    Ok(plan)
}
