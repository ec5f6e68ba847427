//! Plans for some servers or some certificates only. What is decided is decided for the whole organization, so that no
//! certificate is issued that another server holds; what is done is a part of it that is safe by itself.

mod fronts;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::decision::{Decision, Decisions, Supply};
use indexmap::IndexSet;

use crate::model::{
    action::Action,
    desired::{CertificateId, Desired, DesiredBalancer, DesiredCertificate, DesiredServer},
    names::{CertificateName, ServerName},
    organization::Organization,
    plan::{LeftOut, LeftOutBecause, Only, Plan, Step},
    service::{MailService, Service},
    warning::RunWarning,
};

/// What a plan is narrowed to: these servers and these certificates of the manifest; all where there is none.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Narrowing {
    /// The servers.
    pub servers: BTreeSet<ServerName>,
    /// The certificates.
    pub certificates: BTreeSet<CertificateName>,
}

/// What a plan is about: what it is narrowed to, without the servers that the manifest leaves out for now. Nothing is planned for
/// those, whoever asks.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Scope {
    asked: Narrowing,
    left_out: BTreeSet<ServerName>,
}

/// The part of a manifest, and of what was decided for the whole of it, that a narrowed plan is made of.
pub(super) struct Part<'a> {
    pub(super) desired: Cow<'a, Desired>,
    /// The certificates that are in it, and whether each server that uses one is too.
    kept: BTreeMap<CertificateId, bool>,
}

impl Narrowing {
    /// Whether it leaves nothing out.
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty() && self.certificates.is_empty()
    }

    /// Whether a server of this manifest is in it. One that the manifest leaves out never is.
    pub fn takes(&self, desired: &Desired, server: &ServerName) -> bool {
        !desired.is_left_out(server) && self.is_about(server)
    }

    /// Whether a server is in it, left out or not.
    pub fn is_about(&self, server: &ServerName) -> bool {
        self.servers.is_empty() || self.servers.contains(server)
    }
}

impl Scope {
    pub(super) fn of(narrowing: &Narrowing, desired: &Desired) -> Self {
        Self { asked: narrowing.clone(), left_out: desired.left_out().map(|own| own.server).collect() }
    }

    /// Whether it is about the whole manifest.
    pub(super) fn is_whole(&self) -> bool {
        self.asked.is_empty() && self.left_out.is_empty()
    }

    pub(super) fn takes(&self, server: &ServerName) -> bool {
        !self.left_out.contains(server) && self.asked.is_about(server)
    }

    /// Whether a server is left out for now, and is spoken of all the same: it goes on as it is.
    pub(super) fn keeps(&self, server: &ServerName) -> bool {
        self.left_out.contains(server) && self.asked.is_about(server)
    }

    /// Whether all servers are in it.
    fn takes_all_servers(&self) -> bool {
        self.asked.servers.is_empty() && self.left_out.is_empty()
    }

    fn wants(&self, certificate: &CertificateName) -> bool {
        self.asked.certificates.is_empty() || self.asked.certificates.contains(certificate)
    }

    fn takes_all(&self, servers: &[ServerName]) -> bool {
        servers.iter().all(|server| self.takes(server))
    }

    /// Whether an Edge subscription joins this server with one that is left out: somebody would have to go there with a new
    /// subscription file, and without it `EdgeSync` stops (facts 10.2).
    fn leaves_out_a_partner(&self, server: &ServerName, organization: &Organization) -> bool {
        if self.left_out.is_empty() {
            return false;
        }
        let subscriptions = organization.edge_subscriptions.known().into_iter().flatten();
        subscriptions.into_iter().any(|subscription| {
            let sides = || subscription.site_servers.iter().chain([&subscription.edge]);
            sides().any(|side| side == server) && sides().any(|side| self.left_out.contains(side))
        })
    }

    /// What the plan says that it is narrowed to: the servers by name where the manifest leaves some out.
    pub(super) fn only(&self, desired: &Desired, left_out: Vec<LeftOut>) -> Only {
        let Narrowing { mut servers, certificates } = self.asked.clone();
        if !self.left_out.is_empty() {
            servers = desired.servers.keys().filter(|name| self.takes(name)).cloned().collect();
        }
        Only { servers, certificates, left_out }
    }
}

