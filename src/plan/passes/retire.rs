//! The end of superseded certificates: backed up and removed, with the proof that nothing uses them, or left with the
//! reason why.

mod limit;
mod removals;

use std::collections::{BTreeMap, BTreeSet};

use self::removals::{Removal, Way, prove_server};
pub(in crate::plan) use self::{limit::Limit, removals::Deployed};
use crate::{
    exchange::{
        builtin, named,
        uses::{Use, uses},
    },
    model::{
        action::Action,
        desired::{CertificateId, Desired},
        history::History,
        names::{ConnectorName, ServerName},
        organization::Observed,
        plan::{LeftAlone, LeftBecause, Step},
        policy::{Retire, WhereUnproved},
        protection::Fit,
        reason::Reason,
        removed::Removed,
        server::StoredCertificate,
        service::Restartable,
        thumbprint::Thumbprint,
        time::Span,
        unmet::{Unmet, UnmetPlace},
        unseen::{Unseen, UnseenPart},
    },
    plan::{
        builder::PlanBuilder,
        decision::{Decision, Decisions},
        lineage,
        predecessors::{Predecessors, was_used},
        unnamed::{Unnamed, unnamed},
    },
};

/// What was found out of send connectors, each once: on every source server it is asked for each certificate that goes.
type Ways = BTreeMap<(ConnectorName, Thumbprint), bool>;

/// What is found out once for many certificates.
#[derive(Default)]
struct FoundOut {
    ways: Ways,
    /// The places of each server that nobody can meet, with what they serve.
    unmet: BTreeMap<ServerName, Vec<(UnmetPlace, Thumbprint)>>,
    /// The send connectors of each server that are left without a name and need one.
    bare: BTreeMap<ServerName, Vec<UnmetPlace>>,
}

/// Whether a step belongs to the end of a certificate, or only has others wait.
pub(in crate::plan) fn is_retirement(step: &Step) -> bool {
    let ends = |reason: &Reason| {
        matches!(reason, Reason::Superseded { .. } | Reason::BlocksRemoval { .. } | Reason::Reattach)
    };
    matches!(step.action, Action::Gate { .. }) || !step.why.is_empty() && step.why.iter().all(ends)
}

/// What becomes of superseded certificates.
#[derive(Debug, Default)]
pub(in crate::plan) struct Retired {
    /// What goes, by the certificate of the manifest that takes its place.
    pub(in crate::plan) removed: BTreeMap<CertificateId, Vec<Removed>>,
    /// What stays, and why.
    pub(in crate::plan) left_alone: Vec<LeftAlone>,
}

/// Removes what is superseded and unused, as far as the limit of one plan allows. `all` has the decisions of the whole manifest, where
/// `decisions` has those of a part.
pub(in crate::plan) fn retire(
    builder: &mut PlanBuilder,
    (desired, observed): (&Desired, &Observed),
    decisions: &Decisions<'_>,
    all: &Decisions<'_>,
    (deployed, limit): (&Deployed, Limit),
) -> Retired {
    let predecessors = Predecessors::of(desired, observed, builder.now);
    let of_plan = Retiring { desired, observed, predecessors: &predecessors };
    let superseded = superseded(builder, &of_plan, decisions, all);
    let (mut removals, mut left, mut found_out) = (Vec::new(), Vec::new(), FoundOut::default());
    let mut unread: BTreeMap<&CertificateId, Option<Unseen>> = BTreeMap::new();
    for (decision, server, thumbprint) in &superseded {
        let certificate = decision.certificate;
        // A server that cannot be read may still need it, or a copy of its key.
        let unread = unread.entry(&certificate.id).or_insert_with(|| {
            let mut sharing = certificate.servers.iter();
            let (name, why) = sharing.find_map(|name| Some((name, builder.out_of_sight(name)?)))?;
            Some(Unseen { part: UnseenPart::OtherServer(name.clone()), why: why.to_owned() })
        });
        let found = (server, *thumbprint);
        match removal(builder, &of_plan, decision, unread.as_ref(), found, &mut found_out) {
            None => {}
            Some(Ok(removal)) => removals.push(removal),
            Some(Err(alone)) => left.push(alone),
        }
    }
    let (removals, waiting) = limit.split(builder, observed, removals);
    for (removal, why) in waiting {
        let server = builder.server(&removal.server);
        left.extend(
            server
                .and_then(|own| own.certificate(removal.thumbprint))
                .map(|stored| self::left(&removal.server, stored, why)),
        );
    }
    let removed = removed(builder, &removals);
    removals::remove(builder, desired, deployed, removals);
    let removed = that_go(builder, removed);
    let told = superseded.iter().map(|(_, server, thumbprint)| (server, *thumbprint)).collect();
    prove_takeovers(builder, &of_plan, &left);
    left.extend(unmanaged(builder, desired, all, &told));
    left.sort_by(|a, b| (&a.server, a.certificate).cmp(&(&b.server, b.certificate)));
    Retired { removed, left_alone: left }
}

