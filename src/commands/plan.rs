//! `certwright plan`: the steps that would be done.

use std::path::Path;

use super::{
    CommandError, Exit, Terminal, against, files, next,
    outputs::{self, Outputs},
    prove, rehearse,
    saved_plan::SavedPlan,
    session::{Checked, Look, Session, remember},
    targeting::Named,
    unfinished,
};
pub use crate::views::{MARKDOWN_BUDGET, PLAN_FORMATS};
use crate::{
    model::{organization::Observed, plan::Plan},
    plan::{self, Narrowing},
    views::{Against, PlanResult, Reported},
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
    /// Another version of the manifest to compare with: a path, or a revision of Git.
    pub against: Option<&'a str>,
    /// What Markdown may have at most, in bytes.
    pub max_bytes: usize,
    /// What is written, and how.
    pub outputs: &'a Outputs,
}

/// Plans, and saves the plan when a file is named.
pub fn run(path: &Path, options: PlanOptions<'_>, terminal: Terminal) -> Result<Exit, CommandError> {
    let PlanOptions { look, save, rehearse, faults, only, handshakes, outputs, .. } = options;
    let format = outputs.format.as_str();
    if rehearse && !["human", "json"].contains(&format) {
        let what = format!("a rehearsal cannot be written as {format}");
        return Err(
            CommandError::new(Exit::Usage, what).hint("leave out --rehearse, or take --format human or json")
        );
    }
    let mut outputs = outputs.of(PLAN_FORMATS)?;
    if rehearse && format == "json" {
        // What a rehearsal says in JSON holds the plan.
        outputs.retain(|output| output.file.is_some());
    }
    let mut session = Session::open_looking_at(path, look)?;
    let mut observed = session.observe()?;
    session.remember(&mut observed, &session.store(None)?)?;
    if handshakes {
        session.see_served(&mut observed, None);
    }
    session.replace(only.replace, &observed)?;
    let plan = make(&session, &only.narrowing(&session.desired)?, &observed)?;
    unfinished::mention(&session.store(None)?, terminal)?;
    let against = options.against.map(|other| compared(other, path, &session, &plan, only)).transpose()?;
    let diagnostics = session.places.diagnostics("plan", plan.diagnostics());
    let organization = Some(observed.organization.clone());
    let result = PlanResult { plan, organization, against, budget: options.max_bytes };
    let reported = Reported { result, diagnostics };
    outputs::write(&reported, &outputs, terminal)?;
    let plan = reported.result.plan;
    if let Some(file) = save {
        files::write_json(file, &SavedPlan::new(&plan, path, file))?;
        terminal.say(&format!(
            "plan saved; apply exactly this one with:\n    certwright apply {}",
            next::quoted(file)
        ));
    }
    // In a log nobody waits for what to type.
    if save.is_none() && !rehearse && terminal.err_is_terminal && session.driver.acting().is_some() {
        terminal.next(next::after_plan(&plan, path).as_slice());
    }
    let contradictions = session.contradictions(&observed);
    if !contradictions.is_empty() {
        return Err(CommandError::contradictions(contradictions));
    }
    if rehearse {
        return rehearse::rehearse(&session, &observed, &plan, faults, format, terminal);
    }
    if !plan.is_whole() {
        return Ok(Exit::Cannot);
    }
    let pending = !plan.is_empty();
    Ok(if options.detailed_exitcode && pending { Exit::ChangesPending } else { Exit::Done })
}

/// The plan beside that of another version of the manifest, for the same servers as they are now.
fn compared(
    other: &str,
    path: &Path,
    session: &Session,
    plan: &Plan,
    only: Named<'_>,
) -> Result<Against, CommandError> {
    // Its relative paths are taken from where the manifest is: the surroundings are the same, only the manifest is not.
    let checked = Checked::of(against::sources(other, path)?, path)?;
    let desired = Session::desired_of(checked)?;
    let mut observed = session.look_for(&desired)?;
    let desired = desired.with_names_of(&observed.organization);
    remember(&desired, &mut observed, &session.store(None)?, session.driver.now())?;
    // What is named and not in the other version is what the change adds.
    let narrowing = only.narrowing(&desired).unwrap_or_else(|_| only.as_they_are());
    let before = plan::plan_only(&narrowing, &desired, &observed, session.driver.now());
    Ok(Against::new(other.to_owned(), plan, &before))
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