impl From<&Only> for Narrowing {
    fn from(only: &Only) -> Self {
        Self { servers: only.servers.clone(), certificates: only.certificates.clone() }
    }
}

impl<'a> Part<'a> {
    /// The part of `desired` that the scope asks for, without what is safe only together with the rest.
    pub(super) fn of(
        desired: &'a Desired,
        decisions: &Decisions<'_>,
        scope: &Scope,
        organization: &Organization,
    ) -> Self {
        let mut kept = BTreeMap::new();
        for decision in decisions.all() {
            let certificate = decision.certificate;
            let whole = scope.takes_all(&certificate.servers);
            if scope.wants(&certificate.id.name) && (whole || can_begin(decision, scope)) {
                kept.insert(certificate.id.clone(), whole);
            }
        }
        let desired = if scope.is_whole() {
            Cow::Borrowed(desired)
        } else {
            Cow::Owned(narrowed(desired, &kept, scope, organization))
        };
        Self { desired, kept }
    }

    /// The decisions about what is in the part.
    pub(super) fn decisions(&self, decisions: &Decisions<'_>) -> Decisions<'_> {
        let own = |decision: &Decision<'_>| {
            let certificate = self.desired.certificates.get(&decision.certificate.id)?;
            // While another server may need it, nothing of a predecessor ends anywhere.
            let whole = *self.kept.get(&certificate.id)?;
            let lineage = if whole { decision.lineage.clone() } else { BTreeMap::new() };
            let Decision { supply, reasons, incumbent, .. } = decision;
            let (supply, reasons, incumbent) = (supply.clone(), reasons.clone(), *incumbent);
            Some(Decision { certificate, supply, reasons, incumbent, lineage })
        };
        Decisions::new(decisions.all().iter().filter_map(own).collect())
    }
}

/// The manifest without what is not kept. Every field is named, so that a new one is thought about here.
fn narrowed(
    desired: &Desired,
    kept: &BTreeMap<CertificateId, bool>,
    scope: &Scope,
    organization: &Organization,
) -> Desired {
    let Desired {
        organization: name,
        mut certificates,
        mut servers,
        mut send_connectors,
        auth,
        hybrid,
        told_subject,
        subscribe_anew,
        mut balancers,
        protect,
        restarts,
        keep_issued,
        expiry_warning,
        limits,
    } = desired.clone();
    let is_kept = |id: &CertificateId| kept.contains_key(id);
    servers.retain(|name, _| scope.takes(name));
    for (name, own) in &mut servers {
        keep_uses(own, &is_kept, scope);
        if scope.leaves_out_a_partner(name, organization) {
            own.internal_transport = None;
        }
    }
    certificates.retain(|id, _| is_kept(id));
    for certificate in certificates.values_mut() {
        certificate.servers.retain(|name| scope.takes(name));
    }
    certificates.retain(|_, certificate| !certificate.servers.is_empty());
    // A send connector needs the certificate on every server that it sends from (facts 15, no. 9).
    let observed = organization.send_connectors.known();
    send_connectors.retain(|name, id| {
        let connector = observed.and_then(|connectors| connectors.get(name));
        let has_all = scope.takes_all_servers()
            || connector.is_some_and(|connector| scope.takes_all(&connector.source_servers));
        has_all && id.as_ref().map_or(scope.asked.certificates.is_empty(), is_kept)
    });
    // Clients come in while a load balancer and the servers behind it present the same one (facts 11.3).
    let goes = |balancer: &DesiredBalancer| {
        let one = certificate(desired, &balancer.certificate);
        let behind = one.into_iter().flat_map(|one| balancer.servers_of(one));
        is_kept(&balancer.certificate) && behind.into_iter().all(|server| scope.takes(server))
    };
    fronts::hold(&mut servers, &balancers, organization, &|balancer| {
        let one = certificate(desired, &balancer.certificate);
        let mut behind = one.into_iter().flat_map(|one| balancer.servers_of(one));
        is_kept(&balancer.certificate) && behind.any(|server| scope.left_out.contains(server))
    });
    balancers.retain(|_, balancer| goes(balancer));
    // Every server checks what another has signed.
    let auth = auth.filter(|auth| {
        let certificate = &auth.certificate;
        scope.wants(&certificate.id.name) && scope.takes_all(&certificate.servers)
    });
    // It names one certificate for all servers of hybrid mail (facts 9).
    let hybrid = hybrid.filter(|id| kept.get(id) == Some(&true));
    Desired {
        organization: name,
        certificates,
        servers,
        send_connectors,
        auth,
        hybrid,
        told_subject,
        subscribe_anew,
        balancers,
        protect,
        restarts,
        keep_issued,
        expiry_warning,
        limits,
    }
}

