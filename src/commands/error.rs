//! How commands end: a code for programs; for people what went wrong, why, and what to do.

use std::{fmt, io};

use crate::{
    drivers::{OpenError, lab::LabError},
    journal::{StoreError, store::BlobError},
    manifest::finding::Finding,
    model::{causes::in_words, plan::Plan, shown::ShowPath},
    ports::{BoxError, driver::DriverError, enrolment::RequestError, journal::JournalError},
};

/// Exit codes. They are part of the interface: scripts decide by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// An error.
    Error = 1,
    /// Changes are pending (`plan --detailed-exitcode`, `drift`).
    ChangesPending = 2,
    /// The manifest has findings.
    Findings = 3,
    /// An endpoint does not serve what it should.
    VerificationFailed = 4,
    /// The plan does not fit the organization any more.
    StalePlan = 5,
    /// The run stopped part-way.
    Stopped = 6,
    /// The run waits for something outside.
    Waiting = 7,
    /// Somebody else holds the lock.
    Locked = 8,
    /// A limit of the manifest is exceeded.
    LimitExceeded = 9,
    /// Something that the manifest asks for cannot be done.
    Cannot = 10,
    /// A run that did not come to its end is in the way.
    Unfinished = 11,
    /// The command line is wrong.
    Usage = 64,
}

impl Exit {
    /// That a plan cannot be carried out in full; where it is only that servers were not seen, an error, as `drift` has it.
    pub fn of_obstacles(plan: &Plan) -> Self {
        if plan.lacks_only_sight() { Self::Error } else { Self::Cannot }
    }
}

/// What stopped a command.
#[derive(Debug)]
pub struct CommandError {
    /// The exit code.
    pub exit: Exit,
    /// What went wrong, in one line without a full stop.
    pub summary: String,
    /// More about it: why it matters, what was compared.
    pub details: Vec<String>,
    /// What caused it.
    pub source: Option<BoxError>,
    /// What to do.
    pub hints: Vec<String>,
    /// Mistakes in files.
    pub findings: Vec<Finding>,
}

impl CommandError {
    /// An error with this code and summary.
    pub fn new(exit: Exit, summary: impl Into<String>) -> Self {
        Self {
            exit,
            summary: summary.into(),
            details: Vec::new(),
            source: None,
            hints: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Mistakes in files.
    pub fn findings(findings: Vec<Finding>) -> Self {
        Self { findings, ..Self::new(Exit::Findings, "the manifest has mistakes") }
    }

    /// What a manifest names and the organization does not have.
    pub fn contradictions(findings: Vec<Finding>) -> Self {
        Self { findings, ..Self::new(Exit::Findings, "the manifest contradicts what was observed") }
    }

    /// The same with its cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same with a sentence of explanation.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.details.push(detail.into());
        self
    }

    /// The same with what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// All of it in one line, for a place that has room for no more.
    pub(super) fn in_one_line(&self) -> String {
        let parts =
            std::iter::once(self.summary.clone()).chain(self.details.iter().cloned()).chain(self.causes());
        parts.map(|part| part.trim_end_matches('.').to_owned()).collect::<Vec<_>>().join(": ")
    }

    /// The causes, nearest first, without repetitions.
    pub fn causes(&self) -> Vec<String> {
        let mut causes: Vec<String> = Vec::new();
        let mut source: Option<&dyn std::error::Error> = self.source.as_deref().map(|source| source as _);
        while let Some(cause) = source {
            let text = in_words(cause);
            if causes.last() != Some(&text) && self.summary != text {
                causes.push(text);
            }
            source = cause.source();
        }
        causes
    }
}

impl std::error::Error for CommandError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary)
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        Self::new(Exit::Error, "writing the output failed").because(error)
    }
}

impl From<DriverError> for CommandError {
    fn from(error: DriverError) -> Self {
        let hint = lab_hint_within(&error);
        let told = Self::new(Exit::Error, error.to_string()).because(error);
        if let Some(hint) = hint { told.hint(hint) } else { told }
    }
}

impl From<LabError> for CommandError {
    fn from(error: LabError) -> Self {
        match error {
            LabError::Seed(findings) => {
                Self { findings, ..Self::new(Exit::Findings, "lab.yaml has mistakes") }
            }
            error @ LabError::Write(..) => Self::new(Exit::Error, "the lab cannot be changed")
                .because(error)
                .detail("Nothing was changed: a lab's files are replaced as a whole or not at all.")
                .hint("make the directory writable and see that the disk has room"),
            error => {
                let hint = lab_hint(&error);
                let told = Self::new(Exit::Error, "the lab cannot be used").because(error);
                if let Some(hint) = hint { told.hint(hint) } else { told }
            }
        }
    }
}

/// The same for an error of a lab that another error was made of.
fn lab_hint_within(error: &DriverError) -> Option<&'static str> {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = source {
        if let Some(of_lab) = cause.downcast_ref::<LabError>() {
            return lab_hint(of_lab);
        }
        source = cause.source();
    }
    None
}

