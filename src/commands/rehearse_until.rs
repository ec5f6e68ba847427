//! `certwright rehearse --until`: what a manifest costs until a day. The clock of a copy moves to every date on which something is
//! due; each time a plan is made, carried out on the copy and proved by handshakes.

use std::path::{Path, PathBuf};

use super::{
    CommandError, Exit, Terminal,
    next::Place,
    outputs::{self, Outputs, Reporting},
    overwriting::{self, Inputs},
    prove::unsafe_plan,
    rehearse::Copy,
    scratch_dir::Temporary,
    session::{Look, Session},
    unfinished,
};
pub use crate::{apply::half_way::GivenDuration, views::FORECAST_FORMATS};
use crate::{
    apply::{
        forecast::{Forecast, ForecastDay, ForecastObstacle, ForecastStop, ForecastTotals},
        half_way::{Doing, Durations, Timeline},
        rehearsal::Stage,
    },
    journal::Store,
    manifest::finding::Finding,
    model::{
        action::Action,
        diagnostic::Diagnostic,
        entry::Outcome,
        organization::Observed,
        plan::Plan,
        shown::ShowPath,
        time::{Span, Timestamp},
    },
    plan::{
        self, lint,
        outlook::{self, Event, EventKind},
        progress::Progress,
    },
    verify::expectations::{Declared, declared},
};

/// What the command line says.
#[derive(Clone, Debug)]
pub struct ForecastOptions {
    /// The manifests, to be compared.
    pub paths: Vec<PathBuf>,
    /// A capture instead of the servers.
    pub capture: Option<PathBuf>,
    /// The last moment.
    pub until: Timestamp,
    /// How long things take, where it is known better.
    pub durations: Vec<GivenDuration>,
    /// Where runs are kept.
    pub state: Option<String>,
    /// What is written, and how.
    pub outputs: Outputs,
}

/// Rehearses each manifest until that moment.
pub fn run(options: &ForecastOptions, terminal: Terminal) -> Result<Exit, CommandError> {
    let outputs = options.outputs.of(FORECAST_FORMATS)?;
    let here = [PathBuf::from(".")];
    let paths = if options.paths.is_empty() { &here[..] } else { &options.paths };
    let manifests: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let others: Vec<&Path> = options.capture.as_deref().into_iter().collect();
    overwriting::refuse(
        options.outputs.files(),
        Inputs { manifests: &manifests, others: &others, state: options.state.as_deref() },
    )?;
    let (mut forecasts, mut contradictions) = (Vec::new(), Vec::new());
    for path in paths {
        let reporting = Reporting::of("rehearse", path, &options.outputs);
        let (forecast, found) = reporting.told(forecast(path, options, terminal), terminal)?;
        forecasts.push(forecast);
        contradictions.extend(found);
    }
    let cannot = forecasts.iter().any(|forecast: &Forecast| !forecast.cannot.is_empty());
    let bad = forecasts.iter().any(|forecast| {
        forecast.first_end.is_some()
            || forecast.stopped.is_some()
            || forecast.days.iter().any(|day| day.wrong > 0 || day.stopped)
    });
    outputs::write(&forecasts, &outputs, terminal)?;
    if !contradictions.is_empty() {
        return Err(CommandError::contradictions(contradictions));
    }
    Ok(match (bad, cannot) {
        (true, _) => Exit::VerificationFailed,
        (false, true) => Exit::Cannot,
        (false, false) => Exit::Done,
    })
}

/// When something is done about it: at the moment at which it is due. A certificate is good for the whole of its last second.
fn moment(event: &Event) -> Timestamp {
    match event.kind {
        EventKind::End => event.at.plus(Span::seconds(1)),
        EventKind::Apply
        | EventKind::Answer
        | EventKind::Renew
        | EventKind::Effective
        | EventKind::Remove
        | EventKind::Limit => event.at,
    }
}

