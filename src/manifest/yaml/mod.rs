//! From the text of files to a [`Manifest`], and to everything that is wrong with it, with line and column. What is
//! ordinary and without mistakes is read straight into types (`direct`). For everything else `serde_yaml` gives the values,
//! saphyr-parser the places where they stand, and the schema of the type what may stand there.

mod advice;
mod aside;
mod direct;
mod document;
mod kind;
mod masked;
mod meaning;
mod outline;
mod places;
mod reader;
mod reading;
mod schema;
mod secret;
mod shape;
mod syntax;
mod text;
mod told;
mod trail;
mod twice;
mod values;

use serde::de::DeserializeOwned;
use serde_json::json;

pub(crate) use self::{kind::START_FROM, text::LARGEST};
pub use self::{
    kind::{DocumentKind, SchemaText},
    places::Places,
    reading::{Definition, Reading, Unread},
    text::Source,
};
use super::{Manifest, finding::Finding};

/// Reads the manifest that these files make up together.
pub fn manifest(sources: &[Source]) -> Result<(Manifest, Places), Vec<Finding>> {
    whole(manifest_and_mistakes(sources.to_vec()))
}

/// Reads as much of a manifest as can be read, and finds everything that is wrong with its form. What is ordinary and has no
/// mistakes is read straight into types; anything else by the reader with places.
pub fn manifest_and_mistakes(sources: Vec<Source>) -> Reading<Manifest> {
    match without_mistakes(&sources) {
        Some(manifest) => Reading {
            value: Some(manifest),
            findings: Vec::new(),
            left_out: Unread::default(),
            definitions: Vec::new(),
            places: Places::of(sources),
        },
        None => manifest_with_places(sources),
    }
}

/// The manifest, when all of it is ordinary and nothing is wrong with its form.
pub fn without_mistakes(sources: &[Source]) -> Option<Manifest> {
    let texts: Option<Vec<&str>> = sources.iter().map(|source| text::of(source).ok()).collect();
    direct::read(&texts?).ok()
}

/// Reads a manifest by the reader that knows what is wrong, and where.
pub fn manifest_with_places(sources: Vec<Source>) -> Reading<Manifest> {
    document::read(
        sources,
        DocumentKind::MANIFEST,
        &[
            ("apiVersion", json!("certwright/v1")),
            ("organization", json!("unknown")),
            ("driver", json!({ "lab": {} })),
        ],
    )
}

/// Reads a file of another kind, such as a lab's seed, with the same care.
pub fn document<T: DeserializeOwned>(
    source: Source,
    kind: DocumentKind,
) -> Result<(T, Places), Vec<Finding>> {
    whole(document::read(vec![source], kind, &[]))
}

fn whole<T>(reading: Reading<T>) -> Result<(T, Places), Vec<Finding>> {
    let Reading { value, findings, left_out: _, definitions: _, places } = reading;
    match value {
        Some(value) if findings.is_empty() => Ok((value, places)),
        _ => Err(findings),
    }
}

#[cfg(test)]
mod tests;
