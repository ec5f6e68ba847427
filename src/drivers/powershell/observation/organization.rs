//! What is seen of the organization, through one server and, where its version lacks cmdlets, others.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::json;

use super::{
    look::look,
    sections::{Section, SectionAnswer, Sections, assembled, shown},
};
use crate::{
    drivers::{
        objects::{CmdletKind, KINDS},
        powershell::{answer::AnswerKind, error::PowerShellError, request::Request, session::Session},
    },
    model::{names::ServerName, version::ServerVersion},
};

/// The organization, as the newest server shows it that answers, and who has shown what. Cmdlets that its version lacks are asked
/// for at the next ones, at one of each version: an account has the same roles on all of them. Those that have failed already
/// are not asked again.
pub(super) fn organization(
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
pub(in crate::drivers::powershell) fn newest_first<'a>(
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