/// What it comes to, and where the manifest contradicts what was observed.
fn forecast(
    path: &Path,
    options: &ForecastOptions,
    terminal: Terminal,
) -> Result<(Forecast, Vec<Finding>), CommandError> {
    let ForecastOptions { capture, until, durations, .. } = options;
    let until = *until;
    let look = capture.as_deref().map(|capture| Look { capture: Some(capture), at: None });
    let mut session = Session::open_looking_at(path, look)?;
    let mut observed = session.observe()?;
    let store = session.store(options.state.as_deref())?;
    session.remember(&mut observed, &store)?;
    let unfinished_run =
        unfinished::newest(&store, Place { manifest: path, state: options.state.as_deref() })?;
    unfinished::warn(unfinished_run.as_ref(), &options.outputs.format, terminal);
    let contradictions = session.contradictions(&observed);
    forget_requests(&mut observed);
    let from = session.driver.now();
    if until <= from {
        return Err(CommandError::new(
            Exit::Usage,
            format!("--until {until} is not after {from}, where it begins"),
        ));
    }
    let directory = Temporary::new(&|removed| {
        terminal.say(&format!(
            "{removed} copies of organizations that killed rehearsals left behind are removed"
        ));
    })?;
    let mut copy = Copy::open(directory, &session.desired, &observed, &[], from)?.with_lifetimes_of_the_day();
    let durations = Durations::new(durations, &past(&store)?);
    let mut timeline = Timeline::new(durations.clone(), (&copy.desired().limits).into());
    let (mut days, mut cannot): (Vec<ForecastDay>, Vec<ForecastObstacle>) = (Vec::new(), Vec::new());
    let (mut at, mut first_end) = (from, None);
    let stopped = loop {
        let day = one_day(&mut copy, &mut timeline, at, &mut cannot)?;
        days.extend((!day.is_empty()).then_some(day));
        let seen = outlook::outlook(copy.desired(), &copy.look()?, at);
        let due = outlook::calendar(&seen, until);
        let next = due.events.iter().map(moment).filter(|due| *due > at).min();
        // What stays in use and ends before the next date ends unseen.
        let next_stop = next.map_or(until, |next| next.min(until));
        let ended = seen.in_use.iter().map(|used| used.not_after);
        first_end = first_end.or(ended.filter(|end| *end <= next_stop).min());
        let stop = |why: String| Some(ForecastStop { at, why });
        if let Some(why) = seen.blind {
            break stop(format!("nothing can be planned any more ({why})"));
        }
        at = match next {
            Some(next) if next < until && days.len() < MOST_DAYS => next,
            Some(next) if next < until => {
                break stop(format!("{MOST_DAYS} days with something to do are rehearsed"));
            }
            Some(_) | None => break None,
        };
        copy.set_clock(at)?;
    };
    if let Some(last) = days.last_mut() {
        last.add_half_way(timeline.end(stopped.as_ref().map_or(until, |stop| stop.at)));
    }
    let totals = ForecastTotals::of(&days);
    let forecast = Forecast {
        manifest: path.shown().to_string(),
        organization: session.desired.organization.clone(),
        from,
        until,
        days,
        totals,
        cannot,
        stopped,
        durations: durations.all().to_vec(),
        first_end,
        unfinished_run,
    };
    Ok((forecast, contradictions))
}

/// Requests that wait for a CA: nobody can answer them on the copy, whose keys are its own, so they are made again there.
fn forget_requests(observed: &mut Observed) {
    for server in observed.organization.servers.values_mut() {
        if let Some(requests) = server.requests.known_mut() {
            requests.clear();
        }
    }
}

/// Everything that is to be done on this day.
fn one_day(
    copy: &mut Copy,
    timeline: &mut Timeline,
    at: Timestamp,
    cannot: &mut Vec<ForecastObstacle>,
) -> Result<ForecastDay, CommandError> {
    let mut day = ForecastDay::new(at);
    timeline.begin(at);
    for _ in 0..MOST_ROUNDS {
        let observed = copy.look()?;
        let plan = plan::plan(copy.desired(), &observed, at);
        prove(copy, &plan, &observed)?;
        note(plan.obstacles(), at, cannot);
        let waits_only = plan.steps.iter().all(|step| matches!(step.action, Action::CannotApply { .. }));
        if waits_only {
            break;
        }
        let report = copy.apply(&plan)?;
        day.count(&plan, &report);
        timeline.run(&plan, &report);
        let answered = copy.answer()?;
        let by_hand = copy.play_people(&plan, &report)?;
        let goes_on = !answered.is_empty() || !by_hand.is_empty();
        let answers = answered.iter().map(|_| Doing::Answer);
        timeline.wait(answers.chain(by_hand.iter().map(|_| Doing::Person)));
        day.by_hand.extend(answered.iter().map(|file| format!("a CA answered {file}.csr")));
        day.by_hand.extend(by_hand);
        match report.outcome {
            Outcome::Converged => break,
            Outcome::Waiting if goes_on => {}
            Outcome::Waiting => break,
            Outcome::Stopped | Outcome::Abandoned => {
                day.stopped = true;
                break;
            }
        }
    }
    day.add_half_way(timeline.take_half_way());
    let observed = copy.look()?;
    let Declared { checks, .. } = declared(copy.desired(), &observed, at);
    day.wrong = copy.meet(&checks).iter().filter(|row| !row.is_good()).count();
    Ok(day)
}

/// Notes what cannot be done, each once: on the next day it cannot be done either.
fn note(obstacles: Vec<Diagnostic>, at: Timestamp, cannot: &mut Vec<ForecastObstacle>) {
    for diagnostic in obstacles {
        let same = |known: &ForecastObstacle| {
            known.diagnostic.code == diagnostic.code && known.diagnostic.subject == diagnostic.subject
        };
        if !cannot.iter().any(same) {
            cannot.push(ForecastObstacle { at, diagnostic });
        }
    }
}

/// What journals say of past runs. One that cannot be read measures nothing; whoever needs it is told elsewhere.
fn past(store: &Store) -> Result<Vec<Progress>, CommandError> {
    let runs = store.runs()?;
    Ok(runs.iter().filter_map(|run| unfinished::read(store, run).ok().flatten()).collect())
}

fn prove(copy: &Copy, plan: &Plan, observed: &Observed) -> Result<(), CommandError> {
    let problems = lint::lint(plan, copy.desired(), observed, copy.now());
    if problems.is_empty() { Ok(()) } else { Err(unsafe_plan(&problems)) }
}

const MOST_ROUNDS: usize = 6;
/// More days nobody waits for.
const MOST_DAYS: usize = 500;
