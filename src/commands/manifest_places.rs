//! Where in a manifest it is written what a message is about: forges show messages beside the line.

use std::path::Path;

use super::files;
use crate::{
    manifest::{
        finding::{DocPath, Finding, Place, Severity},
        foreign::SkippedFile,
        yaml::Places,
    },
    model::{
        diagnostic::{Diagnostic, Location, Subject},
        shown::ShowPath,
    },
    views::{Accepted, Diagnostics},
};

/// A manifest's path, and where its values stand.
pub struct ManifestPlaces {
    file: String,
    places: Places,
    /// What lies beside the manifest and was not read.
    pub(super) skipped: Vec<SkippedFile>,
}

impl ManifestPlaces {
    /// Of the manifest at this path.
    pub(super) fn new(path: &Path, places: Places) -> Self {
        let file =
            if path.is_dir() { files::base_directory(path).join("manifest.yaml") } else { path.to_owned() };
        Self { file: file.shown().to_string(), places, skipped: Vec::new() }
    }

    /// The messages of a command, each at the place of what it is about.
    pub(super) fn diagnostics(&self, command: &'static str, list: Vec<Diagnostic>) -> Diagnostics {
        let (file, list, skipped) = (self.file.clone(), self.placed(list), self.skipped.clone());
        Diagnostics { command, file, list, skipped, ..Diagnostics::default() }
    }

    /// The same for what is accepted.
    pub(super) fn accepted(&self, list: Vec<Accepted>) -> Vec<Accepted> {
        let (list, reasons): (Vec<_>, Vec<_>) =
            list.into_iter().map(|Accepted { diagnostic, because }| (diagnostic, because)).unzip();
        let accepted = self.placed(list).into_iter().zip(reasons);
        accepted.map(|(diagnostic, because)| Accepted { diagnostic, because }).collect()
    }

    /// The findings at their places, in the order of the files.
    pub(super) fn located(&self, findings: Vec<Finding>) -> Vec<Finding> {
        self.places.in_order(self.places.locate(findings))
    }

    fn placed(&self, mut list: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let without: Vec<&mut Diagnostic> =
            list.iter_mut().filter(|diagnostic| diagnostic.location.is_none()).collect();
        let finding = |subject: &Subject| Finding::new("", Severity::Notice, path_of(subject), "", "");
        let asked = without.iter().map(|diagnostic| finding(&diagnostic.subject)).collect();
        for (diagnostic, found) in without.into_iter().zip(self.places.locate(asked)) {
            let location = |Place { file, line, column, .. }| Location { file, line, column };
            diagnostic.location = found.place.map(location);
        }
        list
    }
}

/// Where a manifest speaks of it.
fn path_of(subject: &Subject) -> DocPath {
    let Subject { server, certificate, connector, balancer, thumbprint: _, place } = subject;
    if let Some(server) = server {
        DocPath::of(&["servers"]).key(server)
    } else if let Some(balancer) = balancer {
        DocPath::of(&["loadBalancers"]).key(balancer)
    } else if certificate.as_ref().is_some_and(|certificate| certificate.name.as_str() == AUTH) {
        DocPath::of(&[AUTH])
    } else if let Some(certificate) = certificate {
        DocPath::of(&["certificates"]).key(&certificate.name)
    } else if let Some(connector) = connector {
        DocPath::of(&["sendConnectors"]).key(connector)
    } else {
        place.as_deref().and_then(item).unwrap_or_default()
    }
}

/// The manifest's key of the Auth certificate, which stands for it in plans.
const AUTH: &str = "authCertificate";

/// An item of a list of the manifest: `protect[1]`.
fn item(place: &str) -> Option<DocPath> {
    let (list, index) = place.strip_suffix(']')?.split_once('[')?;
    Some(DocPath::of(&[list]).index(index.parse().ok()?))
}
