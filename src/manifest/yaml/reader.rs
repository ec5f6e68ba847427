//! From a value to a type, with every mistake on the way.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    aside::Aside,
    kind::DocumentKind,
    meaning::{Meaning, meaning},
    places::Places,
    reading::Unread,
    shape::{self, Mistake, Shape},
    text::bad,
    told::{At, Told},
};
use crate::{
    json::{self, JsonError},
    manifest::{
        finding::{DocPath, Finding, Place, Segment, Severity},
        suggestion::quotes,
    },
};

/// Reading a document that has mistakes.
pub(super) struct Reader {
    pub(super) value: Map<String, Value>,
    /// The file in which a key of the first level stands first.
    pub(super) first_in: HashMap<String, usize>,
    pub(super) told: Vec<Told>,
    pub(super) left_out: Unread,
    /// Files that are something else.
    pub(super) foreign: BTreeSet<String>,
}

impl Reader {
    pub(super) fn all_of<T: DeserializeOwned>(
        &mut self,
        kind: DocumentKind,
        stand_in: &[(&str, Value)],
        places: &Places,
    ) -> Option<T> {
        let schema: Value = serde_json::from_str(&kind.schema.json()).expect("a schema is JSON");
        let Shape { mistakes, left_out } = shape::mend(&mut self.value, &schema, kind.name);
        self.left_out.paths.extend(left_out);
        let foreign = self.foreign_files(&mistakes);
        for Mistake { finding, at_key, secret } in mistakes {
            // What is missing may stand in the file that could not be read.
            let of_document = finding.path == DocPath::root();
            if of_document && finding.id == "missing-field" && (self.left_out.file || !foreign.is_empty()) {
                continue;
            }
            self.told.push(Told { finding, at: if at_key { At::Key } else { At::Value }, secret });
        }
        let name = |file: usize| places.sources().nth(file).map(|source| source.file.clone());
        self.foreign = foreign.into_iter().filter_map(name).collect();
        for file in self.foreign.clone() {
            let place = Place { file, line: 1, column: 1, text: String::new() };
            let what = format!("none of the fields of this file is one of a {}", kind.name);
            let why = "All YAML files of a directory are read as one manifest, but for hidden ones.";
            self.told.push(Told::there(
                bad(place, what, why)
                    .hinted("move the file to another directory, or name the right files one by one"),
            ));
        }
        for (key, value) in stand_in {
            if !self.value.contains_key(*key) {
                self.left_out.paths.insert(DocPath::of(&[key]));
                self.value.insert((*key).to_owned(), value.clone());
            }
        }
        self.values(&schema, kind.name)
    }

    /// The files of which no field on the first level is known: they are something else.
    fn foreign_files(&self, mistakes: &[Mistake]) -> BTreeSet<usize> {
        let unknown: BTreeSet<&DocPath> = mistakes
            .iter()
            .filter(|mistake| {
                mistake.finding.id == "unknown-field" && mistake.finding.path.segments().len() == 1
            })
            .map(|mistake| &mistake.finding.path)
            .collect();
        if unknown.is_empty() {
            return BTreeSet::new();
        }
        let mut known: BTreeSet<usize> = BTreeSet::new();
        let mut fields: BTreeMap<usize, usize> = BTreeMap::new();
        for (key, file) in &self.first_in {
            if unknown.contains(&DocPath::of(&[key])) {
                *fields.entry(*file).or_default() += 1;
            } else {
                known.insert(*file);
            }
        }
        // One word alone is rather a slip.
        fields
            .into_iter()
            .filter(|(file, words)| *words > 1 && !known.contains(file))
            .map(|(file, _)| file)
            .collect()
    }

    /// Reads the values themselves. One that cannot be read is taken out, and the rest is read again: what stands before it
    /// is set aside until the end, so that many mistakes take no longer than one.
    fn values<T: DeserializeOwned>(&mut self, schema: &Value, kind: &str) -> Option<T> {
        let (mut aside, mut with_lost_keys) = (Aside::default(), Vec::new());
        for _ in 0..MOST_VALUES {
            let error = match self.read_once(&mut aside) {
                Ok(value) => {
                    self.left_out.paths.extend(with_lost_keys);
                    return Some(value);
                }
                Err(error) => error,
            };
            let JsonError { path, message } = error;
            let mut place = doc_path(&path);
            // A key that is wrong is known by its mapping and by the first name in the message.
            let named = message.split('`').nth(1).unwrap_or_default();
            let key_of =
                |place: &DocPath| at(&self.value, place).is_some_and(|keys| keys.contains_key(named));
            let at_key = if key_of(&place) {
                place = place.key(named);
                true
            } else {
                place.segments().last() == Some(&Segment::Key(named.to_owned()))
            };
            let path = self.left_out.path_before(&place);
            // What something that was left out brings about has been told with it, and so has a file that could not be read.
            let of_lost_file = self.left_out.file && path == DocPath::root();
            if !of_lost_file && !self.left_out.touches(&path) {
                let finding = value_finding(&path, &message, meant(schema, &path, at_key), kind);
                let at = if at_key { At::Key } else { At::Value };
                self.told.push(Told { finding, at, secret: false });
            }
            if let Some(way) = take_way_out(&mut self.value, &place) {
                self.left_out.paths.insert(way);
                continue;
            }
            // Whatever refers to a name that could not be read may mean it. Other keys beside it are read before that counts.
            with_lost_keys.extend(path.parent().filter(|parent| at_key && *parent != DocPath::root()));
            self.left_out.paths.insert(path);
            aside.set(&mut self.value, &place, schema);
            if !take_out(&mut self.value, &place) {
                return None;
            }
        }
        None
    }

