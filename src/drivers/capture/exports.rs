//! Files of `Export-Clixml`: which cmdlet and which server each is of, and what its objects say.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    folder::{File, Form},
    nothing_of_an_organization,
    part::Part,
    read::{self, Facts},
};
use crate::{
    drivers::objects::{Bag, DateOrder, Kind, Scope, ServerFacts, exchange_server, flattened},
    model::{
        names::{DnsName, ServerName},
        time::Timestamp,
    },
    wire::clixml::{self, Document, Value},
};

/// A file that was read, with the objects that are of a known cmdlet.
pub(super) struct Export {
    file: String,
    document: Document,
    /// The cmdlet that the file's name tells.
    named: Option<&'static Kind>,
    /// The server that the file's name or its folder tells.
    server: Option<ServerHint>,
    /// How many objects it holds, of whatever kind.
    objects: usize,
}

/// What objects are of: their cmdlet, their forest when they say it, and their server.
type Of = (&'static str, Option<String>, Option<ServerName>);

/// What a file's name says of the server.
#[derive(Clone, Debug)]
enum ServerHint {
    /// The file's own name says it.
    File(String),
    /// Its folder is called so, which counts when there is such a server.
    Folder(String),
}

/// What all files together tell of servers, before any one of them is read for good.
#[derive(Default)]
pub(super) struct Known {
    names: BTreeMap<ServerName, Option<String>>,
    by_fqdn: BTreeMap<DnsName, ServerName>,
    pub(super) sites: Vec<(ServerName, ServerFacts)>,
    pub(super) order: DateOrder,
}

/// Reads the file, and tells what it is of. The error is a sentence about it.
pub(super) fn open(file: &File) -> Result<Export, String> {
    let document = clixml::read(&file.bytes).map_err(|error| error.to_string())?;
    let stem = file.words.last().map_or("", String::as_str);
    let named = Kind::of_file_name(stem);
    let server = match &named {
        Some((_, rest)) if !rest.is_empty() => Some(ServerHint::File(rest.clone())),
        _ => file.words.iter().rev().nth(1).map(|folder| ServerHint::Folder(folder.clone())),
    };
    let named = named.map(|(kind, _)| kind);
    let objects = flattened(&document).len();
    let export = Export { file: file.name.clone(), document, named, server, objects };
    if export.named.is_none() && export.bags().next().is_none() {
        let types =
            flattened(&export.document).first().and_then(|value| export.document.type_names(value).first());
        return Err(match types {
            Some(name) => format!(
                "its objects are of the type {}, and neither that nor its name tells the cmdlet; name it like EX01.Get-WebBinding.xml",
                super::shown(name)
            ),
            None => "it holds nothing that tells the cmdlet; name it like EX01.Get-WebBinding.xml".into(),
        });
    }
    Ok(export)
}

impl Export {
    /// The objects with their numbers, each as one of its kind. Those of no known kind are left out.
    fn bags(&self) -> impl Iterator<Item = (usize, Bag<'_>)> {
        flattened(&self.document).into_iter().enumerate().filter_map(|(index, value)| {
            let kind = self.kind_of(value)?;
            Some((index + 1, Bag::new(&self.document, value, kind)))
        })
    }

    fn kind_of(&self, value: &Value) -> Option<&'static Kind> {
        Kind::of_types(self.document.type_names(value).iter().map(String::as_str)).or(self.named)
    }

    /// Takes down which servers there are.
    pub(super) fn list_servers(&self, known: &mut Known) {
        for (_, bag) in self.bags() {
            if bag.kind().cmdlet == "certwright-capture" {
                known.order = bag.text("DateOrder").map_or(known.order, DateOrder::of_pattern);
            }
            if bag.kind().cmdlet != "Get-ExchangeServer" {
                continue;
            }
            // One that cannot be read is told when the file is read for good.
            let Ok(server) = exchange_server(&bag) else { continue };
            known.names.insert(server.name.clone(), forest(&bag));
            known.by_fqdn.insert(server.fqdn.clone(), server.name.clone());
            known.sites.push((server.name.clone(), server));
        }
    }

    /// When it was captured, when it says so.
    pub(super) fn said_time(&self) -> Option<Timestamp> {
        let mut infos = self.bags().filter(|(_, bag)| bag.kind().scope == Scope::Capture);
        infos.find_map(|(_, bag)| {
            bag.parsed("CapturedAt").ok().flatten().or_else(|| bag.timestamp("CapturedAt"))
        })
    }

    /// What it shows, in one part for each server, and what has to be said about it.
    pub(super) fn parts(&self, known: &Known) -> (Vec<Part>, Vec<String>) {
        let mut notes = Vec::new();
        let mut groups: BTreeMap<Of, Vec<(usize, Bag<'_>)>> = BTreeMap::new();
        for (index, bag) in self.bags() {
            let kind = bag.kind();
            let forest_said = forest(&bag);
            let server = match kind.scope {
                Scope::Capture => continue,
                Scope::Organization => None,
                Scope::Server => {
                    let Some(server) = self.server_of(&bag, known) else {
                        notes.push(format!(
                            "{}, object {index}: of which server it is cannot be told; name the file like EX01.{}.xml",
                            self.file, kind.cmdlet
                        ));
                        continue;
                    };
                    Some(server)
                }
            };
            let of_server = || known.names.get(server.as_ref()?).cloned().flatten();
            let forest = forest_said.or_else(of_server);
            groups.entry((kind.cmdlet, forest, server)).or_default().push((index, bag));
        }
        if let (0, Some(kind)) = (self.objects, self.named) {
            // The cmdlet ran, and there was nothing.
            let server = (kind.scope == Scope::Server).then(|| self.hinted(known)).flatten();
            if kind.scope == Scope::Server && server.is_none() {
                notes.push(format!(
                    "{}: it is empty, and of which server it is cannot be told; name it like EX01.{}.xml",
                    self.file, kind.cmdlet
                ));
            } else if kind.scope != Scope::Capture {
                groups.insert((kind.cmdlet, None, server), Vec::new());
            }
        }
        let parts = groups.into_iter().map(|((cmdlet, forest, server), bags)| {
            let kind = Kind::of_cmdlet(cmdlet).expect("a group is of a kind");
            let facts = read::facts(kind, &self.file, &bags, known, &mut notes);
            let changed = bags.iter().filter_map(|(_, bag)| bag.timestamp("WhenChangedUTC")).max();
            Part { changed, ..self.part(facts, forest, server) }
        });
        let parts = parts.collect();
        (parts, notes)
    }

    fn part(&self, facts: Facts, forest: Option<String>, server: Option<ServerName>) -> Part {
        let mut organization = nothing_of_an_organization();
        match facts {
            Facts::OfOrganization(of) => organization = *of,
            Facts::OfServer(of) => {
                if let Some(server) = server {
                    organization.servers.insert(server, *of);
                }
            }
        }
        Part {
            file: self.file.clone(),
            answers_prompts: true,
            notes: Vec::new(),
            forest,
            changed: None,
            organization,
        }
    }

    /// The server of an object: as it says itself, as the file's name says, and last as the session says in which it was
    /// fetched, which for `-Server` may be another one.
    fn server_of(&self, bag: &Bag<'_>, known: &Known) -> Option<ServerName> {
        let said = read::server_said(bag).and_then(|text| known.resolve(&text));
        let session = || {
            bag.text("PSComputerName")
                .filter(|name| *name != "localhost")
                .and_then(|name| known.resolve(name))
        };
        said.or_else(|| self.hinted(known)).or_else(session).or_else(|| known.only())
    }

    fn hinted(&self, known: &Known) -> Option<ServerName> {
        match self.server.as_ref()? {
            ServerHint::File(text) => known.resolve(text),
            ServerHint::Folder(text) => known.resolve(text).filter(|name| known.names.contains_key(name)),
        }
    }
}

impl Known {
    /// The forests whose servers are listed.
    pub(super) fn forests(&self) -> Vec<String> {
        self.names.values().flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// A server by its short or full name.
    fn resolve(&self, text: &str) -> Option<ServerName> {
        let by_fqdn = text.parse::<DnsName>().ok().and_then(|fqdn| self.by_fqdn.get(&fqdn));
        by_fqdn.cloned().or_else(|| text.split('.').next()?.parse().ok())
    }

    /// The only server that the directory knows.
    fn only(&self) -> Option<ServerName> {
        let mut names = self.names.keys();
        names.next().filter(|_| names.next().is_none()).cloned()
    }
}

/// The DNS name of the forest that an object's distinguished name ends in. An Edge server has a directory of its own,
/// whose names end in none.
fn forest(bag: &Bag<'_>) -> Option<String> {
    let name = bag.text("DistinguishedName")?;
    let labels: Vec<&str> = name
        .split(',')
        .filter_map(|part| part.trim().strip_prefix("DC=").or_else(|| part.trim().strip_prefix("dc=")))
        .collect();
    (!labels.is_empty()).then(|| labels.join(".").to_lowercase())
}

/// Why a cmdlet of the printed script failed: the facts it would have shown are unknown for that reason.
pub(super) fn failure(file: &File, known: &Known) -> Result<Part, String> {
    debug_assert_eq!(file.form, Form::Failure);
    let text = String::from_utf8_lossy(&file.bytes);
    let first = text.trim_start_matches('\u{feff}').lines().map(str::trim).find(|line| !line.is_empty());
    unknown(file, known, super::shown(first.unwrap_or("no reason was written")).as_str())
}

/// What the cmdlet that a file's name tells would have shown is unknown, and why.
pub(super) fn unknown(file: &File, known: &Known, why: &str) -> Result<Part, String> {
    let stem = file.words.last().map_or("", String::as_str);
    let (kind, rest) = Kind::of_file_name(stem).ok_or("its name tells no cmdlet")?;
    let why =
        if file.form == Form::Failure { format!("{} failed: {why}", kind.cmdlet) } else { why.to_owned() };
    let mut organization = nothing_of_an_organization();
    match kind.scope {
        Scope::Capture => return Err("it is about no cmdlet".into()),
        Scope::Organization => organization = read::unknown_organization(kind, &why),
        Scope::Server => {
            let server = known.resolve(&rest).ok_or("its name tells no server")?;
            organization.servers.insert(server, read::unknown_server(kind, &why));
        }
    }
    Ok(Part {
        file: file.name.clone(),
        answers_prompts: true,
        notes: Vec::new(),
        forest: None,
        changed: None,
        organization,
    })
}
