//! Every mistake in the shape of a document, in one walk along its schema. What is wrong is taken out of the value, so that
//! the rest can be read and checked as well.

use std::{
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

use serde_json::{Map, Value};

use super::{
    advice::{advice, flow, kind, last, named, newer_version, one_of, shortened, unknown_field},
    kind::DocumentKind,
    schema::{Allowed, fields, key_words, needed, values},
    secret,
    trail::Trail,
};
use crate::manifest::{
    finding::{DocPath, Finding, Segment, Severity},
    suggestion::{nearest, quotes, suggestion},
};

#[derive(Debug, Default)]
pub(super) struct Shape {
    pub(super) mistakes: Vec<Mistake>,
    /// The paths of what was taken out.
    pub(super) left_out: BTreeSet<DocPath>,
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
    let mut walk = Walk { root: schema, what, secret: false, shape: Shape::default(), known: HashMap::new() };
    let allowed = walk.allowed(schema);
    if let Some(entries) = &allowed.entries {
        walk.mapping(entries, document, Trail::Root);
    }
    walk.shape
}

struct Walk<'a> {
    root: &'a Value,
    what: &'a str,
    /// Whether the walk is where the manifest says how a secret is read.
    secret: bool,
    shape: Shape,
    /// What was asked of the schema before, by the place of its parts in memory.
    known: HashMap<*const Value, Rc<Known<'a>>>,
}

/// What may stand at one place, with the entries that a mapping there may have.
struct Known<'a> {
    allowed: Allowed<'a>,
    entries: Option<Entries<'a>>,
}