    /// The value of what is there now, with what was set aside.
    fn read_once<T: DeserializeOwned>(&mut self, aside: &mut Aside) -> Result<T, JsonError> {
        let read: T = json::read_mapping(&self.value)?;
        if aside.is_empty() {
            return Ok(read);
        }
        aside.put_back(&mut self.value);
        json::read_mapping(&self.value)
    }
}

/// What the schema says of a value, or of the mapping whose key is wrong.
fn meant(schema: &Value, path: &DocPath, at_key: bool) -> Meaning {
    match path.parent().filter(|_| at_key) {
        Some(parent) => Meaning { hint: None, ..meaning(schema, &parent) },
        None => meaning(schema, path),
    }
}

/// What is said of a value that its type refuses. What the deserializer would say itself the schema has said before, in words
/// for people; where it has not, the value is only pointed at.
fn value_finding(path: &DocPath, message: &str, Meaning { sentence, hint }: Meaning, kind: &str) -> Finding {
    let schema = || format!("correct it; `certwright schema {kind}` tells the form");
    let (what, hint) = if DESERIALIZER.iter().any(|words| message.starts_with(words)) {
        ("this cannot stand here", schema())
    } else {
        match message.split_once("; ") {
            Some((what, hint)) => (what, hint.to_owned()),
            None => (message, hint.unwrap_or_else(schema)),
        }
    };
    let hint = quotes(message).unwrap_or(hint);
    let why = if sentence.is_empty() { "It is read by the rules of what it names.".into() } else { sentence };
    Finding::new("bad-value", Severity::Error, path.clone(), what, why).hinted(hint)
}

/// Takes out of a load balancer what says how it gets its certificate, when that is wrong, so that the rest of it is read; returns
/// the path of what is missing then. None when it is something else that is wrong, or when it was taken out before.
fn take_way_out(document: &mut Map<String, Value>, place: &DocPath) -> Option<DocPath> {
    let [Segment::Key(section), Segment::Key(name), inside @ ..] = place.segments() else { return None };
    let of_way = match inside {
        [] => true,
        [Segment::Key(key), ..] => WAYS.contains(&key.as_str()),
        [Segment::Index(_), ..] => false,
    };
    if section != "loadBalancers" || !of_way {
        return None;
    }
    let balancer = document.get_mut(section)?.get_mut(name)?.as_object_mut()?;
    let is_stand_in = |value: &Value| value.as_object().is_some_and(Map::is_empty);
    if balancer.get("lab").is_some_and(is_stand_in)
        && WAYS[1..].iter().all(|way| !balancer.contains_key(*way))
    {
        return None;
    }
    balancer.retain(|key, _| !WAYS.contains(&key.as_str()));
    balancer.insert("lab".to_owned(), Value::Object(Map::new()));
    Some(DocPath::of(&[section, name, "lab"]))
}

/// The ways in which a load balancer gets its certificate; the first asks for nothing more.
const WAYS: [&str; 4] = ["lab", "haproxy", "nginx", "command"];

/// The mapping at a path.
fn at<'a>(document: &'a Map<String, Value>, path: &DocPath) -> Option<&'a Map<String, Value>> {
    let mut mapping = document;
    let mut value: Option<&Value> = None;
    for segment in path.segments() {
        value = Some(match (segment, value) {
            (Segment::Key(key), None) => mapping.get(key)?,
            (Segment::Key(key), Some(value)) => value.get(key)?,
            (Segment::Index(index), value) => value?.get(index)?,
        });
        if let Some(object) = value.and_then(Value::as_object) {
            mapping = object;
        }
    }
    match value {
        None => Some(document),
        Some(value) => value.as_object(),
    }
}

/// Takes the value at a path out of a document; false when there is none.
fn take_out(document: &mut Map<String, Value>, path: &DocPath) -> bool {
    let Some((last, way)) = path.segments().split_last() else { return false };
    let mut holder: Option<&mut Value> = None;
    let mut root = Some(document);
    for segment in way {
        let next = match (segment, holder.take()) {
            (Segment::Key(key), None) => root.take().and_then(|root| root.get_mut(key)),
            (Segment::Key(key), Some(value)) => value.get_mut(key),
            (Segment::Index(index), value) => value.and_then(|value| value.get_mut(*index)),
        };
        let Some(next) = next else { return false };
        holder = Some(next);
    }
    match (last, holder, root) {
        (Segment::Key(key), None, Some(root)) => root.shift_remove(key).is_some(),
        (Segment::Key(key), Some(Value::Object(mapping)), _) => mapping.shift_remove(key).is_some(),
        (Segment::Index(index), Some(Value::Array(items)), _) if *index < items.len() => {
            items.remove(*index);
            true
        }
        _ => false,
    }
}

fn doc_path(path: &serde_path_to_error::Path) -> DocPath {
    use serde_path_to_error::Segment as From;
    path.iter().fold(DocPath::root(), |path, segment| match segment {
        From::Seq { index } => path.with(Segment::Index(*index)),
        From::Map { key } => path.with(Segment::Key(key.clone())),
        From::Enum { variant } => path.with(Segment::Key(variant.clone())),
        From::Unknown => path,
    })
}

/// How the deserializer begins what it says itself. The schema has said it before, in words for people.
const DESERIALIZER: [&str; 7] = [
    "invalid type",
    "invalid value",
    "invalid length",
    "unknown variant",
    "unknown field",
    "missing field",
    "duplicate field",
];

/// So many values of one document are read again without the one before; more mistakes than that are no slip.
const MOST_VALUES: usize = 200;
