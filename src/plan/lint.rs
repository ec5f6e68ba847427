//! Whether a plan is safe: its steps are carried out on paper, and after each one every endpoint that had a valid
//! certificate must still have one. It runs on every plan, whoever made the file.

mod drains;
mod fronts;
mod law;
mod mail_access;
mod removals;
mod senders;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

pub use self::law::Unsafe;
use self::{drains::Drains, fronts::Fronts, removals::Removals, senders::Senders};
use super::{
    expect, of_wizard, protected,
    recovery::{Kept, Settled},
    takeovers,
};
use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, presented},
        edge,
        selection::Presented,
        simulation::SimulatedOrganization,
        uses::{Use, uses},
    },
    model::{
        action::{Action, Condition, ServiceGroup, StepId},
        desired::Desired,
        names::{BalancerName, DnsName, ServerName},
        organization::{Observed, Organization},
        plan::{LeftAlone, LeftBecause, Plan, Step},
        server::Server,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
};

impl Unsafe {
    /// The id of the law that is broken: `certwright explain` tells more of it.
    pub const fn law(&self) -> &'static str {
        match self {
            Self::OutOfOrder(_) => "out-of-order",
            Self::Impossible { .. } => "impossible",
            Self::EndpointLost { .. } => "endpoint-lost",
            Self::ConnectorLost { .. } => "connector-lost",
            Self::StillUsed { .. } => "still-used",
            Self::NotOwned { .. } => "not-owned",
            Self::GraceNotOver { .. } => "grace-not-over",
            Self::PlaceNotProved { .. } => "place-not-proved",
            Self::RestartLeft { .. } => "restart-left",
            Self::NotVerified { .. } => "not-verified",
            Self::BalancerNotVerified { .. } => "balancer-not-verified",
            Self::BalancerLeftBehind { .. } => "balancer-left-behind",
            Self::OnlineNotTold { .. } => "online-not-told",
            Self::TakenOff { .. } => "taken-off",
            Self::Protected(_) => "protected",
            Self::AuthIsForTls(_) => "auth-is-for-tls",
            Self::AuthNotEverywhere { .. } => "auth-not-everywhere",
            Self::SharedWithEdge { .. } => "shared-with-edge",
            Self::DrainedTogether { .. } => "drained-together",
            Self::NobodyTakesOver { .. } => "nobody-takes-over",
            Self::TakenOverElsewhere { .. } => "taken-over-elsewhere",
            Self::NotTheEnd(_) => "not-the-end",
        }
    }
}

/// What places presented before the plan, when that was valid: the names they have to go on covering. It is found out for the
/// servers that steps change.
struct Baseline<'a> {
    desired: &'a Desired,
    organization: &'a Organization,
    now: Timestamp,
    /// Names that the run has brought go with it.
    is_way_back: bool,
    servers: BTreeMap<ServerName, BTreeMap<BindingPoint, Vec<DnsName>>>,
}

/// Everything that makes this plan unsafe; none when it is safe.
pub fn lint(plan: &Plan, desired: &Desired, observed: &Observed, now: Timestamp) -> Vec<Unsafe> {
    lint_rest(plan, &Settled::default(), &Kept::new(), desired, observed, now)
}

