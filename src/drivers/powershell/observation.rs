//! What is seen of all servers, side by side. Each server's failure is its own.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;
use serde_json::json;

use super::{
    PowerShell,
    answer::{AnswerKind, Answered, Facts, Good},
    error::PowerShellError,
    redaction::{redact_objects, redacted},
    request::Request,
    said::{LONGEST_WORD, one_line},
    session::Session,
    side::Side,
};
use crate::{
    drivers::objects::{
        CmdletAnswer, CmdletKind, KINDS, Kind, KnownServers, Merger, Part, ServerCmdlet, ServerHint,
    },
    exchange::cmdlet::Capability,
    model::{
        names::ServerName,
        organization::{Observed, Organization},
        secret::Secret,
        server::Server,
        time::Timestamp,
        version::{Release, ServerVersion},
    },
    ports::driver::{DriverError, Wanted},
    wire::clixml::{self, Document},
};

#[derive(Deserialize)]
struct Sections {
    sections: Vec<SectionAnswer>,
}

#[derive(Clone, Deserialize)]
struct SectionAnswer {
    name: String,
    /// One file of CLIXML.
    clixml: Option<String>,
    /// One piece of CLIXML for each object.
    objects: Option<Vec<String>>,
    error: Option<Facts>,
}

/// What was seen, and what that tells of the ways there.
pub(super) struct Seen {
    pub(super) observed: Observed,
    /// Which server has shown what is the organization's, by the cmdlet.
    pub(super) shown_by: BTreeMap<String, ServerName>,
    /// What of Windows the servers refuse that were looked at, and what they say to that.
    pub(super) refused: BTreeMap<ServerName, Refused>,
}

/// What a way is there for and cannot do, with the reason.
pub(super) type Refused = BTreeMap<Capability, String>;

/// Looks at the servers that are wanted, and at the organization through one of them.
pub(super) fn observe(
    sessions: &BTreeMap<ServerName, Session>,
    versions: &BTreeMap<ServerName, ServerVersion>,
    wanted: Wanted<'_>,
    at: Timestamp,
) -> Result<Seen, DriverError> {
    let names = wanted.servers();
    let (with_organization, only) = match wanted {
        Wanted::Everything | Wanted::Of(_) | Wanted::Servers(_) | Wanted::Organization => (true, None),
        Wanted::Store(_) => (false, Some("Get-ExchangeCertificate")),
    };
    let is_wanted = |name: &ServerName| names.as_ref().is_none_or(|names| names.contains(name));
    let looked: Vec<(&ServerName, &Session)> = sessions.iter().filter(|(name, _)| is_wanted(name)).collect();
    let of_servers = side_by_side(&looked, |(name, session)| server(session, versions.get(*name), only));
    let mut sections = Vec::new();
    let mut notes = Vec::new();
    let mut failed: Vec<(&ServerName, PowerShellError)> = Vec::new();
    let mut answers_prompts = true;
    let mut refused = BTreeMap::new();
    for ((name, session), seen) in looked.iter().zip(of_servers) {
        match seen {
            Ok((seen, warnings, barred)) => {
                sections.extend(seen);
                if only.is_none() {
                    refused.insert((*name).clone(), barred);
                }
                notes.extend(warnings.into_iter().map(|warning| format!("{name}: {warning}")));
                answers_prompts &= session.answers_prompts().unwrap_or(false);
            }
            Err(error) => {
                sections.extend(unseen(name, &error));
                failed.push((name, error));
            }
        }
    }
    if !looked.is_empty()
        && failed.len() == looked.len()
        && let Some((server, error)) = failed.pop()
    {
        let lasts = error.lasts();
        return Err(DriverError::Unreachable { server: server.clone(), lasts, source: error.into() });
    }
    let mut shown_by = BTreeMap::new();
    if with_organization {
        let (of_organization, by) = organization(sessions, versions, &failed);
        sections.extend(of_organization);
        shown_by = by;
    }
    let (mut organization, said) = assembled(sections);
    notes.extend(said);
    let left_out = notes.len().saturating_sub(MOST_NOTES);
    if left_out > 0 {
        notes.truncate(MOST_NOTES);
        notes.push(format!("and {left_out} more"));
    }
    if let Some(names) = &names {
        organization.servers.retain(|name, _| names.contains(name));
        // What the manifest names and nobody shows is unknown.
        for name in names {
            organization.servers.entry((*name).clone()).or_insert_with(Server::not_captured);
        }
    }
    let observed = Observed {
        version: Observed::VERSION,
        at,
        driver: PowerShell::NAME.into(),
        answers_prompts,
        notes,
        organization,
        history: None,
    };
    Ok(Seen { observed, shown_by, refused })
}