/// Whether a certificate can be brought to some of its servers now and to the others later.
fn can_begin(decision: &Decision<'_>, scope: &Scope) -> bool {
    match &decision.supply {
        // Nothing is asked of a server that is left out, and so no key.
        Supply::Have { from: Some(from), missing, .. } => {
            !scope.left_out.contains(from) || !missing.iter().any(|server| scope.takes(server))
        }
        Supply::Have { from: None, .. } | Supply::Blocked => true,
        // Its key would never come to the others, and it would be issued again for them.
        Supply::New => decision.certificate.exportable,
        Supply::Requested { server, .. } => scope.takes(server),
    }
}

/// Keeps what a server uses the kept certificates for.
fn keep_uses(own: &mut DesiredServer, is_kept: &dyn Fn(&CertificateId) -> bool, scope: &Scope) {
    for ids in own.services.values_mut() {
        ids.retain(is_kept);
    }
    own.services.retain(|_, ids| !ids.is_empty());
    let internal = own.internal_transport.take();
    own.internal_transport = internal.filter(is_kept);
    own.sites.retain(|_, id| is_kept(id));
    let clears = scope.asked.certificates.is_empty();
    own.receive_connectors.retain(|_, id| id.as_ref().map_or(clears, is_kept));
    let services = &own.services;
    own.x509_certificate_names.retain(|service, _| match service {
        MailService::Pop => services.contains_key(&Service::Pop),
        MailService::Imap => services.contains_key(&Service::Imap),
    });
    let unified_messaging = [Service::Um, Service::UmCallRouter];
    if !unified_messaging.iter().any(|service| services.contains_key(service)) {
        own.um_startup_mode = None;
    }
}

/// What `part` leaves out of `whole`.
pub(super) fn left_out<'a>(
    whole: &'a Plan,
    part: &'a Plan,
    desired: &'a Desired,
    scope: &'a Scope,
) -> Vec<LeftOut> {
    let mut done: BTreeMap<_, usize> = BTreeMap::new();
    for step in &part.steps {
        *done.entry(key(step)).or_default() += 1;
    }
    let mut left: Vec<LeftOut> = Vec::new();
    // Where in the list what is left out of each server is, for each reason.
    let mut at: BTreeMap<(Option<&ServerName>, usize), usize> = BTreeMap::new();
    let mut reasons = Reasons::new(desired, scope);
    for step in whole.steps.iter().filter(|step| !matches!(step.action, Action::Gate { .. })) {
        if let Some(count) = done.get_mut(&key(step)).filter(|count| **count > 0) {
            *count -= 1;
            continue;
        }
        let (server, why) = (step.action.server(), reasons.of(step));
        let index = *at.entry((server, why)).or_insert_with(|| {
            let why = reasons.all[why].clone();
            left.push(LeftOut { server: server.cloned(), verbs: Vec::new(), steps: 0, why });
            left.len() - 1
        });
        let verb = step.action.verb();
        left[index].steps += 1;
        if !left[index].verbs.iter().any(|told| told == verb) {
            left[index].verbs.push(verb.to_owned());
        }
    }
    left
}