/// The same for what is left of a plan that was begun.
pub fn lint_rest(
    plan: &Plan,
    settled: &Settled,
    kept: &Kept,
    desired: &Desired,
    observed: &Observed,
    now: Timestamp,
) -> Vec<Unsafe> {
    // What does nothing is safe.
    if plan.steps.is_empty() {
        return Vec::new();
    }
    let desired = &*of_wizard::without(Cow::Borrowed(desired), &observed.organization);
    // What steps have made that were done, in whole or in part, is there by its own thumbprint, and no longer by their numbers.
    let plan = &settled.naming_what_is_there(plan);
    let mut world = SimulatedOrganization::new(observed.organization.clone(), now);
    for (step, certificate) in kept {
        world.know_issued(*step, certificate);
    }
    let mut baseline = Baseline {
        desired,
        organization: &observed.organization,
        now,
        is_way_back: plan.rolls_back.is_some(),
        servers: BTreeMap::new(),
    };
    // Whose a certificate was shows before the first step only; of a plan that was begun it was proved then.
    let fresh = settled.done.is_empty() && settled.begun.is_empty();
    let mut removals = fresh.then(|| Removals::of(plan, desired, observed, now));
    let mut senders = Senders::of(plan, desired, observed, now);
    let fronts = Fronts::of(plan, desired, &world);
    let mut drains = Drains::default();
    let (mut problems, mut verified) = (Vec::new(), BTreeSet::new());
    let mut unproved: BTreeSet<BalancerName> = BTreeSet::new();
    let sides = edge::SubscriptionSides::of(&world.organization);
    let mut shared: BTreeSet<edge::SharedPair> = edge::shared(&world.organization).collect();
    for (index, step) in plan.steps.iter().enumerate() {
        if step.id.0 as usize != index + 1
            || step.after.iter().any(|after| *after >= step.id)
            || speaks_of_later(plan, step)
        {
            problems.push(Unsafe::OutOfOrder(step.id));
            return problems;
        }
        if matches!(step.action, Action::CannotApply { .. }) || settled.done.contains_key(&step.id) {
            continue;
        }
        let server = step.action.server();
        let presented = server.and_then(|server| edge::presents(&world.organization, server));
        problems.extend(drains.check(step, desired, &world.organization));
        problems.extend(protected::touched(&world, step.id, &step.action));
        problems.extend(protected::before_publication(&world, desired, step.id, &step.action));
        for action in settled.rest_of(step) {
            if let (false, Some(balancer)) = (action.removals().is_empty(), unproved.first()) {
                problems.push(Unsafe::BalancerNotVerified { step: step.id, balancer: balancer.clone() });
            }
            if let Some(removals) = &mut removals {
                problems.extend(removals.check(&world, step, &action));
            }
            problems.extend(before_removal(plan, &world, desired, step.id, &action, &verified, now));
            if let Err(impossible) = world.perform(step.id, &action) {
                problems.push(Unsafe::Impossible { step: step.id, why: impossible.to_string() });
                return problems;
            }
        }
        match (&step.action, step.action.server()) {
            (Action::Install { balancer, .. }, _) if is_valid_on(&world, balancer, now) => {
                unproved.insert(balancer.clone());
            }
            (Action::VerifyBalancer { balancer, .. }, _) => drop(unproved.remove(balancer)),
            (Action::Verify { .. }, Some(server)) => drop(verified.insert(server.clone())),
            (Action::BackUp { .. } | Action::Remove { .. } | Action::RemoveNamed { .. }, _) | (_, None) => {}
            (_, Some(server)) => drop(verified.remove(server)),
        }
        for server in step.action.servers() {
            problems.extend(lost(&world, &mut baseline, step, server, now));
        }
        senders.look(&world, step);
        if let Some(server) = server.filter(|own| edge::presents(&world.organization, own) != presented) {
            for subscription in sides.subscriptions(&world.organization, server) {
                for (edge, server) in edge::shared_in(&world.organization, subscription, server) {
                    if shared.insert((edge.clone(), server.clone())) {
                        problems.push(Unsafe::SharedWithEdge { step: step.id, edge, server });
                    }
                }
            }
        }
    }
    problems.extend(senders.lost(&world));
    problems.extend(fronts.parted(plan, &world));
    problems.extend(mail_access::taken_off(plan, desired, observed, &world, now));
    if problems.is_empty() {
        problems.extend(not_the_end(plan, desired, observed, world, now));
    }
    problems
}

/// Whether the action speaks of a certificate that no step before it makes.
fn speaks_of_later(plan: &Plan, step: &Step) -> bool {
    step.action.made_by().into_iter().any(|made| made >= step.id || plan.step(made).is_none())
}

/// Whether what a load balancer has can be proved: what is taken back may be the expired certificate of before.
fn is_valid_on(world: &SimulatedOrganization, name: &BalancerName, now: Timestamp) -> bool {
    let balancer = world.organization.balancers.get(name);
    let certificate = balancer.and_then(|balancer| balancer.certificate.known()?.as_ref());
    certificate.is_some_and(|certificate| certificate.is_valid_at(now))
}

