//! `certwright drift`: looking, again and again when asked to, and telling what is different. It cannot change anything:
//! all it has is a [`ReadOnlySession`].

use std::{path::Path, thread, time::Duration};

use super::{
    CommandError, Exit, Terminal, next,
    notifications::{self, Notifications},
    outputs::{self, Outputs, Reporting},
    overwriting::{self, Inputs},
    read_only_session::{ProbeOptions, ReadOnlySession},
    unfinished,
};
pub use crate::views::DRIFT_FORMATS;
use crate::{
    json::{self, Spacing},
    manifest::{IgnoreSpec, NotifySpec, finding::Finding},
    model::{diagnostic::Coded, plan::Plan, time::Span, unfinished_run::UnfinishedRun},
    plan::{self, Narrowing},
    verify::{
        drift::{self, Difference, Drift},
        not_provable::NotProvable,
        verdict::Verdict,
    },
    views::{Accepted, Notification, Reported},
};

/// What the command line says.
#[derive(Clone, Debug)]
pub struct DriftOptions {
    /// How long to wait before looking again; without it once.
    pub interval: Option<Span>,
    /// How often to look; without it for ever.
    pub rounds: Option<u32>,
    /// Patterns of differences that are overlooked this time.
    pub ignore: Vec<String>,
    /// Whether endpoints are met too.
    pub handshakes: bool,
    /// How they are met.
    pub meeting: ProbeOptions,
    /// Who is told beside those that the manifest names.
    pub notify: Vec<NotifySpec>,
    /// What is written, and how.
    pub outputs: Outputs,
}

/// Looks once, or until it is stopped. The exit code is that of the last look.
pub fn run(path: &Path, options: &DriftOptions, terminal: Terminal) -> Result<Exit, CommandError> {
    let others: Vec<&Path> = options.meeting.files().collect();
    overwriting::refuse(
        options.outputs.files(),
        Inputs { manifests: &[path], others: &others, state: options.meeting.state.as_deref() },
    )?;
    if options.interval.is_some_and(|interval| interval < SHORTEST) {
        return Err(CommandError::new(Exit::Usage, "--interval is too short")
            .hint(format!("write {SHORTEST} or more: each look asks every server")));
    }
    let many = options.interval.is_some() && options.rounds != Some(1);
    if many && !["human", "json", "github", "azure"].contains(&options.outputs.format.as_str()) {
        return Err(CommandError::new(
            Exit::Usage,
            format!("--interval cannot write {} to standard output", options.outputs.format),
        )
        .detail("Each look would write a whole document, and several behind one another are none.")
        .hint("write it into a file, which each look replaces: --report FORMAT=FILE"));
    }
    Notifications::of_path(path, &options.notify, terminal).check();
    let mut told = Told::Nothing;
    let Some(interval) = options.interval else { return look_and_tell(path, options, &mut told, terminal) };
    let pause = Duration::from_secs(u64::try_from(interval.as_seconds()).unwrap_or(1).max(1));
    let mut round = 0;
    loop {
        round += 1;
        // A server that is down for an hour should not end a watch of months.
        let result = look_and_tell(path, options, &mut told, terminal);
        if let Err(error) = &result {
            terminal.complain(error);
        }
        if options.rounds.is_some_and(|rounds| round >= rounds) {
            return Ok(result.unwrap_or_else(|error| error.exit));
        }
        thread::sleep(pause);
    }
}

/// Looks; a look that fails is told in the reports too, which would go on saying what was seen last.
fn look_and_tell(
    path: &Path,
    options: &DriftOptions,
    told: &mut Told,
    terminal: Terminal,
) -> Result<Exit, CommandError> {
    let result = look(path, options, told, terminal);
    if let Err(error) = &result
        && told.is_news(Told::Error(error.summary.clone()))
    {
        Notifications::of_path(path, &options.notify, terminal).tell_error("drift", error);
    }
    result
}

/// What a look sees.
struct Seen {
    watch: ReadOnlySession,
    narrowing: Narrowing,
    plan: Plan,
    verdict: Option<Verdict>,
}

fn seen(path: &Path, options: &DriftOptions) -> Result<Seen, CommandError> {
    let (watch, observed) = ReadOnlySession::open(path, &options.meeting)?;
    let narrowing = watch.narrowing(&options.meeting)?;
    let plan = plan::plan_only(&narrowing, &watch.desired, &observed, watch.observer.now());
    let verdict = if options.handshakes { Some(watch.meet(&observed, &options.meeting)?) } else { None };
    Ok(Seen { watch, narrowing, plan, verdict })
}

