//! The passes by name, and what each of them added.

use std::ops::Range;

use strum::IntoStaticStr;

use crate::model::plan::Step;

/// A pass of the planner. They run in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Pass {
    /// Servers that certwright does not change are said, and what was noted while the organization was observed.
    Refusals,
    /// Which certificate stands for each one of the manifest, where one is there.
    Existing,
    /// Servers whose shell cannot be reached over IIS are repaired.
    Shells,
    /// The Auth certificate, when it cannot wait.
    UrgentAuth,
    /// People who have to be ready before Edge subscriptions break.
    EdgeFirst,
    /// What Microsoft 365 has to know before a certificate is on a server.
    OnlineFirst,
    /// Certificates are issued, created or asked for.
    Issue,
    /// What Microsoft 365 has to know before connectors change.
    ExchangeOnline,
    /// A lane for each server: import, use, restart, proof.
    Lanes,
    /// Certificates that are kept as files.
    SafeKeeping,
    /// Load balancers.
    Balancers,
    /// Edge subscriptions.
    EdgeSubscriptions,
    /// Send connectors.
    SendConnectors,
    /// The hybrid configuration.
    Hybrid,
    /// Instant messaging.
    InstantMessaging,
    /// The end of what was superseded.
    Retirement,
    /// The Auth certificate, when there is time.
    Auth,
    /// What a reader should know of the organization that the steps leave behind.
    Warnings,
}

/// What one pass added to the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassReport {
    /// The pass.
    pub pass: Pass,
    /// Its steps, as a part of the plan's.
    pub steps: Range<usize>,
    /// Its warnings, as a part of the plan's.
    pub warnings: Range<usize>,
}

impl PassReport {
    /// The steps that it added.
    pub fn steps_of<'a>(&self, steps: &'a [Step]) -> &'a [Step] {
        &steps[self.steps.clone()]
    }
}
