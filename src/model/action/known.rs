//! Actions once the certificates they speak of are there.

use std::collections::BTreeSet;

use super::{Action, CertRef, Condition, StepId, TlsName};
use crate::model::thumbprint::Thumbprint;

impl Action {
    /// The same action, naming the certificates that steps have made by their thumbprints. `made` tells which certificate
    /// a step has made; one that has made none yet is named by its number as before.
    #[must_use]
    pub fn with_known(&self, made: &dyn Fn(StepId) -> Option<Thumbprint>) -> Self {
        let mut action = self.clone();
        for reference in action.references() {
            if let CertRef::FromStep(step) = reference
                && let Some(thumbprint) = made(*step)
            {
                *reference = CertRef::Known(thumbprint);
            }
        }
        action
    }

    /// The steps that make what the action speaks of.
    pub fn made_by(&self) -> BTreeSet<StepId> {
        let mut own = self.clone();
        let made = own.references().into_iter().filter_map(|reference| match reference {
            CertRef::FromStep(step) => Some(*step),
            CertRef::Known(_) => None,
        });
        made.collect()
    }

    /// Every certificate that the action speaks of.
    fn references(&mut self) -> Vec<&mut CertRef> {
        match self {
            Self::Complete { certificate, .. }
            | Self::Import { certificate, .. }
            | Self::Bind { certificate, .. }
            | Self::BindSite { certificate, .. }
            | Self::SetInternalTransport { certificate, .. }
            | Self::SetImCertificate { certificate, .. }
            | Self::Remove { certificate, .. }
            | Self::BackUp { certificate, .. }
            | Self::StageAuth { certificate, .. }
            | Self::PublishAuth { certificate }
            | Self::Install { certificate, .. }
            | Self::RemoveRequest { request: certificate, .. }
            | Self::Repoint { to: Some(TlsName::Of(certificate)), .. }
            | Self::Await {
                until:
                    Condition::Answer { request: certificate, .. } | Condition::AuthTold { certificate, .. },
            }
            | Self::Manual {
                until:
                    Condition::Answer { request: certificate, .. } | Condition::AuthTold { certificate, .. },
                ..
            } => vec![certificate],
            Self::RemoveNamed { certificates, .. } => {
                certificates.iter_mut().map(|stored| &mut stored.certificate).collect()
            }
            Self::Verify { expect, .. }
            | Self::VerifyBalancer { expect, .. }
            | Self::Restart { unless_served: expect, .. }
            | Self::Await { until: Condition::Served { expect, .. } }
            | Self::Manual { until: Condition::Served { expect, .. }, .. } => {
                expect.iter_mut().map(|expectation| &mut expectation.certificate).collect()
            }
            Self::Issue { .. }
            | Self::Request { .. }
            | Self::Create { .. }
            | Self::SetX509CertificateName { .. }
            | Self::SetUmStartupMode { .. }
            | Self::Repoint { to: Some(TlsName::Exactly(_)) | None, .. }
            | Self::ClearPreviousAuth {}
            | Self::Await {
                until:
                    Condition::Moment { .. }
                    | Condition::HybridApplied {}
                    | Condition::EdgeSubscribed { .. }
                    | Condition::EdgeAwaited { .. }
                    | Condition::OnlineTold { .. },
            }
            | Self::Manual {
                until:
                    Condition::Moment { .. }
                    | Condition::HybridApplied {}
                    | Condition::EdgeSubscribed { .. }
                    | Condition::EdgeAwaited { .. }
                    | Condition::OnlineTold { .. },
                ..
            }
            | Self::Gate { .. }
            | Self::CannotApply { .. } => Vec::new(),
        }
    }
}
