//! What has to happen to the Auth certificate (facts 4.4).

use crate::{
    exchange::{builtin, verbs::auth::has_with_key},
    model::{
        auth::DesiredAuth,
        desired::Desired,
        fact::Fact,
        history::History,
        names::ServerName,
        organization::{AuthConfig, Organization},
        reason::Reason,
        server::{Server, StoredCertificate},
        thumbprint::Thumbprint,
        time::{Span, Timestamp},
        unseen::UnseenPart,
    },
    plan::rules::{self, RuleInput},
};

/// What has to happen, and why.
pub(in crate::plan) struct Decision<'a> {
    pub(super) auth: &'a DesiredAuth,
    /// The servers that need it and were seen.
    pub(super) servers: Vec<ServerName>,
    pub(super) course: Course,
    pub(super) reasons: Vec<Reason>,
    pub(super) current: Option<Thumbprint>,
    /// When a successor that is staged now takes effect.
    pub(super) effective: Timestamp,
}

/// What has to happen.
pub(super) enum Course {
    /// Nothing.
    Keep,
    /// Servers lack the current one.
    Distribute(Successor),
    /// A successor takes its place in good time. The date is there when it is staged already.
    Rotate(Successor, Option<Timestamp>),
    /// A successor takes its place at once: the current one is of no use any more, or ends before the time is over.
    AtOnce(Successor),
    /// Microsoft 365 has to be told of the current one; then the one before may be forgotten, when it is time.
    Tell { clear_since: Option<Timestamp> },
    /// The one before the current one is not needed any more.
    ClearPrevious,
    /// It cannot be told.
    Blocked,
}

/// The certificate that every server should have.
pub(super) enum Successor {
    /// It is there; these servers lack it, and it can be exported from that one.
    There { thumbprint: Thumbprint, missing: Vec<ServerName>, from: Option<ServerName> },
    /// It has to be made.
    New,
}

/// Decides; nothing when the manifest says nothing of the Auth certificate, or the organization has none.
pub(in crate::plan) fn decide<'a>(
    desired: &'a Desired,
    organization: &Organization,
    history: Option<&History>,
    now: Timestamp,
) -> Option<Decision<'a>> {
    let auth = desired.auth.as_ref()?;
    let servers: Vec<ServerName> = auth
        .certificate
        .servers
        .iter()
        .filter(|name| organization.servers.get(*name).is_some_and(Server::signs_tokens))
        .cloned()
        .collect();
    let decision = |course, reasons, current: Option<Thumbprint>| {
        let mut stores = servers.iter().filter_map(|name| organization.servers.get(name));
        let stored = current.and_then(|current| stores.find_map(|server| server.certificate(current)));
        let ends = stored.map(|stored| stored.certificate.not_after);
        let effective = auth.effective(now, is_hybrid(organization), ends);
        Decision { auth, servers: servers.clone(), course, reasons, current, effective }
    };
    let first = auth.certificate.servers.first()?;
    let config = match &organization.auth {
        Fact::Known(Some(config)) => config,
        Fact::Known(None) => {
            let why = "the organization has none; Exchange 2013 and later have one";
            return Some(decision(
                Course::Blocked,
                vec![unseen(first, UnseenPart::AuthConfiguration, why)],
                None,
            ));
        }
        Fact::Unknown(why) => {
            let reason = unseen(first, UnseenPart::AuthConfiguration, &why.why);
            return Some(decision(Course::Blocked, vec![reason], None));
        }
    };
    let view = View { auth, organization, history, servers: &servers, config, now };
    let (course, reasons) = view.course();
    Some(decision(course, reasons, config.current))
}

/// Whether Microsoft 365 takes this organization's tokens.
pub(super) fn is_hybrid(organization: &Organization) -> bool {
    organization.hybrid.known().is_some_and(Option::is_some)
}

fn distribute(
    thumbprint: Thumbprint,
    missing: Vec<ServerName>,
    from: Option<ServerName>,
) -> (Course, Vec<Reason>) {
    let reasons = missing.iter().map(|server| Reason::NotOnServer { server: server.clone() }).collect();
    (Course::Distribute(Successor::There { thumbprint, missing, from }), reasons)
}