impl Baseline<'_> {
    /// The places of a server of the manifest.
    fn of(&mut self, name: &ServerName) -> &mut BTreeMap<BindingPoint, Vec<DnsName>> {
        if !self.servers.contains_key(name) {
            let places = self.places(name);
            self.servers.insert(name.clone(), places);
        }
        self.servers.get_mut(name).expect("it has just been found out")
    }

    fn places(&self, name: &ServerName) -> BTreeMap<BindingPoint, Vec<DnsName>> {
        let (own, server) = (self.desired.servers.get(name), self.organization.servers.get(name));
        let (Some(own), Some(server)) = (own, server) else { return BTreeMap::new() };
        let with_names = |presenter: BindingPoint| {
            let shown = presented(server, &presenter, self.now);
            let certificate = valid(server, &shown, self.now)?;
            // Between servers only the certificate counts, not its names (facts 5.2).
            let counts = !self.is_way_back && presenter != BindingPoint::InternalTransport;
            let declared = expect::declared(own, server, &presenter).filter(|_| counts);
            let names = declared.and_then(|id| self.desired.certificates.get(id)).map(|own| &own.names);
            let needed = names.into_iter().flatten().filter(|name| certificate.is_accepted_for(name));
            let needed = needed.cloned().collect();
            Some((presenter, needed))
        };
        binding_points(server).into_iter().filter_map(with_names).collect()
    }
}

/// The places that this step left without a valid certificate for the names they had to cover. Each is told once.
fn lost(
    world: &SimulatedOrganization,
    baseline: &mut Baseline<'_>,
    step: &Step,
    name: &ServerName,
    now: Timestamp,
) -> Vec<Unsafe> {
    let Some(server) = world.organization.servers.get(name) else { return Vec::new() };
    let mut lost = Vec::new();
    let places = baseline.of(name);
    for presenter in binding_points(server) {
        let Some(needed) = places.get(&presenter) else { continue };
        let shown = presented(server, &presenter, now);
        let has = valid(server, &shown, now)
            .is_some_and(|certificate| needed.iter().all(|name| certificate.is_accepted_for(name)));
        if !has && !matches!(shown, Presented::Unknown(_)) {
            places.remove(&presenter);
            lost.push(Unsafe::EndpointLost {
                step: step.id,
                server: name.clone(),
                presenter: presenter.to_string(),
                now: shown_with_end(server, &shown, now),
            });
        }
    }
    lost
}

/// What a place presents, with the day on which that has ended.
fn shown_with_end(server: &Server, shown: &Presented, now: Timestamp) -> String {
    let Presented::Certificate(thumbprint) = shown else { return shown.to_string() };
    match server.certificate(*thumbprint).map(|stored| stored.certificate.not_after) {
        Some(end) if end < now => format!("{shown}, which ended on {}", end.date()),
        Some(_) | None => shown.to_string(),
    }
}

fn valid<'a>(
    server: &'a Server,
    shown: &Presented,
    now: Timestamp,
) -> Option<&'a crate::model::certificate::Certificate> {
    let Presented::Certificate(thumbprint) = shown else { return None };
    let certificate = &server.certificate(*thumbprint)?.certificate;
    certificate.is_valid_at(now).then_some(certificate)
}

/// What has to be true before a certificate is removed. A certificate that the same plan made may go without proof: that
/// is the way back of a plan.
fn before_removal(
    plan: &Plan,
    world: &SimulatedOrganization,
    desired: &Desired,
    step: StepId,
    action: &Action,
    verified: &BTreeSet<ServerName>,
    now: Timestamp,
) -> Vec<Unsafe> {
    let removals = action.removals().into_iter();
    let each = removals.flat_map(|(server, certificate)| {
        let removed = (server, world.thumbprint(certificate));
        before_removal_of(plan, world, desired, step, (action, removed), verified, now)
    });
    each.collect()
}

/// What is stopped on a server while something is removed.
fn stopped<'a>(action: &'a Action, server: &ServerName) -> &'a [ServiceGroup] {
    match action {
        Action::Remove { while_stopped, .. } => while_stopped,
        Action::RemoveNamed { while_stopped, .. } => {
            let own = while_stopped.iter().find(|own| own.server == *server);
            own.map_or(&[], |own| &own.groups)
        }
        _ => &[],
    }
}

