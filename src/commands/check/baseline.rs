//! A baseline: findings that a team accepts for now. Each entry says why and until when; afterwards the finding counts again.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    commands::{CommandError, Exit, files, saved_plan::relative},
    json,
    manifest::finding::{DocPath, Finding, Place, Severity},
    model::{
        day::Day,
        schema::JsonSchema,
        shown::{ShowPath, portable},
        time::Timestamp,
    },
};

/// Findings that are accepted for now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Baseline {
    /// The format of this file.
    pub version: u32,
    /// What is accepted.
    pub findings: Vec<BaselineEntry>,
    /// The folder that its paths start from.
    #[serde(skip)]
    folder: PathBuf,
    /// This file.
    #[serde(skip)]
    file: PathBuf,
    /// The line that each entry has its id on, and its text.
    #[serde(skip)]
    lines: Vec<(usize, String)>,
}

/// A finding that is accepted for now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BaselineEntry {
    /// The finding's id.
    #[schemars(example = &"smtp-without-connector-names")]
    pub id: String,
    /// The organization's manifest: the file or the directory, as it is seen from this file's directory, with `/` between names.
    pub manifest: String,
    /// What it is about, as the finding shows it: `servers.EX01.services.SMTP`.
    pub path: String,
    /// The last day on which it is accepted, as `2026-12-31`; the day ends in UTC.
    pub until: Day,
    /// Why it is accepted.
    pub because: String,
}

/// Findings sorted by a baseline.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// What counts.
    pub(super) findings: Vec<Finding>,
    /// What is accepted, with the reason.
    pub(super) accepted: Vec<(Finding, String)>,
}

impl Baseline {
    const VERSION: u32 = 1;

    pub(super) fn read(path: &Path) -> Result<Self, CommandError> {
        let refused =
            || CommandError::new(Exit::Error, format!("{} is no baseline that can be used", path.shown()));
        let again = "write a new one: certwright check --write-baseline baseline.json";
        let bytes = files::read_json(path).map_err(|error| error.hint(again))?;
        let mut baseline: Self =
            json::read(&bytes).map_err(|mistake| refused().because(mistake).hint(again))?;
        baseline.folder = folder(path);
        path.clone_into(&mut baseline.file);
        baseline.lines = lines_of(&bytes, baseline.findings.len());
        if baseline.version == Self::VERSION {
            return Ok(baseline);
        }
        Err(refused()
            .detail(format!("Its format is {}; this certwright knows {}.", baseline.version, Self::VERSION))
            .hint(again))
    }

    /// A baseline that accepts these findings until that day. Errors are not in it: nothing can be planned with them.
    pub(super) fn of(findings: &[(PathBuf, Finding)], until: &Day, file: &Path) -> Self {
        let acceptable = findings.iter().filter(|(_, finding)| finding.severity != Severity::Error);
        let entry = |(manifest, finding): &(PathBuf, Finding)| BaselineEntry {
            id: finding.id.clone(),
            manifest: as_seen_from(&folder(file), manifest),
            path: finding.path.to_string(),
            until: until.clone(),
            because: "known when this baseline was written".into(),
        };
        let findings = acceptable.map(entry).collect();
        Self { version: Self::VERSION, findings, folder: folder(file), ..Self::default() }
    }

    /// Sorts the findings of a manifest. Errors always count, and so does what an entry accepted that is over.
    pub(super) fn sort(&self, manifest: &Path, findings: Vec<Finding>, now: Timestamp) -> Sorted {
        let mut sorted = Sorted::default();
        for mut finding in findings {
            let entry = self.findings.iter().find(|entry| entry.accepts(&self.folder, manifest, &finding));
            match entry {
                Some(entry) if finding.severity != Severity::Error && !entry.until.is_over(now) => {
                    sorted.accepted.push((finding, format!("{} (until {})", entry.because, entry.until)));
                }
                Some(entry) if finding.severity != Severity::Error => {
                    let over = format!(
                        "It was accepted until {}: {}.",
                        entry.until,
                        entry.because.trim_end_matches('.')
                    );
                    finding.why =
                        if finding.why.is_empty() { over } else { format!("{} {over}", finding.why) };
                    sorted.findings.push(finding);
                }
                _ => sorted.findings.push(finding),
            }
        }
        sorted
    }

    /// What is said of entries that nothing was found for: what they accept is mended, or they are misspelt. Nothing is said of
    /// those whose manifest was not read as a whole.
    pub(super) fn stale(&self, whole: &[&Path], found: &[(PathBuf, Finding)]) -> Vec<Finding> {
        let is_found = |entry: &BaselineEntry| {
            found.iter().any(|(manifest, finding)| entry.accepts(&self.folder, manifest, finding))
        };
        let stale = self.findings.iter().enumerate().filter(|(_, entry)| {
            let manifest = self.folder.join(&entry.manifest);
            let was_read = whole.iter().any(|read| entry.is_of(&self.folder, read));
            !is_found(entry) && (was_read || !manifest.exists())
        });
        stale.map(|(index, entry)| self.stale_entry(index, entry)).collect()
    }

