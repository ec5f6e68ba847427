//! `certwright plan`: the steps that would be done.

use std::{mem, path::Path};

use super::{
    CommandError, Exit, Terminal, against,
    checked::Checked,
    files,
    next::{self, Place},
    outputs::{self, Outputs, Reporting},
    overwriting::{self, Inputs},
    prove, rehearse,
    saved_plan::SavedPlan,
    session::{Look, Session, remember},
    targeting::Named,
    unfinished::{self, Open},
    unfit_answers,
};
pub use crate::views::{MARKDOWN_BUDGET, PLAN_FORMATS};
use crate::{
    apply::resume::{self, Asked, Course, End},
    journal::{RunFiles, Store},
    manifest::finding::Finding,
    model::{
        organization::{Observed, Organization},
        plan::Plan,
        unfinished_run::UnfinishedRun,
    },
    plan::{self, Narrowing},
    verify::live_certificates::served_wrongly,
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
    /// Where runs are kept.
    pub state: Option<&'a str>,
    /// What is written, and how.
    pub outputs: &'a Outputs,
}

/// Plans, and saves the plan when a file is named.
pub fn run(path: &Path, options: PlanOptions<'_>, terminal: Terminal) -> Result<Exit, CommandError> {
    let PlanOptions { look, save, rehearse, faults, outputs, .. } = options;
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
    let against = options.against.map(Path::new).filter(|other| other.exists());
    let capture = look.and_then(|look| look.capture);
    let others: Vec<&Path> = capture.into_iter().chain(faults).collect();
    let manifests: Vec<&Path> = std::iter::once(path).chain(against).collect();
    overwriting::refuse(
        options.outputs.files().chain(save),
        Inputs { manifests: &manifests, others: &others, state: options.state },
    )?;
    let reporting =
        Reporting { command: "plan", manifest: path, outputs: options.outputs, budget: options.max_bytes };
    let Made { session, mut observed, reported, saved, contradictions } =
        reporting.told(made(path, &options, terminal), terminal)?;
    let reported = outputs::report(reported, &outputs, terminal)?;
    let PlanResult { plan, unfinished_run, organization, .. } = reported.result;
    observed.organization = organization.unwrap_or(observed.organization);
    let place = Place { manifest: path, state: options.state };
    if let Some(file) = save {
        files::write_json(file, &SavedPlan::new(saved.as_ref().unwrap_or(&plan), path, file))?;
        terminal.say(&format!("plan saved; apply exactly this one with:\n    {}", place.apply_saved(file)));
    }
    // In a log nobody waits for what to type.
    if save.is_none() && !rehearse && terminal.err_is_terminal {
        let acts = session.driver.acting().is_some();
        terminal.suggest(next::after_plan(&plan, acts, place).as_slice());
    }
    if !contradictions.is_empty() {
        return Err(CommandError::contradictions(contradictions));
    }
    if rehearse {
        let planned = (&plan, unfinished_run);
        return rehearse::rehearse(&session, &observed, planned, faults, format, terminal);
    }
    // What a run has left to do is pending, whatever a new plan would find.
    let pending = !plan.does_nothing() || unfinished_run.is_some();
    let differs = options.detailed_exitcode && pending && plan.lacks_only_sight();
    if !plan.is_whole() && !differs {
        return Ok(Exit::of_obstacles(&plan));
    }
    if options.detailed_exitcode && !pending && plan.not_seen().next().is_some() {
        return Ok(Exit::Error);
    }
    // The program ends soon. Giving all of it back piece by piece would be a twentieth of the time.
    mem::forget((plan, observed));
    Ok(if options.detailed_exitcode && pending { Exit::ChangesPending } else { Exit::Done })
}

/// A plan, and what else is known when it is made.
struct Made {
    session: Session,
    observed: Observed,
    reported: Reported<PlanResult>,
    /// The plan that is to be saved, where another one is shown.
    saved: Option<Plan>,
    /// Where the manifest contradicts what was observed.
    contradictions: Vec<Finding>,
}