/// What one cmdlet answered, of a server with the server before it: `EX01.Get-WebBinding`.
struct Section {
    name: String,
    /// Objects, or why there are none.
    content: Result<Document, String>,
}

impl Section {
    /// One that a server did not show.
    fn unknown(server: &ServerName, kind: &Kind, why: &str) -> Self {
        Self { name: format!("{server}.{}", kind.cmdlet), content: Err(why.to_owned()) }
    }

    /// The cmdlet, and the server that was asked.
    fn of(&self) -> Option<(&'static Kind, Option<String>)> {
        let (kind, server) = Kind::of_file_name(&self.name)?;
        Some((kind, Some(server).filter(|server| !server.is_empty())))
    }
}

/// What sections show together, and what has to be said about them.
fn assembled(sections: Vec<Section>) -> (Organization, Vec<String>) {
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

/// The sections of a server, all or one, what was said beside them, and what Windows refuses. It is asked by its own way, and
/// what it does not answer is unknown.
fn server(
    session: &Session,
    version: Option<&ServerVersion>,
    only: Option<&str>,
) -> Result<(Vec<Section>, Vec<String>, Refused), PowerShellError> {
    let name = &session.endpoint.name;
    // Exchange 2019 has no Unified Messaging any more, and none of its cmdlets.
    let has_um = version.is_none_or(|version| version.release() < Release::Exchange2019);
    let asked = |operation| {
        let arguments = json!({
            "server": { "name": name.as_str(), "fqdn": session.endpoint.fqdn.as_str() },
            "edge": session.endpoint.edge,
            "unified_messaging": has_um,
            "only": only.map(|cmdlet| [format!("{name}.{cmdlet}")]),
        });
        Request::look(operation, arguments)
    };
    let good = look(session, &asked("observe.server"))?;
    let mut warnings = good.warnings;
    let mut sections = shown(session, good.result);
    let mut refused = Refused::new();
    if only.is_none() {
        match session.call::<Sections>(&asked("observe.windows")).and_then(|good| few(name, good)) {
            Ok(good) => {
                refused = refusals(name, &good.result);
                warnings.extend(good.warnings);
                sections.extend(shown(session, good.result));
            }
            Err(error) => {
                let why = error.to_string();
                if error.is_unreachable() {
                    refused = OF_WINDOWS.map(|(capability, _)| (capability, why.clone())).into();
                }
                let of_windows = KINDS.iter().filter(|kind| is_of_windows(kind));
                sections.extend(of_windows.map(|kind| Section::unknown(name, kind, &why)));
            }
        }
    }
    // Whoever sends sections of others is not who was asked.
    let own = format!("{name}.");
    match sections.iter().find(|section| !section.name.starts_with(&own)) {
        Some(section) => Err(PowerShellError::AnswersForAnother {
            host: session.opened(Side::Exchange).map_or_else(|_| name.to_string(), |opened| opened.host),
            said: one_line(&section.name, LONGEST_WORD),
        }),
        None => Ok((sections, warnings, refused)),
    }
}

/// What of Windows sections refuse. What is not there, or fails for another reason, is unknown alone.
fn refusals(server: &ServerName, answer: &Sections) -> Refused {
    let refused = OF_WINDOWS.iter().filter_map(|(capability, cmdlet)| {
        let name = format!("{server}.{cmdlet}");
        let section = answer.sections.iter().find(|section| section.name == name)?;
        let facts = section.error.as_ref().filter(|facts| facts.kind().refuses())?;
        Some((*capability, Answered::from(facts.clone()).to_string()))
    });
    refused.collect()
}

/// The sections by which it is seen whether Windows can be used.
const OF_WINDOWS: [(Capability, &str); 3] = [
    (Capability::Iis, "Get-WebBinding"),
    (Capability::CertificateStore, "certwright-roots"),
    (Capability::Services, "Win32_Service"),
];

/// What is seen over the session with Exchange. Exchange ends a session that nobody has used for a while, and then each section
/// says so: it is opened again, once.
fn look(session: &Session, request: &Request) -> Result<Good<Sections>, PowerShellError> {
    let name = &session.endpoint.name;
    let good = few(name, session.call(request)?)?;
    if good.lost().is_none() {
        return Ok(good);
    }
    session.end();
    let good = few(name, session.call::<Sections>(request)?)?;
    match good.lost() {
        None => Ok(good),
        Some(facts) => Err(PowerShellError::Answered(Box::new(facts.clone().into()))),
    }
}

impl Good<Sections> {
    /// The section that says that there is no session any more.
    fn lost(&self) -> Option<&Facts> {
        self.result
            .sections
            .iter()
            .filter_map(|section| section.error.as_ref())
            .find(|facts| matches!(facts.kind(), AnswerKind::ConnectionLost | AnswerKind::Unreachable))
    }
}

/// Refuses what is no observation: there are not so many cmdlets.
fn few(server: &ServerName, good: Good<Sections>) -> Result<Good<Sections>, PowerShellError> {
    let count = good.result.sections.len();
    if count > MOST_SECTIONS {
        let what = format!("it has {count} sections");
        return Err(PowerShellError::Protocol { host: server.to_string(), what });
    }
    Ok(good)
}

/// Whether a section comes from Windows and not from Exchange.
fn is_of_windows(kind: &Kind) -> bool {
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

/// The organization, as the newest server shows it that answers, and who has shown what. Cmdlets that its version lacks are asked
/// for at the next ones, at one of each version: an account has the same roles on all of them. Those that have failed already
/// are not asked again.
fn organization(
    sessions: &BTreeMap<ServerName, Session>,
    versions: &BTreeMap<ServerName, ServerVersion>,
    failed: &[(&ServerName, PowerShellError)],
) -> (Vec<Section>, BTreeMap<String, ServerName>) {
    let mut known = versions.clone();
    let mut left = newest_first(sessions, &known);
    left.retain(|session| !failed.iter().any(|(other, _)| **other == session.endpoint.name));
    let mut found: Option<Vec<SectionAnswer>> = None;
    let (mut shown_by, mut asked, mut last) = (BTreeMap::new(), BTreeSet::new(), None);
    while !left.is_empty() {
        let session = left.remove(0);
        let name = &session.endpoint.name;
        let lacking: Option<Vec<String>> = found.as_ref().map(|found| {
            found.iter().filter(|section| section.is_lacking()).map(|section| section.name.clone()).collect()
        });
        let is_like_another = known.get(name).is_some_and(|version| !asked.insert(*version));
        match &lacking {
            Some(lacking) if lacking.is_empty() => break,
            Some(_) if is_like_another => continue,
            Some(_) | None => {}
        }
        let arguments = lacking.as_ref().map_or_else(|| json!({}), |only| json!({ "only": only }));
        let good = match look(session, &Request::look("observe.organization", arguments)) {
            Ok(good) => good,
            Err(error) => {
                last.get_or_insert(error);
                continue;
            }
        };
        for section in &good.result.sections {
            if section.error.is_none() {
                shown_by.entry(section.name.clone()).or_insert_with(|| name.clone());
            }
        }
        match &mut found {
            None => {
                let first = found.insert(good.result.sections);
                if first.iter().any(SectionAnswer::is_lacking) {
                    known.extend(versions_in(session, first));
                    asked.extend(known.get(name));
                    left.sort_by_key(|other| Reverse(known.get(&other.endpoint.name).copied()));
                }
            }
            Some(found) => {
                for section in good.result.sections.into_iter().filter(|section| section.error.is_none()) {
                    let own = found.iter_mut().find(|own| own.name == section.name && own.is_lacking());
                    if let Some(own) = own {
                        *own = section;
                    }
                }
            }
        }
    }
    if let (Some(sections), Some(session)) = (found, sessions.values().next()) {
        return (shown(session, Sections { sections }), shown_by);
    }
    let why = last.map_or_else(|| "no Mailbox server answers".into(), |error| error.to_string());
    let of_organization = KINDS.iter().filter(|kind| matches!(kind.of, CmdletKind::Organization(_)));
    let unknown = of_organization.map(|kind| Section { name: kind.cmdlet.into(), content: Err(why.clone()) });
    (unknown.collect(), shown_by)
}

/// The servers that can be asked about the organization, those first that run the newest version; where nobody knows it, by
/// their names.
pub(super) fn newest_first<'a>(
    sessions: &'a BTreeMap<ServerName, Session>,
    versions: &BTreeMap<ServerName, ServerVersion>,
) -> Vec<&'a Session> {
    let mut found: Vec<&Session> = sessions.values().filter(|session| !session.endpoint.edge).collect();
    found.sort_by_key(|session| Reverse(versions.get(&session.endpoint.name).copied()));
    found
}

