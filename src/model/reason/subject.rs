//! What each reason is about.

use super::Reason;
use crate::model::{action::ConnectorRef, diagnostic::Subject};

impl Reason {
    /// What it is about.
    pub fn subject(&self) -> Subject {
        match self {
            Self::NotPresent
            | Self::PrivateKeyMissing
            | Self::Revoked
            | Self::KeyCompromised
            | Self::Expired { .. }
            | Self::Expires { .. }
            | Self::NotYetValid { .. }
            | Self::NamesNotCovered { .. }
            | Self::KeyTooWeak { .. }
            | Self::IssuerDiffers { .. }
            | Self::SubjectDiffers { .. }
            | Self::NotForServers
            | Self::NotDistributable { .. }
            | Self::AnswerOfAnotherRequest { .. }
            | Self::AnswerUnread { .. }
            | Self::EndsNoLater { .. }
            | Self::NotTrusted { .. }
            | Self::AnswerDoesNotFit { .. }
            | Self::FileUnread { .. }
            | Self::FileDoesNotFit { .. }
            | Self::FileHoldsTheSame { .. }
            | Self::FileHoldsAnother { .. }
            | Self::SafeKeeping
            | Self::HybridNotApplied { .. }
            | Self::AuthNotTold
            | Self::OnlineNotTold { .. }
            | Self::RestartNeeded { .. }
            | Self::Proof
            | Self::Superseded { .. }
            | Self::PreviousNotNeeded { .. }
            | Self::Reattach
            | Self::TakesBack { .. } => Subject::default(),
            Self::Shadowed { server, place, .. } => Subject::server(server).place(place),
            Self::NotBound { server, service, .. } | Self::UmStartupModeDiffers { server, service, .. } => {
                Subject::server(server).place(service)
            }
            Self::X509CertificateNameDiffers { server, service, .. } => {
                Subject::server(server).place(service)
            }
            Self::NotRestarted { server, service, .. } => Subject::server(server).place(service),
            Self::SiteDiffers { server, site, .. } | Self::ShellDown { server, site } => {
                Subject::server(server).place(site)
            }
            Self::CannotSee { server, .. }
            | Self::NotOnServer { server }
            | Self::ChosenBySmtp { server, .. }
            | Self::ExtraServices { server, .. }
            | Self::InternalTransportDiffers { server, .. }
            | Self::DefaultSmtpRestored { server }
            | Self::ServesStill { server, .. } => Subject::server(server),
            Self::ConnectorDiffers { connector, have: _ } => of_connector(connector),
            Self::ImCertificateDiffers { name, have } => Subject::default().place(name).thumbprint(*have),
            Self::EdgeDistrusts { edge, .. } => Subject::default().place(edge),
            Self::BalancerDiffers { balancer, .. } => Subject::balancer(balancer),
            Self::BlocksRemoval { certificate } => Subject::default().thumbprint(*certificate),
        }
    }
}

/// A connector, with its server when it has one.
fn of_connector(connector: &ConnectorRef) -> Subject {
    match connector {
        ConnectorRef::Send { name } => Subject::default().named(name),
        ConnectorRef::Receive { server, name } => Subject::server(server).named(name),
        ConnectorRef::Hybrid {} => Subject::default().place("hybrid configuration"),
    }
}
