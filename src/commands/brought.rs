//! What people have brought, in PFX files and as answers of CAs, and whether clients will trust it, as far as the files tell.

use std::path::Path;

use super::{authorities, error::CommandError};
use crate::{
    issuers::csr::RequestFiles,
    manifest::Manifest,
    model::{
        bundle::{Answer, Chains},
        causes::with_causes,
        desired::{Answers, Desired, Resolved, Untrusted},
        fact::Fact,
        handshake::distrust::Distrust,
        time::Timestamp,
    },
    ports::{enrolment::Requests, prober::Sent},
    verify::{
        check::TrustedBy,
        path_validation::{Roots, Trust, trust},
    },
};

/// What a manifest asks for, with what is known of its CAs and their answers, and the chains of what was brought.
pub(super) fn desired(
    resolved: Resolved,
    manifest: &Manifest,
    base: &Path,
) -> Result<(Desired, Chains), CommandError> {
    let mut chains = Chains::new();
    let issuers = authorities::known(manifest, base, &mut chains)?;
    let answers = answers(&RequestFiles::new(base), resolved.request_files(), &mut chains);
    Ok((resolved.with(&issuers, &answers), chains))
}

/// The answers of CAs that are there, of these requests. One that cannot be read is the matter of its certificate alone.
pub(super) fn answers<'a>(
    requests: &dyn Requests,
    files: impl Iterator<Item = &'a str>,
    chains: &mut Chains,
) -> Answers {
    let mut known = |answer: Answer| {
        chains.insert(answer.certificate.thumbprint, answer.chain);
        Fact::Known(Box::new(answer.certificate))
    };
    let mut answer = |file: &str| match requests.answer(file) {
        Ok(answer) => answer.map(&mut known),
        Err(error) => Some(Fact::unknown(with_causes(error.source.as_ref()))),
    };
    files.filter_map(|file| Some((file.to_owned(), answer(file)?))).collect()
}

/// Whether roots decide about anything that was brought.
pub(super) fn is_judged(desired: &Desired) -> bool {
    let mut certificates = desired.certificates.values();
    certificates.any(|own| own.in_hand().is_some() && TrustedBy::of(&own.origin) == TrustedBy::Roots)
}

/// Notes why clients will not trust what was brought: what handshakes would say of it.
pub(super) fn judge(desired: &mut Desired, chains: &Chains, roots: &Roots, now: Timestamp) {
    for own in desired.certificates.values_mut() {
        let decides = TrustedBy::of(&own.origin) == TrustedBy::Roots;
        let Some(held) = own.in_hand().filter(|_| decides) else { continue };
        let above = chains.get(&held.thumbprint).into_iter().flatten();
        let chain: Vec<Sent> =
            [&held.der].into_iter().chain(above).map(|der| Sent::new(der.0.clone())).collect();
        // That it is for no servers, or out of date, is said of itself.
        let itself = !held.is_for_servers() || !held.is_valid_at(now);
        own.untrusted = match trust(&chain, Some(roots), now) {
            Trust::Trusted { .. } | Trust::Direct { .. } | Trust::SelfSigned | Trust::NotChecked => None,
            Trust::Untrusted { .. } if itself => None,
            Trust::Untrusted { why: why @ Distrust::UnknownIssuer { .. } } => {
                let last = chain.iter().rev().find_map(|sent| sent.certificate.as_ref().ok());
                last.map(|last| Untrusted::Incomplete { issuer: last.issuer.clone(), why: told(&why) })
            }
            Trust::Untrusted { why } => Some(Untrusted::Always { why: told(&why) }),
        };
    }
}

fn told(why: &Distrust) -> String {
    if let Distrust::UnknownIssuer { issuer } = why {
        return format!("{issuer} is not in it and is no trusted root");
    }
    why.to_string()
}