/// What servers run, as the organization shows it.
fn versions_in(session: &Session, sections: &[SectionAnswer]) -> BTreeMap<ServerName, ServerVersion> {
    let servers = sections.iter().filter(|section| section.name == "Get-ExchangeServer").cloned();
    let (organization, _) = assembled(shown(session, Sections { sections: servers.collect() }));
    let servers = organization.servers.into_iter();
    servers.filter_map(|(name, server)| Some((name, *server.version.known()?))).collect()
}

impl SectionAnswer {
    /// Whether the cmdlet is not there: this version lacks it, or the account does.
    fn is_lacking(&self) -> bool {
        self.error.as_ref().is_some_and(|facts| facts.kind() == AnswerKind::CmdletUnavailable)
    }
}

/// The sections of a server that was not reached.
fn unseen(server: &ServerName, error: &PowerShellError) -> Vec<Section> {
    let why = error.to_string();
    let of_servers = KINDS.iter().filter(|kind| matches!(kind.of, CmdletKind::Server(_)));
    of_servers.map(|kind| Section::unknown(server, kind, &why)).collect()
}

/// What sections hold, without the password of the account: whoever was given it may repeat it in any property.
fn shown(session: &Session, answer: Sections) -> Vec<Section> {
    let secrets: Vec<Secret> =
        session.endpoint.credential.iter().map(|credential| credential.password.clone()).collect();
    answer.sections.into_iter().map(|section| Section::read(section, &secrets)).collect()
}

impl Section {
    fn read(answer: SectionAnswer, secrets: &[Secret]) -> Self {
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
fn read(text: &str, secrets: &[Secret]) -> Result<Document, String> {
    let bytes =
        BASE64_STANDARD.decode(text).map_err(|error| format!("what was sent is no Base64: {error}"))?;
    let mut document = clixml::read(&bytes).map_err(|error| redacted(&error.to_string(), secrets))?;
    redact_objects(&mut document, secrets);
    Ok(document)
}

/// Does the same for each, a few at a time. The results are in the order of the items.
pub(super) fn side_by_side<T: Sync, R: Send>(items: &[T], act: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..items.len().min(AT_ONCE) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    let result = act(item);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// What one request may show, several times what there is.
const MOST_SECTIONS: usize = 300;
/// What is said of an observation.
const MOST_NOTES: usize = 1000;

/// How many servers are looked at together.
const AT_ONCE: usize = 8;

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
