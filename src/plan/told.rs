//! What Exchange Online has to be told before connectors here change.

use crate::model::{action::StepId, desired::CertificateId};

/// The certificates that Exchange Online has to be told of, each with the step of the person who does it.
#[derive(Clone, Debug, Default)]
pub(super) struct Told(Vec<(CertificateId, StepId)>);

impl Told {
    /// What has to be done before a connector that Exchange Online judges by its name is given this certificate.
    pub(super) fn before(&self, id: Option<&CertificateId>) -> Option<StepId> {
        self.0.iter().find(|(own, _)| Some(own) == id).map(|(_, step)| *step)
    }

    pub(super) fn and(mut self, step: Option<(CertificateId, StepId)>) -> Self {
        self.0.extend(step);
        self
    }
}
