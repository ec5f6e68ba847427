//! The Auth certificate: brought to every server, staged with a date, published, and the one before forgotten (facts 4.4).
//! It is no certificate for TLS, and nothing here touches one that is.

mod decide;

use self::decide::{Course, Successor, is_hybrid};
pub(super) use self::decide::{Decision, decide};
use super::{builder::PlanBuilder, decision, decision::Supply};
use crate::{
    exchange::builtin,
    model::{
        action::{Action, BundleSource, CertRef, Condition, DefaultSmtp, StepId},
        auth::DesiredAuth,
        cannot::Cannot,
        desired::Desired,
        history::History,
        names::ServerName,
        organization::{Observed, Organization},
        plan::{Change, ChangeKind},
        reason::Reason,
        server::Server,
        service::{Restartable, Service, Services},
        time::{Span, Timestamp},
        unseen::UnseenPart,
        warning::AuthWarning,
    },
};

impl Decision<'_> {
    /// Whether it cannot wait for anything else.
    pub(super) fn is_urgent(&self) -> bool {
        matches!(self.course, Course::AtOnce(_) | Course::Distribute(_))
    }

    /// Whether there may be more to do when this is done.
    fn leaves_more(&self) -> bool {
        matches!(self.course, Course::Distribute(_) | Course::ClearPrevious)
    }

    /// Why nothing else can be planned yet: without a usable Auth certificate Exchange tells no details of any certificate.
    pub(super) fn blinds(&self, organization: &Organization) -> Option<Reason> {
        if !self.is_urgent() {
            return None;
        }
        undetailed(self.servers.iter().filter_map(|name| Some((name, organization.servers.get(name)?))))
    }

    /// What it means for the reader; nothing when nothing happens.
    pub(super) fn change(&self) -> Option<Change> {
        let kind = match &self.course {
            Course::Keep => return None,
            Course::Distribute(_) | Course::Tell { .. } => ChangeKind::Update,
            Course::Rotate(..) | Course::AtOnce(_) if self.current.is_some() => ChangeKind::Replace,
            Course::Rotate(..) | Course::AtOnce(_) => ChangeKind::Create,
            Course::ClearPrevious => ChangeKind::Retire,
            Course::Blocked => ChangeKind::Blocked,
        };
        Some(Change {
            certificate: self.auth.certificate.id.clone(),
            kind,
            reasons: self.reasons.clone(),
            current: self.current,
            names: Vec::new(),
            servers: self.servers.clone(),
            removes: Vec::new(),
        })
    }
}

/// What keeps anything else from being planned where the manifest does not declare the Auth certificate, and it has ended: the same
/// that a declared one has come first.
pub(super) fn ended(
    desired: &Desired,
    organization: &Organization,
    now: Timestamp,
) -> Option<(Cannot, Reason)> {
    if desired.auth.is_some() || desired.certificates.is_empty() {
        return None;
    }
    let current = organization.auth.known()?.as_ref()?.current?;
    let servers = desired.servers.keys().filter_map(|name| Some((name, organization.servers.get(name)?)));
    let mut stored = servers.clone().filter_map(|(_, server)| server.certificate(current));
    let not_after = stored.next().map(|stored| stored.certificate.not_after).filter(|end| *end < now)?;
    let why = undetailed(servers)?;
    Some((Cannot::AuthEnded { thumbprint: current, not_after }, why))
}

/// A server that tells no details of its certificates.
fn undetailed<'a>(mut servers: impl Iterator<Item = (&'a ServerName, &'a Server)>) -> Option<Reason> {
    servers.find_map(|(name, server)| {
        let store = server.certificates.known()?;
        let why = store.0.values().find_map(|stored| stored.services.why_unknown())?;
        let what = UnseenPart::CertificateDetails.into();
        Some(Reason::CannotSee { server: name.clone(), subject: what, why: why.to_owned() })
    })
}