/// What is different between servers until the rest is done.
pub(super) fn warnings(whole: &Plan, part: &Plan, scope: &Scope) -> Vec<RunWarning> {
    let here: BTreeSet<&CertificateId> = of_iis(part).map(|(_, id)| id).collect();
    let mut others: BTreeMap<&CertificateId, Vec<ServerName>> = BTreeMap::new();
    for (server, id) in of_iis(whole).filter(|(server, id)| here.contains(id) && !scope.takes(server)) {
        others.entry(id).or_default().push(server.clone());
    }
    let warning = |(id, servers): (&CertificateId, Vec<ServerName>)| RunWarning::SignInAgain {
        certificate: id.clone(),
        servers,
    };
    others.into_iter().map(warning).collect()
}

/// The steps that give the Default Web Site another certificate.
fn of_iis(plan: &Plan) -> impl Iterator<Item = (&ServerName, &CertificateId)> {
    plan.steps.iter().filter_map(|step| match &step.action {
        Action::Bind { server, services, .. } if services.contains(&Service::Iis) => {
            Some((server, step.certificate.as_ref()?))
        }
        _ => None,
    })
}

/// By what a step of one plan is found in another, whose steps have other numbers.
fn key(step: &Step) -> (&str, Option<&ServerName>, Option<&CertificateId>) {
    (step.action.verb(), step.action.server(), step.certificate.as_ref())
}

/// Why steps are left out, each reason once.
struct Reasons<'a> {
    desired: &'a Desired,
    scope: &'a Scope,
    /// The first is that nobody asked for them.
    all: IndexSet<LeftOutBecause>,
    /// Which reason the steps of a certificate have that are safe only together with others.
    of: BTreeMap<Option<&'a CertificateId>, usize>,
    /// The reason of what needs all that is left out, certificate or not.
    of_rest: LeftOutBecause,
}

impl<'a> Reasons<'a> {
    fn new(desired: &'a Desired, scope: &'a Scope) -> Self {
        let rest = desired.servers.keys().filter(|server| !scope.takes(server));
        let of_rest = together_with(rest).unwrap_or(LeftOutBecause::NeedsCertificates);
        let all = IndexSet::from([LeftOutBecause::NotAskedFor]);
        Self { desired, scope, all, of: BTreeMap::new(), of_rest }
    }

    /// The place of this step's reason in the list.
    fn of(&mut self, step: &'a Step) -> usize {
        let elsewhere = step.action.server().is_some_and(|server| !self.scope.takes(server));
        let unwanted = step.certificate.as_ref().is_some_and(|id| !self.scope.wants(&id.name));
        if elsewhere || unwanted {
            return 0;
        }
        let id = step.certificate.as_ref();
        if let Some(known) = self.of.get(&id) {
            return *known;
        }
        let why = self.needs(id);
        let (index, _) = self.all.insert_full(why);
        self.of.insert(id, index);
        index
    }

    fn needs(&self, id: Option<&CertificateId>) -> LeftOutBecause {
        let using = id.and_then(|id| certificate(self.desired, id));
        let others =
            using.into_iter().flat_map(|own| &own.servers).filter(|server| !self.scope.takes(server));
        together_with(others).unwrap_or_else(|| self.of_rest.clone())
    }
}

/// That something is safe only together with what is to be done on these servers. A person reads a few names, and plans of whole
/// fleets say it for each server.
fn together_with<'a>(servers: impl Iterator<Item = &'a ServerName>) -> Option<LeftOutBecause> {
    const MOST: usize = 8;
    let mut all = servers.cloned();
    let servers: Vec<ServerName> = all.by_ref().take(MOST).collect();
    (!servers.is_empty()).then(|| LeftOutBecause::NeedsServers { servers, more: all.count() })
}

fn certificate<'a>(desired: &'a Desired, id: &CertificateId) -> Option<&'a DesiredCertificate> {
    let auth = desired.auth.as_ref().map(|auth| &auth.certificate).filter(|auth| auth.id == *id);
    desired.certificates.get(id).or(auth)
}
