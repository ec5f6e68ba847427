//! What is seen of all servers, side by side. Each server's failure is its own.

use std::{
    collections::BTreeMap,
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
    PowerShell, answer::Answered, answer::Facts, error::PowerShellError, request::Request, session::Session,
};
use crate::{
    drivers::objects::{CmdletAnswer, CmdletKind, KINDS, Kind, KnownServers, Merger, Part, ServerHint},
    model::{
        names::ServerName,
        organization::{Observed, Organization},
        server::Server,
        time::Timestamp,
    },
    ports::driver::{DriverError, Wanted},
    wire::clixml,
};

#[derive(Deserialize)]
struct Sections {
    sections: Vec<SectionAnswer>,
}

#[derive(Deserialize)]
struct SectionAnswer {
    name: String,
    clixml: Option<String>,
    error: Option<Facts>,
}

/// Looks at the servers that are wanted, and through one of them at the organization.
pub(super) fn observe(
    sessions: &BTreeMap<ServerName, Session>,
    wanted: Wanted<'_>,
    at: Timestamp,
) -> Result<Observed, DriverError> {
    let names = wanted.servers();
    let (with_organization, only) = match wanted {
        Wanted::Everything | Wanted::Of(_) | Wanted::Servers(_) | Wanted::Organization => (true, None),
        Wanted::Store(_) => (false, Some("Get-ExchangeCertificate")),
    };
    let is_wanted = |name: &ServerName| names.as_ref().is_none_or(|names| names.contains(name));
    let looked: Vec<(&ServerName, &Session)> = sessions.iter().filter(|(name, _)| is_wanted(name)).collect();
    let of_servers = side_by_side(&looked, |(_, session)| server(session, only));
    let mut sections = Vec::new();
    let mut notes = Vec::new();
    let mut failed: Vec<(&ServerName, PowerShellError)> = Vec::new();
    let mut answers_prompts = true;
    for ((name, session), seen) in looked.iter().zip(of_servers) {
        match seen {
            Ok((seen, warnings)) => {
                sections.extend(seen);
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
        return Err(DriverError::Unreachable { server: server.clone(), source: error.into() });
    }
    if with_organization {
        sections.extend(organization(sessions, &failed));
    }
    let (mut organization, said) = assembled(&sections);
    notes.extend(said);
    if let Some(names) = &names {
        organization.servers.retain(|name, _| names.contains(name));
        // What the manifest names and nobody shows is unknown.
        for name in names {
            organization.servers.entry((*name).clone()).or_insert_with(Server::not_captured);
        }
    }
    Ok(Observed {
        version: Observed::VERSION,
        at,
        driver: PowerShell::NAME.into(),
        answers_prompts,
        notes,
        organization,
        history: None,
    })
}

/// What one cmdlet answered, of a server with the server before it: `EX01.Get-WebBinding`.
struct Section {
    name: String,
    /// Objects as `Export-Clixml` writes them, or why there are none.
    content: Result<Vec<u8>, String>,
}

impl Section {
    /// The cmdlet, and the server that was asked.
    fn of(&self) -> Option<(&'static Kind, Option<String>)> {
        let (kind, server) = Kind::of_file_name(&self.name)?;
        Some((kind, Some(server).filter(|server| !server.is_empty())))
    }
}

/// What sections show together, and what has to be said about them.
fn assembled(sections: &[Section]) -> (Organization, Vec<String>) {
    let mut notes = Vec::new();
    let mut answers = Vec::new();
    let mut failures = Vec::new();
    for section in sections {
        let Some((kind, server)) = section.of() else {
            notes.push(format!("{} is left out: no such cmdlet is known", section.name));
            continue;
        };
        let read = section.content.as_ref().map_err(Clone::clone);
        match read.and_then(|bytes| clixml::read(bytes).map_err(|error| error.to_string())) {
            Ok(document) => {
                let server = server.map(ServerHint::Asked);
                // The pipeline came to its end, and nothing was in its stream of errors.
                answers.push(CmdletAnswer::new(section.name.clone(), document, Some(kind), server, true));
            }
            Err(why) => failures.push((section, kind, server, why)),
        }
    }
    let mut known = KnownServers::default();
    for answer in &answers {
        answer.list_servers(&mut known);
    }
    let mut parts = Vec::new();
    for answer in &answers {
        let (shown, said) = answer.parts(&known);
        parts.extend(shown);
        notes.extend(said);
    }
    parts.extend(failures.into_iter().filter_map(|(section, kind, server, why)| {
        let server = server.and_then(|server| known.resolve(&server));
        Part::unknown(&section.name, kind, server, &format!("{} failed: {why}", kind.cmdlet))
    }));
    let mut merger = Merger::new(notes);
    for part in &parts {
        merger.add(part);
    }
    merger.finish()
}

/// The sections of a server, all or one, and what was said beside them.
fn server(session: &Session, only: Option<&str>) -> Result<(Vec<Section>, Vec<String>), PowerShellError> {
    let request = Request::look(
        "observe.server",
        json!({
            "server": { "name": session.endpoint.name.as_str(), "fqdn": session.endpoint.fqdn.as_str() },
            "edge": session.endpoint.edge,
            "unified_messaging": true,
            "only": only.map(|cmdlet| [format!("{}.{cmdlet}", session.endpoint.name)]),
        }),
    );
    let good = session.call::<Sections>(&request)?;
    Ok((good.result.sections.into_iter().map(Into::into).collect(), good.warnings))
}

/// The organization, as the first server shows it that can: every Mailbox server shows the same. Those that have failed
/// already are not asked again.
fn organization(
    sessions: &BTreeMap<ServerName, Session>,
    failed: &[(&ServerName, PowerShellError)],
) -> Vec<Section> {
    let mut last = None;
    for (name, session) in sessions {
        if session.endpoint.edge || failed.iter().any(|(other, _)| *other == name) {
            continue;
        }
        match session.call::<Sections>(&Request::look("observe.organization", json!({}))) {
            Ok(good) => return good.result.sections.into_iter().map(Into::into).collect(),
            Err(error) => last = Some(error),
        }
    }
    let why = last.map_or_else(|| "no Mailbox server answers".into(), |error| error.to_string());
    let of_organization = KINDS.iter().filter(|kind| matches!(kind.of, CmdletKind::Organization(_)));
    of_organization.map(|kind| Section { name: kind.cmdlet.into(), content: Err(why.clone()) }).collect()
}

/// The sections of a server that was not reached.
fn unseen(server: &ServerName, error: &PowerShellError) -> Vec<Section> {
    let why = error.to_string();
    let of_servers = KINDS.iter().filter(|kind| matches!(kind.of, CmdletKind::Server(_)));
    of_servers
        .map(|kind| Section { name: format!("{server}.{}", kind.cmdlet), content: Err(why.clone()) })
        .collect()
}

impl From<SectionAnswer> for Section {
    fn from(answer: SectionAnswer) -> Self {
        let SectionAnswer { name, clixml, error } = answer;
        let content = match (clixml.map(|text| BASE64_STANDARD.decode(text)), error) {
            (_, Some(facts)) => Err(Answered::from(facts).to_string()),
            (Some(Ok(bytes)), None) => Ok(bytes),
            (Some(Err(error)), None) => Err(format!("what was sent is no Base64: {error}")),
            (None, None) => Err("nothing was sent".into()),
        };
        Self { name, content }
    }
}

/// Does the same for each, a few at a time. The results are in the order of the items.
fn side_by_side<T: Sync, R: Send>(items: &[T], act: impl Fn(&T) -> R + Sync) -> Vec<R> {
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

/// How many servers are looked at together.
const AT_ONCE: usize = 8;
