//! What every command that changes something needs: the lock, the place of runs, the way to carry a plan out.

use std::{collections::BTreeMap, time::Duration};

use super::{
    CommandError, Exit, Terminal, cleanup,
    interrupt::Interrupt,
    next,
    notifications::{self, Notifications},
    progress::Lines,
    session::{Session, holder, wall_clock},
    targeting::Named,
    unfit_answers,
};
use crate::{
    apply::{
        executor::{self, Pace},
        ports::Ports,
        report::{ApplyEvent, Halt, Report, StepResult},
    },
    journal::{Lock, LockOptions, NotReleased, Run, RunFiles, Store},
    json::{self, Spacing},
    manifest::{DriverSpec, Manifest, NotifySpec},
    model::{
        action::Action,
        causes::with_causes,
        entry::{Holder, Outcome},
        plan::{Plan, Step},
        secret::Secret,
    },
    plan::recovery::Settled,
    ports::journal::Journal,
    probe::Network,
    views::{Notification, RunEvent},
};

/// What the command line says about a run.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Clone, Copy, Debug)]
pub struct RunOptions<'a> {
    /// Whether nobody is asked.
    pub auto_approve: bool,
    /// Servers at the same time, instead of the manifest's limit.
    pub parallelism: Option<u32>,
    /// Where runs are kept.
    pub state: Option<&'a str>,
    /// How long to wait for a lock that somebody else holds, in seconds.
    pub lock_timeout: Duration,
    /// Whether a lock whose lease is over is taken from its holder.
    pub break_lock: bool,
    /// What a plan is narrowed to.
    pub only: Named<'a>,
    /// Whether services are met, and restarted when they serve an old certificate.
    pub handshakes: bool,
    /// Whether a run that did not come to its end is given up.
    pub abandon: bool,
    /// Whether certificates whose keys others may have are given back.
    pub give_back_compromised: bool,
    /// Who is told beside those that the manifest names.
    pub notify: &'a [NotifySpec],
    /// The output's format.
    pub format: &'a str,
}

/// A command that holds the lock and may change something.
pub(super) struct Running<'a> {
    pub(super) session: Session,
    pub(super) store: Store,
    pub(super) options: RunOptions<'a>,
    pub(super) terminal: Terminal,
    by: Holder,
    password: Option<Secret>,
    lock: Lock,
    notifications: Notifications,
}

/// What is carried out.
#[derive(Clone, Copy)]
pub(super) enum Task<'a> {
    /// A plan, from its beginning.
    Begin(&'a Plan),
    /// A plan of which this was done before.
    GoOn(&'a Plan, &'a Settled),
}

impl<'a> Running<'a> {
    /// Takes the lock, so that nobody else begins, does this, and releases the lock. What came of it stands when that
    /// fails; a person is told.
    pub(super) fn with_lock(
        session: Session,
        options: RunOptions<'a>,
        terminal: Terminal,
        command: &str,
        work: impl FnOnce(&mut Self) -> Result<Exit, CommandError>,
    ) -> Result<Exit, CommandError> {
        let Manifest { notify, organization, .. } = &session.manifest;
        let notifications =
            Notifications::new(notify, &session.base, organization.as_str(), options.notify, terminal);
        notifications.check();
        let opened = Self::open(session, options, terminal, notifications.clone());
        let result = opened.and_then(|mut running| {
            let result = work(&mut running);
            if let Err(not_released) = running.lock.release() {
                for sentence in still_locked(&not_released) {
                    terminal.warn(&sentence);
                }
            }
            result
        });
        // Who answers questions reads the error, too. A run that was begun is everybody's matter.
        if let Err(error) = &result
            && (options.auto_approve || error.exit == Exit::Stopped)
        {
            notifications.tell_error(command, error);
        }
        result
    }