/// The steps of a decision.
pub(super) fn plan(builder: &mut PlanBuilder, decision: &Decision<'_>) {
    match &decision.course {
        Course::Keep | Course::Blocked => {}
        Course::Distribute(successor) => drop(bring(builder, decision, successor)),
        Course::Rotate(successor, staged) => rotate(builder, decision, successor, *staged),
        Course::AtOnce(successor) => at_once(builder, decision, successor),
        Course::Tell { clear_since } => {
            let Some(current) = decision.current else { return };
            let told = tell(builder, decision, CertRef::Known(current), When::After, None);
            if let Some(since) = *clear_since {
                let why = vec![Reason::PreviousNotNeeded { since }];
                let id = &decision.auth.certificate.id;
                builder.push(Some(id), Action::ClearPreviousAuth {}, why, told);
            }
        }
        Course::ClearPrevious => drop(push(builder, decision, Action::ClearPreviousAuth {}, [])),
    }
}

/// What is still to do for the Auth certificate when this is done: a decision is about one thing, and a server that lacks the
/// certificate may come together with another one that is staged, or with one that is not needed any more.
pub(super) fn go_on(
    builder: &mut PlanBuilder,
    desired: &Desired,
    history: Option<&History>,
    first: Option<&Decision<'_>>,
) {
    let mut leaves_more = first.is_some_and(Decision::leaves_more);
    while leaves_more {
        let Some(next) = decide(desired, &builder.world.organization, history, builder.now) else { return };
        if next.servers.iter().any(|server| builder.is_stuck(server)) {
            return;
        }
        let before = builder.world.organization.clone();
        plan(builder, &next);
        leaves_more = next.leaves_more() && builder.world.organization != before;
    }
}

/// Decisions that wait until the details of certificates can be seen again.
pub(super) fn block<'a>(decisions: Vec<decision::Decision<'a>>, why: &Reason) -> Vec<decision::Decision<'a>> {
    let block =
        |decision| decision::Decision { supply: Supply::Blocked, reasons: vec![why.clone()], ..decision };
    decisions.into_iter().map(block).collect()
}

/// What an organization should know whose manifest says nothing of its Auth certificate, and what follows from a new one.
pub(super) fn warnings(
    desired: &Desired,
    observed: &Observed,
    decision: Option<&Decision<'_>>,
    now: Timestamp,
) -> Vec<AuthWarning> {
    let organization = &observed.organization;
    let mut warnings: Vec<AuthWarning> = staged_for_tls(desired, organization).into_iter().collect();
    if decision.is_none() && desired.auth.is_none() {
        warnings.extend(undeclared(desired, organization, now));
    }
    warnings.extend(decision.and_then(|decision| needed_elsewhere(decision, observed)));
    warnings
}

/// Servers that are not the manifest's, and need the certificate that tokens will be signed with.
fn needed_elsewhere(decision: &Decision<'_>, observed: &Observed) -> Option<AuthWarning> {
    match decision.course {
        Course::Rotate(..) | Course::AtOnce(_) => {
            let servers = observed.other_servers.clone();
            (!servers.is_empty()).then_some(AuthWarning::AuthNeededElsewhere { servers })
        }
        Course::Keep
        | Course::Distribute(_)
        | Course::Tell { .. }
        | Course::ClearPrevious
        | Course::Blocked => None,
    }
}

/// Exchange will publish on its date what somebody staged, whatever it is.
fn staged_for_tls(desired: &Desired, organization: &Organization) -> Option<AuthWarning> {
    let config = organization.auth.known()?.as_ref()?;
    let next = config.next?;
    let mut servers = desired.servers.keys().filter_map(|name| organization.servers.get(name));
    let certificate = &servers.find_map(|server| server.certificate(next))?.certificate;
    (!builtin::is_auth(&certificate.subject)).then(|| AuthWarning::AuthIsForTls {
        thumbprint: next,
        named: certificate.subject.to_string(),
        effective: config.next_effective,
    })
}

