//! Certificates that a CA was asked for: the request that waits on a server, and the CA's answer to it.

use super::{
    decision::{Decision, Decisions, Supply},
    rules,
};
use crate::model::{
    certificate::Certificate,
    desired::{Desired, DesiredCertificate},
    names::ServerName,
    organization::Organization,
    reason::Reason,
    time::Timestamp,
    warning::RunWarning,
};

/// What becomes of a certificate that is missing when a CA was asked for it already.
pub(super) fn already<'a>(
    decision: Decision<'a>,
    organization: &Organization,
    file: &str,
    unread: Option<&str>,
    now: Timestamp,
) -> Decision<'a> {
    let certificate = decision.certificate;
    let answer = certificate.in_hand();
    let Some((server, stand_in)) = newest(certificate, organization, answer) else { return decision };
    let answer_to_it = answer.filter(|answer| answer.public_key == stand_in.public_key);
    let mut reasons = decision.reasons.clone();
    if let Some(why) = unread {
        reasons.push(Reason::AnswerUnread { file: file.to_owned(), why: why.to_owned() });
        return Decision { supply: Supply::Blocked, reasons, ..decision };
    }
    if let Some(answer) = answer_to_it {
        let problems = rules::reasons_against(certificate, answer, &decision.reasons, now);
        if !problems.is_empty() {
            reasons.push(Reason::AnswerDoesNotFit { file: file.to_owned(), problems });
            return Decision { supply: Supply::Blocked, reasons, ..decision };
        }
        if let Some(not_trusted) = rules::not_trusted(certificate, &format!("{file}.cer"), organization) {
            reasons.push(not_trusted);
            return Decision { supply: Supply::Blocked, reasons, ..decision };
        }
    } else if let Some(other) = answer {
        let (subject, not_after) = (Some(other.subject.clone()), Some(other.not_after));
        reasons.push(Reason::AnswerOfAnotherRequest { file: Some(file.to_owned()), subject, not_after });
    }
    let (server, request) = (server.clone(), stand_in.thumbprint);
    Decision {
        supply: Supply::Requested { server, request, answered: answer_to_it.is_some() },
        reasons,
        ..decision
    }
}

/// Requests for a certificate of the manifest that the plan does not wait for. They stay: with a
/// request its key goes, and nobody can know here whether a CA is about to answer it.
pub(super) fn forgotten(
    desired: &Desired,
    decisions: &Decisions<'_>,
    organization: &Organization,
) -> Vec<RunWarning> {
    let mut forgotten = Vec::new();
    for (name, server) in desired.servers.keys().filter_map(|name| organization.servers.get_key_value(name)) {
        for pending in server.requests.known().into_iter().flatten() {
            let stand_in = &pending.certificate;
            let about = decisions
                .on(name)
                .find(|decision| decision.certificate.names.iter().any(|wanted| stand_in.covers(wanted)));
            let may_be_awaited = decisions.on(name).any(|decision| match &decision.supply {
                Supply::Requested { request, .. } => *request == stand_in.thumbprint,
                Supply::Blocked => true,
                Supply::Have { .. } | Supply::New => false,
            });
            if let (Some(decision), false) = (about, may_be_awaited) {
                forgotten.push(RunWarning::RequestNotAwaited {
                    server: name.clone(),
                    thumbprint: stand_in.thumbprint,
                    named: stand_in.subject.to_string(),
                    since: stand_in.not_before,
                    certificate: decision.certificate.id.clone(),
                });
            }
        }
    }
    forgotten
}

/// The newest request that asks for what the manifest does; one that was answered comes first.
fn newest<'a>(
    certificate: &DesiredCertificate,
    organization: &'a Organization,
    answer: Option<&Certificate>,
) -> Option<(&'a ServerName, &'a Certificate)> {
    let servers = certificate.servers.iter().filter_map(|name| organization.servers.get_key_value(name));
    let pending = servers.flat_map(|(name, server)| {
        server.requests.known().into_iter().flatten().map(move |pending| (name, &pending.certificate))
    });
    let asks_for_it = |stand_in: &Certificate| {
        stand_in.subject.means(&certificate.subject)
            && certificate.names.iter().filter(|name| !name.is_address()).all(|name| stand_in.covers(name))
            && certificate.key.is_met_by(&stand_in.key)
    };
    pending.filter(|(_, stand_in)| asks_for_it(stand_in)).max_by_key(|(_, stand_in)| {
        let answered = answer.is_some_and(|answer| answer.public_key == stand_in.public_key);
        (answered, stand_in.not_before, stand_in.thumbprint)
    })
}
