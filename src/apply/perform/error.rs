//! Why a step was not done.

use std::any::Any;

use crate::{
    exchange::refusal::Refusal,
    model::{
        action::ConnectorRef,
        failure::FailureCode,
        names::{BalancerName, ServerName},
        site::SiteBinding,
        thumbprint::Thumbprint,
    },
    ports::{
        artifacts::ArtifactError, balancer::BalancerError, driver::DriverError, enrolment::RequestError,
        issuer::IssuerError,
    },
    verify::{row::Row, run},
};

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
pub(in crate::apply) enum StepError {
    /// The driver could not.
    #[error(transparent)]
    Driver(#[from] DriverError),
    /// The load balancer could not.
    #[error(transparent)]
    Balancer(#[from] BalancerError),
    /// The CA could not.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// A file could not be written or read.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The file of a request or of its answer could not.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// Endpoints do not serve what they should.
    #[error("{}", served_wrongly(.0))]
    NotServed(Vec<Row>),
    /// Exchange reported what has not happened.
    #[error(
        "{server} reported that {} is enabled for SMTP, and it is not: a connector that chooses it would offer no TLS, so \
         nothing that rests on it is done; run the same command again, and when it stays so, see MSExchange Management in \
         the server's event log", .certificate.short()
    )]
    NotEnabled {
        /// The server.
        server: ServerName,
        /// The certificate.
        certificate: Thumbprint,
    },
    /// What was just imported could not be enabled, and was taken off again.
    #[error(
        "{} could not be enabled on {server}: {why}; it was taken off again, so that no connector chooses what it cannot \
         use, and nothing on the server is changed", .certificate.short()
    )]
    TakenBack {
        /// The server.
        server: ServerName,
        /// The certificate.
        certificate: Thumbprint,
        /// Why it could not be enabled.
        why: String,
    },
    /// What was just imported could not be enabled, and is still there.
    #[error(
        "{} could not be enabled on {server}: {why}; it is still there{}, and connectors that choose it by its name \
         offer no TLS: enable it for SMTP, or take it off", .certificate.short(),
        if .source.is_some() { ", because taking it off failed too" } else { ", because its key would be lost with it" }
    )]
    LeftUnusable {
        /// The server.
        server: ServerName,
        /// The certificate.
        certificate: Thumbprint,
        /// Why it could not be enabled.
        why: String,
        /// Why it could not be taken off; absent when nobody tried.
        source: Option<DriverError>,
    },
    /// It is not known whether what was to be brought has come, and nothing shows it.
    #[error(
        "the answer of {server} was lost, and whether {} came there cannot be seen: if it did, connectors that choose it by \
         its names offer no STARTTLS until it is enabled for SMTP. Run the same command again as soon as {server} answers: it \
         looks, and enables it or brings it once more", .certificate.short()
    )]
    ArrivalUnseen {
        /// The server.
        server: ServerName,
        /// The certificate.
        certificate: Thumbprint,
        /// What was lost.
        source: DriverError,
    },
    /// A binding still has the certificate that is to be removed.
    #[error(
        "{site} on {server} still has {}: Exchange would remove it all the same, and the binding would serve nobody; nothing is \
         removed", .certificate.short()
    )]
    StillNamed {
        /// The server.
        server: ServerName,
        /// The certificate.
        certificate: Thumbprint,
        /// The binding.
        site: SiteBinding,
    },
    /// Whether a binding still names the certificate that is to be removed cannot be seen.
    #[error(
        "whether a binding of IIS on {server} still has {} cannot be seen: {why}; nothing is removed; run the same command again when \
         it can", .certificate.short()
    )]
    BindingsUnseen {
        /// The server.
        server: ServerName,
        /// The certificate.
        certificate: Thumbprint,
        /// Why not.
        why: String,
    },
    /// A connector does not show what it was given.
    #[error(
        "{connector} does not show yet what it was given: Active Directory may be replicating it; run the same command \
         again in a while"
    )]
    NotNamed {
        /// The connector.
        connector: ConnectorRef,
    },
    /// An Edge server goes on acting by an older copy of a connector.
    #[error(
        "{edge} does not show yet what {connector} was given: EdgeSync has not brought it there; \
         `Test-EdgeSynchronization` on {by} says why; then run the same command again"
    )]
    EdgeBehind {
        /// The connector.
        connector: ConnectorRef,
        /// The Edge server.
        edge: ServerName,
        /// The server of its site by which `EdgeSync` was started.
        by: ServerName,
    },
    /// The key of a certificate that is to be removed does not come out, although the server says that it may.
    #[error(
        "{} on {server} cannot be backed up with its key, which the server says may be exported: it cannot be read, and the \
         certificate stays; repair its key (`certutil -repairstore my {certificate}`), or have it removed without a backup \
         (`retire: {{ backup: false }}`)", .certificate.short()
    )]
    KeyNotBackedUp {
        /// The server.
        server: ServerName,
        /// The certificate.
        certificate: Thumbprint,
    },
    /// The key of a certificate that another server needs does not come out, and no other server has it.
    #[error(
        "the key of {} does not come out of {server}, and no other server can give it: {said} Mend it there (`certutil \
         -repairstore my {certificate}`), or have a new certificate issued for all (`certwright plan --replace NAME`)", .certificate.short()
    )]
    KeyNotExported {
        /// The server.
        server: ServerName,
        /// The certificate.
        certificate: Thumbprint,
        /// What Exchange says.
        said: Refusal,
    },
    /// A load balancer was told to send a server no clients, and could not be told to send it some again.
    #[error(
        "{server} is still out of load balancer {balancer}, which sends it no clients: run the same command again, or put it \
         back by hand"
    )]
    StillOut {
        /// The server.
        server: ServerName,
        /// The load balancer.
        balancer: BalancerName,
        /// Why it could not be put back.
        source: BalancerError,
    },
    /// The plan itself says that it cannot be done.
    #[error("not applicable, as the plan stated")]
    CannotApply,
    /// Something in certwright itself went wrong.
    #[error("certwright itself failed: {0}; please report it, and look at the server before you go on")]
    Panicked(String),
    /// The plan refers to what is not there. `lint` finds this before a run begins.
    #[error("the plan is broken: {0}")]
    BrokenPlan(String),
}

