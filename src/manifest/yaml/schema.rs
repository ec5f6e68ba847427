//! What a JSON schema allows at one place, brought together from its references and alternatives: the part of the language
//! that the schemas of our own types use.

use serde_json::{Map, Value};

use crate::manifest::suggestion::nearest;

/// What may stand at one place.
#[expect(clippy::struct_excessive_bools, reason = "each is a kind of value that is allowed or not")]
#[derive(Clone, Debug, Default)]
pub(super) struct Allowed<'a> {
    /// The name of the type, when it has one.
    pub(super) name: Option<&'a str>,
    /// What stands there, in one sentence for people.
    pub(super) description: &'a str,
    /// What could be written.
    pub(super) example: Option<&'a Value>,
    pub(super) anything: bool,
    pub(super) null: bool,
    pub(super) boolean: bool,
    pub(super) text: bool,
    pub(super) number: Option<Range>,
    /// The schema of the items.
    pub(super) list: Option<&'a Value>,
    /// The words that are allowed as a text.
    pub(super) words: Vec<&'a str>,
    /// A mapping, with the schema of it.
    pub(super) mapping: Option<&'a Map<String, Value>>,
    /// A mapping with exactly one of these keys, each with the schema of its value.
    pub(super) ways: Vec<(&'a str, &'a Value)>,
}

/// The least and the greatest number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) least: i64,
    pub(super) greatest: Option<i64>,
}

impl Range {
    /// The least number that means something: no port is 0.
    pub(super) fn first(self) -> i64 {
        if self.greatest == Some(65535) { self.least.max(1) } else { self.least }
    }
}

impl<'a> Allowed<'a> {
    /// What this schema allows; `root` holds the definitions that it refers to.
    pub(super) fn by(schema: &'a Value, root: &'a Value) -> Self {
        let mut allowed = Self::default();
        allowed.add(schema, root);
        allowed
    }

    fn add(&mut self, schema: &'a Value, root: &'a Value) {
        let Some(object) = schema.as_object() else {
            self.anything = true;
            return;
        };
        if self.description.is_empty() {
            self.description = object.get("description").and_then(Value::as_str).unwrap_or_default();
        }
        let example =
            object.get("examples").and_then(|examples| examples.get(0)).or_else(|| object.get("default"));
        self.example = self.example.or(example.filter(|example| !example.is_null()));
        if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().unwrap_or_default();
            self.name = self.name.or(Some(name));
            if let Some(definition) = root.get("$defs").and_then(|all| all.get(name)) {
                self.add(definition, root);
            }
        }
        self.add_words(object);
        self.add_types(object);
        for alternative in alternatives(object, "anyOf").filter(|schema| says_a_type(schema)) {
            self.add(alternative, root);
        }
        for alternative in alternatives(object, "oneOf").filter(|schema| says_a_type(schema)) {
            match way(alternative) {
                Some(way) => self.ways.push(way),
                None => self.add(alternative, root),
            }
        }
        let says_nothing =
            ["$ref", "type", "const", "enum", "anyOf", "oneOf"].iter().all(|key| !object.contains_key(*key));
        self.anything |= says_nothing;
    }

    fn add_words(&mut self, object: &'a Map<String, Value>) {
        let words =
            object.get("enum").and_then(Value::as_array).into_iter().flatten().chain(object.get("const"));
        self.words.extend(words.filter_map(Value::as_str));
    }

    fn add_types(&mut self, object: &'a Map<String, Value>) {
        let types: Vec<&str> = match object.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let of_words = object.contains_key("const") || object.contains_key("enum");
        for kind in types {
            match kind {
                "null" => self.null = true,
                "boolean" => self.boolean = true,
                "string" => self.text |= !of_words,
                "integer" | "number" => {
                    let bound = |key| object.get(key).and_then(Value::as_i64);
                    self.number =
                        Some(Range { least: bound("minimum").unwrap_or(0), greatest: bound("maximum") });
                }
                "array" => self.list = Some(object.get("items").unwrap_or(&Value::Bool(true))),
                "object" => self.mapping = Some(object),
                _ => {}
            }
        }
    }

    /// What can stand in the place of a value that is missing, until the rest is read.
    pub(super) fn stand_in(&self) -> Option<Value> {
        if self.name == Some("DnsName") {
            return Some(Value::String("missing.invalid".into()));
        }
        let word = || self.words.first().map(|word| Value::String((*word).into()));
        self.example.cloned().or_else(word)
    }

    /// Whether a text, where a word or a mapping can stand, is unlike every word: then it is rather a part of the mapping.
    pub(super) fn is_rather_a_mapping(&self, word: &str) -> bool {
        let takes_mapping = self.mapping.is_some() || !self.ways.is_empty();
        takes_mapping && nearest(word, &self.words).is_none()
    }

    /// What may stand there, in words.
    pub(super) fn kinds(&self) -> String {
        let mut kinds: Vec<String> = Vec::new();
        if !self.words.is_empty() && !self.text {
            kinds.extend(self.words.iter().map(|word| format!("`{word}`")));
        }
        for (allowed, kind) in [
            (self.text, "a text"),
            (self.boolean, "`true` or `false`"),
            (self.number.is_some(), "a whole number"),
            (self.list.is_some(), "a list"),
            (self.mapping.is_some() || !self.ways.is_empty(), "a mapping"),
        ] {
            if allowed {
                kinds.push(kind.into());
            }
        }
        match kinds.split_last() {
            None => "nothing".into(),
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
        }
    }

    /// The first sentence of what stands there.
    pub(super) fn sentence(&self) -> String {
        let text = self.description.replace('\n', " ");
        let end = text.match_indices(". ").map(|(at, _)| at + 1).next().unwrap_or(text.len());
        text[..end].trim().to_owned()
    }
}

