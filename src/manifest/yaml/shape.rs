//! Every mistake in the shape of a document, in one walk along its schema. What is wrong is taken out of the value, so that
//! the rest can be read and checked as well.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::schema::{Allowed, fields, key_words, needed, values};
use crate::manifest::{
    finding::{DocPath, Finding, Segment, Severity},
    suggestion::{nearest, suggestion},
};

/// What was found, and what could not stay.
#[derive(Debug, Default)]
pub(super) struct Shape {
    pub(super) mistakes: Vec<Mistake>,
    /// The paths of what was taken out.
    pub(super) left_out: BTreeSet<DocPath>,
    /// What stands at a path, as the schema tells it, and an example.
    pub(super) meanings: HashMap<DocPath, Meaning>,
}

/// What stands at a path.
#[derive(Clone, Debug, Default)]
pub(super) struct Meaning {
    pub(super) sentence: String,
    /// What to write.
    pub(super) hint: Option<String>,
}

/// A mistake, before its place is looked up.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) finding: Finding,
    /// Whether the key is wrong and not its value.
    pub(super) at_key: bool,
    /// Whether a secret may stand in the line, so that it is not shown.
    pub(super) secret: bool,
}

/// Compares a document with its schema and takes out of it what does not fit. `what` names the kind of document.
pub(super) fn mend(document: &mut Map<String, Value>, schema: &Value, what: &str) -> Shape {
    let mut walk = Walk { root: schema, what, secret: false, shape: Shape::default() };
    let allowed = Allowed::by(schema, schema);
    if let Some(mapping) = allowed.mapping {
        walk.mapping(mapping, document, &DocPath::root());
    }
    walk.shape
}

struct Walk<'a> {
    root: &'a Value,
    what: &'a str,
    /// Whether the walk is where the manifest says how a secret is read.
    secret: bool,
    shape: Shape,
}

impl<'a> Walk<'a> {
    /// Whether the value can stay.
    fn value(&mut self, schema: &'a Value, value: &mut Value, path: &DocPath) -> bool {
        let allowed = Allowed::by(schema, self.root);
        let around = self.secret;
        self.secret |= allowed.name == Some("SecretRef");
        let stays = self.fits(&allowed, value, path);
        self.secret = around;
        if !stays {
            self.shape.left_out.insert(path.clone());
        }
        stays
    }

    fn fits(&mut self, allowed: &Allowed<'a>, value: &mut Value, path: &DocPath) -> bool {
        if !allowed.description.is_empty() {
            let hint = match (last(path), allowed.example) {
                (Some(key), Some(example)) => Some(format!("write `{key}: {}`", flow(example))),
                _ => None,
            };
            self.shape.meanings.insert(path.clone(), Meaning { sentence: allowed.sentence(), hint });
        }
        allowed.anything
            || match value {
                Value::Null => allowed.null || self.no_value(allowed, path),
                Value::Bool(_) => allowed.boolean || self.other_kind(allowed, value, path),
                Value::Number(_) => self.number(allowed, value, path),
                Value::String(word) => {
                    if allowed.text || allowed.words.contains(&word.as_str()) {
                        true
                    } else if allowed.words.is_empty() {
                        self.other_kind(allowed, value, path)
                    } else {
                        let word = word.clone();
                        self.unknown_word(&word, &allowed.words, path.clone(), false)
                    }
                }
                Value::Array(items) => match allowed.list {
                    Some(schema) => self.items(schema, items, path),
                    None => self.other_kind(allowed, value, path),
                },
                Value::Object(entries) => match (allowed.mapping, allowed.ways.is_empty()) {
                    (Some(mapping), _) => self.mapping(mapping, entries, path),
                    (None, false) => self.way(allowed, entries, path),
                    (None, true) => self.other_kind(allowed, value, path),
                },
            }
    }

    fn items(&mut self, schema: &'a Value, items: &mut Vec<Value>, path: &DocPath) -> bool {
        let mut index = 0;
        items.retain_mut(|item| {
            index += 1;
            self.value(schema, item, &path.index(index - 1))
        });
        true
    }