/// What to do about a lab that cannot be used, where its message does not say so.
fn lab_hint(error: &LabError) -> Option<&'static str> {
    match error {
        LabError::Broken(..) | LabError::Lost(_) => Some(
            "put back a good copy of the lab's `state` directory, or remove that directory: the next command makes the lab anew",
        ),
        LabError::Read(..) => Some(
            "see that this user may read the file; where it is gone, put back a copy of the lab's `state` directory, or remove that directory",
        ),
        LabError::Pki(_) => Some(
            "put back a good copy of the lab's keys, or remove its `state` directory: the next command makes the lab anew",
        ),
        LabError::NoSeed(_) => {
            Some("copy one from an example, or make a lab from a capture: certwright lab from CAPTURE DIR")
        }
        LabError::Listen(_) => Some("end what listens on this computer, and try again"),
        LabError::Seed(_)
        | LabError::Write(..)
        | LabError::Exists(_)
        | LabError::CannotSetUp(_)
        | LabError::WhichAuthority(_)
        | LabError::NoSubscription(_)
        | LabError::AlreadyServed
        | LabError::Refused(_) => None,
    }
}

impl From<OpenError> for CommandError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::PresentTime => {
                Self::new(Exit::Usage, "--at is for captures; real servers have the present time")
                    .hint("name a capture: --capture DIR")
            }
            OpenError::OwnClock => Self::new(
                Exit::Usage,
                "--at is for captures; this manifest's driver has a clock of its own",
            )
            .hint(
                "name a capture: --capture DIR; or move the lab's clock: certwright lab clock --set MOMENT",
            ),
            OpenError::NoLab => Self::new(Exit::Error, error.to_string())
                .hint("a lab can be made from a capture: certwright lab from CAPTURE DIR"),
            OpenError::Capture(error) => Self::new(Exit::Error, "the capture cannot be used")
                .because(error)
                .hint("make a capture with the script that this prints: certwright observe --print-script"),
            OpenError::Lab(error) => error.into(),
            OpenError::PowerShell(error) => {
                Self::new(Exit::Error, "the manifest's `driver` cannot be used").because(error)
            }
            OpenError::File { .. } | OpenError::Secret { .. } => Self::new(Exit::Error, error.to_string()),
            OpenError::NotFromHere { .. } => Self::new(Exit::Error, error.to_string())
                .hint(
                    "say by `ssh` on which Windows computer it runs: driver: { powershell: { ssh: { host: admin01.contoso.com } } }",
                )
                .hint("or let certwright call Exchange's cmdlets itself: driver: { powershell: { remoting: {} } }"),
        }
    }
}

impl From<RequestError> for CommandError {
    fn from(error: RequestError) -> Self {
        Self::new(Exit::Error, error.to_string()).because(error)
    }
}

impl From<JournalError> for CommandError {
    fn from(error: JournalError) -> Self {
        Self::new(Exit::Error, "the run stopped because its journal cannot be written")
            .because(error)
            .detail("No step is done without a line in the journal before it.")
            .hint(
                "see that the disk has room and the directory is writable, then give the same command again",
            )
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        match error {
            error @ StoreError::Locked(..) => Self::new(Exit::Locked, "another run is going on")
                .because(error)
                .detail("Two runs at once could each undo what the other does.")
                .hint("wait until it is over, or let this one wait for it: --lock-timeout 10m"),
            StoreError::Stale(held) => Self::new(Exit::Locked, "another run may be going on")
                .detail("A lock that is not renewed was left behind by a run that died, or its runner has no way to the store just now.")
                .hint("see whether that process still runs; when it does not, pass --break-lock")
                .because(StoreError::Stale(held)),
            error @ StoreError::NoConditions(_) => Self::new(Exit::Error, "this store cannot hold a lock")
                .because(error)
                .detail("Two runs at once could each undo what the other does; nothing was changed.")
                .hint("keep runs in a store that knows conditional writes, or in a directory"),
            error @ StoreError::Unprotected(_) => Self::new(Exit::Error, "the backups of this run need a password")
                .because(error)
                .detail("Everybody who may read the bucket could use the keys; nothing was changed.")
                .hint("name one in the manifest: backup: { password: { env: NAME } }"),
            error @ StoreError::Place(_) => {
                Self::new(Exit::Error, "the place for runs cannot be used").because(error)
            }
            error @ StoreError::NoSuchRun(..) => Self::new(Exit::Error, "the run cannot be read")
                .because(error)
                .hint("`certwright history`, with the same --manifest and --state, lists which there are"),
            error @ StoreError::Damaged { .. } => Self::new(Exit::Error, "the run cannot be read")
                .because(error)
                .detail("What it did is not known, so it can be neither continued nor rolled back.")
                .hint("put a good copy of its journal in the place of this one, or move it away once you know that the servers are well"),
            error @ StoreError::Blob(BlobError::Read(..)) => {
                Self::new(Exit::Error, "the runs cannot be read")
                    .because(error)
                    .detail("Without its journal nothing is changed.")
                    .hint("see that the place for runs is a directory that can be read, or a bucket that answers")
            }
            error @ StoreError::Blob(_) => Self::new(Exit::Error, "the run cannot be written down")
                .because(error)
                .detail("Without a journal nothing is changed.")
                .hint("see that the place for runs can be reached and written, then give the same command again"),
            StoreError::Write(path, error)
                if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory) =>
            {
                let hint = format!("move {} away: runs are kept there, in a directory", path.shown());
                Self::new(Exit::Error, "the run cannot be written down")
                    .because(StoreError::Write(path, error))
                    .hint(hint)
            }
            error => Self::new(Exit::Error, "the run cannot be written down").because(error).hint(
                "see that the disk has room and the directory is writable; without a journal nothing is changed",
            ),
        }
    }
}