/// What people are told of the certificates that go.
fn removed(builder: &PlanBuilder, removals: &[Removal<'_>]) -> Vec<(CertificateId, Removed)> {
    let told = removals.iter().filter_map(|own| {
        let stored = builder.server(&own.server)?.certificate(own.thumbprint)?;
        Some((own.id.clone(), Removed::of(&own.server, stored, own.because.clone())))
    });
    told.collect()
}

/// Those that steps remove: on a server where a step cannot be done, later ones are not planned.
fn that_go(
    builder: &PlanBuilder,
    removals: Vec<(CertificateId, Removed)>,
) -> BTreeMap<CertificateId, Vec<Removed>> {
    let mut going: BTreeSet<(ServerName, Thumbprint)> = BTreeSet::new();
    for (server, certificate) in builder.steps().iter().flat_map(|step| step.action.removals()) {
        going.insert((server.clone(), builder.world.thumbprint(certificate)));
    }
    let mut found: BTreeMap<CertificateId, Vec<Removed>> = BTreeMap::new();
    for (id, own) in removals {
        if own.servers.iter().all(|server| going.contains(&(server.clone(), own.certificate))) {
            found.entry(id).or_default().push(own);
        }
    }
    found.into_iter().map(|(id, each)| (id, Removed::gathered(each))).collect()
}

/// What decides about the end of certificates besides the organization as it will be.
struct Retiring<'a> {
    desired: &'a Desired,
    observed: &'a Observed,
    predecessors: &'a Predecessors<'a>,
}

/// Every certificate that may have been replaced, by server: the lineage of each certificate of the manifest, and what stood
/// in its places under other names.
fn superseded<'a, 'b>(
    builder: &PlanBuilder,
    of_plan: &Retiring<'_>,
    decisions: &'b Decisions<'a>,
    all: &Decisions<'_>,
) -> Vec<(&'b Decision<'a>, ServerName, Thumbprint)> {
    let whole: BTreeMap<&CertificateId, usize> =
        all.all().iter().map(|other| (&other.certificate.id, other.certificate.servers.len())).collect();
    let mut found = Vec::new();
    for decision in decisions.all() {
        for (server, lineage) in &decision.lineage {
            found.extend(lineage.iter().map(|thumbprint| (decision, server.clone(), *thumbprint)));
        }
        // While another server may need it, nothing of a predecessor ends anywhere.
        let certificate = decision.certificate;
        if whole.get(&certificate.id) != Some(&certificate.servers.len()) {
            continue;
        }
        for name in &certificate.servers {
            let Some(server) = builder.server(name) else { continue };
            let managed = managed(builder, all, name);
            let renamed = of_plan.predecessors.renamed(certificate, of_plan.desired, name, server);
            let renamed = renamed.filter(|thumbprint| !managed.contains(thumbprint));
            found.extend(renamed.map(|thumbprint| (decision, name.clone(), thumbprint)));
        }
    }
    found
}

/// The certificates of a server that certificates of the manifest have to do with.
fn managed(builder: &PlanBuilder, decisions: &Decisions<'_>, name: &ServerName) -> BTreeSet<Thumbprint> {
    let lineage = decisions.on(name).filter_map(|decision| decision.lineage.get(name)).flatten().copied();
    let chosen = decisions.on(name).filter_map(|decision| builder.thumbprint(&decision.certificate.id));
    lineage.chain(chosen).collect()
}

/// Where a certificate is unused already and no run has proved that its successor serves, its grace time begins with the
/// proof. Without a journal there is nothing that would remember it.
fn prove_takeovers(builder: &mut PlanBuilder, of_plan: &Retiring<'_>, left: &[LeftAlone]) {
    if of_plan.observed.history.is_none() {
        return;
    }
    let waiting = left.iter().filter(|left| matches!(left.why, LeftBecause::UntilProved { .. }));
    for server in waiting.map(|left| &left.server).collect::<BTreeSet<_>>() {
        prove_server(builder, of_plan.desired, server);
    }
}

