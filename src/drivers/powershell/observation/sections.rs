//! What one look brings: a section for each cmdlet, and what they show together.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;

use crate::{
    drivers::{
        objects::{
            CmdletAnswer, CmdletKind, KINDS, Kind, KnownServers, Merger, Part, ServerCmdlet, ServerHint,
        },
        powershell::{
            answer::{Answered, Facts},
            error::PowerShellError,
            redaction::{redact_objects, redacted},
            said::{LONGEST_WORD, one_line},
            session::Session,
        },
    },
    model::{names::ServerName, organization::Organization, secret::Secret},
    wire::clixml::{self, Document},
};

#[derive(Deserialize)]
pub(super) struct Sections {
    pub(super) sections: Vec<SectionAnswer>,
}

#[derive(Clone, Deserialize)]
pub(super) struct SectionAnswer {
    pub(super) name: String,
    /// One file of CLIXML.
    pub(super) clixml: Option<String>,
    /// One piece of CLIXML for each object.
    pub(super) objects: Option<Vec<String>>,
    pub(super) error: Option<Facts>,
}

/// What one cmdlet answered, of a server with the server before it: `EX01.Get-WebBinding`.
pub(super) struct Section {
    pub(super) name: String,
    /// Objects, or why there are none.
    pub(super) content: Result<Document, String>,
}

impl Section {
    /// One that a server did not show.
    pub(super) fn unknown(server: &ServerName, kind: &Kind, why: &str) -> Self {
        Self { name: format!("{server}.{}", kind.cmdlet), content: Err(why.to_owned()) }
    }

    /// The cmdlet, and the server that was asked.
    pub(super) fn of(&self) -> Option<(&'static Kind, Option<String>)> {
        let (kind, server) = Kind::of_file_name(&self.name)?;
        Some((kind, Some(server).filter(|server| !server.is_empty())))
    }
}

/// What sections show together, and what has to be said about them.
pub(super) fn assembled(sections: Vec<Section>) -> (Organization, Vec<String>) {
    let mut notes = Vec::new();
    let mut answers = Vec::new();
    let mut failures = Vec::new();
    for section in sections {
        let Some((kind, server)) = section.of() else {
            notes.push(format!(
                "{} is left out: no such cmdlet is known",
                one_line(&section.name, LONGEST_WORD)
            ));
            continue;
        };
        match section.content {
            Ok(document) => {
                let hint = server.clone().map(ServerHint::Asked);
                // The pipeline came to its end, and nothing was in its stream of errors.
                let answer = CmdletAnswer::new(section.name, document, Some(kind), hint, true);
                answers.push((answer, kind, server));
            }
            Err(why) => failures.push((section.name, kind, server, why)),
        }
    }
    let mut known = KnownServers::default();
    for (answer, ..) in &answers {
        answer.list_servers(&mut known);
    }
    let mut parts = Vec::new();
    let mut seen = Vec::new();
    // Whoever is another computer by one answer is so by all that the same way to Windows brings.
    let mut strangers: BTreeMap<ServerName, ServerName> = BTreeMap::new();
    for (answer, kind, asked) in &answers {
        let (shown, said) = answer.parts(&known);
        notes.extend(said);
        let asked = asked.as_ref().and_then(|asked| known.resolve(asked));
        let other = asked.as_ref().and_then(|asked| {
            let mut servers = shown.iter().flat_map(|part| part.organization.servers.keys());
            servers.find(|name| *name != asked).cloned()
        });
        if let (Some(asked), Some(other), true) = (&asked, &other, is_of_windows(kind)) {
            strangers.insert(asked.clone(), other.clone());
        }
        seen.push((answer, *kind, asked, shown, other));
    }
    for (answer, kind, asked, shown, other) in seen {
        let stranger = asked.as_ref().filter(|_| is_of_windows(kind)).and_then(|asked| strangers.get(asked));
        match other.as_ref().or(stranger) {
            // Objects say whose they are. Those of another server are of no use to the one that was asked.
            Some(other) => {
                let why = format!("{} answered for {other}", kind.cmdlet);
                notes.push(format!("{}: {why}, and counts as not seen", answer.source));
                parts.extend(Part::unknown(&answer.source, kind, asked, &why));
            }
            None => parts.extend(shown),
        }
    }
    parts.extend(failures.into_iter().filter_map(|(section, kind, server, why)| {
        let server = server.and_then(|server| known.resolve(&server));
        Part::unknown(&section, kind, server, &format!("{} failed: {why}", kind.cmdlet))
    }));
    let mut merger = Merger::new(notes);
    for part in &parts {
        merger.add(part);
    }
    merger.finish()
}