fn before_removal_of(
    plan: &Plan,
    world: &SimulatedOrganization,
    desired: &Desired,
    step: StepId,
    (action, (server, thumbprint)): (&Action, (&ServerName, Thumbprint)),
    verified: &BTreeSet<ServerName>,
    now: Timestamp,
) -> Vec<Unsafe> {
    let while_stopped = stopped(action, server);
    let unnamed = |found: &Use| match (action, found) {
        (Action::RemoveNamed { connectors, .. }, Use::SendConnector(name)) => {
            connectors.iter().any(|own| own.connector == *name)
        }
        _ => false,
    };
    let mut problems = Vec::new();
    if !verified.contains(server) {
        problems.push(Unsafe::NotVerified { step, server: server.clone() });
    }
    let stored = world.organization.servers.get(server).and_then(|server| server.certificate(thumbprint));
    if stored.is_some_and(|stored| super::lineage::is_protected(&desired.protect, stored)) {
        problems.push(Unsafe::Protected(step));
    }
    // On the way back the newer certificate goes, so that Exchange chooses the older one again, while what has loaded it
    // stands still; that the places which presented it have one is looked at after the step.
    let is_way_back = plan.rolls_back.is_some();
    let stands_still = |found: &Use| {
        let own = world.organization.servers.get(server);
        found.loaded_by().is_some_and(|what| {
            while_stopped.iter().any(|group| group.service == what)
                || own.is_some_and(|own| own.restarted(what).is_empty())
        })
    };
    let found = uses(&world.organization, server, thumbprint, now);
    let by = found.into_iter().filter(|found| !(unnamed(found) || is_way_back && stands_still(found)));
    let by: Vec<Use> = by.collect();
    if !by.is_empty() {
        problems.push(Unsafe::StillUsed { step, by });
    }
    problems
}

/// A complete plan has to end where a new one would be empty.
fn not_the_end(
    plan: &Plan,
    desired: &Desired,
    observed: &Observed,
    world: SimulatedOrganization,
    now: Timestamp,
) -> Option<Unsafe> {
    // What can be seen will be more when such a plan is done.
    let auth = super::auth::decide(desired, &observed.organization, observed.history.as_ref(), now);
    let blinded = auth.is_some_and(|auth| auth.blinds(&observed.organization).is_some());
    let complete =
        !blinded && !plan.steps.iter().any(|step| matches!(step.action, Action::CannotApply { .. }));
    // What is too much for one plan is left to the next.
    let waits = |left: &LeftAlone| matches!(left.why, LeftBecause::OverLimit { .. });
    let complete = complete && !plan.left_alone.iter().any(waits);
    // A way back ends where another plan would begin.
    if !complete || plan.rolls_back.is_some() || plan.steps.is_empty() {
        return None;
    }
    let desired = &after_people(plan, desired, &world);
    let history = takeovers::after(plan, &world, observed.history.as_ref(), now);
    let end = Observed { organization: world.organization, history, ..observed.clone() };
    let again = super::again(plan.only.as_ref(), desired, &end, now);
    let first = again.steps.first()?;
    let verb = first.action.verb();
    let step = first.action.server().map_or(verb.to_owned(), |server| format!("{verb} on {server}"));
    let why: Vec<String> = first.why.iter().map(ToString::to_string).collect();
    Some(Unsafe::NotTheEnd(if why.is_empty() { step } else { format!("{step} ({})", why.join("; ")) }))
}

/// The manifest when people have written into it what steps ask them to.
fn after_people(plan: &Plan, desired: &Desired, world: &SimulatedOrganization) -> Desired {
    let mut desired = desired.clone();
    for step in &plan.steps {
        if let (Action::Manual { until: Condition::AuthTold { certificate, .. }, .. }, Some(auth)) =
            (&step.action, &mut desired.auth)
        {
            auth.reported = Some(world.thumbprint(*certificate));
        }
        if let Action::Manual { until: Condition::OnlineTold { subject }, .. } = &step.action {
            desired.told_subject = Some(subject.clone());
        }
    }
    desired
}
