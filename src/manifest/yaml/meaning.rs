//! What the schema says of a place.

use serde_json::Value;

use super::{
    advice::{flow, last},
    schema::{Allowed, fields, values},
};
use crate::manifest::finding::{DocPath, Segment};

/// What stands at a path.
#[derive(Clone, Debug, Default)]
pub(super) struct Meaning {
    pub(super) sentence: String,
    /// What to write.
    pub(super) hint: Option<String>,
}

/// What stands at a path, as the schema tells it, and an example.
pub(super) fn meaning(schema: &Value, path: &DocPath) -> Meaning {
    let mut allowed = Allowed::by(schema, schema);
    for (depth, segment) in path.segments().iter().enumerate() {
        let next = match (segment, allowed.mapping) {
            _ if allowed.anything && depth > 0 => None,
            (Segment::Index(_), _) => allowed.list,
            (Segment::Key(key), Some(mapping)) => {
                fields(mapping).find(|(known, _)| known == key).map(|(_, schema)| schema).or(values(mapping))
            }
            (Segment::Key(key), None) => {
                allowed.ways.iter().find(|(word, _)| word == key).map(|(_, schema)| *schema)
            }
        };
        let Some(next) = next else { return Meaning::default() };
        allowed = Allowed::by(next, schema);
    }
    if allowed.description.is_empty() || path.segments().is_empty() {
        return Meaning::default();
    }
    let hint = match (last(path), allowed.example) {
        (Some(key), Some(example)) => Some(format!("write `{key}: {}`", flow(example))),
        _ => None,
    };
    Meaning { sentence: allowed.sentence(), hint }
}
