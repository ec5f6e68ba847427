//! From the text of files to a [`Manifest`], and to everything that is wrong with it, with line and column. `serde_yaml`
//! gives the values, saphyr-parser the places where they stand, and the schema of the type what may stand there.

mod places;
mod schema;
mod shape;
mod syntax;
mod text;

use std::collections::{BTreeSet, HashMap};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

pub(crate) use self::text::{LARGEST, START_FROM};
pub use self::{places::Places, text::Source};
use self::{
    places::{Outline, Spot, Twice, outline},
    shape::{Meaning, Mistake, Shape},
    text::bad,
};
use super::{
    Manifest,
    finding::{DocPath, Finding, Place, Segment, Severity},
};
use crate::schemas::{self, CarriedSchema};

/// A kind of document.
#[derive(Clone, Copy, Debug)]
pub struct DocumentKind {
    /// Its name in messages.
    pub name: &'static str,
    /// Its JSON schema: what is said of a mistake comes from there.
    pub schema: &'static str,
}

impl DocumentKind {
    /// Manifests.
    pub const MANIFEST: Self = Self::of(schemas::MANIFEST);
    /// Any YAML: only what is no YAML is wrong.
    pub const ANY: Self = Self { name: "manifest", schema: "true" };

    /// The kind that a schema describes.
    pub const fn of(schema: CarriedSchema) -> Self {
        Self { name: schema.name, schema: schema.json }
    }
}

/// What files hold, and everything that is wrong with their form.
#[derive(Debug)]
pub struct Reading<T> {
    /// What could be read of it: whole when there are no findings.
    pub value: Option<T>,
    /// Everything that is wrong with the form, in the order of the files.
    pub findings: Vec<Finding>,
    /// What is missing in the value because of that.
    pub left_out: Unread,
    /// Where everything stands.
    pub places: Places,
}

/// What a value does not show because of a mistake in its form. Nothing may be concluded from its absence.
#[derive(Clone, Debug, Default)]
pub struct Unread {
    paths: BTreeSet<DocPath>,
    /// Whether a file could not be read at all.
    file: bool,
}

impl Unread {
    /// Whether the value is whole.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && !self.file
    }

    /// Whether what stands at this path, or a part of it, or what it stands in was left out.
    pub fn touches(&self, path: &DocPath) -> bool {
        let above = || {
            let mut above = Some(path.clone());
            std::iter::from_fn(move || {
                let next = above.take()?;
                above = next.parent();
                Some(next)
            })
        };
        let inside = || self.paths.range(path..).next().is_some_and(|lost| lost.starts_with(path));
        self.file || above().any(|path| self.paths.contains(&path)) || inside()
    }

    /// The path that a value had before items of the lists around it were left out.
    fn path_before(&self, path: &DocPath) -> DocPath {
        path.segments().iter().fold(DocPath::root(), |before, segment| match segment {
            Segment::Key(_) => before.with(segment.clone()),
            Segment::Index(index) => {
                let there = (0..).filter(|at| !self.paths.contains(&before.index(*at))).nth(*index);
                before.index(there.unwrap_or(*index))
            }
        })
    }
}

/// Reads the manifest that these files make up together.
pub fn manifest(sources: &[Source]) -> Result<(Manifest, Places), Vec<Finding>> {
    let Reading { value, findings, left_out: _, places } = manifest_and_mistakes(sources);
    match value {
        Some(manifest) if findings.is_empty() => Ok((manifest, places)),
        _ => Err(findings),
    }
}

