//! What the values of a JSON schema look like: for each variant of each enum, the shortest value that was seen of it.
//! One file thus shows the JSON of the whole schema, however few documents are kept whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use schemars::{JsonSchema, schema_for};
use serde_json::Value;

/// A schema, and the values that were seen of it.
pub(crate) struct Shapes {
    schema: Value,
    seen: BTreeMap<Variant, String>,
}

/// The name of an enum, and of one of its variants.
pub(crate) type Variant = (String, String);

impl Shapes {
    pub(crate) fn of<T: JsonSchema>() -> Self {
        Self { schema: schema_for!(T).to_value(), seen: BTreeMap::new() }
    }

    /// Looks at a value, and returns the variants that are in it.
    pub(crate) fn look_at(&mut self, value: &Value) -> BTreeSet<Variant> {
        let (schema, mut found) = (self.schema.clone(), Vec::new());
        self.walk("", &schema, value, &mut found);
        let variants = found.iter().map(|(variant, _)| variant.clone()).collect();
        for (variant, text) in found {
            let shortest = self.seen.entry(variant).or_insert_with(|| text.clone());
            if (text.len(), &text) < (shortest.len(), &*shortest) {
                *shortest = text;
            }
        }
        variants
    }

    /// Each variant of each enum, with what it looks like.
    pub(crate) fn table(&self) -> String {
        let mut table = String::new();
        for (name, schema) in self.schema["$defs"].as_object().unwrap() {
            let Some(variants) = schema["oneOf"].as_array() else { continue };
            writeln!(table, "{name}").unwrap();
            for label in variants.iter().flat_map(labels) {
                let seen = self.seen.get(&(name.clone(), label.clone()));
                writeln!(table, "  {label:<26} {}", seen.map_or("not seen", |text| text)).unwrap();
            }
        }
        table
    }

    /// Whether a value may be of this schema: by its variants, or by its type.
    fn fits(&self, schema: &Value, value: &Value) -> bool {
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
            return self.fits(&self.schema["$defs"][name], value);
        }
        if let Some(variants) = schema["oneOf"].as_array() {
            return variants.iter().any(|one| labels(one).iter().any(|label| is(one, label, value)));
        }
        if let Some(options) = schema["anyOf"].as_array() {
            return options.iter().any(|option| self.fits(option, value));
        }
        match schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("null") => value.is_null(),
            Some(_) | None => !value.is_null(),
        }
    }

    fn walk(&self, name: &str, schema: &Value, value: &Value, found: &mut Vec<(Variant, String)>) {
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
            return self.walk(name, &self.schema["$defs"][name], value, found);
        }
        if let Some(variants) = schema["oneOf"].as_array() {
            let (label, variant) = variants
                .iter()
                .find_map(|variant| {
                    Some((labels(variant).into_iter().find(|label| is(variant, label, value))?, variant))
                })
                .unwrap_or_else(|| panic!("{value} is no {name}"));
            found.push(((name.to_owned(), label), value.to_string()));
            self.walk(name, variant, value, found);
        }
        let options = schema["anyOf"].as_array().into_iter().flatten();
        let options: Vec<&Value> = options.collect();
        let fitting: Vec<&Value> =
            options.iter().copied().filter(|option| self.fits(option, value)).collect();
        assert!(options.is_empty() || !fitting.is_empty(), "{value} is no {name}");
        for option in fitting {
            self.walk(name, option, value, found);
        }
        for (key, value) in value.as_object().into_iter().flatten() {
            let of_key = schema["properties"].get(key).unwrap_or(&schema["additionalProperties"]);
            self.walk(name, of_key, value, found);
        }
        for value in value.as_array().into_iter().flatten() {
            self.walk(name, &schema["items"], value, found);
        }
    }
}

/// The names of a variant as they are written in JSON; plain variants may share a schema.
fn labels(variant: &Value) -> Vec<String> {
    let plain = variant["enum"].as_array().into_iter().flatten().chain(variant.get("const"));
    let plain: Vec<String> = plain.filter_map(Value::as_str).map(str::to_owned).collect();
    if !plain.is_empty() {
        return plain;
    }
    let tag =
        variant["properties"].as_object().into_iter().flatten().find_map(|(_, of)| of["const"].as_str());
    tag.or(variant["required"][0].as_str()).map(str::to_owned).into_iter().collect()
}

/// Whether a value is of the variant with this name.
fn is(variant: &Value, label: &str, value: &Value) -> bool {
    let Some(fields) = value.as_object() else { return value == label };
    let tag = variant["properties"].as_object().into_iter().flatten().find(|(_, of)| of["const"] == label);
    tag.map_or_else(|| fields.len() == 1 && fields.contains_key(label), |(key, _)| value[key] == label)
}