/// Looks at the servers, and plans.
fn made(path: &Path, options: &PlanOptions<'_>, terminal: Terminal) -> Result<Made, CommandError> {
    let PlanOptions { look, save, only, handshakes, outputs, .. } = *options;
    let format = outputs.format.as_str();
    let mut session = Session::open_looking_at(path, look)?;
    let mut observed = session.observe()?;
    let store = session.store(options.state)?;
    session.remember(&mut observed, &store)?;
    let met = if handshakes { session.see_served(&mut observed, None) } else { Vec::new() };
    let replaced = session.replaced(only.replace, &observed)?;
    session.replace(only.replace, &observed)?;
    let narrowing = only.narrowing(&session.desired)?;
    let asked = Asked { abandon: false, saved: None, narrowing: &narrowing, replaced: &replaced };
    let open = if save.is_some() && session.driver.acting().is_some() {
        unfinished::plan_of_open(&store)?
    } else {
        None
    };
    let place = Place { manifest: path, state: options.state };
    let (left, unfinished_run) = if let Some(open) = open {
        let told = open.told(place);
        let left = what_is_left(open, &asked, (&mut session, &store), &mut observed, place, terminal)?;
        let told = UnfinishedRun { is_shown: left.is_some(), ..told };
        unfinished::warn(Some(&told), format, terminal);
        (left, Some(told))
    } else {
        let told = unfinished::newest(&store, place)?;
        unfinished::warn(told.as_ref(), format, terminal);
        (None, told)
    };
    let (mut plan, saved) = match left {
        Some((left, whole)) => (left, Some(whole)),
        None => (make(&session, &narrowing, &observed)?, None),
    };
    plan.warnings.extend(served_wrongly(&plan, &met));
    let against = match options.against {
        None => None,
        Some(other) => match compared(other, path, &session, &plan, (only, &store)) {
            // A change that mends the other version is to be reviewed too.
            Err(error) if error.exit == Exit::Findings => Some(Against::mistaken(other.to_owned())),
            compared => Some(compared?),
        },
    };
    let contradictions = session.contradictions(&observed);
    let mut list = plan.diagnostics();
    list.extend(contradictions.iter().map(Finding::diagnostic));
    list.extend(unfinished_run.as_ref().map(UnfinishedRun::diagnostic));
    let diagnostics = session.places.diagnostics("plan", list);
    let organization = Some(mem::replace(&mut observed.organization, Organization::not_captured()));
    let result =
        PlanResult { plan, organization, unfinished_run, against, refused: None, budget: options.max_bytes };
    let reported = Reported { result, diagnostics };
    Ok(Made { session, observed, reported, saved, contradictions })
}

/// The plan beside that of another version of the manifest, for the same servers as they are now.
fn compared(
    other: &str,
    path: &Path,
    session: &Session,
    plan: &Plan,
    (only, store): (Named<'_>, &Store),
) -> Result<Against, CommandError> {
    // Its relative paths are taken from where the manifest is: the surroundings are the same, only the manifest is not.
    let Some(sources) = against::sources(other, path)? else {
        return Ok(Against::nothing(other.to_owned(), plan));
    };
    let checked = Checked::of(sources, path)?;
    let desired = Session::desired_of(checked)?;
    let mut observed = session.look_for(&desired)?;
    let desired = desired.with_names_of(&observed.organization);
    remember(&desired, &mut observed, store, &[], session.driver.now())?;
    // What is named and not in the other version is what the change adds.
    let narrowing = only.narrowing(&desired).unwrap_or_else(|_| only.as_they_are());
    let before = plan::plan_only(&narrowing, &desired, &observed, session.driver.now());
    Ok(Against::new(other.to_owned(), plan, &before))
}

/// While a run is open that can go on, `apply` takes no other plan than the run's own: what is left of it to be shown, and the
/// whole to be saved. None when `apply` would give the run up: then a new plan is made, which it takes.
fn what_is_left(
    open: Open,
    asked: &Asked<'_>,
    (session, store): (&mut Session, &Store),
    observed: &mut Observed,
    place: Place<'_>,
    terminal: Terminal,
) -> Result<Option<(Plan, Plan)>, CommandError> {
    let Open { run, progress } = open;
    let unfinished = || CommandError::new(Exit::Unfinished, format!("run {run} is not finished"));
    if let Some(taken_back) = &progress.plan.rolls_back {
        return Err(unfinished()
            .detail(format!("It rolls back {taken_back}, and nothing else is begun before it is done."))
            .hint(format!("go on with it: {}", place.rollback(None))));
    }
    if let Some(refused) = resume::not_replaced(&progress, asked.replaced) {
        return Err(unfinished::refused(&run, refused, place));
    }
    let narrowing = asked.narrowing;
    if !narrowing.is_empty() && *narrowing != resume::narrowing(&progress) {
        return Err(unfinished()
            .detail("It is of another part than this plan would be, and `apply` would refuse this plan.")
            .hint(format!("go on with it first: {}", place.apply())));
    }
    session.means(&progress.plan);
    let password = session.backup_password()?;
    let files = RunFiles::of_run(store, &run, session.keys_directory(store), password)?;
    let standing = unfinished::standing(&run, &progress, &files, session, observed)?;
    match unfinished::course(&progress, asked, &standing, session, observed) {
        Course::GoOn(left) => {
            let done = progress.done();
            let made = |step| done.get(&step).cloned();
            for sentence in unfit_answers::told(&session.requests(), left.steps.iter(), &made) {
                terminal.warn(&sentence);
            }
            Ok(Some((*left, progress.plan)))
        }
        Course::End(End::GiveUp(why)) => {
            let told = unfinished::given_up(&run, &progress, &why, observed);
            terminal.warn(&format!("{told}; `apply` gives the run up"));
            Ok(None)
        }
        Course::End(End::Refuse(why)) => Err(unfinished::refused(&run, why, place)),
    }
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
