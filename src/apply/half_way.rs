//! How long an organization is half-way in a rehearsal: some places of a certificate show its successor, others not yet. Nothing
//! takes time in a copy, so what each kind of step takes is reckoned with: as somebody said, as past runs took, or as assumed.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

use serde::Serialize;
use strum::IntoStaticStr;

use super::{
    report::{Report, StepResult},
    schedule::{Pace, Schedule},
};
use crate::{
    model::{
        action::{Action, StepId},
        certificate_id::CertificateId,
        plan::Plan,
        schema::JsonSchema,
        time::{Span, TimeError, Timestamp},
    },
    plan::progress::{Progress, StepState},
};

/// What takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, IntoStaticStr)]
#[serde(rename_all = "camelCase")]
#[strum(serialize_all = "camelCase")]
pub enum Doing {
    /// A cmdlet, or another call that changes something.
    Call,
    /// A restart.
    Restart,
    /// Handshakes with the endpoints of a server.
    Verify,
    /// A CA that answers a request.
    Answer,
    /// A person who does what certwright cannot.
    Person,
}

/// How long that takes, and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepDuration {
    /// What takes time.
    pub doing: Doing,
    /// How long.
    pub takes: Span,
    /// Who says so.
    pub source: DurationSource,
}

/// Who says how long something takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum DurationSource {
    /// Nobody: it is assumed.
    Assumed,
    /// The command line.
    Given,
    /// The journals of past runs: the one in the middle.
    Measured {
        /// Of so many steps.
        steps: usize,
    },
}

/// A duration that somebody gives: `restart=3m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenDuration {
    doing: Doing,
    takes: Span,
}

/// Why a text gives no duration.
#[derive(Debug, thiserror::Error)]
pub enum GivenDurationError {
    /// Another form.
    #[error("write WHAT=SPAN, like restart=3m; WHAT is {}", Doing::names())]
    Form,
    /// No length of time.
    #[error(transparent)]
    Span(#[from] TimeError),
}

/// How long everything takes.
#[derive(Clone, Debug)]
pub struct Durations(Vec<StepDuration>);

impl Doing {
    /// Everything that takes time.
    pub const ALL: [Self; 5] = [Self::Call, Self::Restart, Self::Verify, Self::Answer, Self::Person];

    /// Its word on a command line.
    pub fn name(self) -> &'static str {
        self.into()
    }

    fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// What nobody said and nobody measured. Restarts of Exchange's services take minutes more often than seconds; CAs and
    /// people are asked one day and have answered the next.
    const fn assumed(self) -> Span {
        match self {
            Self::Call => Span::seconds(30),
            Self::Restart => Span::seconds(180),
            Self::Verify => Span::seconds(60),
            Self::Answer | Self::Person => Span::days(1),
        }
    }

    /// What a step is, while it runs. Waiting is between runs.
    fn of(action: &Action) -> Option<Self> {
        match action {
            Action::Restart { .. } => Some(Self::Restart),
            Action::Verify { .. } | Action::VerifyBalancer { .. } => Some(Self::Verify),
            Action::Await { .. }
            | Action::Gate { .. }
            | Action::Manual { .. }
            | Action::CannotApply { .. } => None,
            Action::Issue { .. }
            | Action::Request { .. }
            | Action::Complete { .. }
            | Action::RemoveRequest { .. }
            | Action::Create { .. }
            | Action::Import { .. }
            | Action::Bind { .. }
            | Action::BindSite { .. }
            | Action::SetX509CertificateName { .. }
            | Action::SetUmStartupMode { .. }
            | Action::SetInternalTransport { .. }
            | Action::Repoint { .. }
            | Action::SetImCertificate { .. }
            | Action::BackUp { .. }
            | Action::StageAuth { .. }
            | Action::PublishAuth { .. }
            | Action::ClearPreviousAuth {}
            | Action::Remove { .. }
            | Action::RemoveNamed { .. }
            | Action::Install { .. } => Some(Self::Call),
        }
    }
}

impl FromStr for GivenDuration {
    type Err = GivenDurationError;

    fn from_str(text: &str) -> Result<Self, GivenDurationError> {
        let (name, span) = text.split_once('=').ok_or(GivenDurationError::Form)?;
        let doing =
            Doing::ALL.into_iter().find(|doing| doing.name() == name).ok_or(GivenDurationError::Form)?;
        Ok(Self { doing, takes: span.parse()? })
    }
}

impl Durations {
    /// What is given, else what these runs took, else what is assumed. The clock of a lab stands still, so runs in one say nothing.
    pub fn new(given: &[GivenDuration], runs: &[Progress]) -> Self {
        let duration = |doing: Doing| {
            let said = given.iter().rev().find(|given| given.doing == doing);
            let (takes, source) = match (said, measured(doing, runs)) {
                (Some(given), _) => (given.takes, DurationSource::Given),
                (None, Some((takes, steps))) => (takes, DurationSource::Measured { steps }),
                (None, None) => (doing.assumed(), DurationSource::Assumed),
            };
            StepDuration { doing, takes, source }
        };
        Self(Doing::ALL.into_iter().map(duration).collect())
    }

    /// All of them, each with its source.
    pub fn all(&self) -> &[StepDuration] {
        &self.0
    }

    fn takes(&self, doing: Doing) -> Span {
        self.0.iter().find(|own| own.doing == doing).map_or(doing.assumed(), |own| own.takes)
    }

