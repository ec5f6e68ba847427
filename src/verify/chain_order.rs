//! The chain as it was sent: whether each certificate is followed by its issuer, and nothing else (RFC 5246 section
//! 7.4.2). TLS 1.3 is lenient about it, many clients are not.

use crate::{
    model::{certificate::Certificate, handshake::endpoint_finding::EndpointFinding},
    ports::prober::Sent,
};

/// A certificate and its place in the chain, counted from 1.
type Placed<'a> = (usize, &'a Certificate);

/// What is wrong with the certificates after the first, as they were sent.
pub(super) fn judge(chain: &[Sent]) -> Vec<EndpointFinding> {
    let mut problems = unreadable(chain);
    let readable = chain.iter().zip(1..).filter_map(|(sent, place)| {
        let certificate = sent.certificate.as_ref().ok()?;
        Some((place, certificate))
    });
    let mut distinct: Vec<Placed<'_>> = Vec::new();
    for (place, certificate) in readable {
        if distinct.iter().any(|(_, other)| *other == certificate) {
            problems.push(EndpointFinding::Duplicate { place, subject: certificate.subject.to_string() });
        } else {
            distinct.push((place, certificate));
        }
    }
    let Some(path) = path(&distinct) else { return problems };
    if let Some(late) = path.windows(2).find(|pair| pair[1].0 < pair[0].0) {
        problems
            .push(EndpointFinding::WrongOrder { place: late[1].0, subject: late[1].1.subject.to_string() });
    }
    if let [_, .., (place, last)] = path.as_slice()
        && last.is_self_signed()
    {
        problems.push(EndpointFinding::RootSent { place: *place, subject: last.subject.to_string() });
    }
    // A second certificate of the same CA offers clients a second way up, and is no mistake.
    let on_the_way = |certificate: &Certificate| {
        path.iter().any(|(_, step)| step.issuer == certificate.subject || step.subject == certificate.subject)
    };
    let unrelated = distinct.iter().filter(|(_, certificate)| !on_the_way(certificate));
    problems.extend(unrelated.map(|(place, certificate)| EndpointFinding::Unrelated {
        place: *place,
        subject: certificate.subject.to_string(),
    }));
    problems
}

/// The way up from the first certificate by the names of the issuers. None when the first cannot be read.
fn path<'a>(certificates: &[Placed<'a>]) -> Option<Vec<Placed<'a>>> {
    let mut path = vec![*certificates.first().filter(|(place, _)| *place == 1)?];
    while let Some(&(at, last)) = path.last()
        && !last.is_self_signed()
    {
        let issuers = || {
            certificates.iter().filter(|(place, certificate)| {
                certificate.subject == last.issuer && path.iter().all(|(used, _)| used != place)
            })
        };
        let Some(next) = issuers().find(|(place, _)| *place > at).or_else(|| issuers().next()) else { break };
        let next = *next;
        path.push(next);
    }
    Some(path)
}

fn unreadable(chain: &[Sent]) -> Vec<EndpointFinding> {
    let unreadable = chain.iter().zip(1..).filter_map(|(sent, place)| {
        let why = sent.certificate.as_ref().err()?;
        Some(EndpointFinding::Unreadable { place, why: why.clone() })
    });
    unreadable.take(MOST_UNREADABLE).collect()
}

/// A chain has room for thousands of certificates of no bytes; nobody reads a thousand complaints.
const MOST_UNREADABLE: usize = 4;
