//! Why an endpoint does not serve what it should, in words: what was declared, configured and served, joined with how
//! Exchange chooses.

use super::row::{Cause, CauseKind, Configured, Row};
use crate::{
    exchange::{
        binding_points::{BindingPoint, presented},
        selection::{self, Presented},
    },
    model::{
        fact::Fact,
        handshake::{
            endpoint_finding::EndpointFinding,
            probe_error::{Phase, ProbeError},
        },
        policy::Restarts,
        server::Server,
        service::MailService,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
};

/// What the place is configured to present.
pub fn configured(server: &Server, presenter: &BindingPoint, now: Timestamp) -> Configured {
    let presented = presented(server, presenter, now);
    Configured { certificate: certificate(&presented), message: presented.to_string() }
}

/// What is served is the declared certificate, and the place is known to be configured with another or with none.
pub fn configured_otherwise_than_served(
    row: &Row,
    server: &Server,
    presenter: &BindingPoint,
    now: Timestamp,
) -> Option<EndpointFinding> {
    let declared = row.declared.filter(|declared| row.served == Some(*declared))?;
    let presented = presented(server, presenter, now);
    match presented {
        Presented::Unknown(_) => None,
        Presented::Certificate(configured) if configured == declared => None,
        Presented::Certificate(_) | Presented::Failing { .. } | Presented::Nothing(_) => {
            Some(EndpointFinding::ConfiguredOtherwise { configured: presented })
        }
    }
}

/// Why the row is not good, when that can be told from how the server is configured.
pub fn cause(
    row: &Row,
    (server, restarts): (&Server, Restarts),
    presenter: &BindingPoint,
    now: Timestamp,
) -> Option<Cause> {
    let declared = row.declared?;
    let presented = presented(server, presenter, now);
    match (row.served, certificate(&presented)) {
        _ if row.is_good() => None,
        (Some(served), Some(configured)) if served == declared && configured != declared => {
            Some(configured_otherwise(server, presenter, configured, now))
        }
        (Some(served), _) if served == declared => declared_itself(row, now),
        (None, Some(configured)) => {
            perhaps_stopped(server, presenter).or_else(|| perhaps_unreadable(row, server, configured))
        }
        (_, None) => nothing(&presented),
        (Some(served), Some(configured)) if configured == declared => {
            Some(configured_not_served(row, (server, restarts), presenter, served))
        }
        (Some(_), Some(configured)) => Some(configured_otherwise(server, presenter, configured, now)),
    }
}

fn declared_itself(row: &Row, now: Timestamp) -> Option<Cause> {
    let expired = row.not_after.is_some_and(|end| end < now);
    expired.then(|| Cause {
        kind: CauseKind::Declared,
        message:
            "the certificate that the manifest declares has expired; `certwright plan` shows its renewal"
                .into(),
    })
}

fn configured_not_served(
    row: &Row,
    (server, restarts): (&Server, Restarts),
    presenter: &BindingPoint,
    served: Thumbprint,
) -> Cause {
    let in_store = server.certificates.known().map(|store| store.0.contains_key(&served));
    if in_store == Some(false) {
        let old = row.sent.first().and_then(|sent| sent.certificate.as_ref().ok());
        let old = old.is_some_and(|old| row.name.as_ref().is_some_and(|name| old.covers(name)));
        let what = if old { " and still holds the old certificate" } else { "" };
        return Cause {
            kind: CauseKind::InBetween,
            message: format!(
                "{} is not in the store of {}: a load balancer or a proxy answers at this address{what}",
                served.short(),
                row.server
            ),
        };
    }
    let service = service(presenter);
    let how = match presenter.loaded_by() {
        None => String::new(),
        Some(what) if restarts.of(what).is_some() => "; `certwright apply --handshakes` restarts it".into(),
        Some(what) => format!(
            "; `restarts` of the manifest leaves that to people: Restart-Service {}",
            server.restarted(what).join(", ")
        ),
    };
    Cause {
        kind: CauseKind::NotRestarted,
        message: format!("configured but not served: {service} has not been restarted{how}"),
    }
}

fn configured_otherwise(
    server: &Server,
    presenter: &BindingPoint,
    configured: Thumbprint,
    now: Timestamp,
) -> Cause {
    let plan = "`certwright plan` shows the step that changes it";
    let short = configured.short();
    let steps = match presenter {
        BindingPoint::Site(binding) => {
            let says = format!("the binding {binding} has {short}; {plan}");
            return Cause { kind: CauseKind::NotConfigured, message: says };
        }
        BindingPoint::InternalTransport => {
            let says = format!("the directory names {short} as internal transport certificate; {plan}");
            return Cause { kind: CauseKind::NotConfigured, message: says };
        }
        BindingPoint::Connector(name) => match &server.receive_connectors {
            Fact::Known(connectors) => connectors
                .get(name)
                .map(|connector| selection::inbound_starttls(server, connector, now).steps)
                .unwrap_or_default(),
            Fact::Unknown(_) => Vec::new(),
        },
        BindingPoint::Pop => selection::mail_access(server, &server.pop, now).steps,
        BindingPoint::Imap => selection::mail_access(server, &server.imap, now).steps,
    };
    let says = format!(
        "Exchange prefers {short} for {presenter}, because {}",
        steps.iter().map(ToString::to_string).collect::<Vec<_>>().join(", then ")
    );
    Cause { kind: CauseKind::Preferred, message: says }
}

/// POP and IMAP do not run by default (facts 3.9), and whether they do was not seen here: one that is known to be stopped is
/// not met.
fn perhaps_stopped(server: &Server, presenter: &BindingPoint) -> Option<Cause> {
    let service = match presenter {
        BindingPoint::Pop => MailService::Pop,
        BindingPoint::Imap => MailService::Imap,
        BindingPoint::Site(_) | BindingPoint::Connector(_) | BindingPoint::InternalTransport => return None,
    };
    let windows = service.windows_service();
    server.runs(windows).is_none().then(|| Cause {
        kind: CauseKind::MayNotRun,
        message: format!(
            "{service} does not run until somebody starts it, and whether it does was not seen: look with `Get-Service \
             {windows}`, and take {service} out of the manifest where nobody uses it"
        ),
    })
}

/// A server may say that it has a key and not be able to read it: it ends the connection in the handshake then (facts 8.6).
fn perhaps_unreadable(row: &Row, server: &Server, configured: Thumbprint) -> Option<Cause> {
    let in_handshake = |error: &ProbeError| {
        matches!(error, ProbeError::Closed { phase: Phase::Handshake } | ProbeError::Alert { .. })
    };
    let ended = row
        .problems
        .iter()
        .any(|problem| matches!(problem, EndpointFinding::NotMet { error } if in_handshake(error)));
    server.certificate(configured).filter(|stored| ended && stored.has_private_key)?;
    Some(Cause {
        kind: CauseKind::KeyMayBeUnreadable,
        message: format!(
            "so it is where the server cannot read the key of {} (\"Keyset does not exist\", Schannel event 36870): mend it there with \
             `certutil -repairstore my {configured}`, or have the certificate replaced (`certwright plan --replace NAME`)",
            configured.short()
        ),
    })
}

fn nothing(presented: &Presented) -> Option<Cause> {
    match presented {
        Presented::Nothing(_) | Presented::Failing { .. } => Some(Cause {
            kind: CauseKind::NothingToPresent,
            message: format!("Exchange would present {presented}"),
        }),
        Presented::Certificate(_) | Presented::Unknown(_) => None,
    }
}

fn certificate(presented: &Presented) -> Option<Thumbprint> {
    match presented {
        Presented::Certificate(thumbprint) | Presented::Failing { certificate: thumbprint, .. } => {
            Some(*thumbprint)
        }
        Presented::Nothing(_) | Presented::Unknown(_) => None,
    }
}

/// What has to be restarted for a change to be seen at this place.
fn service(presenter: &BindingPoint) -> &'static str {
    match presenter {
        BindingPoint::Site(_) => "IIS",
        BindingPoint::Connector(_) | BindingPoint::InternalTransport => "transport",
        BindingPoint::Pop => "POP",
        BindingPoint::Imap => "IMAP",
    }
}
