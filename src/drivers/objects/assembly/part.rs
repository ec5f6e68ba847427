//! What one answer shows of the organization.

use super::{organization, server};
use crate::{
    drivers::objects::{CmdletKind, Kind},
    model::{names::ServerName, organization::Organization, server::StoredCertificate, time::Timestamp},
};

/// What one answer shows of the organization.
#[derive(Clone, Debug)]
pub struct Part {
    /// Where it comes from, in the words of a message: the name of a file, or a cmdlet and its server.
    pub source: String,
    /// Whether the driver that looked can answer Exchange's questions.
    pub answers_prompts: bool,
    /// What it could not show, and why.
    pub notes: Vec<String>,
    /// The forest that it is of, when it says so.
    pub forest: Option<String>,
    /// The latest date in it of something that had happened: a change of an object, the first day of a certificate. It was
    /// made then or later.
    pub not_before: Option<Timestamp>,
    /// Certificates of a server's store that have no private key, which no cmdlet of Exchange shows.
    pub keyless: Vec<(ServerName, StoredCertificate)>,
    /// What it shows; all else is unknown.
    pub organization: Organization,
}

impl Part {
    /// A part that shows this.
    pub fn new(source: &str, organization: Organization) -> Self {
        Self {
            source: source.to_owned(),
            answers_prompts: true,
            notes: Vec::new(),
            forest: None,
            not_before: None,
            keyless: Vec::new(),
            organization,
        }
    }

    /// A part that shows why the answer of a cmdlet is not there: the facts that it would have shown are unknown for this
    /// reason. Nothing for what is about no fact, and for an answer of one server when no server is said.
    pub fn unknown(source: &str, kind: &Kind, server: Option<ServerName>, why: &str) -> Option<Self> {
        let mut organization = Organization::not_captured();
        match kind.of {
            CmdletKind::Capture(_) => return None,
            CmdletKind::Organization(cmdlet) => organization::mark_unknown(&mut organization, cmdlet, why),
            CmdletKind::Server(cmdlet) => {
                organization.servers.insert(server?, server::unknown(cmdlet, why));
            }
        }
        Some(Self::new(source, organization))
    }

    /// The forest that it is of and the one that is looked at, when they are not the same.
    pub fn is_of_another<'a>(&'a self, wanted: Option<&'a String>) -> Option<(&'a String, &'a String)> {
        self.forest.as_ref().zip(wanted).filter(|(of, wanted)| of != wanted)
    }
}
