//! `certwright explain smtp`: which certificate Exchange's SMTP chooses, step by step.

use std::path::{Path, PathBuf};

use crate::{
    commands::{
        CommandError, Exit, Terminal, files,
        session::{Checked, Session},
    },
    exchange::{
        binding_points::BindingPoint,
        selection::Presented,
        smtp_selection::{self, About, SmtpAnswer, TlsVerb},
    },
    manifest::yaml::suggestion,
    model::{
        desired::{CertificateId, Desired},
        names::{DnsName, ServerName},
        organization::Observed,
        server::Server,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    plan::{self, expect},
    views::smtp::{ChosenCertificate, DeclaredChoice, EventShown, SmtpChoice, SmtpChoices},
};

/// What the command line asks.
#[derive(Debug)]
pub struct SmtpQuestion<'a> {
    /// The manifest; without one beside a saved observation, nothing is compared with what is declared.
    pub manifest: Option<&'a Path>,
    /// A saved observation, instead of a look at the servers.
    pub observed: Option<&'a Path>,
    /// The server.
    pub server: &'a ServerName,
    /// The connector.
    pub connector: Option<&'a str>,
    /// The name.
    pub fqdn: Option<&'a DnsName>,
}

/// An observation, the time of it, and what the manifest says.
struct Known {
    observed: Observed,
    desired: Option<Desired>,
    now: Timestamp,
}

/// Prints each step of the selection, for a connector, for a name, or for every receive connector of the server.
pub fn run(question: &SmtpQuestion<'_>, format: &str, terminal: Terminal) -> Result<Exit, CommandError> {
    let Known { observed, desired, now } = look(question)?;
    let organization = &observed.organization;
    let Some((name, server)) = organization.servers.get_key_value(question.server) else {
        return Err(not_there(
            "server",
            question.server.as_str(),
            organization.servers.keys().map(ServerName::as_str),
        ));
    };
    let answers = match (question.connector, question.fqdn) {
        (Some(wanted), _) => smtp_selection::connector(organization, name, server, wanted, now),
        (None, Some(fqdn)) => vec![smtp_selection::name(server, fqdn, now)],
        (None, None) => smtp_selection::every_receive_connector(server, now),
    };
    if let (true, Some(wanted)) = (answers.is_empty(), question.connector) {
        if let Some(why) = server.receive_connectors.why_unknown() {
            return Err(CommandError::new(
                Exit::Error,
                format!("the connectors of {name} cannot be seen: {why}"),
            ));
        }
        let own = server.receive_connectors.known().into_iter().flatten().map(|(name, _)| name.as_str());
        let sending =
            organization.send_connectors.known().into_iter().flatten().map(|(name, _)| name.as_str());
        return Err(not_there("connector", wanted, own.chain(sending)));
    }
    let declared = |answer: &SmtpAnswer| declared(answer, desired.as_ref(), &observed, name, server, now);
    let choices = SmtpChoices {
        version: 1,
        server: name.clone(),
        driver: observed.driver.clone(),
        at: observed.at,
        choices: answers.iter().map(|answer| choice(answer, server, declared(answer))).collect(),
    };
    terminal.show(|out| terminal.view(format).smtp(&choices, out))?;
    Ok(Exit::Done)
}

fn look(question: &SmtpQuestion<'_>) -> Result<Known, CommandError> {
    let here = PathBuf::from(".");
    let Some(file) = question.observed else {
        let mut session = Session::open(question.manifest.unwrap_or(&here))?;
        let observed = session.observe()?;
        let now = session.driver.now();
        return Ok(Known { observed, desired: Some(session.desired), now });
    };
    let observed = files::read_observed(file)?;
    let desired = match question.manifest {
        None => None,
        Some(path) => {
            let resolved = Checked::open(path)?.resolved()?;
            Some(resolved.alone().with_names_of(&observed.organization))
        }
    };
    let now = observed.at;
    Ok(Known { observed, desired, now })
}

fn not_there<'a>(kind: &str, word: &str, known: impl Iterator<Item = &'a str>) -> CommandError {
    let known: Vec<&str> = known.collect();
    CommandError::new(Exit::Error, format!("there is no {kind} `{word}` in what was observed"))
        .hint(suggestion(word, &known))
}

fn choice(answer: &SmtpAnswer, server: &Server, declared: Option<DeclaredChoice>) -> SmtpChoice {
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
        steps: selection.steps.clone(),
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
    answer: &SmtpAnswer,
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
