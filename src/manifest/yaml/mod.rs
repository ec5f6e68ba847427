//! From the text of files to a [`Manifest`], or to findings with line and column. serde_yaml, which no other file names,
//! gives the values; `places` tells where they stand.

mod places;
mod text;

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use self::{places::Places, text::Source};
use self::{
    places::{NOT_YAML, Position, START, Spot, spots},
    text::{bad, empty, file_start, text_of},
};
use super::{
    Manifest,
    finding::{DocPath, Finding, Segment, Severity},
    suggestion::suggestion,
};

/// A document of one or more files: its value, and where each part of it stands.
#[derive(Debug, Default)]
pub struct YamlDocument {
    value: Map<String, Value>,
    places: Places,
}

/// Reads the manifest that these files make up together.
pub fn manifest(sources: &[Source]) -> Result<(Manifest, Places), Vec<Finding>> {
    let document = YamlDocument::of(sources)?;
    let manifest = document.parse("manifest")?;
    Ok((manifest, document.places))
}

/// Reads a file of another kind, such as a lab's seed, with the same care. `what` names the kind in messages.
pub fn document<T: DeserializeOwned>(source: Source, what: &str) -> Result<(T, Places), Vec<Finding>> {
    let document = YamlDocument::of(&[source])?;
    let value = document.parse(what)?;
    Ok((value, document.places))
}

impl YamlDocument {
    /// Reads and joins the files. Mappings of the same name are joined; any other key may stand in one file only.
    fn of(sources: &[Source]) -> Result<Self, Vec<Finding>> {
        let mut document = Self::default();
        let mut findings = Vec::new();
        for source in sources {
            if let Err(finding) = document.add(source) {
                findings.push(finding);
            }
        }
        if findings.is_empty() { Ok(document) } else { Err(findings) }
    }

    fn add(&mut self, source: &Source) -> Result<(), Finding> {
        let text = text_of(source)?;
        let file = self.places.files.len();
        self.places.files.push((source.file.clone(), text.lines().map(str::to_owned).collect()));
        let value = match serde_yaml::from_str::<Value>(text) {
            Ok(Value::Object(value)) if !value.is_empty() => value,
            Ok(Value::Object(_) | Value::Null) => return Err(empty(source)),
            Ok(_) => {
                let why = "A manifest is a mapping: lines of the form `key: value`.";
                let finding = bad(file_start(source), "the file is not a mapping", why);
                return Err(finding.hinted("compare with examples/contoso/manifest.yaml"));
            }
            Err(error) => return Err(self.places.syntax(file, &error)),
        };
        let spots = spots(text, file).map_err(|problem| self.places.problem(file, problem))?;
        self.join(value, spots)
    }

    fn join(&mut self, value: Map<String, Value>, spots: HashMap<DocPath, Spot>) -> Result<(), Finding> {
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
                            return Err(self.places.twice(&path, spots.get(&path)));
                        }
                        old.insert(name, value);
                    }
                }
                // Every file says its format; they have to agree.
                (Some(old), new) if key == "apiVersion" && *old == new => {}
                (Some(_), _) => return Err(self.places.twice(&path, spots.get(&path))),
            }
        }
        for (path, spot) in spots {
            self.places.at.entry(path).or_insert(spot);
        }
        Ok(())
    }

    fn parse<T: DeserializeOwned>(&self, what: &str) -> Result<T, Vec<Finding>> {
        let value = Value::Object(self.value.clone());
        serde_path_to_error::deserialize(value).map_err(|error| {
            let path = doc_path(error.path());
            vec![self.places.typed(&path, &error.into_inner().to_string(), what)]
        })
    }
}