fn look(
    path: &Path,
    options: &DriftOptions,
    told: &mut Told,
    terminal: Terminal,
) -> Result<Exit, CommandError> {
    let mut outputs = options.outputs.of(DRIFT_FORMATS)?;
    let seen = Reporting::of("drift", path, &options.outputs).told(seen(path, options), terminal)?;
    let Seen { watch, narrowing, plan, verdict } = seen;
    let now = watch.observer.now();
    let of_run = options.ignore.iter().map(|pattern| IgnoreSpec {
        difference: pattern.clone(),
        because: "the command line says so".into(),
    });
    let ignore: Vec<IgnoreSpec> = watch.drift.ignore.iter().cloned().chain(of_run).collect();
    let unfinished_run = watch.unfinished_run.clone();
    unfinished::warn(unfinished_run.as_ref(), &options.outputs.format, terminal);
    let left_out = watch.desired.left_out().filter(|own| narrowing.is_about(&own.server)).collect();
    let drift = Drift { left_out, unfinished_run, ..Drift::new(&plan, verdict, &ignore, now) };
    let (drifted, not_all_seen) = (drift.drifted, !drift.not_seen.is_empty());
    let unseen = drift.not_seen.iter().map(drift::unseen);
    let left_out = drift.left_out.iter().cloned().map(|own| NotProvable::left_out(own).diagnostic());
    let unfinished = drift.unfinished_run.iter().map(UnfinishedRun::diagnostic);
    let list = drift
        .differences
        .iter()
        .map(Difference::diagnostic)
        .chain(unseen)
        .chain(left_out)
        .chain(unfinished)
        .chain(watch.contradictions.iter().map(Finding::diagnostic))
        .collect();
    let accepted = drift.ignored.iter().map(|ignored| Accepted {
        diagnostic: ignored.difference.diagnostic(),
        because: ignored.because.clone(),
    });
    let mut diagnostics = watch.places.diagnostics("drift", list);
    diagnostics.accepted = watch.places.accepted(accepted.collect());
    let exit = match (drifted, not_all_seen) {
        (true, _) => Exit::ChangesPending,
        (false, true) => Exit::Error,
        (false, false) => Exit::Done,
    };
    let reported = Reported { result: drift, diagnostics };
    if options.interval.is_some() && options.outputs.format == "json" {
        // One line for each look.
        terminal.show(|out| {
            json::write(&reported.result, Spacing::Line, out)?;
            writeln!(out)
        })?;
        outputs.retain(|output| output.file.is_some());
    }
    let reported = outputs::report(reported, &outputs, terminal)?;
    if watch.contradictions.is_empty() && told.is_news(Told::of(&reported.result)) {
        let organization = &reported.result.organization;
        let notifications =
            Notifications::new(&watch.notify, &watch.base, organization, &options.notify, terminal);
        let occasion = notifications::occasion(now, exit as u8);
        let plan = next::Place { manifest: path, state: options.meeting.state.as_deref() }.plan();
        notifications.tell(&Notification::of_drift(&reported.result, &plan, occasion));
    }
    if !watch.contradictions.is_empty() {
        return Err(CommandError::contradictions(watch.contradictions));
    }
    if exit == Exit::ChangesPending && terminal.err_is_terminal && options.interval.is_none() {
        let place = next::Place { manifest: path, state: options.meeting.state.as_deref() };
        terminal.suggest(&[format!("see what would be done: {}", place.plan())]);
    }
    Ok(exit)
}

/// Shorter than that, one look would begin before the other has ended.
const SHORTEST: Span = Span::seconds(1);

/// What was told last: a watch of months tells what is new, not every five minutes the same.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    /// Nothing, or that nothing differs.
    Nothing,
    /// Differences, by their ids.
    Differences(Vec<String>),
    /// An error, by its summary.
    Error(String),
}

impl Told {
    fn of(drift: &Drift) -> Self {
        let unseen = drift.not_seen.iter().map(|not_seen| format!("{}/notSeen", not_seen.server));
        let ids: Vec<String> =
            drift.differences.iter().map(|difference| difference.id.clone()).chain(unseen).collect();
        if ids.is_empty() { Self::Nothing } else { Self::Differences(ids) }
    }

    /// Takes note of this, and says whether it is another thing than before.
    fn is_news(&mut self, now: Self) -> bool {
        let is_news = *self != now;
        *self = now;
        is_news
    }
}