    fn mapping(
        &mut self,
        mapping: &'a Map<String, Value>,
        entries: &mut Map<String, Value>,
        path: &DocPath,
    ) -> bool {
        let known: HashMap<&str, &Value> = fields(mapping).collect();
        let (others, words) = (values(mapping), key_words(mapping));
        let (mut lost, mut meant) = (BTreeSet::<String>::new(), BTreeSet::<&str>::new());
        let keys: Vec<String> = entries.keys().cloned().collect();
        for key in keys {
            let at = path.key(&key);
            let stays = match (known.get(key.as_str()).copied(), others) {
                (Some(schema), _) => self.value(schema, &mut entries[&key], &at),
                (None, Some(schema)) if words.is_empty() || words.contains(&key.as_str()) => {
                    self.value(schema, &mut entries[&key], &at)
                }
                (None, Some(_)) => self.unknown_word(&key, &words, at.clone(), true),
                (None, None) => {
                    // What is misspelt is not missing.
                    let near = nearest(&key, &known.keys().copied().collect::<Vec<_>>());
                    meant.extend(known.keys().filter(|known| Some(**known) == near));
                    self.unknown_field(&key, mapping, at.clone())
                }
            };
            if !stays {
                self.shape.left_out.insert(at);
                lost.insert(key);
            }
        }
        entries.retain(|key, _| !lost.contains(key));
        let mut whole = true;
        for key in needed(mapping).filter(|key| !entries.contains_key(*key)) {
            if !lost.contains(key) && !meant.contains(key) {
                self.missing(key, known.get(key).copied(), path);
            }
            whole = false;
        }
        whole
    }

    /// A mapping with one key, which says which of several things it is.
    fn way(&mut self, allowed: &Allowed<'a>, entries: &mut Map<String, Value>, path: &DocPath) -> bool {
        let words: Vec<&str> = allowed.ways.iter().map(|(word, _)| *word).collect();
        let mut known = Vec::new();
        for key in entries.keys().cloned().collect::<Vec<_>>() {
            match allowed.ways.iter().find(|(word, _)| *word == key) {
                Some(way) => known.push(*way),
                None => drop(self.unknown_word(&key, &words, path.key(&key), true)),
            }
        }
        match known.as_slice() {
            [(word, schema)] => {
                let whole = self.value(schema, &mut entries[*word], &path.key(word));
                whole && entries.len() == 1
            }
            [] if entries.is_empty() => {
                let (what, hint) = (format!("{} is empty", named(path)), one_of(&words));
                self.mistake("bad-value", path.clone(), what, allowed.sentence(), Some(hint), false)
            }
            [] => false,
            [(one, _), (other, _), ..] => {
                let what = format!("`{one}` and `{other}` are both given, and only one of them can be meant");
                self.mistake(
                    "bad-value",
                    path.key(other),
                    what,
                    allowed.sentence(),
                    Some("keep one of them".into()),
                    true,
                )
            }
        }
    }

    fn number(&mut self, allowed: &Allowed<'a>, value: &Value, path: &DocPath) -> bool {
        let Some(range) = allowed.number else { return self.other_kind(allowed, value, path) };
        let fits = value.as_i64().is_some_and(|number| {
            number >= range.least && range.greatest.is_none_or(|greatest| number <= greatest)
        });
        if fits {
            return true;
        }
        let what = format!("{} cannot be {value}", named(path));
        let hint = match range.greatest {
            Some(greatest) => format!("write a whole number from {} to {greatest}", range.least),
            None => format!("write a whole number, {} or more", range.least),
        };
        self.mistake("bad-value", path.clone(), what, allowed.sentence(), Some(hint), false)
    }

    fn no_value(&mut self, allowed: &Allowed<'a>, path: &DocPath) -> bool {
        let what = format!("{} has no value", named(path));
        let key = last(path);
        let all_by_itself = allowed
            .mapping
            .is_some_and(|mapping| needed(mapping).next().is_none() && values(mapping).is_none());
        let hint = match (key, allowed.example) {
            (Some(key), _) if all_by_itself => format!("write `{key}: {{}}`"),
            (Some(key), Some(example)) => {
                format!("write a value, such as `{key}: {}`, or take the line out", flow(example))
            }
            (Some(_), None) if !allowed.ways.is_empty() => {
                one_of(&allowed.ways.iter().map(|(word, _)| *word).collect::<Vec<_>>())
            }
            (Some(key), None) => match allowed.mapping.and_then(|mapping| needed(mapping).next()) {
                Some(field) => format!("write `{key}: {{ {field}: … }}`, or take the line out"),
                None => "write a value, or take the line out".into(),
            },
            (None, _) => "write a value, or take the item out".into(),
        };
        self.mistake("bad-value", path.clone(), what, allowed.sentence(), Some(hint), true)
    }