impl Places {
    /// Serde's sentence about a value of the wrong form, as a finding: with the nearest known word where it names some.
    fn typed(&self, path: &DocPath, message: &str, what: &str) -> Finding {
        let unknown =
            ["unknown field `", "unknown variant `"].iter().find_map(|start| message.strip_prefix(start));
        let Some((word, rest)) = unknown.and_then(|rest| rest.split_once('`')) else {
            let id = if message.starts_with("missing field") { "missing-field" } else { "bad-value" };
            let finding = Finding::new(id, Severity::Error, path.clone(), message, "");
            // YAML takes `version: 2016` for a number.
            let number =
                message.strip_prefix("invalid type: ").filter(|rest| rest.contains("expected a string"));
            return self.locate(match number.and_then(|rest| rest.split('`').nth(1)) {
                Some(value) => finding.hinted(format!("write it in quotation marks: \"{value}\"")),
                None => finding,
            });
        };
        let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
        let is_field = message.starts_with("unknown field");
        let (id, kind) = if is_field { ("unknown-field", "field") } else { ("unknown-value", "value") };
        // The path ends at an unknown field, but at the mapping around a key that is wrong.
        let ends_there = matches!(path.segments().last(), Some(Segment::Key(last)) if last == word);
        let key = if ends_there && is_field { path.clone() } else { path.key(word) };
        let spot = self.at.get(&key);
        let path = if spot.is_some() { key } else { path.clone() };
        let why = format!(
            "A misspelt {kind} would silently mean nothing, so a {what} may hold only words that it knows."
        );
        let mut finding = Finding::new(id, Severity::Error, path, format!("unknown {kind} `{word}`"), why);
        finding.place = spot.map(|spot| self.place(spot.file, spot.key));
        self.locate(finding.hinted(suggestion(word, &known)))
    }

