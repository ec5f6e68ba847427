//! Steps that enable SMTP: Exchange asks about its default certificate, and the answer is part of the step.

use super::PlanBuilder;
use crate::{
    exchange::verbs::unusable_connector,
    model::{
        action::{Action, CertRef, DefaultSmtp, SideEffect, StepId},
        cannot::Cannot,
        desired::CertificateId,
        names::ServerName,
        plan::Undo,
        reason::Reason,
        service::Service,
        thumbprint::Thumbprint,
    },
};

impl PlanBuilder {
    /// Adds a step that may enable SMTP. When the default SMTP certificate should stay and the driver cannot say so, it is
    /// replaced and put back at once: the documented way of an unattended script (facts 3.2).
    pub(in crate::plan) fn push_smtp(
        &mut self,
        certificate: Option<&CertificateId>,
        mut action: Action,
        why: Vec<Reason>,
        after: impl IntoIterator<Item = StepId>,
    ) -> Option<StepId> {
        if let Some(why) = self.connector_in_the_way(&mut action) {
            let server = action.server().cloned();
            self.push(certificate, Action::CannotApply { server, why }, Vec::new(), []);
            return None;
        }
        self.push_keeping_default(certificate, action, why, after)
    }

    /// Adds a step that keeps the default SMTP certificate, or puts it back in the next one. What holds only between the two is
    /// not told, and the way back from the first puts back what the server had before either.
    pub(in crate::plan) fn push_keeping_default(
        &mut self,
        certificate: Option<&CertificateId>,
        mut action: Action,
        why: Vec<Reason>,
        after: impl IntoIterator<Item = StepId>,
    ) -> Option<StepId> {
        let kept = self.default_smtp_to_keep(&mut action);
        let step = self.push(certificate, action, why, after)?;
        if let Some((server, thumbprint)) = kept {
            let why = vec![Reason::DefaultSmtpRestored { server: server.clone() }];
            let back = Action::SetInternalTransport { server, certificate: CertRef::of(thumbprint) };
            if let Some(restored) = self.push(certificate, back, why, []) {
                for own in self.steps.iter_mut().filter(|own| own.id == step) {
                    own.side_effects.retain(|effect| !matches!(effect, SideEffect::EdgeDistrusts { .. }));
                }
                for own in self.steps.iter_mut().filter(|own| own.id == restored) {
                    own.undo = Undo::Nothing;
                }
            }
        }
        Some(step)
    }

    /// What keeps the server from enabling anything for SMTP, where the action does.
    fn connector_in_the_way(&self, action: &mut Action) -> Option<Cannot> {
        let (server, services, _) = action.enabling()?;
        services.contains(&Service::Smtp).then(|| self.connector_without_host_name(server)).flatten()
    }

    /// What keeps a server from enabling anything for SMTP.
    pub(in crate::plan) fn connector_without_host_name(&self, server: &ServerName) -> Option<Cannot> {
        let (connector, fqdn) = unusable_connector(self.server(server)?)?;
        let (server, connector, fqdn) = (server.clone(), connector.clone(), fqdn.clone());
        Some(Cannot::ConnectorFqdn { server, connector, fqdn })
    }

    /// The default SMTP certificate that the action would have to keep and cannot; the action is changed to replace it.
    fn default_smtp_to_keep(&self, action: &mut Action) -> Option<(ServerName, Thumbprint)> {
        let (server, services, answer) = action.enabling()?;
        let asks = services.contains(&Service::Smtp) && *answer == DefaultSmtp::Keep && !self.answers_prompts;
        let current = asks.then(|| *self.server(server)?.internal_transport.known()?).flatten()?;
        self.server(server)?.certificate(current)?;
        *answer = DefaultSmtp::Replace;
        Some((server.clone(), current))
    }
}
