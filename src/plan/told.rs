//! What Exchange Online has to be told before connectors here change.

use crate::model::{action::StepId, desired::CertificateId};

/// The certificate that Exchange Online has to be told of, and the step of the person who does it.
#[derive(Clone, Debug, Default)]
pub(super) struct Told(Option<(CertificateId, StepId)>);

impl Told {
    pub(super) fn of(step: Option<(CertificateId, StepId)>) -> Self {
        Self(step)
    }

    /// What has to be done before a connector that Exchange Online judges by its name is given this certificate.
    pub(super) fn before(&self, id: Option<&CertificateId>) -> Option<StepId> {
        self.0.as_ref().filter(|(own, _)| Some(own) == id).map(|(_, step)| *step)
    }
}
