//! The document that files make up together, as a value; what is wrong with the files, and where.

use std::collections::{BTreeSet, HashMap};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    direct,
    kind::DocumentKind,
    masked::{Masked, Spoilt},
    outline::{Twice, outline},
    places::{Page, Places},
    reader::Reader,
    reading::{Definition, Reading, Unread, own},
    syntax::{self, Refused},
    text::{self, Source, bad},
    told::{At, Told, placed},
    twice::{self, Alone},
    values::values,
};
use crate::manifest::finding::{DocPath, Finding, Severity};

/// Reads the document that files make up together, or as much of it as can be read; `stand_in` takes the place of what a document
/// cannot do without. Of what has several definitions each is read.
pub(super) fn read<T: DeserializeOwned>(
    sources: Vec<Source>,
    kind: DocumentKind,
    stand_in: &[(&str, Value)],
) -> Reading<T> {
    let mut reading: Reading<T> = Document::of(sources, kind).read(stand_in);
    if !reading.findings.iter().any(|finding| finding.id == twice::TWICE) {
        return reading;
    }
    let sources: Vec<Source> = reading.places.sources().cloned().collect();
    for Alone { path, sources, covered } in twice::each_alone(&reading.findings, &sources) {
        let mut alone = Document::of(sources, kind);
        twice::without_covered(&mut alone.value);
        let Reading { value, findings, left_out, places, .. } = alone.read(stand_in);
        reading.findings.extend(own(findings, &path, covered, &reading.findings));
        reading.definitions.push(Definition { path, value, left_out, places, covered });
    }
    reading.findings = reading.places.in_order(reading.findings);
    reading
}

/// A document of one or more files: its value, and what is wrong with the files.
#[derive(Debug, Default)]
struct Document {
    kind: DocumentKind,
    value: Map<String, Value>,
    /// The file in which a key of the first level stands first.
    first_in: HashMap<String, usize>,
    places: Places,
    told: Vec<Told>,
    /// Whether a file could not be read at all, or is another manifest.
    lost: bool,
}

impl Document {
    /// Reads and joins the files. Mappings of the same name are joined; any other key may stand in one file only.
    fn of(sources: Vec<Source>, kind: DocumentKind) -> Self {
        let mut places = Places::of(sources);
        let mut document = Self { kind, ..Self::default() };
        let (mut lost, mut covered) = (Vec::new(), Vec::new());
        for (file, source) in places.sources().enumerate() {
            match document.add(file, source) {
                Ok(None) => {}
                Ok(Some(masked)) => covered.push((file, masked)),
                Err(findings) => {
                    lost.push(file);
                    document.told.extend(findings.into_iter().map(Told::there));
                }
            }
        }
        document.lost |= !lost.is_empty() || covered.iter().any(|(_, masked)| masked.hides_keys());
        for file in lost {
            places.is_lost(file);
        }
        for (file, masked) in covered {
            places.is_covered(file, masked);
        }
        document.places = places;
        document
    }

    /// Adds what a file holds; with what is covered of it, where a few words cannot be read.
    fn add(&mut self, file: usize, source: &Source) -> Result<Option<Masked>, Vec<Finding>> {
        let text = text::of(source).map_err(|finding| vec![finding])?;
        if text.trim().is_empty() {
            return Err(vec![text::empty(source, self.kind)]);
        }
        // What is ordinary has neither mistakes of YAML nor keys that stand twice.
        if let Ok(value) = direct::read::<Map<String, Value>>(&[text]) {
            self.join(value, file);
            return Ok(None);
        }
        let (value, spoilt) = match self.with_mistakes(source, text, text) {
            Ok(value) => (value, None),
            Err(Refused { findings, spoilt }) => {
                let (value, masked) = self.around(source, text, findings, spoilt)?;
                (value, Some(masked))
            }
        };
        self.join(value, file);
        Ok(spoilt)
    }

