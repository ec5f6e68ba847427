//! Requests for a CA, and their answers (facts 1.1, 8.1).

use super::{refuse, store, through_shell};
use crate::{
    exchange::refusal::{Refusal, Why},
    model::{
        certificate::Certificate,
        fact::Fact,
        names::{DnsName, FriendlyName, ServerName},
        organization::Organization,
        server::{PendingRequest, StoredCertificate},
        thumbprint::Thumbprint,
    },
};

/// `New-ExchangeCertificate -GenerateRequest`: the server keeps a stand-in for the certificate that will come (facts 1.1).
pub fn request(
    organization: &mut Organization,
    name: &ServerName,
    pending: PendingRequest,
) -> Result<(), Refusal> {
    let server = through_shell(organization, name)?;
    if let Some(requests) = server.requests.known_mut() {
        requests.push(pending);
    }
    Ok(())
}

/// `Import-ExchangeCertificate` of an answer: the request with its key disappears, and the certificate appears with the
/// request's key (facts 8.1). Returns the request. The refusal without one is certwright's: Exchange would import a
/// certificate without key.
pub fn complete(
    organization: &mut Organization,
    name: &ServerName,
    certificate: Certificate,
    friendly_name: &FriendlyName,
) -> Result<Option<PendingRequest>, Refusal> {
    let server = through_shell(organization, name)?;
    let Some(requests) = server.requests.known_mut() else { return Ok(None) };
    let thumbprint = certificate.thumbprint;
    let answered = requests.iter().position(|pending| is_answered_by(&pending.certificate, &certificate));
    let at = answered.ok_or_else(|| refuse(name, Why::NoRequest(thumbprint)))?;
    let pending = requests.remove(at);
    let stored = StoredCertificate {
        exportable: pending.exportable.clone(),
        friendly_name: Fact::Known(friendly_name.to_string()),
        ..StoredCertificate::without_services(certificate)
    };
    store(organization, name, stored)?;
    Ok(Some(pending))
}

/// `Remove-ExchangeCertificate` of a pending request.
pub fn remove_request(
    organization: &mut Organization,
    name: &ServerName,
    request: Thumbprint,
) -> Result<(), Refusal> {
    let server = through_shell(organization, name)?;
    let Some(requests) = server.requests.known_mut() else { return Ok(()) };
    let before = requests.len();
    requests.retain(|pending| pending.certificate.thumbprint != request);
    if requests.len() < before { Ok(()) } else { Err(refuse(name, Why::NotFound(request))) }
}

/// By the key. On paper, where neither has one yet, by what was asked for.
fn is_answered_by(stand_in: &Certificate, answer: &Certificate) -> bool {
    let same_key = !stand_in.public_key.is_empty() && stand_in.public_key == answer.public_key;
    let foreseen = answer.thumbprint.placeholder_step().is_some();
    // What a request cannot ask for the CA adds (facts 1.9).
    let same_names = || {
        let asked = |certificate: &Certificate| -> Vec<DnsName> {
            certificate.names.iter().filter(|name| !name.is_address()).cloned().collect()
        };
        asked(stand_in) == asked(answer)
    };
    same_key || (foreseen && stand_in.subject.means(&answer.subject) && same_names())
}