/// Reads as much of a manifest as can be read, and finds everything that is wrong with its form.
pub fn manifest_and_mistakes(sources: &[Source]) -> Reading<Manifest> {
    Document::of(sources).read(
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
    let Reading { value, findings, left_out: _, places } = Document::of(&[source]).read(kind, &[]);
    match value {
        Some(value) if findings.is_empty() => Ok((value, places)),
        _ => Err(findings),
    }
}

/// A document of one or more files: its value, and where each part of it stands.
#[derive(Debug, Default)]
struct Document {
    value: Map<String, Value>,
    places: Places,
    findings: Vec<Finding>,
    /// Whether a file could not be read at all.
    lost: bool,
}

impl Document {
    /// Reads and joins the files. Mappings of the same name are joined; any other key may stand in one file only.
    fn of(sources: &[Source]) -> Self {
        let mut document = Self::default();
        for source in sources {
            let found = document.add(source);
            document.lost |= found.is_err();
            document.findings.extend(found.err().into_iter().flatten());
        }
        document
    }

    fn add(&mut self, source: &Source) -> Result<(), Vec<Finding>> {
        let file = self.places.files.len();
        let read = text::of(source);
        let lines = read.as_ref().map(|text| text.lines().map(str::to_owned).collect()).unwrap_or_default();
        self.places.files.push((source.file.clone(), lines));
        let text = read.map_err(|finding| vec![finding])?;
        // Its bounds on nesting come before anything that takes longer the deeper values nest.
        let outline =
            outline(text, file).map_err(|broken| vec![syntax::broken(&self.places, file, &broken)])?;
        let value = match serde_yaml::from_str::<Value>(text) {
            Ok(Value::Object(value)) if !value.is_empty() => value,
            Ok(Value::Object(_) | Value::Null) => return Err(vec![text::empty(source)]),
            Ok(_) => {
                let why = "A manifest is a mapping: lines of the form `key: value`.";
                let finding = bad(text::start(source), "the file is not a mapping", why);
                return Err(vec![finding.hinted(START_FROM)]);
            }
            Err(error) => return Err(syntax::refused(&self.places, file, &outline, &error.to_string())),
        };
        let Outline { spots, twice, .. } = outline;
        self.findings.extend(twice.into_iter().map(|Twice { path, first, second }| {
            let mut finding = twice_defined(&path);
            finding.place = Some(self.places.place(file, second));
            finding.related = Some(self.places.place(file, first));
            finding
        }));
        self.join(value, spots);
        Ok(())
    }

    fn join(&mut self, value: Map<String, Value>, spots: HashMap<DocPath, Spot>) {
        for (key, new) in value {
            let path = DocPath::root().key(&key);
            match (self.value.get_mut(&key), new) {
                (None, new) => {
                    self.value.insert(key, new);
                }
                (Some(Value::Object(old)), Value::Object(new)) => {
                    for (name, value) in new {
                        let path = path.key(&name);
                        if old.contains_key(&name) {
                            self.findings.push(twice_in_files(&self.places, &path, spots.get(&path)));
                        } else {
                            old.insert(name, value);
                        }
                    }
                }
                // Every file says its format; they have to agree.
                (Some(old), new) if key == "apiVersion" && *old == new => {}
                (Some(_), _) => self.findings.push(twice_in_files(&self.places, &path, spots.get(&path))),
            }
        }
        for (path, spot) in spots {
            self.places.at.entry(path).or_insert(spot);
        }
    }

    /// The document as a value, or as much of it as can be read; `stand_in` takes the place of what a document cannot do
    /// without.
    fn read<T: DeserializeOwned>(self, kind: DocumentKind, stand_in: &[(&str, Value)]) -> Reading<T> {
        let Self { value, places, mut findings, lost } = self;
        findings.extend(twice_but_for_case(&value, &places));
        let mut reader =
            Reader { value, places, findings, left_out: Unread { paths: BTreeSet::new(), file: lost } };
        let value = reader.all_of(kind, stand_in);
        let Reader { places, findings, left_out, .. } = reader;
        Reading { value, findings: places.in_order(findings), left_out, places }
    }
}

/// Reading a document that has mistakes.
struct Reader {
    value: Map<String, Value>,
    places: Places,
    findings: Vec<Finding>,
    left_out: Unread,
}

impl Reader {
    fn all_of<T: DeserializeOwned>(&mut self, kind: DocumentKind, stand_in: &[(&str, Value)]) -> Option<T> {
        let schema: Value = serde_json::from_str(kind.schema).expect("a schema is JSON");
        let Shape { mistakes, left_out, meanings } = shape::mend(&mut self.value, &schema, kind.name);
        self.left_out.paths.extend(left_out);
        let foreign = self.foreign_files(&mistakes);
        for Mistake { finding, at_key, secret } in mistakes {
            // What is missing may stand in the file that could not be read.
            let of_document = finding.path == DocPath::root();
            if of_document && finding.id == "missing-field" && (self.left_out.file || !foreign.is_empty()) {
                continue;
            }
            let place = at_key.then(|| self.places.of_key(&finding.path)).flatten();
            let mut finding = self.places.locate(Finding { place, ..finding });
            if finding.place.as_ref().is_some_and(|place| foreign.contains(&place.file)) {
                continue;
            }
            if secret && let Some(place) = &mut finding.place {
                place.text.clear();
            }
            self.findings.push(finding);
        }
        for file in foreign {
            let place = Place { file, line: 1, column: 1, text: String::new() };
            let what = format!("none of the fields of this file is one of a {}", kind.name);
            let why = "All YAML files of a directory are read as one manifest, but for hidden ones.";
            self.findings.push(
                bad(place, what, why)
                    .hinted("move the file to another directory, or name the right files one by one"),
            );
        }
        for (key, value) in stand_in {
            if !self.value.contains_key(*key) {
                self.left_out.paths.insert(DocPath::of(&[key]));
                self.value.insert((*key).to_owned(), value.clone());
            }
        }
        self.values(&meanings)
    }

    /// The files of which no field on the first level is known: they are something else.
    fn foreign_files(&self, mistakes: &[Mistake]) -> BTreeSet<String> {
        let unknown: BTreeSet<&DocPath> = mistakes
            .iter()
            .filter(|mistake| {
                mistake.finding.id == "unknown-field" && mistake.finding.path.segments().len() == 1
            })
            .map(|mistake| &mistake.finding.path)
            .collect();
        let mut known: BTreeSet<usize> = BTreeSet::new();
        let mut foreign: BTreeSet<usize> = BTreeSet::new();
        for (path, spot) in self.places.at.iter().filter(|(path, _)| path.segments().len() == 1) {
            if unknown.contains(path) {
                foreign.insert(spot.file);
            } else {
                known.insert(spot.file);
            }
        }
        // One word alone is rather a slip.
        let several = |file: &&usize| {
            unknown
                .iter()
                .filter(|path| self.places.at.get(path).is_some_and(|spot| spot.file == **file))
                .count()
                > 1
        };
        foreign.difference(&known).filter(several).map(|file| self.places.files[*file].0.clone()).collect()
    }

    /// Reads the values themselves. One that cannot be read is taken out, and the rest is read again.
    fn values<T: DeserializeOwned>(&mut self, meanings: &HashMap<DocPath, Meaning>) -> Option<T> {
        for _ in 0..MOST_VALUES {
            let error = match serde_path_to_error::deserialize(Value::Object(self.value.clone())) {
                Ok(value) => return Some(value),
                Err(error) => error,
            };
            let mut place = doc_path(error.path());
            let message = error.into_inner().to_string();
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
            // What something that was left out brings about has been told with it.
            if !self.left_out.touches(&path) {
                let meaning = meanings.get(&path).cloned().unwrap_or_default();
                let finding = value_finding(&path, &message, meaning);
                let place = at_key.then(|| self.places.of_key(&path)).flatten();
                self.findings.push(self.places.locate(Finding { place, ..finding }));
            }
            // Whatever refers to a name that could not be read may mean it.
            let lost = path.parent().filter(|parent| at_key && *parent != DocPath::root());
            self.left_out.paths.extend(lost);
            self.left_out.paths.insert(path);
            if !take_out(&mut self.value, &place) {
                return None;
            }
        }
        None
    }
}

/// What is said of a value that its type refuses. What the deserializer would say itself the schema has said before, in words
/// for people; where it has not, the value is only pointed at.
fn value_finding(path: &DocPath, message: &str, Meaning { sentence, hint }: Meaning) -> Finding {
    let schema = || "write it as `certwright schema manifest` says".to_owned();
    let (what, hint) = if DESERIALIZER.iter().any(|words| message.starts_with(words)) {
        ("this cannot stand here", schema())
    } else {
        match message.split_once("; ") {
            Some((what, hint)) => (what, hint.to_owned()),
            None => (message, hint.unwrap_or_else(schema)),
        }
    };
    let why = if sentence.is_empty() { "It is read by the rules of what it names.".into() } else { sentence };
    Finding::new("bad-value", Severity::Error, path.clone(), what, why).hinted(hint)
}

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

fn twice_defined(path: &DocPath) -> Finding {
    let what = format!("`{path}` is defined twice");
    let why = "Only one of the two can be meant, and certwright does not guess which.";
    Finding::new("duplicate-key", Severity::Error, path.clone(), what, why)
        .hinted("keep one of the two definitions")
}

/// Keys that Exchange takes for one and the same.
fn twice_but_for_case(document: &Map<String, Value>, places: &Places) -> Vec<Finding> {
    let mut findings = Vec::new();
    for section in ["servers", "sendConnectors", "loadBalancers"] {
        let mut seen: HashMap<String, &String> = HashMap::new();
        for name in
            document.get(section).and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name)
        {
            if let Some(first) = seen.insert(name.to_lowercase(), name) {
                let path = DocPath::of(&[section, name]);
                let what = format!("`{first}` and `{name}` are one and the same name");
                let why = "Exchange and DNS make no difference between upper and lower case.";
                let mut finding = Finding::new("duplicate-key", Severity::Error, path.clone(), what, why)
                    .hinted("keep one of the two definitions, or correct the name");
                finding.place = places.of_key(&path);
                finding.related = places.of_key(&DocPath::of(&[section, first]));
                findings.push(finding);
            }
        }
    }
    findings
}

fn twice_in_files(places: &Places, path: &DocPath, second: Option<&Spot>) -> Finding {
    let mut finding = twice_defined(path);
    finding.place = second.map(|spot| places.place(spot.file, spot.key));
    finding.related = places.of_key(path);
    finding
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

#[cfg(test)]
mod tests;