impl StepError {
    /// What a panic says.
    pub(in crate::apply) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let words = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        Self::Panicked(words.unwrap_or("a panic without words").to_owned())
    }

    /// Whether the step may have been done all the same.
    pub(in crate::apply) fn leaves_doubt(&self) -> bool {
        matches!(
            self,
            Self::Panicked(_)
                | Self::ArrivalUnseen { .. }
                | Self::Driver(DriverError::OutcomeUnknown { .. })
                | Self::LeftUnusable { source: Some(DriverError::OutcomeUnknown { .. }), .. }
                | Self::Balancer(BalancerError::OutcomeUnknown { .. })
        )
    }

    /// What kind of failure it is.
    pub(in crate::apply) fn code(&self) -> FailureCode {
        match self {
            Self::Driver(DriverError::Refused(_)) => FailureCode::Refused,
            Self::Driver(DriverError::Unreachable { .. }) => FailureCode::Unreachable,
            Self::Driver(DriverError::Failed { .. }) => FailureCode::ServerFailed,
            Self::Panicked(_)
            | Self::ArrivalUnseen { .. }
            | Self::Driver(DriverError::OutcomeUnknown { .. })
            | Self::Balancer(BalancerError::OutcomeUnknown { .. }) => FailureCode::OutcomeUnknown,
            Self::Balancer(_) => FailureCode::BalancerFailed,
            Self::Issuer(_) => FailureCode::IssuerFailed,
            Self::Artifact(_) => FailureCode::FileFailed,
            Self::Request(_) => FailureCode::RequestFileFailed,
            Self::NotServed(_) => FailureCode::NotServed,
            Self::NotEnabled { .. } => FailureCode::NotEnabled,
            Self::TakenBack { .. } => FailureCode::TakenBack,
            Self::LeftUnusable { .. } => FailureCode::LeftUnusable,
            Self::NotNamed { .. } | Self::EdgeBehind { .. } => FailureCode::NotNamed,
            Self::StillOut { .. } => FailureCode::StillOut,
            Self::StillNamed { .. } => FailureCode::StillNamed,
            Self::BindingsUnseen { .. } => FailureCode::BindingsUnseen,
            Self::KeyNotBackedUp { .. } => FailureCode::KeyNotBackedUp,
            Self::KeyNotExported { .. } => FailureCode::KeyNotExported,
            Self::CannotApply => FailureCode::CannotApply,
            Self::BrokenPlan(_) => FailureCode::BrokenPlan,
        }
    }

    /// Whether the same step may succeed a little later: a server that does not answer, an endpoint that has not taken
    /// over its certificate yet. What Exchange refuses it refuses again.
    pub(in crate::apply) fn may_pass(&self) -> bool {
        match self {
            Self::Driver(error) => error.may_pass(),
            Self::Issuer(_)
            | Self::Artifact(_)
            | Self::Request(_)
            | Self::Balancer(_)
            | Self::CannotApply
            | Self::StillNamed { .. }
            | Self::KeyNotBackedUp { .. }
            | Self::KeyNotExported { .. }
            | Self::Panicked(_)
            | Self::BrokenPlan(_) => false,
            Self::ArrivalUnseen { .. }
            | Self::BindingsUnseen { .. }
            | Self::NotServed(_)
            | Self::NotEnabled { .. }
            | Self::NotNamed { .. }
            | Self::EdgeBehind { .. }
            | Self::StillOut { .. } => true,
            // Enabling was tried again before.
            Self::TakenBack { .. } | Self::LeftUnusable { .. } => false,
        }
    }
}

fn served_wrongly(rows: &[Row]) -> String {
    let bad = rows.iter().filter(|row| !row.is_good());
    let lines: Vec<String> = bad
        .map(|row| {
            let wrong: Vec<String> = row.wrong().map(ToString::to_string).collect();
            format!("{} {}: {}", row.server, row.endpoint, wrong.join("; "))
        })
        .collect();
    let advice = run::advice(rows).map_or(String::new(), |advice| format!("; {advice}"));
    format!(
        "{} of {} endpoints do not serve what they should{advice}: {}",
        lines.len(),
        rows.len(),
        lines.join(" | ")
    )
}