fn unseen(server: &ServerName, what: UnseenPart, why: &str) -> Reason {
    Reason::CannotSee { server: server.clone(), subject: what.into(), why: why.into() }
}

struct View<'a> {
    auth: &'a DesiredAuth,
    organization: &'a Organization,
    history: Option<&'a History>,
    servers: &'a [ServerName],
    config: &'a AuthConfig,
    now: Timestamp,
}

impl View<'_> {
    fn course(&self) -> (Course, Vec<Reason>) {
        let unseen = self.unseen();
        let current = self.config.current.and_then(|current| Some((current, self.stored(current)?)));
        let Some((thumbprint, stored)) = current else {
            // A server that was not seen may have it.
            return if unseen.is_empty() {
                (Course::AtOnce(self.successor()), vec![Reason::NotPresent])
            } else {
                (Course::Blocked, unseen)
            };
        };
        let reasons = self.reasons(stored);
        if self.is_of_no_use(stored, &reasons) {
            return (Course::AtOnce(self.successor()), reasons);
        }
        if !unseen.is_empty() {
            return (Course::Blocked, unseen);
        }
        if !reasons.is_empty() {
            return self.rotate(stored, reasons);
        }
        if self.is_compromised(self.config.previous) {
            return (Course::ClearPrevious, vec![Reason::KeyCompromised]);
        }
        // Exchange would publish it on its date; another one is staged in its place.
        if self.is_compromised(self.config.next) {
            return self.rotate(stored, vec![Reason::KeyCompromised]);
        }
        let missing = self.missing(thumbprint);
        let from = self.exporter(thumbprint);
        if missing.is_empty() {
            return self.next_everywhere().unwrap_or_else(|| self.previous(stored));
        }
        if from.is_none() {
            return self.rotate(stored, vec![Reason::NotDistributable { missing }]);
        }
        distribute(thumbprint, missing, from)
    }

    /// Exchange publishes what is staged on its date, whether every server has it or not: it copies it to all servers, but in
    /// rare cases not to those of other sites, and not at all when it was staged with `-SkipImmediateCertificateDeployment`
    /// (facts 4.6).
    fn next_everywhere(&self) -> Option<(Course, Vec<Reason>)> {
        let next = self.config.next?;
        self.stored(next).filter(|stored| builtin::is_auth(&stored.certificate.subject))?;
        let (missing, from) = (self.missing(next), self.exporter(next));
        (!missing.is_empty() && from.is_some()).then(|| distribute(next, missing, from))
    }

    /// Servers whose store was not seen.
    fn unseen(&self) -> Vec<Reason> {
        let why = |name: &ServerName| match self.organization.servers.get(name) {
            None => Some("the server was not observed".to_owned()),
            Some(server) => server.certificates.why_unknown().map(ToOwned::to_owned),
        };
        let servers = self.auth.certificate.servers.iter();
        servers.filter_map(|name| Some(unseen(name, UnseenPart::Store, &why(name)?))).collect()
    }

    /// When a successor that was staged then takes the place of this one.
    fn effective(&self, staged: Timestamp, current: &StoredCertificate) -> Timestamp {
        self.auth.effective(staged, is_hybrid(self.organization), Some(current.certificate.not_after))
    }

    fn reasons(&self, stored: &StoredCertificate) -> Vec<Reason> {
        rules::reasons(&RuleInput { desired: &self.auth.certificate, current: stored, now: self.now })
    }

    /// Whether waiting would be worse: nothing can be signed with it, or it ends before a successor takes effect.
    fn is_of_no_use(&self, stored: &StoredCertificate, reasons: &[Reason]) -> bool {
        // Whoever has its key signs tokens that every server takes, as long as it is accepted.
        let broken = |reason: &Reason| {
            matches!(reason, Reason::PrivateKeyMissing | Reason::Expired { .. } | Reason::KeyCompromised)
        };
        reasons.iter().any(broken) || stored.certificate.not_after <= self.effective(self.now, stored)
    }

    fn is_compromised(&self, certificate: Option<Thumbprint>) -> bool {
        certificate.is_some_and(|own| self.auth.certificate.compromised.contains(&own))
    }

    fn rotate(&self, current: &StoredCertificate, reasons: Vec<Reason>) -> (Course, Vec<Reason>) {
        let successor = self.successor();
        let is_next =
            matches!(successor, Successor::There { thumbprint, .. } if self.config.next == Some(thumbprint));
        // One that takes effect after the end of the current one is staged anew.
        let staged = self.config.next_effective.filter(|at| is_next && *at < current.certificate.not_after);
        (Course::Rotate(successor, staged), reasons)
    }

    /// The one that is staged, when it does; one that is there and staged nowhere, from a run that ended early; or a new
    /// one.
    fn successor(&self) -> Successor {
        let mut spare: Vec<&StoredCertificate> = self
            .servers
            .iter()
            .filter_map(|name| self.organization.servers.get(name)?.certificates.known())
            .flat_map(|store| store.0.values())
            .filter(|stored| builtin::is_auth(&stored.certificate.subject))
            .filter(|stored| self.fits(stored))
            .collect();
        spare.sort_by_key(|stored| {
            let certificate = &stored.certificate;
            let is_next = self.config.next == Some(certificate.thumbprint);
            std::cmp::Reverse((is_next, certificate.not_before, certificate.thumbprint))
        });
        match spare.first() {
            None => Successor::New,
            Some(stored) => {
                let thumbprint = stored.certificate.thumbprint;
                let (missing, from) = (self.missing(thumbprint), self.exporter(thumbprint));
                Successor::There { thumbprint, missing, from }
            }
        }
    }

    fn fits(&self, stored: &StoredCertificate) -> bool {
        let thumbprint = stored.certificate.thumbprint;
        let used = [self.config.current, self.config.previous].contains(&Some(thumbprint));
        let reaches_all = self.exporter(thumbprint).is_some() || self.missing(thumbprint).is_empty();
        !used && reaches_all && self.reasons(stored).is_empty()
    }

    fn stored(&self, thumbprint: Thumbprint) -> Option<&StoredCertificate> {
        self.servers.iter().find_map(|name| {
            let server = self.organization.servers.get(name)?;
            has_with_key(server, thumbprint).then(|| server.certificate(thumbprint)).flatten()
        })
    }

    fn missing(&self, thumbprint: Thumbprint) -> Vec<ServerName> {
        let lacks = |name: &&ServerName| !has_with_key(&self.organization.servers[*name], thumbprint);
        self.servers.iter().filter(lacks).cloned().collect()
    }

    fn exporter(&self, thumbprint: Thumbprint) -> Option<ServerName> {
        let exports = |name: &&ServerName| {
            let stored = self.organization.servers[*name].certificate(thumbprint);
            stored.is_some_and(|stored| stored.has_private_key && stored.exportable.known() == Some(&true))
        };
        self.servers.iter().find(exports).cloned()
    }

    /// Since when the current one signs. Exchange writes it nowhere: the journal of the run that published it does. What no run
    /// has published was staged when it was made, as Exchange and Microsoft's script do it. Where nobody has looked into the
    /// journals, it is not known.
    fn in_effect(&self, current: &StoredCertificate) -> Option<Timestamp> {
        let published = self.history?.published;
        let own = published.filter(|own| own.certificate == current.certificate.thumbprint);
        Some(own.map_or_else(|| self.effective(current.certificate.not_before, current), |own| own.at))
    }

    fn previous(&self, current: &StoredCertificate) -> (Course, Vec<Reason>) {
        let since = self.in_effect(current);
        // Not on the day itself: tokens that the one before has signed are good for hours.
        let due = since.filter(|since| {
            let another_day = since.plus(Span::hours(1)).next_midnight();
            since.plus(self.auth.clear_previous_after).max(another_day) <= self.now
        });
        match self.config.previous {
            Some(_) if self.is_untold(current) => {
                (Course::Tell { clear_since: due }, vec![Reason::AuthNotTold])
            }
            Some(_) => match due {
                Some(since) => (Course::ClearPrevious, vec![Reason::PreviousNotNeeded { since }]),
                None => (Course::Keep, Vec::new()),
            },
            None => (Course::Keep, Vec::new()),
        }
    }

    /// Microsoft 365 checks tokens by the certificate that it was told of (facts 15, no. 28).
    fn is_untold(&self, current: &StoredCertificate) -> bool {
        is_hybrid(self.organization) && self.auth.reported != Some(current.certificate.thumbprint)
    }
}