    /// What serde_yaml says of a text that is no YAML, or none that we take.
    fn syntax(&self, file: usize, error: &serde_yaml::Error) -> Finding {
        let at = error.location().map_or(START, |at| Position { line: at.line(), column: at.column() });
        let place = self.place(file, at);
        let message = error.to_string();
        let what = message.split(" at line ").next().unwrap_or(&message).to_owned();
        let indented_by_tab =
            place.text.chars().take_while(|char| char.is_whitespace()).any(|char| char == '\t');
        let hint = if indented_by_tab {
            Some("the line is indented with a tab; YAML takes only blanks")
        } else if what.contains("repetition limit") {
            Some("write the values out; a manifest needs no anchors that multiply")
        } else if what.contains("more than one document") {
            Some("put the documents into files of their own; the files of a directory are joined")
        } else if what.contains("invalid type") && what.contains("expected a string key") {
            Some("put the key into quotation marks")
        } else {
            None
        };
        let finding = bad(place, what, NOT_YAML);
        match hint {
            Some(hint) => finding.hinted(hint),
            None => finding,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(texts: &[(&str, &str)]) -> Vec<Source> {
        texts
            .iter()
            .map(|(file, text)| Source { file: (*file).into(), bytes: text.as_bytes().to_vec() })
            .collect()
    }

    fn only_finding(text: &[u8]) -> Finding {
        let source = Source { file: "m.yaml".into(), bytes: text.to_vec() };
        let mut findings = manifest(&[source]).expect_err("the text is wrong");
        assert_eq!(findings.len(), 1, "{findings:?}");
        findings.remove(0)
    }

    const HEAD: &str = "apiVersion: certwright/v1\norganization: contoso\ndriver: { lab: {} }\n";

    #[test]
    fn every_mistake_has_its_place_and_its_way_out() {
        let long =
            format!("{HEAD}certificates:\n  mail: {{ issuer: ca, names: [{}.com] }}\n", "a".repeat(253));
        let friendly =
            format!("{HEAD}certificates:\n  mail: {{ issuer: ca, friendlyName: {} }}\n", "x".repeat(64));
        for (text, place, path, what, hint) in [
            (String::new(), "m.yaml:1:1", "", "the file is empty", "examples/contoso"),
            ("# nothing\n".into(), "m.yaml:1:1", "", "the file is empty", "examples/contoso"),
            ("- a\n".into(), "m.yaml:1:1", "", "not a mapping", "examples/contoso"),
            (format!("{HEAD}servers:\n\tEX01: {{}}\n"), "m.yaml:5:1", "", "cannot start any token", "tab"),
            (
                format!("{HEAD}servces: {{}}\n"),
                "m.yaml:4:1",
                "servces",
                "unknown field `servces`",
                "did you mean `servers`?",
            ),
            (
                format!("{HEAD}servers:\n  EX01: {{ fqdn: ex01.contoso.com, version: 2016 }}\n"),
                "m.yaml:5:44",
                "servers.EX01.version",
                "invalid type: integer `2016`",
                "write it in quotation marks: \"2016\"",
            ),
            (
                format!("{HEAD}servers:\n  EX01:\n    fqdn: ex01.contoso.com\n    profil: a\n"),
                "m.yaml:7:5",
                "servers.EX01.profil",
                "unknown field `profil`",
                "did you mean `profile`?",
            ),
            (
                format!("{HEAD}profiles:\n  a:\n    services: {{ ISS: mail }}\n"),
                "m.yaml:6:17",
                "profiles.a.services.ISS",
                "unknown value `ISS`",
                "did you mean `IIS`?",
            ),
            (
                format!("{HEAD}certificates:\n  mail:\n    issuer: ca\n    names:\n      - mail contoso\n"),
                "m.yaml:8:9",
                "certificates.mail.names[0]",
                "",
                "",
            ),
            (
                "apiVersion: certwright/v2\norganization: a\ndriver: { lab: {} }\n".into(),
                "m.yaml:1:13",
                "apiVersion",
                "unknown value `certwright/v2`",
                "did you mean `certwright/v1`?",
            ),
            ("apiVersion: certwright/v1\n".into(), "m.yaml:1:1", "", "missing field `organization`", ""),
            (format!("{HEAD}organization: b\n"), "m.yaml:4:1", "organization", "defined twice", "keep one"),
            (long, "m.yaml:5:32", "certificates.mail.names[0]", "", ""),
            (friendly, "m.yaml:5:37", "certificates.mail.friendlyName", "64 characters", ""),
            (
                format!("{HEAD}certificates:\n  mail: {{ issuer: ca, renewBefore: soon }}\n"),
                "m.yaml:5:36",
                "certificates.mail.renewBefore",
                "`soon` is not a length of time",
                "",
            ),
            (
                format!("{HEAD}certificates:\n  mail: {{ issuer: ca, retire: {{ afer: 7d }} }}\n"),
                "m.yaml:5:33",
                "certificates.mail.retire.afer",
                "unknown field `afer`",
                "did you mean `after`?",
            ),
        ] {
            if what.is_empty() {
                continue; // templates are turned into names later, where the server is known
            }
            let finding = only_finding(text.as_bytes());
            assert_eq!(finding.place.as_ref().unwrap().to_string(), place, "{text}");
            assert_eq!(finding.path.to_string(), path, "{text}");
            assert!(finding.message.contains(what), "{text}: {}", finding.message);
            assert!(finding.hint.unwrap_or_default().contains(hint), "{text}");
        }
    }

    #[test]
    fn files_that_are_no_text() {
        for (bytes, what) in [
            (&b"\x7fELF\0\0"[..], "binary"),
            (&b"\xff\xfea\0p\0"[..], "UTF-16"),
            (&b"apiVersion: certwright/v1\norganization: M\xfcnchen\n"[..], "the byte 0xFC is not UTF-8"),
        ] {
            assert!(only_finding(bytes).message.contains(what), "{what}");
        }
        let latin1 = only_finding(b"apiVersion: certwright/v1\norganization: M\xfcnchen\n");
        assert_eq!(latin1.place.unwrap().to_string(), "m.yaml:2:16");
        assert!(only_finding(&vec![b'#'; 10_000_000]).message.contains("the limit is"));
    }

    #[test]
    fn hostile_texts_end_in_a_finding() {
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                    d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n\
                    g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n";
        let deep = format!("a: {}1{}\n", "[".repeat(100), "]".repeat(100));
        for text in [
            bomb,
            deep.as_str(),
            "a: *nowhere\n",
            "a: [1\n",
            "? [a, b]\n: c\n",
            "443: mail\n",
            "a: 1\n---\nb: 2\n",
        ] {
            only_finding(text.as_bytes());
        }
    }

    #[test]
    fn files_of_a_directory_are_joined() {
        let (manifest, _) = manifest(&sources(&[
            ("a.yaml", &format!("{HEAD}issuers: {{ ca: {{ selfSigned: {{}} }} }}\n")),
            ("b.yaml", "apiVersion: certwright/v1\nissuers: { other: { selfSigned: {} } }\n"),
        ]))
        .unwrap();
        assert_eq!(manifest.issuers.keys().map(ToString::to_string).collect::<Vec<_>>(), ["ca", "other"]);
    }

    #[test]
    fn a_key_of_two_files_names_both_places() {
        let findings = manifest(&sources(&[
            ("a.yaml", &format!("{HEAD}issuers:\n  ca: {{ selfSigned: {{}} }}\n")),
            ("b.yaml", "issuers:\n\n  ca: { selfSigned: {} }\n"),
        ]))
        .unwrap_err();
        let [finding] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!(finding.place.as_ref().unwrap().to_string(), "b.yaml:3:3");
        assert_eq!(finding.related.as_ref().unwrap().to_string(), "a.yaml:5:3");
    }
}
