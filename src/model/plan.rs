//! Plans: changes with their reasons, and the ordered steps that make them. A plan is data; nothing is left to decide.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

pub use super::left_alone::{LeftAlone, LeftBecause};
use super::{
    action::{Action, CertRef, SideEffect, StepId},
    desired::CertificateId,
    diagnostic::{Coded, Diagnostic, Severity, Subject},
    ending::Ending,
    fact_key::FactKey,
    names::{CertificateName, DnsName, ServerName},
    no_way_back::NoWayBack,
    reason::Reason,
    removed::Removed,
    schema::JsonSchema,
    thumbprint::Thumbprint,
    time::Timestamp,
    unseen::NotSeen,
    warning::{ExpiryNotice, ServerWarning, Warning},
};

/// Everything `apply` will do, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// The format of this file.
    pub version: u32,
    /// The organization it is for.
    pub organization: String,
    /// When it was made.
    pub planned_at: Timestamp,
    /// The driver that observed the organization for it.
    pub driver: String,
    /// When the organization was observed.
    pub observed_at: Timestamp,
    /// How much was looked at.
    pub seen: Seen,
    /// The observed facts it relies on. `apply` refuses when one of them is different by then.
    pub basis: Basis,
    /// What changes for each certificate of the manifest, in the manifest's order.
    pub changes: Vec<Change>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// What the operator should know before agreeing.
    #[serde(with = "super::diagnostic::list")]
    #[schemars(with = "Vec<crate::model::diagnostic::Coding<Warning>>")]
    pub warnings: Vec<Warning>,
    /// Superseded certificates that stay for now, and certificates that no manifest names.
    pub left_alone: Vec<LeftAlone>,
    /// The run that it takes back, when it is the way back of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolls_back: Option<String>,
    /// What it is narrowed to, when it is a part of what there is to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
}

/// What a plan is narrowed to. The rest of what there is to do is left for another plan.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Only {
    /// To these servers; all when there is none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub servers: BTreeSet<ServerName>,
    /// To these certificates of the manifest; all when there is none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub certificates: BTreeSet<CertificateName>,
    /// What it leaves out of the whole plan, in that plan's order.
    pub left_out: Vec<LeftOut>,
}

/// Steps of the whole plan that a narrowed one leaves out: those of one place, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeftOut {
    /// The server; absent for the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerName>,
    /// What would be done, each verb once.
    pub verbs: Vec<String>,
    /// How many steps they are.
    pub steps: usize,
    /// Why they are left out.
    pub why: LeftOutBecause,
}

/// Why steps are left out of a narrowed plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LeftOutBecause {
    /// They are of another server or of another certificate.
    NotAskedFor,
    /// They are safe only together with what is to be done on these servers.
    NeedsServers {
        /// The first of the servers.
        servers: Vec<ServerName>,
        /// How many there are beside these.
        #[serde(default, skip_serializing_if = "is_zero")]
        more: usize,
    },
    /// They are safe only together with what is to be done for other certificates.
    NeedsCertificates,
}

/// Whether a count is not worth writing.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
pub(crate) const fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// How much an observation held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seen {
    /// Servers.
    pub servers: usize,
    /// Certificates in their stores.
    pub certificates: usize,
    /// Places that use a certificate: services, bindings, settings, connectors.
    pub bindings: usize,
}

/// The observed facts that a plan relies on: what each was about, and how it was. `digest` stands for all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Basis {
    /// SHA-256 over the facts, in hexadecimal.
    pub digest: String,
    /// The facts.
    pub facts: BTreeMap<FactKey, String>,
}

/// What happens to one certificate of the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    /// Which certificate.
    pub certificate: CertificateId,
    /// What kind of change.
    pub kind: ChangeKind,
    /// Why, the most important reason first.
    pub reasons: Vec<Reason>,
    /// The certificate in use before, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<Thumbprint>,
    /// The DNS names it is for.
    pub names: Vec<DnsName>,
    /// The servers it is for.
    pub servers: Vec<ServerName>,
    /// The predecessors that the plan removes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removes: Vec<Removed>,
}

/// What kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ChangeKind {
    /// Nothing to do.
    NoOp,
    /// It does not exist yet.
    Create,
    /// It exists, and is not used everywhere it should be.
    Update,
    /// A new one takes the place of the present one.
    Replace,
    /// Only a predecessor remains to be removed.
    Retire,
    /// Something should be done and cannot be; the reasons say why.
    Blocked,
}

/// How many certificates these steps remove for good: services come off a certificate by removing it and importing it again.
pub fn removed_for_good(steps: &[Step]) -> usize {
    let mut comes_back: HashSet<(&ServerName, CertRef)> = HashSet::new();
    let mut gone = 0;
    for step in steps.iter().rev() {
        if let Action::Import { server, certificate, .. } = &step.action {
            comes_back.insert((server, *certificate));
        }
        let removals = step.action.removals().into_iter();
        gone += removals.filter(|removal| !comes_back.contains(removal)).count();
    }
    gone
}

/// One step: what is done, why, after which others, and the way back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// Its number; steps are done in this order.
    pub id: StepId,
    /// The certificate of the manifest that it is for; absent for a step that serves several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateId>,
    /// What is done.
    pub action: Action,
    /// Why.
    pub why: Vec<Reason>,
    /// The steps that must have succeeded before.
    pub after: BTreeSet<StepId>,
    /// What Exchange does on its own when this is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub side_effects: Vec<SideEffect>,
    /// The way back.
    pub undo: Undo,
}

impl Step {
    /// Whether people do it, or a run waits there for something outside.
    pub fn is_by_hand(&self) -> bool {
        matches!(self.action, Action::Manual { .. } | Action::Await { .. })
    }
}

