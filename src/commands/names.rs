//! Names of a manifest, one a line, for shells that complete a command line: of its servers, certificates and connectors.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::files;
use crate::manifest::{Manifest, Variables, yaml};

/// What is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// Servers.
    Servers,
    /// Certificates.
    Certificates,
    /// Send connectors, and the receive connectors that are named by their names.
    Connectors,
}

impl NameKind {
    /// Every kind, with the word that scripts ask by and the options that take such names.
    pub const ALL: [(Self, &'static str, &'static [&'static str]); 3] = [
        (Self::Servers, "servers", &["server"]),
        (Self::Certificates, "certificates", &["certificate", "replace"]),
        (Self::Connectors, "connectors", &["connector"]),
    ];
}

/// The names in the manifest that a command line means, as far as it was typed. Whoever presses a key wants no message: where no
/// manifest can be read there are none.
pub fn names(kind: NameKind, words: &[OsString]) -> BTreeSet<String> {
    let Ok(sources) = files::manifest_sources(&manifest_of(words)) else { return BTreeSet::new() };
    let Some(manifest) = yaml::manifest_and_mistakes(sources).value else { return BTreeSet::new() };
    match kind {
        NameKind::Servers => manifest.servers.keys().map(ToString::to_string).collect(),
        NameKind::Certificates => manifest.certificates.keys().map(ToString::to_string).collect(),
        NameKind::Connectors => connectors(&manifest),
    }
}

fn connectors(manifest: &Manifest) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = manifest.send_connectors.keys().map(ToString::to_string).collect();
    for (name, server) in &manifest.servers {
        let profile = server.profile.as_ref().and_then(|profile| manifest.profiles.get(profile));
        let of_profile = profile.into_iter().flat_map(|profile| profile.receive_connectors.keys());
        let templates = server.receive_connectors.keys().chain(of_profile);
        found.extend(templates.map(|template| template.on(Variables { name, fqdn: &server.fqdn })));
    }
    // `FrontendTransport:25` is no name.
    found.retain(|name| !name.contains(':') && !name.chars().any(char::is_control));
    found
}

/// The manifest of a command line: what `--manifest` says, or the first word that is a path.
fn manifest_of(words: &[OsString]) -> PathBuf {
    let said = words.iter().zip(words.iter().skip(1)).find(|(option, _)| *option == "--manifest");
    let option = said.map(|(_, path)| path);
    let is_manifest = |word: &&OsString| {
        let path = Path::new(word);
        let yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
        path.is_dir() || (yaml && path.is_file())
    };
    // Behind the program and its command.
    let path = || words.iter().skip(2).find(is_manifest);
    option.or_else(path).map_or_else(|| PathBuf::from("."), PathBuf::from)
}