    fn stale_entry(&self, index: usize, BaselineEntry { id, manifest, path, .. }: &BaselineEntry) -> Finding {
        let at = if path.is_empty() { String::new() } else { format!(" at {path}") };
        let what = format!("the baseline accepts {id}{at} of {manifest}, which is not found any more");
        let why = "It would accept the same finding again, should it come back.";
        let path = DocPath::of(&["findings"]).index(index);
        let mut finding = Finding::new("baseline-entry-stale", Severity::Notice, path, what, why)
            .hinted("take the entry out of the baseline");
        let (line, text) = self.lines.get(index).cloned().unwrap_or((1, String::new()));
        finding.place = Some(Place { file: self.file.shown().to_string(), line, column: 1, text });
        finding
    }
}

/// The lines that say the id of each entry; none where not every entry says it on a line of its own.
fn lines_of(text: &[u8], entries: usize) -> Vec<(usize, String)> {
    let text = String::from_utf8_lossy(text);
    let lines = text.lines().enumerate().filter(|(_, line)| line.contains("\"id\":"));
    let lines: Vec<(usize, String)> =
        lines.map(|(number, line)| (number + 1, line.chars().take(200).collect())).collect();
    if lines.len() == entries { lines } else { Vec::new() }
}

impl BaselineEntry {
    /// Whether what was read is, or holds, its manifest: all of that was looked at then.
    fn is_of(&self, folder: &Path, read: &Path) -> bool {
        let (own, read) = (plain(&folder.join(&self.manifest)), plain(read));
        own == read || (own.parent() == Some(&read) && is_yaml(&own))
    }

    /// However the manifest is named on the command line, and from wherever: it is the same file, or the folder that it is of.
    fn accepts(&self, folder: &Path, manifest: &Path, finding: &Finding) -> bool {
        let (own, named) = (plain(&folder.join(&self.manifest)), plain(manifest));
        let is_of = |file: &Path, folder: &Path| file.parent() == Some(folder) && is_yaml(file);
        self.id == finding.id
            && self.path == finding.path.to_string()
            && (own == named || is_of(&own, &named) || is_of(&named, &own))
    }
}

fn is_yaml(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "yaml" || ending == "yml")
}

/// The folder of a baseline.
fn folder(file: &Path) -> PathBuf {
    plain(file.parent().unwrap_or(Path::new("")))
}

fn as_seen_from(folder: &Path, manifest: &Path) -> String {
    let seen = relative(&plain(manifest), folder);
    if seen.as_os_str().is_empty() { ".".to_owned() } else { portable(&seen) }
}

/// The same place by one name only: without links, `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn an_organization_is_known_by_any_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let contoso = folder.path().join("organizations/contoso");
        for place in [&contoso, &folder.path().join("organizations/fabrikam"), &folder.path().join("ci")] {
            fs::create_dir_all(place).unwrap();
            fs::write(place.join("manifest.yaml"), "").unwrap();
        }
        let finding = Finding::new("certificate-unused", Severity::Warning, DocPath::root(), "what", "why");
        let found = [(contoso.clone(), finding.clone())];
        let until: Day = "2026-12-31".parse().unwrap();
        for file in ["baseline.json", "ci/baseline.json", "organizations/contoso/baseline.json"] {
            let baseline = Baseline::of(&found, &until, &folder.path().join(file));
            let written = &baseline.findings[0].manifest;
            assert!(!Path::new(written).is_absolute() && !written.contains('\\'), "{written}");
            let accepted = |named: &str| {
                baseline.findings[0].accepts(&baseline.folder, &folder.path().join(named), &finding)
            };
            for named in [
                "organizations/contoso",
                "organizations/contoso/",
                "./organizations/../organizations/contoso/.",
                "organizations/contoso/manifest.yaml",
            ] {
                assert!(accepted(named), "{file}: {written}: {named}");
            }
            for other in ["organizations/fabrikam", "organizations", "."] {
                assert!(!accepted(other), "{file}: {written}: {other}");
            }
        }
    }

    #[test]
    fn an_entry_is_stale_only_where_all_of_its_manifest_was_read() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["contoso", "fabrikam"] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("manifest.yaml"), "").unwrap();
        }
        let entry = |manifest: &str| {
            format!(
                r#"{{ "id": "a", "manifest": "{manifest}", "path": "", "until": "2099-12-31", "because": "" }}"#
            )
        };
        let entries = ["contoso", "contoso/manifest.yaml", "fabrikam", "gone"].map(entry);
        let file = folder.path().join("baseline.json");
        fs::write(&file, format!(r#"{{ "version": 1, "findings": [{}] }}"#, entries.join(",\n"))).unwrap();
        let baseline = Baseline::read(&file).unwrap();
        let stale = |read: &[&str]| {
            let read: Vec<PathBuf> = read.iter().map(|name| folder.path().join(name)).collect();
            let read: Vec<&Path> = read.iter().map(PathBuf::as_path).collect();
            let lines = |finding: Finding| finding.place.unwrap().line;
            baseline.stale(&read, &[]).into_iter().map(lines).collect::<Vec<_>>()
        };
        assert_eq!(stale(&["contoso"]), [1, 2, 4]);
        assert_eq!(stale(&["contoso/manifest.yaml"]), [2, 4], "the folder may hold other files");
        assert_eq!(stale(&[]), [4], "what is not there any more is not found either");
        assert_eq!(stale(&["contoso", "fabrikam"]), [1, 2, 3, 4]);
    }
}
