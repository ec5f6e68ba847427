//! What each reason says to people.

use std::fmt;

use super::Reason;
use crate::model::{
    list::{joined, listed},
    names::OverrideName,
    thumbprint::Thumbprint,
};

impl fmt::Display for Reason {
    #[expect(clippy::too_many_lines, reason = "a sentence for each reason")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPresent => f.write_str("no certificate fits"),
            Self::PrivateKeyMissing => f.write_str("its private key is missing"),
            Self::KeyCompromised => f.write_str("others may have its key"),
            Self::Revoked => f.write_str("its CA has revoked it"),
            Self::Expired { not_after } => write!(f, "expired {}", not_after.date()),
            Self::Expires { not_after, renew_from } => {
                write!(f, "expires {}; renewal opened {}", not_after.date(), renew_from.date())
            }
            Self::NotYetValid { not_before } => write!(f, "not valid before {not_before}"),
            Self::NamesNotCovered { missing } => write!(f, "names missing: {}", joined(missing)),
            Self::KeyTooWeak { have, want } => write!(f, "key is {have}, manifest asks for {want}"),
            Self::IssuerDiffers { have, want } => write!(f, "issued by {have}, manifest asks for {want}"),
            Self::SubjectDiffers { have, want } => write!(f, "subject is {have}, manifest asks for {want}"),
            Self::NotForServers => f.write_str("its extended key usage does not allow TLS servers"),
            Self::NotDistributable { missing } => {
                write!(f, "missing on {}, and its key cannot be exported", joined(missing))
            }
            Self::Shadowed { server, by, place, no_newer, fits, without_key } => {
                let (by, newer) = (by.short(), !no_newer && without_key.is_none());
                if let Some(own) = without_key {
                    write!(f, "{server} has {} without its private key, and ", own.short())?;
                }
                write!(f, "{place} on {server} would select {by} instead")?;
                match (newer, fits) {
                    (true, true) => f.write_str(", which is newer"),
                    (true, false) => f.write_str(", which is newer and does not match the manifest"),
                    (false, false) => f.write_str(", which does not match the manifest"),
                    (false, true) => Ok(()),
                }
            }
            Self::AnswerOfAnotherRequest { file: Some(file), subject: Some(subject), not_after: Some(end) } => write!(
                f,
                "what lies there as the answer to {file}.csr has another key ({subject}, until {}): put the answer to this request \
                 in its place",
                end.date()
            ),
            Self::AnswerOfAnotherRequest { .. } => f.write_str(
                "the CA's certificate was issued for a different request (the public keys differ)",
            ),
            Self::AnswerUnread { file, why } => {
                write!(f, "the CA's answer to {file}.csr cannot be read: {why}; put the certificate in its place")
            }
            Self::EndsNoLater { not_after, replaced } => write!(
                f,
                "it ends {}, and the one that it is to replace {}",
                not_after.date(),
                replaced.date()
            ),
            Self::NotTrusted { file, why } => write!(
                f,
                "clients will not trust the certificate in {file}: {why}; put the rest of its chain into the file, or name a root of \
                 your own: `verify: {{ roots: [FILE] }}`"
            ),
            Self::AnswerDoesNotFit { file, problems } => {
                let problems = joined(problems);
                write!(f, "the certificate issued for {file}.csr does not match the manifest ({problems}); ask the CA for another")
            }
            Self::FileUnread { file, why } => write!(f, "{file} cannot be read: {why}"),
            Self::FileDoesNotFit { file, problems } => {
                let problems = joined(problems);
                write!(f, "the certificate in {file} does not match the manifest ({problems}); put another one there")
            }
            Self::FileHoldsTheSame { file } => {
                write!(f, "{file} holds the certificate that is on the servers; put the next one there")
            }
            Self::FileHoldsAnother { file, not_after } => {
                write!(f, "{file} holds another certificate, valid until {}", not_after.date())
            }
            Self::SafeKeeping => f.write_str("`backup: { issued: true }` keeps it in case its servers are lost"),
            Self::CannotSee { server, subject: what, why } => write!(f, "{what} of {server} cannot be seen: {why}"),
            Self::NotOnServer { server } => write!(f, "not on {server}"),
            Self::NotBound { server, service, have: Some(have) } => {
                write!(f, "{service} on {server} uses {}", have.short())
            }
            Self::NotBound { server, service, have: None } => {
                write!(f, "not enabled for {service} on {server}")
            }
            Self::ChosenBySmtp { server, connectors } => {
                write!(
                    f,
                    "{} on {server} will select it by name and cannot use it until SMTP is enabled for it",
                    joined(connectors)
                )
            }
            Self::ExtraServices { server, services } => {
                let services: Vec<_> = services.iter().collect();
                write!(f, "enabled for {} on {server}, which the manifest does not ask for", joined(&services))
            }
            Self::SiteDiffers { server, site, have } => write!(f, "{site} on {server} uses {}", shown(*have)),
            Self::ShellDown { server, site } => write!(
                f,
                "{site} on {server} has no certificate, and without it the management shell does not answer"
            ),
            Self::X509CertificateNameDiffers { server, service, have: Some(have), want } => {
                write!(f, "{service} on {server} looks for {have}, not {want}")
            }
            Self::X509CertificateNameDiffers { server, service, have: None, want } => {
                write!(f, "{service} on {server} has no certificate name set; it should be {want}")
            }
            Self::InternalTransportDiffers { server, have } => {
                write!(f, "the internal transport certificate of {server} is {}", shown(*have))
            }
            Self::UmStartupModeDiffers { server, service, have, want } => {
                write!(f, "{service} on {server} starts in the mode {have}, not {want}")
            }
            Self::DefaultSmtpRestored { server } => write!(
                f,
                "this driver cannot answer No to the question of Exchange, so the default SMTP certificate of {server} was replaced and is restored"
            ),
            Self::ConnectorDiffers { connector, have: Some(have) } => write!(f, "{connector} names {have}"),
            Self::ConnectorDiffers { connector, have: None } => write!(f, "{connector} names no certificate"),
            Self::ImCertificateDiffers { name, have } => f.write_str(&im_differs(name, *have)),
            Self::HybridNotApplied { missing } => f.write_str(&listed(missing, "; ")),
            Self::EdgeDistrusts { edge: _, why } => f.write_str(&listed(why, "; ")),
            Self::AuthNotTold => {
                f.write_str("the organization is hybrid, and Microsoft 365 accepts no token signed with a certificate it does not know")
            }
            Self::OnlineNotTold { known } => write!(
                f,
                "Exchange Online knows this organization by {known}, and refuses mail that comes with a certificate of another \
                 subject (550 5.7.64 TenantAttribution)"
            ),
            Self::BalancerDiffers { balancer, have } => {
                write!(f, "load balancer {balancer} has {}", shown(*have))
            }
            Self::RestartNeeded { service: what } => f.write_str(what.why()),
            Self::ServesStill { server, have } => {
                write!(f, "{server} still serves {}, which it loaded before it was given another", have.short())
            }
            Self::NotRestarted { server, service, run, since } => write!(
                f,
                "run {run} changed the certificate of {service} on {server} on {}, and no run has restarted it since",
                since.date()
            ),
            Self::Proof => f.write_str("checks what clients actually receive"),
            Self::Superseded { since: Some(since) } => {
                write!(f, "superseded since {}, used by nothing", since.date())
            }
            Self::Superseded { since: None } => f.write_str("superseded; nothing uses it by then"),
            Self::BlocksRemoval { certificate } => {
                write!(f, "names {} too, and Exchange refuses to remove it until then", certificate.short())
            }
            Self::PreviousNotNeeded { since } => {
                let since = since.date();
                write!(f, "the previous one is not needed: the current one took effect by {since}")
            }
            Self::TakesBack { step } => write!(f, "undoes step {step}"),
            Self::Reattach => f.write_str("names the new certificate again, now that the old one is gone"),
        }
    }
}

fn im_differs(name: &OverrideName, have: Thumbprint) -> String {
    format!(
        "setting override {name} names {}, which IIS no longer uses: sign-in to instant messaging in Outlook on the \
         web fails",
        have.short()
    )
}

fn shown(have: Option<Thumbprint>) -> String {
    have.map_or("no certificate".into(), Thumbprint::short)
}
