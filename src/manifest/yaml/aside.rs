//! What was read well before a mistake is set aside, until the rest has been read too.

use serde_json::{Map, Value};

use super::schema::free_keys;
use crate::manifest::finding::{DocPath, Segment};

/// Entries of mappings that were read well. An entry says nothing of the others, so that those can be read without it.
#[derive(Debug, Default)]
pub(super) struct Aside {
    sections: Vec<(String, Map<String, Value>)>,
    /// Whether what was set aside has come back once: then everything is read as a whole.
    is_over: bool,
}

impl Aside {
    pub(super) fn is_empty(&self) -> bool {
        self.sections.is_empty()
    }

    /// Sets aside what stands before the value at this path, where a mapping can be without it.
    pub(super) fn set(&mut self, document: &mut Map<String, Value>, path: &DocPath, schema: &Value) {
        let mut segments = path.segments().iter();
        let Some(Segment::Key(last)) = segments.next() else { return };
        let entry = match segments.next() {
            Some(Segment::Key(entry)) => Some(entry),
            Some(Segment::Index(_)) | None => None,
        };
        if self.is_over || !document.contains_key(last) {
            return;
        }
        for (key, section) in document {
            let is_last = key == last;
            if let Value::Object(entries) = section
                && free_keys(schema, key)
            {
                let mut before = Map::new();
                let mut rest = Map::new();
                if is_last {
                    let Some(entry) = entry else { return };
                    let mut is_there = false;
                    for (name, value) in std::mem::take(entries) {
                        is_there |= name == *entry;
                        if is_there {
                            rest.insert(name, value)
                        } else {
                            before.insert(name, value)
                        };
                    }
                } else {
                    before = std::mem::take(entries);
                }
                *entries = rest;
                if !before.is_empty() {
                    self.sections.push((key.clone(), before));
                }
            }
            if is_last {
                return;
            }
        }
    }

    /// Puts everything back in its order.
    pub(super) fn put_back(&mut self, document: &mut Map<String, Value>) {
        self.is_over = true;
        for (key, mut entries) in std::mem::take(&mut self.sections).into_iter().rev() {
            if let Some(Value::Object(section)) = document.get_mut(&key) {
                entries.append(section);
                *section = entries;
            }
        }
    }
}
