//! `Set-AuthConfig`, and what the servicelets of the Service Host do by themselves (facts 4.4).

use super::refuse;
use crate::{
    exchange::refusal::{Refusal, Why},
    model::{
        fact::Fact,
        names::ServerName,
        organization::{AuthConfig, Organization},
        server::Server,
        thumbprint::Thumbprint,
        time::{Span, Timestamp},
    },
};

/// `Set-AuthConfig -NewCertificateThumbprint -NewCertificateEffectiveDate`. Without a date it takes effect at once, which
/// Exchange asks about for every date that is less than 48 hours ahead; `-Force` answers.
pub fn stage_auth(
    organization: &mut Organization,
    thumbprint: Thumbprint,
    effective: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let holder = organization.servers.iter().find(|(_, server)| has_with_key(server, thumbprint));
    if holder.is_none() && organization.servers.values().all(|server| server.certificates.known().is_some()) {
        return Err(refuse(&some_server(organization), Why::NotFound(thumbprint)));
    }
    if effective.is_some_and(|effective| effective < now.plus(Span::hours(48))) {
        return Err(refuse(&some_server(organization), Why::EffectiveTooSoon));
    }
    let config = config(organization)?;
    config.next = Some(thumbprint);
    config.next_effective = Some(effective.unwrap_or(now));
    Ok(())
}

/// `Set-AuthConfig -PublishCertificate`: the next one becomes the current one, and that the previous one.
pub fn publish_auth(organization: &mut Organization) -> Result<(), Refusal> {
    let server = some_server(organization);
    let config = config(organization)?;
    let next = config.next.take().ok_or_else(|| refuse(&server, Why::NoNextAuthCertificate))?;
    config.next_effective = None;
    config.previous = config.current.replace(next);
    Ok(())
}

/// `Set-AuthConfig -ClearPreviousCertificate`.
pub fn clear_previous_auth(organization: &mut Organization) -> Result<(), Refusal> {
    config(organization)?.previous = None;
    Ok(())
}

/// Whether the AuthAdmin servicelet has published the next certificate by itself: it runs every twelve hours, and whenever
/// its service starts.
pub fn publishes_by_itself(config: &AuthConfig, now: Timestamp, service_starts: bool) -> bool {
    let at_the_latest = if service_starts { Span::ZERO } else { Span::hours(12) };
    config.next.is_some()
        && config.next_effective.is_some_and(|effective| effective.plus(at_the_latest) <= now)
}

/// Whether a server has the certificate with its key.
pub fn has_with_key(server: &Server, thumbprint: Thumbprint) -> bool {
    server.certificate(thumbprint).is_some_and(|stored| stored.has_private_key)
}

/// Makes the details of a server's certificates unknown, where Exchange signs what remote PowerShell sends and the Auth
/// certificate that it signs with is expired or not there: `Get-ExchangeCertificate` then answers without details (facts
/// 2.5, 12.3). The certificates themselves are still sent.
pub fn blind(organization: &mut Organization, now: Timestamp) {
    let Some(Some(config)) = organization.auth.known() else { return };
    let current = config.current;
    for server in organization.servers.values_mut() {
        let signs =
            server.version.known().is_some_and(|version| version.signs_payloads()) && !server.is_edge();
        let stored = current.and_then(|current| server.certificate(current));
        let signed =
            stored.is_some_and(|stored| stored.has_private_key && now <= stored.certificate.not_after);
        if !signs || signed {
            continue;
        }
        let why = match stored {
            Some(stored) => format!("the Auth certificate expired {}", stored.certificate.not_after.date()),
            None => "the Auth certificate is not on the server".into(),
        };
        for stored in server.certificates.known_mut().into_iter().flat_map(|store| store.0.values_mut()) {
            stored.exportable = Fact::unknown(why.clone());
            stored.friendly_name = Fact::unknown(why.clone());
            stored.services = Fact::unknown(why.clone());
            stored.root_type = Fact::unknown(why.clone());
            stored.status = Fact::unknown(why.clone());
        }
    }
}

fn config(organization: &mut Organization) -> Result<&mut AuthConfig, Refusal> {
    let server = some_server(organization);
    let known = organization.auth.known_mut().and_then(Option::as_mut);
    known.ok_or_else(|| refuse(&server, Why::NoAuthConfig))
}

/// The cmdlet acts on the organization; a refusal names the server that it ran on.
fn some_server(organization: &Organization) -> ServerName {
    let first = organization.servers.keys().next().cloned();
    first.unwrap_or_else(|| "EXCHANGE".parse().expect("a server name"))
}