    fn open(
        session: Session,
        options: RunOptions<'a>,
        terminal: Terminal,
        notifications: Notifications,
    ) -> Result<Self, CommandError> {
        let store = session.store(options.state)?;
        let by = holder();
        let lock_options = LockOptions {
            break_stale: options.break_lock,
            timeout: options.lock_timeout,
            ..LockOptions::default()
        };
        let lock = store.lock(&by, wall_clock(), &lock_options)?;
        if let Some(taken_over) = lock.taken_over() {
            terminal.warn(&format!("{taken_over}; the lock is taken over"));
        }
        for told in cleanup::remove(&store, &session.keys_directory(&store), &session.balancers) {
            terminal.say(&told);
        }
        let password = session.backup_password()?;
        Ok(Self { session, store, options, terminal, by, password, lock, notifications })
    }

    /// The files of a run.
    pub(super) fn files(&self, run: &Run) -> RunFiles {
        RunFiles::new(run, self.session.keys_directory(&self.store), self.password.clone())
    }

    /// Shows a plan to people; programs read it from `plan --format json`.
    pub(super) fn show(&self, plan: &Plan) -> Result<(), CommandError> {
        if self.options.format != "human" {
            return Ok(());
        }
        self.terminal.show(|out| self.terminal.view("human").plan(plan, out))
    }

    /// Refuses to leave keys without a password where others can read them, and anywhere unless the manifest says so. The
    /// keys of a lab protect nothing.
    pub(super) fn check_backups(&self, plan: &Plan) -> Result<(), CommandError> {
        let backs_up = |step: &Step| matches!(step.action, Action::BackUp { with_key: true, .. });
        if !plan.steps.iter().any(backs_up) {
            return Ok(());
        }
        let manifest = &self.session.manifest;
        if manifest.backup.is_none() && !matches!(manifest.driver, DriverSpec::Lab(_)) {
            return Err(CommandError::new(
                Exit::Error,
                "the plan backs up private keys, and the backups have no password",
            )
            .detail("Whoever reads such a file has the key of the certificate; nothing is done.")
            .hint("name one in the manifest: backup: { password: { env: NAME } }")
            .hint("or go without one: backup: { password: none }"));
        }
        Ok(self.store.check_backups(self.password.as_ref())?)
    }

    /// Carries a plan out, and says what came of it.
    pub(super) fn carry_out(&self, run: &Run, task: Task<'_>) -> Result<Exit, CommandError> {
        let issuers = self.session.issuers()?;
        let files = self.files(run);
        let interrupt = Interrupt::catch();
        let clock = || self.session.driver.now();
        let go_on = || {
            if interrupt.was_asked() {
                return Err(Halt::Asked);
            }
            self.lock.still_held().map_err(|lost| Halt::LockLost(with_causes(&lost)))
        };
        let driver = self.session.acting()?;
        let pauses = driver.needs_pauses();
        let pause = |pause: Duration| interrupt.sleep(if pauses { pause } else { Duration::ZERO });
        let ports = Ports {
            driver,
            balancers: &self.session.balancers,
            issuers: &issuers,
            requests: &self.session.requests(),
            journal: run,
            artifacts: &files,
            prober: &Network::default(),
            roots: Some(&self.session.trusted_by_clients()?),
            clock: &clock,
            by: self.by.clone(),
            go_on: &go_on,
            pause: &pause,
        };
        let (Task::Begin(plan) | Task::GoOn(plan, _)) = task;
        let lines = Lines::begin(run.run(), plan, self.options.format, self.terminal, &clock);
        let on_event = |event: &ApplyEvent<'_>| lines.tell(event);
        let desired = &self.session.desired;
        let limits = Pace::from(&desired.limits);
        let pace =
            Pace { servers_at_once: self.options.parallelism.unwrap_or(limits.servers_at_once), ..limits };
        let report = match task {
            Task::Begin(plan) => executor::apply(plan, desired, pace, &ports, &on_event),
            Task::GoOn(plan, settled) => executor::resume(plan, settled, desired, pace, &ports, &on_event),
        };
        let report = report?;
        lines.end(&report);
        self.conclude(run, plan, &report)
    }