    /// The value around what cannot be read. What is wrong with that is told; of a file that cannot be read at all it is returned.
    fn around(
        &mut self,
        source: &Source,
        text: &str,
        mut findings: Vec<Finding>,
        mut spoilt: Vec<Spoilt>,
    ) -> Result<(Map<String, Value>, Masked), Vec<Finding>> {
        let mut masked = Masked::of(text);
        loop {
            if spoilt.is_empty() || !spoilt.into_iter().all(|spoilt| masked.cover(spoilt)) {
                return Err(findings);
            }
            match self.with_mistakes(source, text, &masked.text()) {
                Ok(value) => {
                    self.told.extend(findings.into_iter().map(Told::there));
                    return Ok((value, masked));
                }
                Err(refused) => {
                    findings.extend(refused.findings);
                    spoilt = refused.spoilt;
                }
            }
        }
    }

    /// The value of a text that is not ordinary; `shown` is the same as people have written it.
    fn with_mistakes(
        &mut self,
        source: &Source,
        shown: &str,
        text: &str,
    ) -> Result<Map<String, Value>, Refused> {
        let page = || Page::of(&source.file, shown);
        // Its bounds on nesting come before anything that takes longer the deeper values nest.
        let outline = outline(text).map_err(|broken| syntax::broken(&page(), &broken))?;
        let value = match values(text) {
            Ok(Value::Object(value)) if !value.is_empty() => value,
            Ok(Value::Object(_) | Value::Null) => return Err(text::empty(source, self.kind).into()),
            Ok(Value::String(target)) if is_link(&target) => {
                let why = "Git writes a link as a file with a path in it where links are switched off, as on Windows.";
                let what = "the file holds nothing but the path of another file";
                let hint =
                    "switch links on and check out again: git config core.symlinks true, git checkout -- .";
                return Err(bad(text::start(source), what, why).hinted(hint).into());
            }
            Ok(_) => {
                let why = format!("A {} is a mapping: lines of the form `key: value`.", self.kind.name);
                let finding = bad(text::start(source), "the file is not a mapping", &why);
                return Err(finding.hinted(self.kind.start_from).into());
            }
            Err(words) => return Err(syntax::refused(&page(), &outline, &words)),
        };
        if let Some(at) = outline.another {
            return Err(syntax::tagged(&page(), at));
        }
        if let Some(at) = outline.no_numbers.first() {
            return Err(syntax::no_number(&page(), *at));
        }
        if !outline.twice.is_empty() {
            let page = page();
            self.told.extend(outline.twice.into_iter().map(|Twice { path, first, second }| {
                let mut finding = twice_defined(&path);
                finding.place = Some(page.place(second));
                finding.related = Some(page.place(first));
                Told::there(finding)
            }));
        }
        Ok(value)
    }

