//! What one cmdlet answered: of which organization and server its objects are, and what they say.

use std::collections::BTreeMap;

use super::{
    organization,
    part::Part,
    reading::Reading,
    server,
    servers::{KnownServers, forest, last_of_path},
};
use crate::{
    drivers::objects::{
        self, Bag, CaptureRecord, CmdletKind, DateOrder, Kind, OrganizationCmdlet, ServerCmdlet,
        exchange_server, flattened,
    },
    model::{
        client_names::ClientDirectory, fact::Fact, names::ServerName, organization::Organization,
        server::Server, time::Timestamp,
    },
    wire::clixml::{Document, Value},
};

/// The objects that a cmdlet answered with, or several cmdlets into one file.
pub struct CmdletAnswer {
    /// Where they come from, in the words of a message.
    pub source: String,
    document: Document,
    /// The cmdlet, where it is known. Objects that say themselves what they are need none.
    named: Option<&'static Kind>,
    /// The server that was asked.
    server: Option<ServerHint>,
    /// The kind of each object, where it is known.
    kinds: Vec<Option<&'static Kind>>,
    /// Whether it is certain that the cmdlet came to its end without an error. An empty answer means something only then.
    completed: bool,
}

/// What tells of which server an answer is.
#[derive(Clone, Debug)]
pub enum ServerHint {
    /// It was asked, or the file's own name says it.
    Asked(String),
    /// The file's folder is called so, which counts when there is such a server.
    Folder(String),
}

/// Whose an object is.
enum Owner {
    Server(ServerName),
    /// A server that nothing else of the capture is of.
    Stranger(ServerName),
    Untold,
}

/// What objects are of: their cmdlet, their forest when they say it, and their server.
type Of = (CmdletKind, Option<String>, Option<ServerName>);

impl CmdletAnswer {
    /// Objects from `source`. `completed` when the cmdlet is known to have come to its end without an error.
    pub fn new(
        source: String,
        document: Document,
        named: Option<&'static Kind>,
        server: Option<ServerHint>,
        completed: bool,
    ) -> Self {
        let kinds = flattened(&document).into_iter().map(|value| kind_of(&document, value, named)).collect();
        Self { source, document, named, server, kinds, completed }
    }

    /// Whether any of its objects, or its name, tells a cmdlet.
    pub fn is_of_a_cmdlet(&self) -> bool {
        self.named.is_some() || self.bags().next().is_some()
    }

    /// The type of its first object, where that has one.
    pub fn first_type(&self) -> Option<&str> {
        let first = *flattened(&self.document).first()?;
        self.document.type_names(first).first().map(String::as_str)
    }

    /// Takes it for certain that the cmdlet came to its end without an error.
    pub fn complete(&mut self) {
        self.completed = true;
    }

    /// The objects with their numbers, each as one of its kind. Those of no known kind are left out.
    pub fn bags(&self) -> impl Iterator<Item = (usize, Bag<'_>)> {
        let values = flattened(&self.document).into_iter().zip(&self.kinds).enumerate();
        values
            .filter_map(|(index, (value, kind))| Some((index + 1, Bag::new(&self.document, value, (*kind)?))))
    }

    /// Takes down which servers there are, and how dates are written.
    pub fn list_servers(&self, known: &mut KnownServers) {
        for (_, bag) in self.bags() {
            match bag.kind().of {
                CmdletKind::Capture(CaptureRecord::Made) => {
                    known.order = bag.text("DateOrder").map_or(known.order, DateOrder::of_pattern);
                }
                CmdletKind::Organization(OrganizationCmdlet::ExchangeServer) => {
                    // One that cannot be read is told when the answer is read for good.
                    if let Ok(server) = exchange_server(&bag) {
                        let forest = forest(&bag);
                        if self.completed && !matches!(self.server, Some(ServerHint::Asked(_))) {
                            known.lists_all_of(forest.clone());
                        }
                        known.list(server, forest);
                    }
                }
                CmdletKind::Organization(_)
                | CmdletKind::Server(_)
                | CmdletKind::Capture(CaptureRecord::Answers) => {}
            }
        }
    }

    /// When it was captured, when it says so.
    pub fn said_time(&self) -> Option<Timestamp> {
        let mut infos =
            self.bags().filter(|(_, bag)| bag.kind().of == CmdletKind::Capture(CaptureRecord::Made));
        infos.find_map(|(_, bag)| {
            bag.parsed("CapturedAt").ok().flatten().or_else(|| bag.timestamp("CapturedAt"))
        })
    }

    /// The files whose cmdlets came to their end without an error, when it is the list of the printed script.
    pub fn completed_files(&self) -> Vec<String> {
        let records =
            self.bags().filter(|(_, bag)| bag.kind().of == CmdletKind::Capture(CaptureRecord::Answers));
        let done = records.filter(|(_, bag)| bag.text("State") == Some("done"));
        done.filter_map(|(_, bag)| bag.text("File").map(str::to_owned)).collect()
    }

