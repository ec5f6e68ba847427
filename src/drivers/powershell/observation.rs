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
    drivers::capture::{Section, of_sections},
    model::{names::ServerName, organization::Observed, time::Timestamp},
    ports::driver::{DriverError, Wanted},
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
    let is_wanted = |name: &ServerName| names.as_ref().is_none_or(|names| names.contains(name));
    let looked: Vec<(&ServerName, &Session)> = sessions.iter().filter(|(name, _)| is_wanted(name)).collect();
    let of_servers = side_by_side(&looked, |(_, session)| server(session));
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
    if failed.len() == looked.len()
        && let Some((server, error)) = failed.pop()
    {
        return Err(DriverError::Unreachable { server: server.clone(), source: error.into() });
    }
    let of_organization = organization(sessions, &failed);
    sections.extend(of_organization);
    let mut observed = of_sections(sections, PowerShell::NAME, at, names.as_ref());
    observed.answers_prompts = answers_prompts;
    observed.notes.extend(notes);
    Ok(observed)
}

/// The sections of a server, and what was said beside them.
fn server(session: &Session) -> Result<(Vec<Section>, Vec<String>), PowerShellError> {
    let request = Request::look(
        "observe.server",
        json!({
            "server": { "name": session.endpoint.name.as_str(), "fqdn": session.endpoint.fqdn.as_str() },
            "edge": session.endpoint.edge,
            "unified_messaging": true,
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
    Section::of_organization().map(|name| Section::failed(name, why.clone())).collect()
}

/// The sections of a server that was not reached.
fn unseen(server: &ServerName, error: &PowerShellError) -> Vec<Section> {
    let why = error.to_string();
    Section::of_server().map(|kind| Section::failed(&format!("{server}.{kind}"), why.clone())).collect()
}

impl From<SectionAnswer> for Section {
    fn from(answer: SectionAnswer) -> Self {
        let SectionAnswer { name, clixml, error } = answer;
        match (clixml.map(|text| BASE64_STANDARD.decode(text)), error) {
            (_, Some(facts)) => Self::failed(&name, Answered::from(facts).to_string()),
            (Some(Ok(bytes)), None) => Self::seen(&name, bytes),
            (Some(Err(error)), None) => Self::failed(&name, format!("what was sent is no Base64: {error}")),
            (None, None) => Self::failed(&name, "nothing was sent".into()),
        }
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
