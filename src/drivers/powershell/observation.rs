//! What is seen of all servers, side by side. Each server's failure is its own.

mod look;
mod organization;
mod sections;

use std::collections::BTreeMap;

use serde_json::json;

use self::look::{few, look};
pub(super) use self::organization::newest_first;
use self::sections::{Section, Sections, assembled, is_of_windows, shown, unseen};
use super::{
    answer::Answered,
    error::PowerShellError,
    request::Request,
    said::{LONGEST_WORD, one_line},
    session::Session,
    side::Side,
    side_by_side::side_by_side,
};
use crate::{
    drivers::objects::KINDS,
    exchange::cmdlet::Capability,
    model::{
        names::ServerName,
        organization::Observed,
        server::Server,
        time::Timestamp,
        version::{Release, ServerVersion},
    },
    ports::driver::{DriverError, Wanted},
};

/// What observations call this driver.
pub(super) const NAME: &str = "powershell";

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
        let (of_organization, by) = organization::organization(sessions, versions, &failed);
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
    let other_servers = wanted.others(organization.servers.iter());
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
        driver: NAME.into(),
        answers_prompts,
        notes,
        organization,
        other_servers,
        history: None,
    };
    Ok(Seen { observed, shown_by, refused })
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

/// What is said of an observation.
const MOST_NOTES: usize = 1000;
