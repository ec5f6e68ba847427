//! Certificates that a plan removes, and why it may: what shows that each stood for one of the manifest.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
};

use serde::{Deserialize, Serialize};

use crate::model::{
    dn::DistinguishedName, names::ServerName, schema::JsonSchema, server::StoredCertificate,
    thumbprint::Thumbprint,
};

/// A superseded certificate that a plan removes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Removed {
    /// The certificate.
    pub certificate: Thumbprint,
    /// The servers that it is removed from.
    pub servers: Vec<ServerName>,
    /// Its subject; empty when it has none.
    pub subject: String,
    /// Its friendly name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub friendly_name: Option<String>,
    /// Who issued it; absent when it is self-signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<DistinguishedName>,
    /// What shows that it is a predecessor.
    pub because: Predecessor,
}

/// What shows that a certificate is a predecessor of one of the manifest: the first of these that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Predecessor {
    /// The declared CA issued it with the declared subject.
    DeclaredCa,
    /// An earlier run had it issued, created or imported it.
    Issued,
    /// An earlier run replaced it.
    Replaced,
    /// It is set at places that the manifest declares.
    Held {
        /// The places.
        places: Vec<String>,
    },
    /// It is set at no place of the manifest: these places choose a certificate by name, and Exchange chose this one.
    // facts 5.1, 5.4
    ChosenByName {
        /// The places.
        places: Vec<String>,
    },
}

impl Removed {
    /// A certificate of one server.
    pub fn of(server: &ServerName, stored: &StoredCertificate, because: Predecessor) -> Self {
        let certificate = &stored.certificate;
        Self {
            certificate: certificate.thumbprint,
            servers: vec![server.clone()],
            subject: certificate.subject.to_string(),
            friendly_name: stored.friendly_name.known().filter(|name| !name.is_empty()).cloned(),
            issuer: (!certificate.is_self_signed()).then(|| certificate.issuer.clone()),
            because,
        }
    }

    /// The same certificates of several servers, each once.
    pub fn gathered(each: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut gathered: Vec<Self> = Vec::new();
        // Servers with certificates of their own are many, and none of those is another's.
        let mut alike: HashMap<(Thumbprint, Option<String>), Vec<usize>> = HashMap::new();
        for own in each {
            let known = alike.entry((own.certificate, own.friendly_name.clone())).or_default();
            let merged = known.iter().find_map(|at| Some((*at, gathered[*at].because.with(&own.because)?)));
            if let Some((at, because)) = merged {
                gathered[at].servers.extend(own.servers);
                gathered[at].because = because;
            } else {
                known.push(gathered.len());
                gathered.push(own);
            }
        }
        gathered
    }

    /// What people know it by: its subject, or its friendly name where it has none.
    pub fn name(&self) -> &str {
        match (self.subject.as_str(), &self.friendly_name) {
            ("", Some(name)) => name,
            ("", None) => "no subject",
            (subject, _) => subject,
        }
    }
}

impl Predecessor {
    /// What shows it on both of two servers, where it is of one kind; the places are those of both.
    fn with(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Held { places }, Self::Held { places: more }) => {
                Some(Self::Held { places: together(places, more) })
            }
            (Self::ChosenByName { places }, Self::ChosenByName { places: more }) => {
                Some(Self::ChosenByName { places: together(places, more) })
            }
            (one, other) => (one == other).then(|| one.clone()),
        }
    }
}

fn together(places: &[String], more: &[String]) -> Vec<String> {
    places.iter().chain(more).cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

/// All but the thumbprint and the servers.
impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, because, .. } = self;
        write!(f, "{}; ", self.name())?;
        match because {
            Predecessor::ChosenByName { places } => {
                write!(f, "not named by the manifest, and chosen by {} for its name; ", listed(places))?;
            }
            Predecessor::DeclaredCa
            | Predecessor::Issued
            | Predecessor::Replaced
            | Predecessor::Held { .. } => {}
        }
        match issuer {
            Some(issuer) => write!(f, "issued by {issuer}")?,
            None => f.write_str("self-signed")?,
        }
        match because {
            Predecessor::DeclaredCa => f.write_str(", as the manifest declares"),
            Predecessor::Issued => f.write_str("; an earlier run brought it"),
            Predecessor::Replaced => f.write_str("; an earlier run replaced it"),
            Predecessor::Held { places } => write!(f, "; used by {}", listed(places)),
            Predecessor::ChosenByName { .. } => Ok(()),
        }
    }
}

fn listed(places: &[String]) -> String {
    let shown = places[..places.len().min(MOST_PLACES)].join(", ");
    match places.len().saturating_sub(MOST_PLACES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// More do not fit into a line for people.
const MOST_PLACES: usize = 4;