    fn other_kind(&mut self, allowed: &Allowed<'a>, value: &Value, path: &DocPath) -> bool {
        if self.secret {
            let what = format!("{} takes a mapping that says where the secret is", named(path));
            let why = "A secret in a manifest would be in Git, for everybody who reads it, and for ever.";
            let key = last(path).unwrap_or_default();
            let hint = format!(
                "write `{key}: {{ env: NAME }}`, `{key}: {{ file: PATH }}` or `{key}: {{ command: [PROGRAM] }}`"
            );
            return self.mistake("bad-value", path.clone(), what, why.into(), Some(hint), false);
        }
        let what = format!("{} takes {}, not {}", named(path), allowed.kinds(), kind(value));
        let hint = advice(allowed, value, path, self.root);
        self.mistake("bad-value", path.clone(), what, allowed.sentence(), hint, false)
    }

    fn unknown_word(&mut self, word: &str, known: &[&str], path: DocPath, at_key: bool) -> bool {
        let what = format!("unknown value `{}`", shortened(word));
        let why = format!(
            "A misspelt value would silently mean nothing, so a {} may hold only words that it knows.",
            self.what
        );
        self.mistake("unknown-value", path, what, why, Some(suggestion(word, known)), at_key)
    }

    fn unknown_field(&mut self, key: &str, mapping: &'a Map<String, Value>, path: DocPath) -> bool {
        let known: Vec<&str> = fields(mapping).map(|(key, _)| key).collect();
        let near = suggestion(key, &known);
        let hint = if key == "<<" {
            "merge keys are not read; say once under `profiles` what servers have in common".into()
        } else if near.starts_with("did you mean") {
            near
        } else {
            elsewhere(key, self.root).unwrap_or(near)
        };
        let what = format!("unknown field `{}`", shortened(key));
        let why = format!(
            "A misspelt field would silently mean nothing, so a {} may hold only words that it knows.",
            self.what
        );
        self.mistake("unknown-field", path, what, why, Some(hint), true)
    }

    fn missing(&mut self, key: &str, schema: Option<&'a Value>, path: &DocPath) {
        let allowed = schema.map(|schema| Allowed::by(schema, self.root)).unwrap_or_default();
        let what = match last(path) {
            Some(owner) => format!("`{}` has no `{key}`", shortened(&owner)),
            None => format!("the {} has no `{key}`", self.what),
        };
        let words = allowed.words.first().map(|word| Value::String((*word).into()));
        let hint = match allowed.example.or(words.as_ref()) {
            Some(example) => format!("add `{key}: {}`", flow(example)),
            None => format!("add `{key}`"),
        };
        self.mistake("missing-field", path.clone(), what, allowed.sentence(), Some(hint), true);
    }

    fn mistake(
        &mut self,
        id: &str,
        path: DocPath,
        what: String,
        why: String,
        hint: Option<String>,
        at_key: bool,
    ) -> bool {
        let mut finding = Finding::new(id, Severity::Error, path, what, why);
        finding.hint = hint;
        self.shape.mistakes.push(Mistake { finding, at_key, secret: self.secret });
        false
    }
}