/// The way back from a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Undo {
    /// Nothing needs undoing.
    Nothing,
    /// By these actions, in this order.
    By(Vec<Action>),
    /// By these actions, in this order, and something stays all the same.
    Partly {
        /// The actions.
        by: Vec<Action>,
        /// What stays, and why.
        #[serde(with = "super::diagnostic::one")]
        #[schemars(with = "crate::model::diagnostic::Coding<NoWayBack>")]
        stays: NoWayBack,
    },
    /// There is none.
    Irreversible {
        /// Why not.
        #[serde(with = "super::diagnostic::one")]
        #[schemars(with = "crate::model::diagnostic::Coding<NoWayBack>")]
        why: NoWayBack,
    },
}

impl Undo {
    /// What takes the step back, as far as that is possible.
    pub fn actions(&self) -> &[Action] {
        match self {
            Self::Nothing | Self::Irreversible { .. } => &[],
            Self::By(actions) | Self::Partly { by: actions, .. } => actions,
        }
    }

    /// Whether nothing of the step would stay.
    pub fn is_whole(&self) -> bool {
        match self {
            Self::Nothing | Self::By(_) => true,
            Self::Partly { .. } | Self::Irreversible { .. } => false,
        }
    }
}

impl Only {
    /// How many steps of the whole plan it leaves out.
    pub fn steps_left_out(&self) -> usize {
        self.left_out.iter().map(|left| left.steps).sum()
    }

    /// The servers and certificates that it is narrowed to, for people.
    pub fn names(&self) -> String {
        let servers = self.servers.iter().map(ToString::to_string);
        let certificates = self.certificates.iter().map(ToString::to_string);
        let joined = |names: Vec<String>| (!names.is_empty()).then(|| names.join(", "));
        let parts = [joined(certificates.collect()), joined(servers.collect())];
        let names = parts.into_iter().flatten().collect::<Vec<_>>().join(" on ");
        if names.is_empty() { "nothing".into() } else { names }
    }
}

impl Plan {
    /// The format that this program reads and writes.
    pub const VERSION: u32 = 1;

    /// What cannot be done and what is warned of, in the shape that all messages share.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut all = self.obstacles();
        all.extend(self.warnings.iter().map(Coded::diagnostic));
        all
    }

    /// What should be done and cannot be, in the shape that all messages share.
    pub fn obstacles(&self) -> Vec<Diagnostic> {
        let cannot = self.steps.iter().filter_map(|step| match &step.action {
            Action::CannotApply { why, .. } => Some(why.diagnostic()),
            _ => None,
        });
        let blocked = self.changes.iter().filter(|change| change.kind == ChangeKind::Blocked);
        let blocked = blocked.flat_map(|change| {
            let subject = Subject::certificate(&change.certificate);
            change.reasons.iter().map(move |reason| {
                let message = format!("{}: {reason}", change.certificate);
                Diagnostic::new(reason.code(), Severity::Error, subject.clone(), message)
            })
        });
        cannot.chain(blocked).collect()
    }

    /// The servers of which it does not know whether they are as the manifest says.
    pub fn not_seen(&self) -> impl Iterator<Item = NotSeen> + '_ {
        self.warnings.iter().filter_map(|warning| match warning {
            Warning::Server(ServerWarning::ServerNotSeen { server, unseen }) => {
                Some(NotSeen { server: server.clone(), unseen: unseen.clone() })
            }
            _ => None,
        })
    }

    /// What is in use and ends, and that no step of it replaces.
    pub fn endings(&self) -> impl Iterator<Item = &Ending> {
        self.warnings.iter().filter_map(|warning| match warning {
            Warning::Expiry(ExpiryNotice::EndsInUse { ending, .. }) => Some(ending),
            _ => None,
        })
    }

    /// The certificates that it replaces because others may have their keys: those of the manifest, and those that somebody named
    /// when it was made.
    pub fn compromised(&self) -> Vec<Thumbprint> {
        let changes = self.changes.iter().filter(|change| change.reasons.contains(&Reason::KeyCompromised));
        changes.filter_map(|change| change.current).collect()
    }

    /// Whether part of the manifest cannot be planned.
    pub fn is_blocked(&self) -> bool {
        self.changes.iter().any(|change| change.kind == ChangeKind::Blocked)
    }

    /// Whether everything that the manifest asks for can be done.
    pub fn is_whole(&self) -> bool {
        let cannot = |step: &Step| matches!(step.action, Action::CannotApply { .. });
        !self.is_blocked() && !self.steps.iter().any(cannot)
    }

    /// Whether all that cannot be done is about servers that were not seen: what would be the case, had they been, is not known.
    pub fn lacks_only_sight(&self) -> bool {
        let unseen: BTreeSet<ServerName> = self.not_seen().map(|own| own.server).collect();
        let mut blocked = self.changes.iter().filter(|change| change.kind == ChangeKind::Blocked);
        let mut steps = self.steps.iter().filter_map(|step| match &step.action {
            Action::CannotApply { why, .. } => Some(why),
            _ => None,
        });
        !self.is_whole()
            && blocked.all(|change| {
                !change.reasons.is_empty()
                    && change.reasons.iter().all(|reason| reason.is_for_want_of_sight(&unseen))
            })
            && steps.all(|why| why.is_for_want_of_sight(&unseen))
    }

    /// Whether no step of it does anything: there is none, or what there is cannot be done.
    pub fn does_nothing(&self) -> bool {
        self.steps.iter().all(|step| matches!(step.action, Action::CannotApply { .. }))
    }

    /// The step of this number. Steps are numbered from 1.
    pub fn step(&self, id: StepId) -> Option<&Step> {
        let index = usize::try_from(id.0).ok()?.checked_sub(1)?;
        self.steps.get(index).filter(|step| step.id == id)
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}
