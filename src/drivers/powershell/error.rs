//! What can go wrong between certwright and a server that is reached by PowerShell.

use std::{io, process::ExitStatus, time::Duration};

use strum::VariantNames;

use super::answer::{AnswerKind, Answered, Mutated};
use crate::{pki::pfx::PfxError, remoting::RemotingError};

/// What went wrong. Each variant says what it leaves of the server; only [`OutcomeUnknown`](Self::OutcomeUnknown) leaves
/// doubt. Their names in snake case are what `docs/connectivity.md` calls them.
#[derive(Debug, thiserror::Error, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum PowerShellError {
    /// A value has no place on a command line. Nothing was started.
    #[error("{what} is {value:?}, which is refused: {why}")]
    Refused {
        /// Which value.
        what: &'static str,
        /// The value.
        value: String,
        /// Why.
        why: &'static str,
    },
    /// The program could not be started.
    #[error("`{program}` cannot be started")]
    NotStarted {
        /// The program.
        program: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Its host key is not known here.
    #[error(
        "the host key of {host} is not known; compare its fingerprint with the server's own and add it to known_hosts"
    )]
    HostKeyUnknown {
        /// The host.
        host: String,
    },
    /// Its host key is another one.
    #[error(
        "the host key of {host} is not the one that is known: it may be another machine, so nothing was sent to it"
    )]
    HostKeyChanged {
        /// The host.
        host: String,
    },
    /// Its host key is one that must not be trusted any more.
    #[error(
        "the host key of {host} is revoked: it may be another machine that has the key, so nothing was sent to it"
    )]
    HostKeyRevoked {
        /// The host.
        host: String,
    },
    /// The server does not take the account.
    #[error("{host} refuses the account: {said}")]
    AuthenticationFailed {
        /// The host.
        host: String,
        /// What was said.
        said: String,
    },
    /// Nobody answers.
    #[error("{host} cannot be reached: {said}")]
    Unreachable {
        /// The host.
        host: String,
        /// What was said.
        said: String,
    },
    /// What answers cannot carry out the driver.
    #[error("{host} runs {what}, and the driver needs {needs}")]
    Unsuitable {
        /// The host.
        host: String,
        /// What it is.
        what: String,
        /// What it would have to be.
        needs: &'static str,
    },
    /// What was sent is no answer.
    #[error("{host} answered with something that is no answer: {what}")]
    Protocol {
        /// The host.
        host: String,
        /// What is wrong with it.
        what: String,
    },
    /// The process at the other end is gone.
    #[error("PowerShell on {host} ended ({}){}", ended(.status.as_ref()), last_words(.said))]
    Died {
        /// The host.
        host: String,
        /// How it ended; none when that is not known.
        status: Option<ExitStatus>,
        /// The end of what it wrote to stderr.
        said: String,
    },
    /// It takes too long, and was ended.
    #[error("{host} did not answer within {} s, and the session was ended", .after.as_secs())]
    Deadline {
        /// The host.
        host: String,
        /// How long it had.
        after: Duration,
    },
    /// The conversation over WS-Management failed.
    #[error(transparent)]
    Remoting(Box<RemotingError>),
    /// The same, after something may have been changed.
    #[error(transparent)]
    RemotingInDoubt(Box<RemotingError>),
    /// What the manifest says of the way there cannot be used.
    #[error("{why}")]
    NoWay {
        /// Why not.
        why: String,
    },
    /// There is no way to what is not Exchange's own.
    #[error(
        "IIS, Windows services and certificate stores of {server} are not reached: its `remoting` carries cmdlets of Exchange \
         only"
    )]
    NoWindows {
        /// The server.
        server: String,
    },
    /// What was sent is of another server.
    #[error("{host} answered for another server: {said}")]
    AnswersForAnother {
        /// The host.
        host: String,
        /// Of which one.
        said: String,
    },
    /// The driver says that it could not, and what is known of it.
    #[error("{0}")]
    Answered(Box<Answered>),
    /// Something was being changed when it went wrong, and nobody knows whether it was done.
    #[error("whether it was done is unknown")]
    OutcomeUnknown(#[source] Box<Self>),
    /// What this version takes cannot be given to it in this way.
    #[error("{cmdlet} of this version takes files of the server; run it there")]
    TakesFiles {
        /// The cmdlet.
        cmdlet: &'static str,
    },
    /// A value that is only known once a step is done was asked for before.
    #[error("{cmdlet} names a certificate that does not exist yet")]
    NotMade {
        /// The cmdlet.
        cmdlet: &'static str,
    },
    /// What the server made cannot be told from what was there.
    #[error("{server} made {count} certificates where one was asked for")]
    NotOne {
        /// The server.
        server: String,
        /// How many.
        count: usize,
    },
    /// Bytes that should be a certificate, a request or a PFX file.
    #[error("what {server} sent as {what} cannot be read")]
    Unreadable {
        /// The server.
        server: String,
        /// What it should be.
        what: &'static str,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A PFX file could not be made.
    #[error(transparent)]
    Pfx(#[from] PfxError),
    /// A transcript could not be written or does not fit.
    #[error("the transcript {what}")]
    Transcript {
        /// What is wrong.
        what: String,
    },
}

impl PowerShellError {
    /// Whether the session can be used on. After anything else than an answer it is ended.
    pub fn leaves_session(&self) -> bool {
        match self {
            Self::Answered(answered) => answered.kind != AnswerKind::ConnectionLost,
            Self::OutcomeUnknown(source) => source.leaves_session(),
            Self::Refused { .. }
            | Self::TakesFiles { .. }
            | Self::NotMade { .. }
            | Self::NotOne { .. }
            | Self::Unreadable { .. }
            | Self::NoWindows { .. }
            | Self::Pfx(_) => true,
            Self::Remoting(_)
            | Self::RemotingInDoubt(_)
            | Self::AnswersForAnother { .. }
            | Self::NotStarted { .. }
            | Self::HostKeyUnknown { .. }
            | Self::HostKeyChanged { .. }
            | Self::HostKeyRevoked { .. }
            | Self::NoWay { .. }
            | Self::AuthenticationFailed { .. }
            | Self::Unreachable { .. }
            | Self::Unsuitable { .. }
            | Self::Protocol { .. }
            | Self::Died { .. }
            | Self::Deadline { .. }
            | Self::Transcript { .. } => false,
        }
    }

    /// Whether something may have been done all the same, where it was to be changed.
    pub(super) fn leaves_doubt(&self) -> bool {
        match self {
            Self::Answered(answered) => match answered.mutated {
                Mutated::No => false,
                Mutated::Yes | Mutated::Unknown => true,
            },
            Self::RemotingInDoubt(_)
            | Self::Died { .. }
            | Self::Deadline { .. }
            | Self::Protocol { .. }
            | Self::Transcript { .. } => true,
            Self::Remoting(_)
            | Self::NoWindows { .. }
            | Self::AnswersForAnother { .. }
            | Self::Refused { .. }
            | Self::NotStarted { .. }
            | Self::HostKeyUnknown { .. }
            | Self::HostKeyChanged { .. }
            | Self::HostKeyRevoked { .. }
            | Self::NoWay { .. }
            | Self::AuthenticationFailed { .. }
            | Self::Unreachable { .. }
            | Self::Unsuitable { .. }
            | Self::OutcomeUnknown(_)
            | Self::TakesFiles { .. }
            | Self::NotMade { .. }
            | Self::NotOne { .. }
            | Self::Unreadable { .. }
            | Self::Pfx(_) => false,
        }
    }

    /// Whether a server has no room just now, and may have a little later.
    pub(super) fn is_transient(&self) -> bool {
        if let Self::Remoting(error) = self {
            return error.is_transient() && !matches!(**error, RemotingError::Unreachable { .. });
        }
        matches!(self, Self::Answered(answered) if answered.kind == AnswerKind::TooManySessions)
    }

    /// Whether the same fails again until somebody does something about it: whoever asks again is refused again, and an account
    /// that is refused too often is locked.
    pub(super) fn lasts(&self) -> bool {
        match self {
            Self::Answered(answered) => answered.kind.lasts(),
            Self::Remoting(error) | Self::RemotingInDoubt(error) => error.lasts(),
            Self::OutcomeUnknown(source) => source.lasts(),
            Self::Refused { .. }
            | Self::NotStarted { .. }
            | Self::HostKeyUnknown { .. }
            | Self::HostKeyChanged { .. }
            | Self::HostKeyRevoked { .. }
            | Self::AuthenticationFailed { .. }
            | Self::Unsuitable { .. }
            | Self::NoWay { .. }
            | Self::NoWindows { .. }
            | Self::AnswersForAnother { .. }
            | Self::TakesFiles { .. }
            | Self::NotMade { .. }
            | Self::Pfx(_)
            | Self::Transcript { .. } => true,
            Self::Unreachable { .. }
            | Self::Protocol { .. }
            | Self::Died { .. }
            | Self::Deadline { .. }
            | Self::NotOne { .. }
            | Self::Unreadable { .. } => false,
        }
    }

    /// Whether a session that was open turned out to be gone, before anything of a request was begun. Exchange ends those that
    /// nobody has used for a while.
    pub(super) fn found_no_session(&self, changes: bool) -> bool {
        match self {
            Self::Answered(answered) => {
                answered.kind == AnswerKind::ConnectionLost && answered.mutated == Mutated::No
            }
            Self::Remoting(error) => error.is_of_lost_session(),
            Self::Died { .. } => !changes,
            Self::RemotingInDoubt(_)
            | Self::Refused { .. }
            | Self::NotStarted { .. }
            | Self::HostKeyUnknown { .. }
            | Self::HostKeyChanged { .. }
            | Self::HostKeyRevoked { .. }
            | Self::AuthenticationFailed { .. }
            | Self::Unreachable { .. }
            | Self::Unsuitable { .. }
            | Self::Protocol { .. }
            | Self::Deadline { .. }
            | Self::NoWay { .. }
            | Self::NoWindows { .. }
            | Self::AnswersForAnother { .. }
            | Self::OutcomeUnknown(_)
            | Self::TakesFiles { .. }
            | Self::NotMade { .. }
            | Self::NotOne { .. }
            | Self::Unreadable { .. }
            | Self::Pfx(_)
            | Self::Transcript { .. } => false,
        }
    }

    /// Whether nobody was reached, so that nothing can have been done.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::NotStarted { .. }
            | Self::HostKeyUnknown { .. }
            | Self::HostKeyChanged { .. }
            | Self::HostKeyRevoked { .. }
            | Self::NoWay { .. }
            | Self::AuthenticationFailed { .. }
            | Self::Unreachable { .. }
            | Self::Unsuitable { .. } => true,
            Self::Answered(answered) => matches!(
                answered.kind,
                AnswerKind::Unreachable
                    | AnswerKind::AuthenticationFailed
                    | AnswerKind::EndpointNotFound
                    | AnswerKind::TooManySessions
                    | AnswerKind::Busy
            ),
            Self::Remoting(error) => never_met(error),
            Self::RemotingInDoubt(_)
            | Self::NoWindows { .. }
            | Self::AnswersForAnother { .. }
            | Self::Refused { .. }
            | Self::Protocol { .. }
            | Self::Died { .. }
            | Self::Deadline { .. }
            | Self::OutcomeUnknown(_)
            | Self::TakesFiles { .. }
            | Self::NotMade { .. }
            | Self::NotOne { .. }
            | Self::Unreadable { .. }
            | Self::Pfx(_)
            | Self::Transcript { .. } => false,
        }
    }
}

/// Whether there was no session yet, or none any more before something was begun.
fn never_met(error: &RemotingError) -> bool {
    use RemotingError as E;
    matches!(
        error,
        E::BadEndpoint { .. }
            | E::InsecureTransport(_)
            | E::TlsUntrusted { .. }
            | E::Tls(_)
            | E::Unreachable { .. }
            | E::Busy { .. }
            | E::AuthenticationFailed { .. }
            | E::NoCommonAuthentication { .. }
            | E::Kerberos { .. }
            | E::EndpointNotFound { .. }
            | E::AccessDenied { .. }
            | E::TooManySessions { .. }
            | E::NotOpened { .. }
            | E::SessionDied { .. }
    )
}

fn ended(status: Option<&ExitStatus>) -> String {
    status.map_or_else(|| "nobody knows how".into(), ToString::to_string)
}

/// What a program said last, as the end of a sentence: safe to show on a terminal.
fn last_words(text: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|line| crate::model::text::escaped(line.trim()))
        .filter(|line| !line.is_empty())
        .collect();
    let last = &lines[lines.len().saturating_sub(4)..];
    if last.is_empty() { ", and said nothing".into() } else { format!(": {}", last.join("; ")) }
}
