//! Which certificates SMTP chooses on a server, beside what the manifest says.

use serde::Serialize;

use crate::{
    exchange::{
        binding_points::BindingPoint,
        selection::Presented,
        smtp_selection::{About, SmtpAnswer, TlsVerb},
    },
    model::{
        desired::{CertificateId, Desired},
        dn::DistinguishedName,
        names::{DnsName, ServerName},
        organization::Observed,
        schema::JsonSchema,
        server::Server,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    plan::{self, expect},
};

/// Which certificates SMTP chooses on a server, and how.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SmtpChoices {
    /// The format of this file.
    pub version: u32,
    /// The server.
    pub server: ServerName,
    /// The driver that saw it.
    pub driver: String,
    /// When it was seen.
    pub at: Timestamp,
    /// The choices.
    pub choices: Vec<SmtpChoice>,
}

/// One choice.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SmtpChoice {
    /// What for: a connector or a name.
    pub about: String,
    /// `STARTTLS` or `X-ANONYMOUSTLS`; absent when a name was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verb: Option<&'static str>,
    /// Each step of the documented selection.
    pub steps: Vec<String>,
    /// What comes of it.
    pub presented: Presented,
    /// The certificate that was chosen, whether it can be used or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<ChosenCertificate>,
    /// What transport writes into the event log about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<EventShown>,
    /// What the manifest says, when there is one and it says something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<DeclaredChoice>,
}

/// The certificate that was chosen.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChosenCertificate {
    /// Its thumbprint.
    pub thumbprint: Thumbprint,
    /// Whom it names.
    pub subject: DistinguishedName,
    /// Who signed it.
    pub issuer: DistinguishedName,
    /// Its names.
    pub names: Vec<DnsName>,
    /// Until when it is valid.
    pub not_after: Timestamp,
}

/// An event.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventShown {
    /// Its number.
    pub id: u16,
    /// Its text.
    pub text: String,
}

/// What the manifest says about a choice.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeclaredChoice {
    /// The certificate of the manifest.
    pub certificate: String,
    /// The one that stands for it now; absent when there is none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing: Option<Thumbprint>,
    /// Whether that is the one that is presented.
    pub as_declared: bool,
}

impl SmtpChoices {
    /// These answers about a server, each with what the manifest says of it.
    pub fn of(
        answers: &[SmtpAnswer<'_>],
        (name, server): (&ServerName, &Server),
        desired: Option<&Desired>,
        observed: &Observed,
        now: Timestamp,
    ) -> Self {
        let declared = |answer| declared(answer, desired, observed, name, server, now);
        Self {
            version: 1,
            server: name.clone(),
            driver: observed.driver.clone(),
            at: observed.at,
            choices: answers.iter().map(|answer| choice(answer, server, declared(answer))).collect(),
        }
    }
}

fn choice(answer: &SmtpAnswer<'_>, server: &Server, declared: Option<DeclaredChoice>) -> SmtpChoice {
    let SmtpAnswer { about, fqdn, selection } = answer;
    let (title, connector, verb) = match about {
        About::Receive(name, verb) => (name.to_string(), name.as_str(), Some(verb.name())),
        About::Send(name, verb) => (format!("{name} (send connector)"), name.as_str(), Some(verb.name())),
        About::Name(name) => (name.to_string(), name.as_str(), None),
    };
    let chosen = match &selection.presented {
        Presented::Certificate(thumbprint) | Presented::Failing { certificate: thumbprint, .. } => {
            server.certificate(*thumbprint)
        }
        Presented::Nothing(_) | Presented::Unknown(_) => None,
    };
    SmtpChoice {
        about: title,
        verb,
        steps: selection.steps.iter().map(ToString::to_string).collect(),
        presented: selection.presented.clone(),
        certificate: chosen.map(|stored| {
            let certificate = &stored.certificate;
            ChosenCertificate {
                thumbprint: certificate.thumbprint,
                subject: certificate.subject.clone(),
                issuer: certificate.issuer.clone(),
                names: certificate.names.clone(),
                not_after: certificate.not_after,
            }
        }),
        event: selection
            .event
            .as_ref()
            .map(|event| EventShown { id: event.id(), text: event.text(connector, fqdn.as_ref()) }),
        declared,
    }
}

/// What the manifest says of this choice, and whether it is so.
fn declared(
    answer: &SmtpAnswer<'_>,
    desired: Option<&Desired>,
    observed: &Observed,
    name: &ServerName,
    server: &Server,
    now: Timestamp,
) -> Option<DeclaredChoice> {
    let desired = desired?;
    let own = desired.servers.get(name);
    let id: &CertificateId = match &answer.about {
        About::Receive(connector, TlsVerb::StartTls) => {
            expect::declared(own?, server, &BindingPoint::Connector(connector.clone()))?
        }
        About::Receive(_, TlsVerb::AnonymousTls) | About::Send(_, TlsVerb::AnonymousTls) => {
            own?.internal_transport.as_ref()?
        }
        About::Send(connector, TlsVerb::StartTls) => desired.send_connectors.get(connector)?.as_ref()?,
        About::Name(_) => return None,
    };
    let standing: Option<Thumbprint> =
        plan::plan_certificate(id, desired, observed, now).and_then(|decision| decision.standing());
    let as_declared =
        standing.is_some_and(|standing| answer.selection.presented == Presented::Certificate(standing));
    Some(DeclaredChoice { certificate: id.to_string(), standing, as_declared })
}