fn undeclared(desired: &Desired, organization: &Organization, now: Timestamp) -> Option<AuthWarning> {
    let current = organization.auth.known()?.as_ref()?.current?;
    let mut servers = desired.servers.keys().filter_map(|name| organization.servers.get(name));
    let end = servers.find_map(|server| server.certificate(current))?.certificate.not_after;
    let warning = AuthWarning::AuthNotDeclared { thumbprint: current, not_after: end, expired: end < now };
    (end < now.plus(Span::days(60))).then_some(warning)
}

/// In good time: every server has the successor before it is staged, and it is staged until every token that the old one
/// signed has a server that knows both.
fn rotate(
    builder: &mut PlanBuilder,
    decision: &Decision<'_>,
    successor: &Successor,
    staged: Option<Timestamp>,
) {
    let Some((certificate, mut after)) = bring(builder, decision, successor) else { return };
    let at = staged.unwrap_or(decision.effective);
    if staged.is_none() {
        let action = Action::StageAuth { certificate, effective: Some(at) };
        after = push(builder, decision, action, after).into_iter().collect();
    }
    let untold = is_hybrid(&builder.world.organization)
        && decision.auth.reported != Some(builder.world.thumbprint(certificate));
    // The classic configuration is told of the active one only.
    let classic = builder.world.organization.dedicated_application.known() == Some(&false);
    if untold && !classic {
        after = tell(builder, decision, certificate, When::Before(at), after).into_iter().collect();
    }
    if builder.now < at {
        let until = Condition::Moment { at };
        after = push(builder, decision, Action::Await { until }, after).into_iter().collect();
    }
    let published = push(builder, decision, Action::PublishAuth { certificate }, after);
    restart(builder, decision, &[Restartable::WebApps], published);
    if untold && classic {
        tell(builder, decision, certificate, When::After, published);
    }
}

/// The emergency path: effective now, published now, and what has cached the old one restarted.
fn at_once(builder: &mut PlanBuilder, decision: &Decision<'_>, successor: &Successor) {
    let Some((certificate, after)) = bring(builder, decision, successor) else { return };
    let staged = push(builder, decision, Action::StageAuth { certificate, effective: None }, after);
    let mut last = push(builder, decision, Action::PublishAuth { certificate }, staged);
    let of_no_use = |reason: &Reason| {
        matches!(reason, Reason::Expired { .. } | Reason::PrivateKeyMissing | Reason::KeyCompromised)
    };
    if decision.reasons.iter().any(of_no_use) {
        last = push(builder, decision, Action::ClearPreviousAuth {}, last);
    }
    restart(builder, decision, &[Restartable::ServiceHost, Restartable::WebApps], last);
    if is_hybrid(&builder.world.organization) {
        tell(builder, decision, certificate, When::After, last);
    }
}

/// Whether Microsoft 365 is told of a certificate before it is published, or afterwards.
#[derive(Clone, Copy)]
enum When {
    /// Exchange publishes it at this moment, whether Microsoft 365 knows it or not.
    Before(Timestamp),
    After,
}

/// Until Microsoft 365 knows the new certificate it takes no token of this organization: free/busy fails (facts 4.5, 15 no.
/// 28). Nothing on the servers tells that it does, so the manifest has to.
fn tell(
    builder: &mut PlanBuilder,
    decision: &Decision<'_>,
    certificate: CertRef,
    when: When,
    after: impl IntoIterator<Item = StepId>,
) -> Option<StepId> {
    const SCRIPT: &str = "ConfigureExchangeHybridApplication.ps1 -UpdateCertificate";
    const WIZARD: &str = "run the Hybrid Configuration Wizard";
    let thumbprint = match certificate {
        CertRef::Known(thumbprint) => thumbprint.to_string(),
        CertRef::FromStep(_) => "...".into(),
    };
    let dedicated = builder.world.organization.dedicated_application.known();
    let how = match (when, dedicated) {
        (When::Before(_), Some(_)) => format!("run {SCRIPT}, which uploads the next Auth certificate too"),
        (When::Before(_), None) => format!(
            "run {SCRIPT}, which uploads the next Auth certificate too (without a dedicated hybrid application {WIZARD} \
             once it is published)"
        ),
        (When::After, Some(true)) => format!("run {SCRIPT}"),
        (When::After, Some(false)) => WIZARD.to_owned(),
        (When::After, None) => {
            format!("run {SCRIPT}, or without a dedicated hybrid application {WIZARD}")
        }
    };
    let (before, due) = match when {
        When::Before(at) => (Some(at), format!("before {at}, when Exchange publishes it in any case, ")),
        When::After => (None, String::new()),
    };
    let task = format!(
        "{due}{how}, so that Microsoft 365 knows it; then write its thumbprint into the manifest, `authCertificate: {{ \
         microsoft365: {thumbprint} }}`"
    );
    let until = Condition::AuthTold { certificate, before };
    let action = Action::Manual { server: None, task, until };
    builder.push(Some(&decision.auth.certificate.id), action, vec![Reason::AuthNotTold], after)
}