/// Whether one certificate that may have been replaced is to be removed; nothing to say about the chosen one.
fn removal<'a>(
    builder: &PlanBuilder,
    of_plan: &Retiring<'_>,
    decision: &Decision<'a>,
    unread: Option<&Unseen>,
    (server, thumbprint): (&ServerName, Thumbprint),
    found_out: &mut FoundOut,
) -> Option<Result<Removal<'a>, LeftAlone>> {
    let Retiring { desired, observed, predecessors } = of_plan;
    let id = &decision.certificate.id;
    let chosen = builder.thumbprint(id)?;
    let stored = builder.server(server)?.certificate(thumbprint)?;
    let successor = builder.server(server)?.certificate(chosen)?;
    if thumbprint == chosen || builder.is_stuck(server) {
        return None;
    }
    let alone = |why| Some(Err(left(server, stored, why)));
    let because = predecessors.because(decision.certificate, server, stored, &successor.certificate);
    let found = uses(&builder.world.organization, server, thumbprint, builder.now);
    let Some(because) = because else { return alone(no_predecessor(id, &found)) };
    if !stored.has_private_key {
        return alone(LeftBecause::WithoutKey);
    }
    if let (true, Some(why)) =
        (lineage::may_be_protected(&desired.protect, stored), stored.friendly_name.why_unknown())
    {
        return alone(LeftBecause::MayBeProtected { why: why.to_owned() });
    }
    let when = match &decision.certificate.retire {
        Retire::Never => return alone(LeftBecause::RetireNever),
        Retire::When(when) => when,
    };
    if let Some(unread) = unread {
        return alone(LeftBecause::UseUnknown { what: vec![unread.clone()] });
    }
    let compromised = History::is_compromised(decision.certificate, observed.history.as_ref(), thumbprint);
    let (mut tagged, mut by, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for used in found {
        match used {
            // Same issuer and subject as its successor: the connector can let go of it for a moment.
            Use::SendConnector(name)
                if names(builder, &name, successor)
                    && (desired.send_connectors.get(&name).and_then(Option::as_ref) == Some(id)
                        || is_of_hybrid_mail(builder, desired, id, &name, successor)) =>
            {
                tagged.push(name)
            }
            Use::Unknown(what) => unknown.push(what),
            other => by.push(other.into()),
        }
    }
    if !by.is_empty() {
        return alone(LeftBecause::StillUsed { by });
    }
    if !unknown.is_empty() {
        return alone(LeftBecause::UseUnknown { what: unknown });
    }
    let stop_transport = when.stop_transport && desired.restarts.of(Restartable::Transport).is_some();
    let Some(way) = way(builder, &tagged, thumbprint, stop_transport, &mut found_out.ways) else {
        let organization = &builder.world.organization;
        let hindering = named::hindering(organization, &named::sources(organization, &tagged));
        let (of, ended) = (id.clone(), !stored.certificate.is_valid_at(builder.now));
        return alone(LeftBecause::NamedWithSuccessor { by: tagged, of, hindering, compromised, ended });
    };
    if when.unproved == WhereUnproved::Keep {
        let own = &desired.servers[server];
        let unmet = found_out.unmet.entry(server.clone()).or_insert_with(|| builder.unmet(own, server));
        let places = unmet.iter().filter(|(_, shown)| *shown == chosen).map(|(place, _)| place.clone());
        // Without it nothing tells what a connector would show again that was left without a name.
        let bare = found_out.bare.entry(server.clone()).or_insert_with(|| {
            let found = unnamed(desired, &builder.world.organization, server, builder.now);
            let place = |found: Unnamed| UnmetPlace { place: found.connector.to_string(), why: Unmet::Sends };
            found.into_iter().map(place).collect()
        });
        let places: Vec<UnmetPlace> = places.chain(bare.iter().cloned()).collect();
        if !places.is_empty() {
            return alone(LeftBecause::Unproved { places, of: id.clone() });
        }
    }
    // Who still has it in mind finds out when nothing presents it any more, whatever day the successor is of.
    let moves = was_used(observed, server, thumbprint, builder.now);
    let since = if moves { None } else { predecessors.taken_over(server, thumbprint) };
    match since.map(|since| since.plus(when.after)) {
        _ if when.after == Span::ZERO || compromised => {}
        None => return alone(LeftBecause::UntilProved { after: when.after, by: id.clone() }),
        Some(from) if builder.now < from => {
            return alone(LeftBecause::Until { from, since, by: Some(id.clone()) });
        }
        Some(_) => {}
    }
    let expired = stored.certificate.not_after < builder.now;
    let with_key = stored.has_private_key && stored.exportable.known() == Some(&true) && !expired;
    let server = server.clone();
    Some(Ok(Removal { id, server, thumbprint, since, with_key, back_up: when.backup, tagged, way, because }))
}

