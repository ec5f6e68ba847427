//! What is to be known of each action: one table, so that a new action is one new row here.

use super::{Action, CertRef, ConnectorRef, ServerServices, ServiceGroup, TlsName};
use crate::model::names::ServerName;

/// What is to be known of an action beside its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionFacts<'a> {
    /// The verb, as it is shown.
    pub verb: &'static str,
    /// The server it acts on; none when it acts on the organization or on nothing at all.
    pub server: Option<&'a ServerName>,
    /// The certificate that it brings into use for TLS, or takes away. Those of Exchange and Windows are not to be touched.
    pub touches: Option<CertRef>,
    /// Whether clients of the server may get something else afterwards, so that what was verified before proves nothing.
    pub changes_service: bool,
    /// Whether doing it twice comes to the same as doing it once.
    pub is_repeatable: bool,
    /// How often something stops and starts.
    pub restarts: usize,
}

impl<'a> ActionFacts<'a> {
    const fn of(verb: &'static str) -> Self {
        Self { verb, server: None, touches: None, changes_service: false, is_repeatable: false, restarts: 0 }
    }

    const fn on(self, server: &'a ServerName) -> Self {
        Self { server: Some(server), ..self }
    }

    const fn touching(self, certificate: CertRef) -> Self {
        Self { touches: Some(certificate), ..self }
    }

    const fn changing(self) -> Self {
        Self { changes_service: true, ..self }
    }

    const fn repeatable(self) -> Self {
        Self { is_repeatable: true, ..self }
    }

    const fn restarting(self, times: usize) -> Self {
        Self { restarts: times, ..self }
    }
}

impl Action {
    /// The table.
    pub fn facts(&self) -> ActionFacts<'_> {
        let of = ActionFacts::of;
        match self {
            Self::Issue { .. } => of("issue"),
            Self::Request { server, .. } => of("request").on(server),
            Self::Await { .. } => of("await"),
            Self::Complete { server, .. } => of("complete").on(server).changing(),
            Self::RemoveRequest { server, .. } => of("drop request").on(server),
            Self::Create { server, .. } => of("create").on(server).changing(),
            Self::Import { server, .. } => of("import").on(server).changing(),
            Self::Bind { server, certificate, .. } => {
                of("bind").on(server).touching(*certificate).changing().repeatable()
            }
            Self::BindSite { server, certificate, .. } => {
                of("bind site").on(server).touching(*certificate).changing().repeatable()
            }
            Self::SetX509CertificateName { server, .. } => of("set name").on(server).changing().repeatable(),
            Self::SetUmStartupMode { server, .. } => of("set mode").on(server).changing().repeatable(),
            Self::SetInternalTransport { server, certificate } => {
                of("internal TLS").on(server).touching(*certificate).changing().repeatable()
            }
            Self::Repoint { connector, to } => {
                let facts = of("repoint").repeatable();
                let facts = match to {
                    Some(TlsName::Of(certificate)) => facts.touching(*certificate),
                    Some(TlsName::Exactly(_)) | None => facts,
                };
                match connector {
                    ConnectorRef::Receive { server, .. } => facts.on(server).changing(),
                    ConnectorRef::Send { .. } | ConnectorRef::Hybrid {} => facts,
                }
            }
            Self::SetImCertificate { certificate, .. } => of("set IM").touching(*certificate).repeatable(),
            Self::Restart { server, .. } => of("restart").on(server).changing().repeatable().restarting(1),
            Self::Verify { server, .. } => of("verify").on(server).repeatable(),
            Self::BackUp { server, .. } => of("back up").on(server).repeatable(),
            Self::StageAuth { .. } => of("stage"),
            Self::PublishAuth { .. } => of("publish"),
            Self::ClearPreviousAuth {} => of("clear"),
            Self::Remove { server, certificate, while_stopped } => {
                let groups: &[ServiceGroup] = while_stopped;
                of("remove").on(server).touching(*certificate).restarting(groups.len())
            }
            // What is gone already is left out.
            Self::RemoveNamed { while_stopped, .. } => {
                let all: &[ServerServices] = while_stopped;
                let groups = all.iter().map(|own| own.groups.len()).sum();
                of("remove").repeatable().restarting(groups)
            }
            // What it had before is backed up first, and a second time that would be this one.
            Self::Install { certificate, .. } => of("install").touching(*certificate),
            Self::VerifyBalancer { .. } => of("verify").repeatable(),
            Self::Gate { .. } => of("gate").repeatable(),
            Self::Manual { server, .. } => ActionFacts { server: server.as_ref(), ..of("by hand") },
            Self::CannotApply { server, .. } => ActionFacts { server: server.as_ref(), ..of("cannot") },
        }
    }

    /// The verb, as it is shown.
    pub fn verb(&self) -> &'static str {
        self.facts().verb
    }

    /// The server it acts on; none when it acts on the organization or on nothing at all.
    pub fn server(&self) -> Option<&ServerName> {
        self.facts().server
    }

    /// Whether doing it twice comes to the same as doing it once.
    pub fn is_repeatable(&self) -> bool {
        self.facts().is_repeatable
    }
}