    fn of(&self, action: &Action) -> i64 {
        let takes = |doing| self.takes(doing).as_seconds();
        match Doing::of(action) {
            None => 0,
            // What stands still around a removal stops and starts too.
            Some(Doing::Call) => {
                let restarts = i64::try_from(action.facts().restarts).unwrap_or(i64::MAX);
                takes(Doing::Call).saturating_add(takes(Doing::Restart).saturating_mul(restarts))
            }
            Some(doing) => takes(doing),
        }
    }
}

/// The duration in the middle of what was done on real servers, and of how many steps.
fn measured(doing: Doing, runs: &[Progress]) -> Option<(Span, usize)> {
    let real = runs.iter().filter(|run| run.plan.driver != LAB);
    let mut took: Vec<Span> = real
        .flat_map(|run| run.plan.steps.iter().map(|step| (step, run.steps.get(&step.id))))
        .filter(|(step, _)| Doing::of(&step.action) == Some(doing) && step.action.facts().restarts <= 1)
        .filter_map(|(_, record)| record.filter(|record| matches!(record.state, StepState::Done(_))))
        .filter_map(|record| Some(record.ended?.since(record.started?)))
        // Journals count whole seconds, and nothing takes none.
        .map(|span| span.max(Span::seconds(1)))
        .collect();
    took.sort_unstable();
    (took.len() >= FEWEST).then(|| (took[took.len() / 2], took.len()))
}

/// When which certificates are half-way.
#[derive(Debug)]
pub struct Timeline {
    durations: Durations,
    pace: Pace,
    now: i64,
    /// From the first change of a place to the last so far, where more is to come.
    open: BTreeMap<CertificateId, Half>,
    over: Vec<Half>,
}

#[derive(Clone, Copy, Debug)]
struct Half {
    from: i64,
    to: i64,
}

impl Timeline {
    /// One on which nothing has happened.
    pub fn new(durations: Durations, pace: Pace) -> Self {
        Self { durations, pace, now: i64::MIN, open: BTreeMap::new(), over: Vec::new() }
    }

    /// A day begins, unless the one before lasts longer.
    pub fn begin(&mut self, at: Timestamp) {
        self.now = self.now.max(at.unix());
    }

    /// A run, with as many servers at once as the manifest allows.
    pub fn run(&mut self, plan: &Plan, report: &Report) {
        let of_step = certificates(plan);
        let none = BTreeMap::new();
        let mut schedule = Schedule::new(plan, &none, self.pace);
        let mut running = BTreeMap::new();
        loop {
            while let Some(step) = schedule.start_next() {
                let result = report.steps.get(&step.id).cloned().unwrap_or(StepResult::NotReached);
                let done = matches!(result, StepResult::Done(_));
                let takes = if done { self.durations.of(&step.action) } else { 0 };
                let ends = self.now.saturating_add(takes);
                for id in of_step.get(&step.id).into_iter().flatten().filter(|_| done) {
                    let half = self.open.entry((*id).clone()).or_insert(Half { from: self.now, to: ends });
                    half.to = half.to.max(ends);
                }
                running.insert((ends, step.id), (step, result));
            }
            let Some(((ends, _), (step, result))) = running.pop_first() else { break };
            self.now = ends;
            schedule.finish(step, result);
        }
        let open = |(step, ids): (&StepId, &BTreeSet<&CertificateId>)| {
            let done = matches!(report.steps.get(step), Some(StepResult::Done(_)));
            if done { Vec::new() } else { ids.iter().map(|id| (*id).clone()).collect() }
        };
        let left: BTreeSet<CertificateId> = of_step.iter().flat_map(open).collect();
        let (open, over): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.open).into_iter().partition(|(id, _)| left.contains(id));
        self.open = open;
        self.over.extend(over.into_values());
    }

    /// Between two runs somebody did these.
    pub fn wait(&mut self, what: impl IntoIterator<Item = Doing>) {
        let longest = what.into_iter().map(|doing| self.durations.takes(doing)).max();
        self.now = self.now.saturating_add(longest.map_or(0, Span::as_seconds));
    }

    /// How long at least one certificate was half-way, counted from the last time this was asked. What is still half-way counts
    /// when it is over.
    pub fn take_half_way(&mut self) -> Span {
        let mut halves = std::mem::take(&mut self.over);
        halves.sort_unstable_by_key(|half| half.from);
        let (mut sum, mut until) = (0, i64::MIN);
        for half in halves {
            sum += (half.to - half.from.max(until)).max(0);
            until = until.max(half.to);
        }
        Span::seconds(sum)
    }

    /// The end of time: what is half-way stays so until then.
    pub fn end(&mut self, at: Timestamp) -> Span {
        let open = std::mem::take(&mut self.open).into_values();
        self.over.extend(open.map(|half| Half { to: half.to.max(at.unix()), ..half }));
        self.take_half_way()
    }
}

/// The certificates of which each step changes a place, or has a service take up what was changed.
fn certificates(plan: &Plan) -> BTreeMap<StepId, BTreeSet<&CertificateId>> {
    let mut found: BTreeMap<StepId, BTreeSet<&CertificateId>> = BTreeMap::new();
    for step in &plan.steps {
        let mut own: BTreeSet<&CertificateId> = step.certificate.iter().collect();
        match &step.action {
            Action::Restart { .. } => {
                // A restart serves all that was changed before it on its server.
                own.extend(step.after.iter().filter_map(|after| found.get(after)).flatten());
            }
            action if action.facts().changes_place => {}
            _ => continue,
        }
        found.insert(step.id, own);
    }
    found
}

/// What plans for a lab name as their driver.
const LAB: &str = "lab";
/// Fewer steps measure nothing.
const FEWEST: usize = 5;

#[cfg(test)]
mod tests;