    /// What it shows, in one part for each server, and what has to be said about it.
    pub fn parts(&self, known: &KnownServers) -> (Vec<Part>, Vec<String>) {
        let mut notes = Vec::new();
        let mut groups: BTreeMap<Of, Vec<(usize, Bag<'_>)>> = BTreeMap::new();
        let mut homeless: BTreeMap<&str, usize> = BTreeMap::new();
        let mut strangers: BTreeMap<ServerName, &'static Kind> = BTreeMap::new();
        for (index, bag) in self.bags() {
            let kind = bag.kind();
            let forest_said = forest(&bag);
            let server = match kind.of {
                CmdletKind::Capture(_) => continue,
                CmdletKind::Organization(OrganizationCmdlet::SendConnector) => self.edge(known),
                CmdletKind::Organization(_) => None,
                CmdletKind::Server(cmdlet) => match self.owner(cmdlet, &bag, known) {
                    Owner::Server(server) => Some(server),
                    Owner::Stranger(server) => {
                        strangers.insert(server, kind);
                        continue;
                    }
                    Owner::Untold => {
                        *homeless.entry(kind.cmdlet).or_default() += 1;
                        continue;
                    }
                },
            };
            let of_server = || known.forest_of(server.as_ref()?);
            let forest = forest_said.or_else(of_server);
            groups.entry((kind.of, forest, server)).or_default().push((index, bag));
        }
        for (cmdlet, count) in homeless {
            let objects = if count == 1 { "one object".into() } else { format!("{count} objects") };
            notes.push(format!(
                "{}: of which server {objects} are cannot be told; name the file like EX01.{cmdlet}.xml",
                self.source
            ));
        }
        if let (0, Some(kind)) = (self.kinds.len(), self.named) {
            match (kind.of, self.hinted(known)) {
                (CmdletKind::Capture(_), _) => {}
                (CmdletKind::Server(_), None) => notes.push(format!(
                    "{}: it is empty, and of which server it is cannot be told; name it like EX01.{}.xml",
                    self.source, kind.cmdlet
                )),
                (CmdletKind::Server(_), server @ Some(_)) => {
                    groups.insert((kind.of, None, server), Vec::new());
                }
                (CmdletKind::Organization(_), _) => {
                    let copies = kind.of == CmdletKind::Organization(OrganizationCmdlet::SendConnector);
                    groups.insert((kind.of, None, self.edge(known).filter(|_| copies)), Vec::new());
                }
            }
        }
        let of_strangers: Vec<Part> = strangers
            .iter()
            .filter_map(|(server, kind)| self.of_a_stranger(server, kind, known, &mut notes))
            .collect();
        let parts = groups
            .into_iter()
            .map(|((of, forest, server), bags)| {
                let mut reading = Reading {
                    source: &self.source,
                    bags: &bags,
                    completed: self.completed,
                    notes: &mut notes,
                };
                let organization = reading.part(of, server.as_ref(), known);
                let mut part = Part::new(&self.source, organization);
                match (of, server) {
                    (CmdletKind::Server(ServerCmdlet::Keyless), Some(server)) => {
                        let found = reading.each(objects::keyless);
                        part.keyless = found.into_iter().map(|stored| (server.clone(), stored)).collect();
                    }
                    (CmdletKind::Server(ServerCmdlet::Events), Some(server)) => {
                        part.notes = events(&server, &reading.each(objects::event)).into_iter().collect();
                    }
                    _ => {}
                }
                let changed = bags.iter().filter_map(|(_, bag)| bag.timestamp("WhenChangedUTC")).max();
                let not_before = changed.max(valid_from(&part.organization));
                Part { forest, not_before, ..part }
            })
            .chain(of_strangers)
            .collect();
        (parts, notes)
    }

    /// What an answer of a server that the capture does not show leaves unknown of the one that it shows, which it might have
    /// been taken for.
    fn of_a_stranger(
        &self,
        stranger: &ServerName,
        kind: &Kind,
        known: &KnownServers,
        notes: &mut Vec<String>,
    ) -> Option<Part> {
        let Self { source, .. } = self;
        let only = known.only()?;
        notes.push(format!(
            "{source} is left out: it is of {stranger}, and the capture is of {only}; name the file of {only} like {only}.{}.xml",
            kind.cmdlet
        ));
        Part::unknown(source, kind, Some(only), &format!("{source} is of {stranger}"))
    }

    /// The server of an object: as it says itself, as the file's name says, as the session says in which it was fetched, which
    /// for `-Server` may be another one, and last the only one that there is, unless its certificate names another.
    fn owner(&self, cmdlet: ServerCmdlet, bag: &Bag<'_>, known: &KnownServers) -> Owner {
        let said = server_said(cmdlet, bag).and_then(|text| known.resolve(&text));
        let session = || {
            bag.text("PSComputerName")
                .filter(|name| *name != "localhost")
                .and_then(|name| known.resolve(name))
        };
        if let Some(server) = said.or_else(|| self.hinted(known)).or_else(session) {
            return Owner::Server(server);
        }
        let may_tell = cmdlet == ServerCmdlet::InternalTransportCertificate;
        let signed = || objects::server_that_signed(bag).and_then(|name| known.resolve(&name));
        match (known.only(), may_tell.then(signed).flatten()) {
            (_, Some(server)) if known.lists(&server) => Owner::Server(server),
            (Some(_), Some(stranger)) => Owner::Stranger(stranger),
            (Some(only), None) => Owner::Server(only),
            (None, _) => Owner::Untold,
        }
    }

    /// The Edge server that was asked: what it has are copies of the organization's (facts 10.1).
    fn edge(&self, known: &KnownServers) -> Option<ServerName> {
        self.hinted(known).filter(|name| known.is_edge(name))
    }

    fn hinted(&self, known: &KnownServers) -> Option<ServerName> {
        match self.server.as_ref()? {
            ServerHint::Asked(text) => known.resolve(text),
            ServerHint::Folder(text) => known.resolve(text).filter(|name| known.lists(name)),
        }
    }
}

/// The kind of an object, by its types, the cmdlet, or its properties.
fn kind_of(document: &Document, value: &Value, named: Option<&'static Kind>) -> Option<&'static Kind> {
    let by_type = Kind::of_types(document.type_names(value).iter().map(String::as_str));
    let by_properties = || {
        let names: Vec<&str> = document.properties(value).map(|property| &*property.name).collect();
        Kind::of_properties(&names)
    };
    by_type.or(named).or_else(by_properties)
}

impl Reading<'_, '_, '_> {
    /// What the objects say.
    fn part(&mut self, of: CmdletKind, server: Option<&ServerName>, known: &KnownServers) -> Organization {
        match of {
            CmdletKind::Organization(cmdlet) => {
                let mut organization = organization::read(self, cmdlet, known);
                if let Some(edge) = server {
                    let seen = std::mem::replace(&mut organization.send_connectors, Fact::not_captured());
                    let own = Server { connector_copies: seen, ..Server::not_captured() };
                    organization.servers.insert(edge.clone(), own);
                }
                organization
            }
            CmdletKind::Server(cmdlet) => {
                let mut organization = Organization::not_captured();
                if let Some(name) = server {
                    organization.servers.insert(name.clone(), server::read(self, cmdlet, name, known));
                }
                organization
            }
            CmdletKind::Capture(_) => Organization::not_captured(),
        }
    }
}

/// What the event log says of certificates, in one line.
fn events(server: &ServerName, events: &[objects::EventCount]) -> Option<String> {
    let first = events.first()?;
    let times = |count: u64| if count == 1 { "once".to_owned() } else { format!("{count} times") };
    let listed = events.iter().map(|event| format!("{} ({})", event.id, times(event.count)));
    Some(format!(
        "{server} has logged in the last seven days: event {}; `certwright explain {}` tells more",
        listed.collect::<Vec<_>>().join(", "),
        first.id
    ))
}

/// The latest day from which on a certificate is valid: it was seen then or later.
fn valid_from(organization: &Organization) -> Option<Timestamp> {
    let stores = organization.servers.values().filter_map(|server| server.certificates.known());
    stores.flat_map(|store| store.0.values()).map(|stored| stored.certificate.not_before).max()
}

/// The server that an object names, as it names it.
fn server_said(cmdlet: ServerCmdlet, bag: &Bag<'_>) -> Option<String> {
    let before_backslash = |text: &str| text.split_once('\\').map(|(server, _)| server.to_owned());
    let identity = || bag.text("Identity").and_then(before_backslash);
    match cmdlet {
        ServerCmdlet::ExchangeCertificate => objects::server_of_certificate(bag).or_else(identity),
        ServerCmdlet::ReceiveConnector
        | ServerCmdlet::PopSettings
        | ServerCmdlet::ImapSettings
        | ServerCmdlet::UmCallRouterSettings => bag.text("Server").map(last_of_path).or_else(identity),
        ServerCmdlet::TransportService | ServerCmdlet::UmService => bag.text("Name").map(str::to_owned),
        ServerCmdlet::ClientDirectory(ClientDirectory::Autodiscover) => bag.text("Name").map(str::to_owned),
        ServerCmdlet::ClientDirectory(_) => bag.text("Server").map(last_of_path).or_else(identity),
        ServerCmdlet::OperatingSystem => bag.text("CSName").map(str::to_owned),
        ServerCmdlet::InternalTransportCertificate
        | ServerCmdlet::WebBinding
        | ServerCmdlet::OnlineRoot
        | ServerCmdlet::WebSettings
        | ServerCmdlet::EdgePeers
        | ServerCmdlet::WindowsService
        | ServerCmdlet::OtherPrograms
        | ServerCmdlet::Keyless
        | ServerCmdlet::Authorities
        | ServerCmdlet::Events => None,
    }
}