    /// Says to programs that there was nothing to do: no output would look like a program that died.
    pub(super) fn tell_nothing_done(&self, plan: &Plan) -> Result<(), CommandError> {
        let is_as_it_should_be = plan.is_empty() && !plan.is_blocked();
        let outcome = if is_as_it_should_be { Outcome::Converged } else { Outcome::Stopped };
        let nothing = Report { run: String::new(), steps: BTreeMap::new(), outcome, halted: None };
        let at = self.session.driver.now();
        match self.options.format {
            "human" => Ok(()),
            "jsonl" => self.terminal.show(|out| {
                for event in [RunEvent::begun("", plan, at), RunEvent::closed(&nothing, at)] {
                    json::write(&event, Spacing::Line, out)?;
                    writeln!(out)?;
                }
                Ok(())
            }),
            format => self.terminal.show(|out| self.terminal.view(format).report(&nothing, plan, out)),
        }
    }

    /// How the next command names the organization and its runs.
    pub(super) fn place(&self) -> next::Place<'_> {
        next::Place { manifest: &self.session.named, state: self.options.state }
    }

    fn conclude(&self, run: &Run, plan: &Plan, report: &Report) -> Result<Exit, CommandError> {
        if self.options.format != "jsonl" {
            let view = self.terminal.view(self.options.format);
            self.terminal.show(|out| view.report(report, plan, out))?;
        }
        match &report.halted {
            Some(Halt::LockLost(why)) => {
                return Err(CommandError::new(Exit::Stopped, "the run stopped because it lost the lock")
                    .detail(format!("{why}."))
                    .detail("Somebody else may be changing the organization now; no further step was begun.")
                    .hint(format!(
                        "see who holds the lock, then go on: {}",
                        next::go_on(plan, self.place())
                    )));
            }
            Some(Halt::Asked) => self.terminal.warn("stopped as you asked"),
            None => {}
        }
        if report.outcome != Outcome::Converged {
            self.terminal.say(&format!("the journal of this run is {}", run.place()));
        }
        let parked = |step: &&Step| matches!(report.steps.get(&step.id), Some(StepResult::Parked(_)));
        let made = |step| match report.steps.get(&step) {
            Some(StepResult::Done(output)) => Some(output.clone()),
            _ => None,
        };
        let requests = self.session.requests();
        for sentence in unfit_answers::told(&requests, plan.steps.iter().filter(parked), &made) {
            self.terminal.warn(&sentence);
        }
        let next = next::after(plan, report, self.place());
        self.terminal.next(&next);
        let exit = exit(plan, report);
        if exit == Exit::Done {
            self.terminal.suggest(&next::after_all(plan, self.place()));
        }
        let occasion = notifications::occasion(self.session.driver.now(), exit as u8);
        self.notifications.tell(&Notification::of_run(report, plan, &next, occasion));
        Ok(exit)
    }
}

/// The exit code of a run.
fn exit(plan: &Plan, report: &Report) -> Exit {
    match report.outcome {
        Outcome::Converged if plan.is_blocked() => Exit::of_obstacles(plan),
        Outcome::Converged => Exit::Done,
        Outcome::Waiting => Exit::Waiting,
        Outcome::Stopped if only_what_cannot_be_done(plan, report) => Exit::of_obstacles(plan),
        Outcome::Stopped | Outcome::Abandoned => Exit::Stopped,
    }
}

/// Whether everything was done but what the plan said cannot be done.
fn only_what_cannot_be_done(plan: &Plan, report: &Report) -> bool {
    report.halted.is_none()
        && report.steps.iter().all(|(id, result)| match result {
            StepResult::Done(_) => true,
            StepResult::Failed(_) => {
                plan.step(*id).is_some_and(|step| matches!(step.action, Action::CannotApply { .. }))
            }
            StepResult::Unknown(_)
            | StepResult::Parked(_)
            | StepResult::Skipped(_)
            | StepResult::Waiting(_)
            | StepResult::NotReached => false,
        })
}

/// What a lock that stays means, and what to do.
fn still_locked(not_released: &NotReleased) -> [String; 2] {
    let NotReleased { place: _, lease, ends_with_process, source: _ } = not_released;
    let what_to_do = if *ends_with_process {
        format!(
            "nothing was lost: the next run on this host takes it over by itself, and runs on other hosts wait until it \
             is {lease} seconds old"
        )
    } else {
        format!(
            "nothing was lost: runs are told that this one still goes on until the lock is {lease} seconds old, and take \
             it over then with --break-lock"
        )
    };
    [with_causes(not_released), what_to_do]
}
