//! The laws that no plan may break.

use serde::Serialize;

use crate::model::{
    action::StepId,
    certificate_use::CertificateUse,
    names::{BalancerName, ConnectorName, ServerName},
    schema::JsonSchema,
    service::Restartable,
    thumbprint::Thumbprint,
    unmet::UnmetPlace,
};

/// Something that makes a plan unsafe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, JsonSchema)]
#[serde(tag = "law", content = "case", rename_all = "camelCase")]
pub enum Unsafe {
    /// The steps are not numbered from 1, or a step comes before one that it needs.
    #[error("{0:?} is out of order")]
    OutOfOrder(StepId),
    /// Exchange would refuse the step, or it needs what is not there.
    #[error("{step:?} cannot be done: {why}")]
    Impossible {
        /// The step.
        step: StepId,
        /// Why not.
        why: String,
    },
    /// A place that presented a valid certificate does not any more.
    #[error(
        "after {step:?}, {presenter} on {server} presents {now}; before the plan it had a valid certificate"
    )]
    EndpointLost {
        /// The step.
        step: StepId,
        /// The server.
        server: ServerName,
        /// The place.
        presenter: String,
        /// What it presents.
        now: String,
    },
    /// A send connector that proved itself with a valid certificate does not any more, or with one that the server signed
    /// itself.
    #[error(
        "after {step:?}, {connector} proves {server} with {now}; before the plan it had a certificate for that"
    )]
    ConnectorLost {
        /// The step.
        step: StepId,
        /// The send connector.
        connector: ConnectorName,
        /// The source server.
        server: ServerName,
        /// What it shows.
        now: String,
    },
    /// A certificate is removed that something uses.
    #[error("{step:?} removes a certificate that is still used by {}", listed(by))]
    StillUsed {
        /// The step.
        step: StepId,
        /// By what.
        by: Vec<CertificateUse>,
    },
    /// A certificate is removed that may be another product's: nothing shows that it stood in the places of its successor.
    #[error("{step:?} removes {certificate} on {server}, which nothing shows to be certwright's")]
    NotOwned {
        /// The step.
        step: StepId,
        /// The server.
        server: ServerName,
        /// The certificate.
        certificate: Thumbprint,
    },
    /// A certificate is removed before its grace time is over.
    #[error("{step:?} removes {certificate} on {server} before its grace time is over")]
    GraceNotOver {
        /// The step.
        step: StepId,
        /// The server.
        server: ServerName,
        /// The certificate.
        certificate: Thumbprint,
    },
    /// A certificate is removed although a place of its successor cannot be met, and the manifest does not say that it may go.
    #[error("{step:?} removes {certificate} on {server}, where nobody can meet its successor at {place}")]
    PlaceNotProved {
        /// The step.
        step: StepId,
        /// The server.
        server: ServerName,
        /// The certificate.
        certificate: Thumbprint,
        /// The place.
        place: UnmetPlace,
    },
    /// A certificate is removed on a server where a service may have loaded it: a run changed its certificate and did not restart it.
    #[error(
        "{step:?} removes a certificate on {server} before {service} is restarted, which an earlier run has left undone"
    )]
    RestartLeft {
        /// The step.
        step: StepId,
        /// The server.
        server: ServerName,
        /// The service.
        service: Restartable,
    },
    /// A certificate is removed on a server whose last change was not verified.
    #[error("{step:?} removes a certificate on {server} before a verification of its last change")]
    NotVerified {
        /// The step.
        step: StepId,
        /// The server.
        server: ServerName,
    },
    /// A certificate is removed before a load balancer was met after its last change.
    #[error("{step:?} removes a certificate before load balancer {balancer} was verified")]
    BalancerNotVerified {
        /// The step.
        step: StepId,
        /// The load balancer.
        balancer: BalancerName,
    },
    /// A load balancer is left with another certificate than a server behind it, where Extended Protection has clients see both.
    #[error(
        "{server} parts from load balancer {balancer}, which presented the same certificate: with Extended Protection nobody \
         signs in through it"
    )]
    BalancerLeftBehind {
        /// The server.
        server: ServerName,
        /// The load balancer.
        balancer: BalancerName,
    },
    /// A send connector shows Microsoft 365 a certificate with another name before Exchange Online is told of it.
    #[error("after {step:?}, {connector} proves {server} with {now}, of which Exchange Online is not told")]
    OnlineNotTold {
        /// The step.
        step: StepId,
        /// The send connector.
        connector: ConnectorName,
        /// The source server.
        server: ServerName,
        /// What it shows.
        now: String,
    },
    /// POP or IMAP goes over from its certificate to another one of the manifest, which has the name that it looks for too.
    #[error(
        "after all steps, {place} on {server} presents {now}, and had its certificate of the manifest before"
    )]
    TakenOff {
        /// The server.
        server: ServerName,
        /// The service.
        place: String,
        /// What it presents.
        now: String,
    },
    /// The manifest protects the certificate, or it is Exchange's or Windows' own.
    #[error("{0:?} touches a certificate that is protected")]
    Protected(StepId),
    /// A certificate for TLS would sign tokens.
    #[error("{0:?} makes a certificate the Auth certificate that is not made for it")]
    AuthIsForTls(StepId),
    /// Tokens would be signed by what a server cannot check or sign with.
    #[error("{step:?} publishes an Auth certificate that {server} does not have")]
    AuthNotEverywhere {
        /// The step.
        step: StepId,
        /// The server.
        server: ServerName,
    },
    /// An Edge server and a server of its site would present the same certificate to each other.
    #[error("after {step:?}, Edge server {edge} and {server} have the same internal transport certificate")]
    SharedWithEdge {
        /// The step.
        step: StepId,
        /// The Edge server.
        edge: ServerName,
        /// The server of its site.
        server: ServerName,
    },
    /// Two servers could be drained at the same time.
    #[error("{step:?} drains {server} without waiting until {other} is back")]
    DrainedTogether {
        /// The step.
        step: StepId,
        /// Its server.
        server: ServerName,
        /// The server that is drained before.
        other: ServerName,
    },
    /// A server is drained, and no other one takes over.
    #[error("{step:?} drains {server}, and no other server takes over")]
    NobodyTakesOver {
        /// The step.
        step: StepId,
        /// The server.
        server: ServerName,
    },
    /// Messages go to a server of another site.
    #[error("{step:?} drains {server} into a server of another site")]
    TakenOverElsewhere {
        /// The step.
        step: StepId,
        /// The server.
        server: ServerName,
    },
    /// When all is done, something would still be to do.
    #[error("when all its steps are done, this would still be to do for the manifest as it is now: {0}")]
    NotTheEnd(String),
}

fn listed(uses: &[CertificateUse]) -> String {
    uses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