/// Brings the successor to every server: made on the first, imported on the others. Exchange copies it by itself to all
/// servers, in rare cases not to those of other sites; this is the way that works everywhere. There it is imported and not
/// enabled: the question about the default SMTP certificate would come up on every server, for nothing (facts 4.6).
fn bring(
    builder: &mut PlanBuilder,
    decision: &Decision<'_>,
    successor: &Successor,
) -> Option<(CertRef, Vec<StepId>)> {
    let mut arrived = Vec::new();
    let (certificate, source, missing) = match successor {
        Successor::There { thumbprint, missing, from } => {
            (CertRef::Known(*thumbprint), from.clone(), missing.as_slice())
        }
        Successor::New => {
            let (first, others) = decision.servers.split_first()?;
            let action = Action::Create {
                server: first.clone(),
                request: decision.auth.certificate.request(),
                enable: smtp(),
                default_smtp: DefaultSmtp::Keep,
            };
            let id = &decision.auth.certificate.id;
            let step = builder.push_smtp(Some(id), action, decision.reasons.clone(), [])?;
            arrived.push(step);
            (CertRef::FromStep(step), Some(first.clone()), others)
        }
    };
    for server in missing {
        let after = arrived.last().copied();
        arrived.push(import(builder, decision.auth, server, certificate, source.as_ref()?, after)?);
    }
    Some((certificate, arrived))
}

fn import(
    builder: &mut PlanBuilder,
    auth: &DesiredAuth,
    server: &ServerName,
    certificate: CertRef,
    from: &ServerName,
    after: Option<StepId>,
) -> Option<StepId> {
    let action = Action::Import {
        server: server.clone(),
        certificate,
        from: BundleSource::Server(from.clone()),
        friendly_name: auth.certificate.friendly_name.clone(),
        exportable: true,
        enable: Services::new(),
        default_smtp: DefaultSmtp::Keep,
    };
    let why = vec![Reason::NotOnServer { server: server.clone() }];
    builder.push(Some(&auth.certificate.id), action, why, after)
}

fn push(
    builder: &mut PlanBuilder,
    decision: &Decision<'_>,
    action: Action,
    after: impl IntoIterator<Item = StepId>,
) -> Option<StepId> {
    builder.push(Some(&decision.auth.certificate.id), action, decision.reasons.clone(), after)
}

fn restart(builder: &mut PlanBuilder, decision: &Decision<'_>, what: &[Restartable], after: Option<StepId>) {
    for server in &decision.servers {
        for what in what {
            let services = builder.server(server).map(|found| found.restarted(*what)).unwrap_or_default();
            let action = Action::Restart {
                server: server.clone(),
                service: *what,
                services,
                unless_served: Vec::new(),
                drain: None,
            };
            builder.push_restart(action, vec![Reason::RestartNeeded { service: *what }], after);
        }
    }
}

/// As setup leaves it: the network service may read the key.
fn smtp() -> Services {
    [Service::Smtp].into()
}