    /// Whether what a file holds is a manifest of its own, and no part of what was read before.
    fn is_another(&self, value: &Map<String, Value>) -> bool {
        let Some((old, new)) = self.value.get(ORGANIZATION).zip(value.get(ORGANIZATION)) else {
            return false;
        };
        let twice = value.iter().map(|(key, new)| match (self.value.get(key), new) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                new.keys().filter(|key| old.contains_key(*key)).count()
            }
            (Some(old), new) if key == "apiVersion" => usize::from(old != new),
            (old, _) => usize::from(old.is_some()),
        });
        old != new || twice.sum::<usize>() >= MOST_SLIPS
    }

    fn join(&mut self, value: Map<String, Value>, file: usize) {
        if self.is_another(&value) {
            self.lost = true;
            let path = DocPath::root().key(ORGANIZATION);
            let why = "All YAML files of a directory are read as one manifest, and a manifest is of one organization.";
            let finding = Finding::new(
                "duplicate-key",
                Severity::Error,
                path,
                "two manifests lie in one directory",
                why,
            )
            .hinted("give each manifest a directory of its own, or name the one file that you mean");
            self.told.push(Told { finding, at: At::KeyAgain(file), secret: false });
            return;
        }
        for (key, new) in value {
            let path = DocPath::root().key(&key);
            let mut twice = |path| {
                self.told.push(Told { finding: twice_defined(&path), at: At::KeyAgain(file), secret: false })
            };
            match (self.value.get_mut(&key), new) {
                (None, new) => {
                    self.first_in.insert(key.clone(), file);
                    self.value.insert(key, new);
                }
                (Some(Value::Object(old)), Value::Object(new)) => {
                    for (name, value) in new {
                        if old.contains_key(&name) {
                            twice(path.key(&name));
                        } else {
                            old.insert(name, value);
                        }
                    }
                }
                // Every file says its format; they have to agree.
                (Some(old), new) if key == "apiVersion" && *old == new => {}
                (Some(_), _) => twice(path),
            }
        }
    }

    /// The document as a value, or as much of it as can be read.
    fn read<T: DeserializeOwned>(self, stand_in: &[(&str, Value)]) -> Reading<T> {
        let Self { kind, value, first_in, mut places, mut told, lost } = self;
        told.extend(twice_but_for_case(&value));
        let left_out = hidden_by(&told, lost);
        let mut reader = Reader { value, first_in, told, left_out, foreign: BTreeSet::new() };
        let value = reader.all_of(kind, stand_in, &places);
        let Reader { told, left_out, foreign, .. } = reader;
        let (findings, hidden) = placed(told, &places, &foreign);
        places.hide(hidden);
        let findings = places.in_order(places.veiled(findings));
        Reading { value, findings, left_out, definitions: Vec::new(), places }
    }
}

/// What one of two definitions hides: nothing may be concluded from what is not seen there. Where two sections of the first level
/// are the same, anything may be in the one that is hidden.
fn hidden_by(told: &[Told], lost: bool) -> Unread {
    let twice = told.iter().map(|told| &told.finding).filter(|finding| finding.id == twice::TWICE);
    let (entries, sections): (Vec<&Finding>, Vec<&Finding>) =
        twice.partition(|finding| finding.path.segments().len() > 1);
    let paths = entries.into_iter().map(|finding| finding.path.clone()).collect();
    Unread { paths, file: lost || !sections.is_empty() }
}

/// Whether a file with this text stands for a link to another YAML file.
fn is_link(text: &str) -> bool {
    let ends = [".yaml", ".yml"].iter().any(|ending| text.ends_with(ending));
    ends && text.contains('/') && !text.contains(char::is_whitespace)
}

fn twice_defined(path: &DocPath) -> Finding {
    let what = format!("`{path}` is defined twice");
    let why = "Only one of the two can be meant, and certwright does not guess which.";
    Finding::new("duplicate-key", Severity::Error, path.clone(), what, why)
        .hinted("keep one of the two definitions")
}

/// Keys that Exchange takes for one and the same.
fn twice_but_for_case(document: &Map<String, Value>) -> Vec<Told> {
    let mut told = Vec::new();
    for section in ["servers", "sendConnectors", "loadBalancers"] {
        let mut seen: HashMap<String, &String> = HashMap::new();
        for name in
            document.get(section).and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name)
        {
            if let Some(first) = seen.insert(name.to_lowercase(), name) {
                let path = DocPath::of(&[section, name]);
                let what = format!("`{first}` and `{name}` are one and the same name");
                let why = "Exchange and DNS make no difference between upper and lower case.";
                let finding = Finding::new("duplicate-key", Severity::Error, path, what, why)
                    .hinted("keep one of the two definitions, or correct the name");
                let at = At::SameAs(DocPath::of(&[section, first]));
                told.push(Told { finding, at, secret: false });
            }
        }
    }
    told
}

/// The field that every manifest has once.
const ORGANIZATION: &str = "organization";
/// Where more is defined twice than that, it is another manifest.
const MOST_SLIPS: usize = 3;