/// Why a certificate stays that only has a name of one of the manifest. What chooses by name shows nothing about who brought it.
fn no_predecessor(id: &CertificateId, found: &[Use]) -> LeftBecause {
    let names_it = |used: &&Use| !matches!(used, Use::Unknown(_)) && !used.moves_on();
    let by: Vec<_> = found.iter().filter(names_it).cloned().map(Into::into).collect();
    let of = id.clone();
    if by.is_empty() { LeftBecause::LookAlike { of } } else { LeftBecause::UsedElsewhere { of, by } }
}

/// How a certificate can go while these send connectors name it; none when it has to stay.
fn way(
    builder: &PlanBuilder,
    tagged: &[ConnectorName],
    thumbprint: Thumbprint,
    stop_transport: bool,
    ways: &mut Ways,
) -> Option<Way> {
    let (organization, now) = (&builder.world.organization, builder.now);
    let mut changes_nothing = |connector: &ConnectorName| {
        *ways
            .entry((connector.clone(), thumbprint))
            .or_insert_with(|| named::changes_nothing_without_name(organization, connector, thumbprint, now))
    };
    if tagged.iter().all(&mut changes_nothing) {
        return Some(Way::Unnamed);
    }
    let sources = named::sources(organization, tagged);
    (stop_transport && named::can_stand_still(organization, &sources)).then_some(Way::StandingStill)
}

/// Whether what a send connector names is this certificate too. Without a name it selects by its `Fqdn`.
fn names(builder: &PlanBuilder, name: &ConnectorName, successor: &StoredCertificate) -> bool {
    let connectors = builder.world.organization.send_connectors.known();
    let have = connectors.and_then(|connectors| connectors.get(name)?.tls_certificate_name.as_ref());
    have.is_none_or(|have| have.selects(&successor.certificate))
}

/// Whether a connector that the Hybrid Configuration Wizard made names the successor of a hybrid certificate too.
fn is_of_hybrid_mail(
    builder: &PlanBuilder,
    desired: &Desired,
    id: &CertificateId,
    name: &ConnectorName,
    successor: &StoredCertificate,
) -> bool {
    let connectors = builder.world.organization.send_connectors.known();
    let connector = connectors.and_then(|connectors| connectors.get(name));
    desired.hybrid.as_ref() == Some(id)
        && !desired.send_connectors.contains_key(name)
        && connector.filter(|connector| connector.cloud_services_mail).is_some_and(|connector| {
            connector.tls_certificate_name.as_ref().is_some_and(|name| name.selects(&successor.certificate))
        })
}

/// The certificates of the manifest's servers that no certificate of the manifest has to do with.
fn unmanaged(
    builder: &PlanBuilder,
    desired: &Desired,
    decisions: &Decisions<'_>,
    told: &BTreeSet<(&ServerName, Thumbprint)>,
) -> Vec<LeftAlone> {
    let mut found = Vec::new();
    for name in desired.servers.keys() {
        let managed = managed(builder, decisions, name);
        let Some(store) = builder.server(name).and_then(|server| server.certificates.known()) else {
            continue;
        };
        for (thumbprint, stored) in &*store.0 {
            if managed.contains(thumbprint) || told.contains(&(name, *thumbprint)) {
                continue;
            }
            let rule = desired.protect.iter().find(|rule| lineage::protects(rule, stored) >= Fit::Perhaps);
            let why = match (builtin::recognise(&stored.certificate), rule) {
                (Some(built_in), _) => LeftBecause::Protected { rule: built_in.to_string() },
                (None, Some(_)) => LeftBecause::Protected { rule: "protect".into() },
                (None, None) => LeftBecause::Unmanaged,
            };
            found.push(left(name, stored, why));
        }
    }
    found
}

fn left(server: &ServerName, stored: &StoredCertificate, why: LeftBecause) -> LeftAlone {
    let certificate = &stored.certificate;
    LeftAlone {
        server: server.clone(),
        certificate: certificate.thumbprint,
        subject: certificate.subject.to_string(),
        not_after: certificate.not_after,
        why,
    }
}