/// What a mapping may hold.
struct Entries<'a> {
    mapping: &'a Map<String, Value>,
    fields: HashMap<&'a str, &'a Value>,
    /// The schema of the values whose keys are free, and the words that those may be, where not all are.
    others: Option<&'a Value>,
    words: Vec<&'a str>,
    needed: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    fn allowed(&mut self, schema: &'a Value) -> Rc<Known<'a>> {
        let root = self.root;
        let known = self.known.entry(std::ptr::from_ref(schema)).or_insert_with(|| {
            let allowed = Allowed::by(schema, root);
            let entries = allowed.mapping.map(|mapping| Entries {
                mapping,
                fields: fields(mapping).collect(),
                others: values(mapping),
                words: key_words(mapping),
                needed: needed(mapping).collect(),
            });
            Rc::new(Known { allowed, entries })
        });
        Rc::clone(known)
    }

    /// Whether the value can stay.
    fn value(&mut self, schema: &'a Value, value: &mut Value, trail: Trail<'_>) -> bool {
        let known = self.allowed(schema);
        let around = self.secret;
        self.secret |= secret::is_secret(&known.allowed);
        let stays = self.fits(&known, value, trail);
        self.secret = around;
        if !stays {
            self.shape.left_out.insert(trail.path());
        }
        stays
    }

    fn fits(&mut self, known: &Known<'a>, value: &mut Value, trail: Trail<'_>) -> bool {
        let allowed = &known.allowed;
        allowed.anything
            || match value {
                Value::Null => allowed.null || self.no_value(allowed, &trail.path()),
                Value::Bool(_) => allowed.boolean || self.other_kind(allowed, value, &trail.path()),
                Value::Number(_) => self.number(allowed, value, trail),
                Value::String(word) => {
                    if allowed.text || allowed.words.contains(&word.as_str()) {
                        true
                    } else if allowed.words.is_empty() || self.secret || allowed.is_rather_a_mapping(word) {
                        self.other_kind(allowed, value, &trail.path())
                    } else {
                        self.unknown_word(word, &allowed.words, trail.path(), false)
                    }
                }
                Value::Array(items) => match allowed.list {
                    Some(schema) => self.items(schema, items, trail),
                    None => self.other_kind(allowed, value, &trail.path()),
                },
                Value::Object(content) => match (&known.entries, allowed.ways.is_empty()) {
                    (Some(entries), _) => self.mapping(entries, content, trail),
                    (None, false) => self.way(allowed, content, trail),
                    (None, true) => self.other_kind(allowed, value, &trail.path()),
                },
            }
    }

    fn items(&mut self, schema: &'a Value, items: &mut Vec<Value>, trail: Trail<'_>) -> bool {
        let mut index = 0;
        items.retain_mut(|item| {
            index += 1;
            self.value(schema, item, Trail::Index(&trail, index - 1))
        });
        true
    }

    fn mapping(&mut self, known: &Entries<'a>, entries: &mut Map<String, Value>, trail: Trail<'_>) -> bool {
        let (mut lost, mut meant) = (BTreeSet::<String>::new(), BTreeSet::<&str>::new());
        let mut without_value: Option<&str> = None;
        for (key, value) in entries.iter_mut() {
            let at = Trail::Key(&trail, key);
            let stays = match (known.fields.get(key.as_str()).copied(), known.others) {
                // What a person leaves without a value was to have one.
                (Some(schema), _) if value.is_null() && self.what == DocumentKind::MANIFEST.name => {
                    let known = self.allowed(schema);
                    without_value = known.allowed.mapping.is_some().then_some(key);
                    self.no_value(&known.allowed, &at.path())
                }
                (Some(schema), _) => self.value(schema, value, at),
                (None, Some(schema)) if known.words.is_empty() || known.words.contains(&key.as_str()) => {
                    self.value(schema, value, at)
                }
                (None, Some(_)) => self.unknown_word(key, &known.words, at.path(), true),
                (None, None) => {
                    // What is misspelt is not missing.
                    let near = nearest(key, &known.fields.keys().copied().collect::<Vec<_>>());
                    meant.extend(known.fields.keys().filter(|known| Some(**known) == near));
                    self.unknown_field((key, value), known.mapping, at.path(), without_value)
                }
            };
            if !stays {
                self.shape.left_out.insert(at.path());
                lost.insert(key.clone());
            }
        }
        if !lost.is_empty() {
            entries.retain(|key, _| !lost.contains(key));
        }
        let mut whole = true;
        for key in &known.needed {
            if entries.contains_key(*key) {
                continue;
            }
            let schema = known.fields.get(key).copied();
            if !lost.contains(*key) && !meant.contains(key) {
                self.missing(key, schema, &trail.path());
            }
            // With something in its place the rest of the entry is read, and all that is wrong with it is told.
            match schema.and_then(|schema| Allowed::by(schema, self.root).stand_in()) {
                Some(value) if !matches!(trail, Trail::Root) => {
                    self.shape.left_out.insert(trail.path().key(key));
                    entries.insert((*key).to_owned(), value);
                }
                _ => whole = false,
            }
        }
        whole
    }

    /// A mapping with one key, which says which of several things it is.
    fn way(&mut self, allowed: &Allowed<'a>, entries: &mut Map<String, Value>, trail: Trail<'_>) -> bool {
        let words: Vec<&str> = allowed.ways.iter().map(|(word, _)| *word).collect();
        let mut known = Vec::new();
        for key in entries.keys() {
            match allowed.ways.iter().find(|(word, _)| word == key) {
                Some(way) => known.push(*way),
                // What is not even like a word may be the secret itself.
                None if self.secret && nearest(key, &words).is_none() => drop(self.in_clear(allowed, trail)),
                None => drop(self.unknown_word(key, &words, trail.path().key(key), true)),
            }
        }
        match known.as_slice() {
            [(word, schema)] => {
                let whole = self.value(schema, &mut entries[*word], Trail::Key(&trail, word));
                if self.secret {
                    return whole && entries.len() == 1;
                }
                let others = entries.keys().filter(|key| *key != word).map(|key| trail.path().key(key));
                self.shape.left_out.extend(others);
                entries.retain(|key, _| key == word);
                whole
            }
            [] if entries.is_empty() => {
                let path = trail.path();
                let (what, hint) = (format!("{} is empty", named(&path)), one_of(&words));
                self.mistake("bad-value", path, what, allowed.sentence(), Some(hint), false)
            }
            [] => false,
            [(one, _), (other, _), ..] => {
                let what = format!("`{one}` and `{other}` are both given, and only one of them can be meant");
                self.mistake(
                    "bad-value",
                    trail.path().key(other),
                    what,
                    allowed.sentence(),
                    Some("keep one of them".into()),
                    true,
                )
            }
        }
    }

    fn number(&mut self, allowed: &Allowed<'a>, value: &Value, trail: Trail<'_>) -> bool {
        let Some(range) = allowed.number else { return self.other_kind(allowed, value, &trail.path()) };
        let fits = value.as_i64().is_some_and(|number| {
            number >= range.least && range.greatest.is_none_or(|greatest| number <= greatest)
        });
        if fits {
            return true;
        }
        let path = trail.path();
        // YAML makes 1000.0 of `1e3`: what stands there is not repeated.
        let what = match value {
            Value::Number(number) if number.is_f64() => format!("{} takes a whole number", named(&path)),
            _ => format!("{} cannot be {value}", named(&path)),
        };
        let hint = match range.greatest {
            Some(greatest) => format!("write a whole number from {} to {greatest}", range.first()),
            None => format!("write a whole number, {} or more", range.first()),
        };
        self.mistake("bad-value", path, what, allowed.sentence(), Some(hint), false)
    }

    fn no_value(&mut self, allowed: &Allowed<'a>, path: &DocPath) -> bool {
        let what = format!("{} has no value", named(path));
        let key = match path.segments().last() {
            Some(Segment::Key(key)) => Some(key),
            Some(Segment::Index(_)) | None => None,
        };
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
            return self.in_clear_at(allowed, path);
        }
        let words: Vec<&str> = allowed.ways.iter().map(|(word, _)| *word).collect();
        let is_word = value.as_str().is_some_and(|word| nearest(word, &words).is_some());
        if !is_word && secret::holds_one(allowed, self.root, 0) {
            return self.in_clear_around(allowed, value, path);
        }
        let what = format!("{} takes {}, not {}", named(path), allowed.kinds(), kind(value));
        let hint = advice(allowed, value, path, self.root);
        self.mistake("bad-value", path.clone(), what, allowed.sentence(), Some(hint), false)
    }

    /// A secret, or something in its place. It is not repeated.
    fn in_clear(&mut self, allowed: &Allowed<'a>, trail: Trail<'_>) -> bool {
        self.in_clear_at(allowed, &trail.path())
    }

    fn in_clear_at(&mut self, allowed: &Allowed<'a>, path: &DocPath) -> bool {
        let (what, hint) = secret::instead(allowed, path);
        let why = "A secret in a manifest would be in Git, for everybody who reads it, and for ever.";
        self.mistake("bad-value", path.clone(), what, why.into(), Some(hint), false)
    }

    /// Something in the place of what says where a secret is. It may be the secret, so it is not repeated.
    fn in_clear_around(&mut self, allowed: &Allowed<'a>, value: &Value, path: &DocPath) -> bool {
        let what = format!("{} takes {}, not {}", named(path), allowed.kinds(), secret::kind_only(value));
        let hint = secret::form(allowed, path);
        let around = std::mem::replace(&mut self.secret, true);
        let stays = self.mistake("bad-value", path.clone(), what, allowed.sentence(), Some(hint), false);
        self.secret = around;
        stays
    }

    fn unknown_word(&mut self, word: &str, known: &[&str], path: DocPath, at_key: bool) -> bool {
        if word.starts_with("certwright.lab/") && known == ["certwright/v1"] {
            let what = "this file is a lab, and no manifest".into();
            let why =
                "A lab says how a simulated organization is found; a manifest says how it should be.".into();
            let hint = "name the manifest whose `driver` is this lab".to_owned();
            return self.mistake("unknown-value", path, what, why, Some(hint), at_key);
        }
        if let (Some(newer), [known]) = (newer_version(word, known), known) {
            let what = format!("this {} is of format v{newer}; this certwright knows `{known}`", self.what);
            let why = "A newer format may say things that an older certwright would overlook.".to_owned();
            let hint = format!(
                "use a newer certwright, or write `apiVersion: {known}` if the file was meant for this one"
            );
            return self.mistake("unknown-value", path, what, why, Some(hint), at_key);
        }
        let what = format!("unknown value `{}`", shortened(word));
        let why = format!(
            "A misspelt value would silently mean nothing, so a {} may hold only words that it knows.",
            self.what
        );
        self.mistake("unknown-value", path, what, why, Some(suggestion(word, known)), at_key)
    }

    /// A field that there is not. Behind one for mappings without a value it is rather to be indented.
    fn unknown_field(
        &mut self,
        (key, value): (&str, &Value),
        mapping: &'a Map<String, Value>,
        path: DocPath,
        without_value: Option<&str>,
    ) -> bool {
        let known: Vec<&str> = fields(mapping).map(|(key, _)| key).collect();
        let slip = nearest(key, &known);
        let hint = unknown_field(key, value, mapping, self.root, without_value);
        let what = format!("unknown field `{}`", shortened(key));
        let why = format!(
            "A misspelt field would silently mean nothing, so a {} may hold only words that it knows.",
            self.what
        );
        // A misspelt `password` has the secret behind it.
        let around = self.secret;
        let meant = slip.and_then(|near| fields(mapping).find(|(known, _)| *known == near));
        self.secret |= match meant {
            Some((_, schema)) => secret::is_secret(&Allowed::by(schema, self.root)),
            None => secret::has_one(mapping, self.root),
        };
        let stays = self.mistake("unknown-field", path, what, why, Some(hint), true);
        self.secret = around;
        stays
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
        finding.hint = quotes(&finding.message).or(hint);
        self.shape.mistakes.push(Mistake { finding, at_key, secret: self.secret });
        false
    }
}
