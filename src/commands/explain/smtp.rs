//! `certwright explain smtp`: which certificate Exchange's SMTP chooses, step by step.

use std::path::{Path, PathBuf};

use crate::{
    commands::{
        CommandError, Exit, Terminal,
        captures::whole_capture,
        checked::Checked,
        session::{Look, Session, wall_clock},
    },
    exchange::smtp_selection,
    manifest::suggestion::suggestion,
    model::{
        desired::Desired,
        names::{DnsName, ServerName},
        organization::Observed,
        time::Timestamp,
    },
    verify::smtp_choices::SmtpChoices,
};

/// What the command line asks.
#[derive(Debug)]
pub struct SmtpQuestion<'a> {
    /// The manifest; without one beside a saved observation, nothing is compared with what is declared.
    pub manifest: Option<&'a Path>,
    /// A capture, instead of a look at the servers.
    pub capture: Option<&'a Path>,
    /// The time to judge certificates by; without it now, and of a capture the moment at which it was made.
    pub at: Option<Timestamp>,
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
    let choices = SmtpChoices::of(&answers, (name, server), desired.as_ref(), &observed, now);
    terminal.show(|out| terminal.view(format).smtp(&choices, out))?;
    Ok(Exit::Done)
}

fn look(question: &SmtpQuestion<'_>) -> Result<Known, CommandError> {
    let here = PathBuf::from(".");
    let Some(capture) = question.capture else {
        let look = question.at.map(|at| Look { capture: None, at: Some(at) });
        let mut session = Session::open_looking_at(question.manifest.unwrap_or(&here), look)?;
        let observed = session.observe()?;
        let now = session.driver.now();
        return Ok(Known { observed, desired: Some(session.desired), now });
    };
    let observed = whole_capture(capture, None, question.at, wall_clock())?;
    let desired = match question.manifest {
        None => None,
        Some(path) => {
            let (resolved, _) = Checked::open(path)?.resolved()?;
            Some(resolved.alone().with_names_of(&observed.organization))
        }
    };
    let now = question.at.unwrap_or(observed.at).max(observed.at);
    Ok(Known { observed, desired, now })
}

fn not_there<'a>(kind: &str, word: &str, known: impl Iterator<Item = &'a str>) -> CommandError {
    let known: Vec<&str> = known.collect();
    CommandError::new(Exit::Error, format!("there is no {kind} `{word}` in what was observed"))
        .hint(suggestion(word, &known))
}