/// What to write instead of a value of another kind.
fn advice(allowed: &Allowed<'_>, value: &Value, path: &DocPath, root: &Value) -> Option<String> {
    let key = last(path).unwrap_or_default();
    match value {
        Value::Number(number) if allowed.text => Some(match allowed.name {
            Some("Span" | "RenewBefore") => {
                format!("write the unit too: `{number}d` for days, `{number}h` for hours")
            }
            _ => format!("put it into quotation marks: `\"{number}\"`"),
        }),
        Value::Bool(_) if allowed.text => Some(match allowed.example {
            Some(example) => format!("write `{key}: {}`", flow(example)),
            None => format!("put it into quotation marks: `\"{value}\"`"),
        }),
        Value::String(word) if allowed.boolean => Some(match word.to_lowercase().as_str() {
            "yes" | "on" | "y" | "1" | "true" => "write `true`".into(),
            "no" | "off" | "n" | "0" | "false" => "write `false`".into(),
            _ => "write `true` or `false`".into(),
        }),
        Value::String(word) if allowed.number.is_some() && word.parse::<i64>().is_ok() => {
            Some(format!("write it without quotation marks: `{word}`"))
        }
        Value::String(word) if !allowed.ways.is_empty() => {
            let words: Vec<&str> = allowed.ways.iter().map(|(word, _)| *word).collect();
            let known = allowed.ways.iter().find(|(known, _)| known == word);
            Some(match known {
                Some((word, schema)) if empty_is_enough(schema, root) => {
                    format!("write `{key}: {{ {word}: {{}} }}`")
                }
                Some((word, _)) => format!("write `{key}: {{ {word}: … }}`"),
                None => one_of(&words),
            })
        }
        Value::String(word) if allowed.list.is_some() => {
            Some(format!("write a list: `[{}]`", shortened(word)))
        }
        Value::String(word) => {
            let only = allowed.mapping.map(|mapping| needed(mapping).collect::<Vec<_>>());
            match only.as_deref() {
                Some([field]) => Some(format!("write `{{ {field}: {} }}`", shortened(word))),
                Some([one, other, ..]) => Some(format!("write `{{ {one}: …, {other}: … }}`")),
                Some([]) => {
                    let field = allowed.mapping.and_then(|mapping| fields(mapping).next());
                    field.map(|(field, _)| format!("write a mapping, such as `{{ {field}: … }}`"))
                }
                None => allowed.example.map(|example| format!("write `{key}: {}`", flow(example))),
            }
        }
        Value::Array(items) if allowed.text => match items.as_slice() {
            [Value::String(one)] => Some(format!("write it without brackets: `{}`", shortened(one))),
            _ => Some("only one value can stand here".into()),
        },
        Value::Array(_) if allowed.mapping.is_some() => {
            Some("write each name with a colon and what belongs to it: `NAME: { … }`".into())
        }
        Value::Array(_) if !allowed.ways.is_empty() => {
            Some(one_of(&allowed.ways.iter().map(|(word, _)| *word).collect::<Vec<_>>()))
        }
        _ => allowed
            .example
            .map(|example| format!("write `{key}: {}`", flow(example)))
            .or_else(|| allowed.words.first().map(|word| format!("write `{key}: {word}`"))),
    }
}

fn empty_is_enough(schema: &Value, root: &Value) -> bool {
    Allowed::by(schema, root).mapping.is_some_and(|mapping| needed(mapping).next().is_none())
}

/// Where a field belongs that is not one of this mapping.
fn elsewhere(field: &str, root: &Value) -> Option<String> {
    let places: Vec<&str> = OWNERS
        .iter()
        .filter(|(definition, _)| root.pointer(&format!("/$defs/{definition}/properties/{field}")).is_some())
        .map(|(_, people)| *people)
        .collect();
    (!places.is_empty()).then(|| format!("`{field}` is a field of {}", places.join(" and ")))
}

/// The mappings in which people look for a field, as they call them.
const OWNERS: &[(&str, &str)] = &[
    ("CertificateSpec", "a certificate"),
    ("KeyRequest", "a certificate's `key`"),
    ("RetireWhen", "a certificate's `retire`"),
    ("ServerSpec", "a server"),
    ("Uses", "a profile"),
    ("LocalCaSpec", "`localCa`"),
    ("CsrSpec", "`csr`"),
    ("PfxSpec", "`pfx`"),
    ("Limits", "`limits`"),
    ("VerifySpec", "`verify`"),
    ("BalancerSpec", "a load balancer"),
    ("PowerShellSpec", "`driver: { powershell: … }`"),
    ("SshSpec", "`ssh`"),
];

fn one_of(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}: …`")).collect();
    match words.split_last() {
        Some((last, others)) if !others.is_empty() => {
            format!("write one of {} and {last}", others.join(", "))
        }
        _ => format!("write {}", words.join("")),
    }
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(value) => format!("`{value}`"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text `{}`", shortened(text)),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a mapping".into(),
    }
}

/// A value by the key that leads to it.
fn named(path: &DocPath) -> String {
    match path.segments().last() {
        Some(Segment::Key(key)) => format!("`{}`", shortened(key)),
        Some(Segment::Index(index)) => {
            let list = path.parent().and_then(|list| last(&list)).unwrap_or_default();
            format!("item {} of `{}`", index + 1, shortened(&list))
        }
        None => "the document".into(),
    }
}

fn last(path: &DocPath) -> Option<String> {
    path.segments().iter().rev().find_map(|segment| match segment {
        Segment::Key(key) => Some(key.clone()),
        Segment::Index(_) => None,
    })
}

/// A value in the brackets of YAML.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains(": ") || text.contains('*') => format!("\"{text}\""),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) if entries.is_empty() => "{}".into(),
        Value::Object(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}