/// Whether a section comes from Windows and not from Exchange.
pub(super) fn is_of_windows(kind: &Kind) -> bool {
    match kind.of {
        CmdletKind::Server(
            ServerCmdlet::WebBinding
            | ServerCmdlet::OperatingSystem
            | ServerCmdlet::OnlineRoot
            | ServerCmdlet::WebSettings
            | ServerCmdlet::WindowsService
            | ServerCmdlet::OtherPrograms
            | ServerCmdlet::Keyless
            | ServerCmdlet::Authorities,
        ) => true,
        CmdletKind::Server(
            ServerCmdlet::ExchangeCertificate
            | ServerCmdlet::ReceiveConnector
            | ServerCmdlet::TransportService
            | ServerCmdlet::InternalTransportCertificate
            | ServerCmdlet::PopSettings
            | ServerCmdlet::ImapSettings
            | ServerCmdlet::UmService
            | ServerCmdlet::UmCallRouterSettings
            | ServerCmdlet::EdgePeers
            // Captures alone bring events.
            | ServerCmdlet::Events
            | ServerCmdlet::ClientDirectory(_),
        ) => false,
        CmdletKind::Organization(_) | CmdletKind::Capture(_) => false,
    }
}

/// The sections of a server that was not reached.
pub(super) fn unseen(server: &ServerName, error: &PowerShellError) -> Vec<Section> {
    let why = error.to_string();
    let of_servers = KINDS.iter().filter(|kind| matches!(kind.of, CmdletKind::Server(_)));
    of_servers.map(|kind| Section::unknown(server, kind, &why)).collect()
}

/// What sections hold, without the password of the account: whoever was given it may repeat it in any property.
pub(super) fn shown(session: &Session, answer: Sections) -> Vec<Section> {
    let secrets: Vec<Secret> =
        session.endpoint.credential.iter().map(|credential| credential.password.clone()).collect();
    answer.sections.into_iter().map(|section| Section::read(section, &secrets)).collect()
}

impl Section {
    pub(super) fn read(answer: SectionAnswer, secrets: &[Secret]) -> Self {
        let SectionAnswer { name, clixml, objects, error } = answer;
        let content = match (error, clixml.map(|text| vec![text]).or(objects)) {
            (Some(facts), _) => Err(Answered::from(facts).to_string()),
            (None, Some(pieces)) => pieces
                .iter()
                .map(|text| read(text, secrets))
                .collect::<Result<Vec<_>, _>>()
                .map(Document::joined),
            (None, None) => Err("nothing was sent".into()),
        };
        Self { name, content }
    }
}

/// A piece of CLIXML, in Base64. An error of its reader may quote it.
pub(super) fn read(text: &str, secrets: &[Secret]) -> Result<Document, String> {
    let bytes =
        BASE64_STANDARD.decode(text).map_err(|error| format!("what was sent is no Base64: {error}"))?;
    let mut document = clixml::read(&bytes).map_err(|error| redacted(&error.to_string(), secrets))?;
    redact_objects(&mut document, secrets);
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(name: &str, properties: &[(&str, &str)]) -> Section {
        let properties: String =
            properties.iter().map(|(name, value)| format!("<S N=\"{name}\">{value}</S>")).collect();
        let text = format!(
            "<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\"><Obj RefId=\"0\"><MS>\
             {properties}</MS></Obj></Objs>"
        );
        Section { name: name.into(), content: Ok(clixml::read(text.as_bytes()).unwrap()) }
    }

    /// Services have no name of a server in them: what the operating system says counts for them too.
    #[test]
    fn a_computer_that_is_another_one_is_not_believed_at_all() {
        for (computer, is_believed) in [("EX01", true), ("EX02", false)] {
            let (organization, notes) = assembled(vec![
                section("Get-ExchangeServer", &[("Name", "EX01"), ("Fqdn", "ex01.contoso.com")]),
                section(
                    "EX01.Win32_Service",
                    &[("Name", "MSExchangePOP3"), ("State", "Running"), ("StartMode", "Auto")],
                ),
                section("EX01.Win32_OperatingSystem", &[("CSName", computer), ("Caption", "Windows")]),
            ]);
            let server = &organization.servers[&"EX01".parse::<ServerName>().unwrap()];
            assert_eq!(server.runs("MSExchangePOP3"), is_believed.then_some(true), "{notes:?}");
            assert_eq!(
                notes.iter().any(|note| note.contains("answered for EX02")),
                !is_believed,
                "{notes:?}"
            );
        }
    }
}