/// The fields of a mapping, and which of them are needed.
pub(super) fn fields(mapping: &Map<String, Value>) -> impl Iterator<Item = (&str, &Value)> {
    mapping
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, schema)| (key.as_str(), schema))
}

/// The fields that a mapping needs.
pub(super) fn needed(mapping: &Map<String, Value>) -> impl Iterator<Item = &str> {
    mapping.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The schema of the values, in a mapping whose keys are free.
pub(super) fn values(mapping: &Map<String, Value>) -> Option<&Value> {
    let by_pattern =
        mapping.get("patternProperties").and_then(Value::as_object).and_then(|all| all.values().next());
    by_pattern.or_else(|| mapping.get("additionalProperties").filter(|schema| !schema.is_boolean()))
}

/// Whether a field of the document is a mapping whose entries are named freely, each of the same kind.
pub(super) fn free_keys(document: &Value, field: &str) -> bool {
    let allowed = Allowed::by(document, document);
    let schema = allowed.mapping.and_then(|mapping| mapping.get("properties")?.get(field));
    let of_field = schema.and_then(|schema| Allowed::by(schema, document).mapping);
    of_field.is_some_and(|mapping| {
        values(mapping).is_some() && fields(mapping).next().is_none() && needed(mapping).next().is_none()
    })
}

/// The words that keys may be, where not all are.
pub(super) fn key_words(mapping: &Map<String, Value>) -> Vec<&str> {
    let words = mapping.get("propertyNames").and_then(|names| names.get("enum")).and_then(Value::as_array);
    words.into_iter().flatten().filter_map(Value::as_str).collect()
}

fn alternatives<'a>(object: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = &'a Value> {
    object.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// Whether an alternative is a kind of value, and not only a demand on the same mapping.
fn says_a_type(schema: &Value) -> bool {
    ["$ref", "type", "const", "enum", "anyOf", "oneOf"].iter().any(|key| schema.get(key).is_some())
}

/// A mapping with one key, which says which of several things it is.
fn way(schema: &Value) -> Option<(&str, &Value)> {
    let object =
        schema.as_object().filter(|object| object.get("type").is_some_and(|kind| kind == "object"))?;
    let mut fields = fields(object);
    let (key, of_key) = fields.next()?;
    let alone = fields.next().is_none() && needed(object).eq([key]);
    alone.then_some((key, of_key))
}
