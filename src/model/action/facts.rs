//! What is to be known of each action: one table, so that a new action is one new row here.

use super::{
    Action, CertRef, CertificateRequest, Condition, ConnectorRef, ServerServices, ServiceGroup, TlsName,
};
use crate::model::{names::ServerName, service::Services};

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
    /// Whether clients or other servers may meet another certificate because of it, once services have taken it up.
    pub changes_place: bool,
    /// How it is found out whether it was done, when nobody saw it end.
    pub recovery: Recovery<'a>,
    /// How often something stops and starts.
    pub restarts: usize,
}

/// How it is found out whether a step was done, when nobody saw it end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery<'a> {
    /// Not at all: doing it twice comes to the same as doing it once.
    Repeat,
    /// By what the run has kept: a certificate that was issued.
    Kept,
    /// By its condition, or by an answer that has come.
    Condition(&'a Condition),
    /// By a certificate on the server that is new and as was asked.
    NewCertificate(&'a ServerName, &'a CertificateRequest),
    /// By a request on the server that is new and as was asked.
    NewRequest(&'a ServerName, &'a CertificateRequest),
    /// By the certificate in the store of the server. These services may not be enabled for it yet.
    InStore(&'a ServerName, CertRef, &'a Services),
    /// By the store of the server, where the certificate is not any more. What stood still for it may do so still.
    NotInStore(&'a ServerName, &'a [ServiceGroup]),
    /// By the requests of the server.
    Requests(&'a ServerName),
    /// By the Auth configuration.
    AuthConfiguration,
    /// By what the load balancer has.
    LoadBalancer,
    /// It cannot have been done.
    Impossible,
}

impl<'a> ActionFacts<'a> {
    const fn of(verb: &'static str, recovery: Recovery<'a>) -> Self {
        Self {
            verb,
            server: None,
            touches: None,
            changes_service: false,
            changes_place: false,
            recovery,
            restarts: 0,
        }
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

    const fn placing(self) -> Self {
        Self { changes_place: true, ..self }
    }

    const fn restarting(self, times: usize) -> Self {
        Self { restarts: times, ..self }
    }
}

impl Action {
    /// The table.
    pub fn facts(&self) -> ActionFacts<'_> {
        use Recovery::{
            AuthConfiguration, Condition, Impossible, InStore, Kept, LoadBalancer, NewCertificate,
            NewRequest, NotInStore, Repeat, Requests,
        };
        let of = ActionFacts::of;
        match self {
            Self::Issue { certificate: Some(_), .. } => of("read", Kept),
            Self::Issue { certificate: None, .. } => of("issue", Kept),
            Self::Request { server, request, .. } => of("request", NewRequest(server, request)).on(server),
            Self::Await { until } => of("await", Condition(until)),
            Self::Complete { server, certificate, enable, .. } => {
                of("complete", InStore(server, *certificate, enable)).on(server).changing().placing()
            }
            Self::RemoveRequest { server, .. } => of("drop request", Requests(server)).on(server),
            Self::Create { server, request, .. } => {
                of("create", NewCertificate(server, request)).on(server).changing().placing()
            }
            Self::Import { server, certificate, enable, .. } => {
                of("import", InStore(server, *certificate, enable)).on(server).changing().placing()
            }
            Self::Bind { server, certificate, .. } => {
                of("bind", Repeat).on(server).touching(*certificate).changing().placing()
            }
            Self::BindSite { server, certificate, .. } => {
                of("bind site", Repeat).on(server).touching(*certificate).changing().placing()
            }
            Self::SetX509CertificateName { server, .. } => {
                of("set name", Repeat).on(server).changing().placing()
            }
            Self::SetUmStartupMode { server, .. } => of("set mode", Repeat).on(server).changing().placing(),
            Self::SetInternalTransport { server, certificate } => {
                of("internal TLS", Repeat).on(server).touching(*certificate).changing().placing()
            }
            Self::Repoint { connector, to } => {
                let facts = of("repoint", Repeat).placing();
                let facts = match to {
                    Some(TlsName::Of(certificate)) => facts.touching(*certificate),
                    Some(TlsName::Exactly(_)) | None => facts,
                };
                match connector {
                    ConnectorRef::Receive { server, .. } => facts.on(server).changing(),
                    ConnectorRef::Send { .. } | ConnectorRef::Hybrid {} => facts,
                }
            }
            Self::SetImCertificate { certificate, .. } => {
                of("set IM", Repeat).touching(*certificate).placing()
            }
            Self::Restart { server, .. } => of("restart", Repeat).on(server).changing().restarting(1),
            Self::Verify { server, .. } => of("verify", Repeat).on(server),
            Self::BackUp { server, .. } => of("back up", Repeat).on(server),
            Self::StageAuth { .. } => of("stage", AuthConfiguration),
            Self::PublishAuth { .. } => of("publish", AuthConfiguration),
            Self::ClearPreviousAuth {} => of("clear", AuthConfiguration),
            Self::Remove { server, certificate, while_stopped } => {
                of("remove", NotInStore(server, while_stopped))
                    .on(server)
                    .touching(*certificate)
                    .restarting(while_stopped.len())
            }
            // What is gone already is left out.
            Self::RemoveNamed { while_stopped, .. } => {
                let all: &[ServerServices] = while_stopped;
                let groups = all.iter().map(|own| own.groups.len()).sum();
                of("remove", Repeat).restarting(groups)
            }
            // What it had before is backed up first, and a second time that would be this one.
            Self::Install { certificate, .. } => of("install", LoadBalancer).touching(*certificate).placing(),
            Self::VerifyBalancer { .. } => of("verify", Repeat),
            Self::Gate { .. } => of("gate", Repeat),
            Self::Manual { server, until, .. } => {
                ActionFacts { server: server.as_ref(), ..of("by hand", Condition(until)) }
            }
            Self::CannotApply { server, .. } => {
                ActionFacts { server: server.as_ref(), ..of("cannot", Impossible) }
            }
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
        self.facts().recovery == Recovery::Repeat
    }
}
