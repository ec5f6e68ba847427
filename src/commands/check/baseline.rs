//! A baseline: findings that a team accepts for now. Each entry says why and until when; afterwards the finding counts again.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{
    commands::{CommandError, Exit, files},
    json,
    manifest::finding::{Finding, Severity},
    model::{
        schema::JsonSchema,
        shown::ShowPath,
        time::{Span, Timestamp},
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
}

/// A finding that is accepted for now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BaselineEntry {
    /// The finding's id.
    #[schemars(example = &"smtp-without-connector-names")]
    pub id: String,
    /// The organization's manifest: the file or the directory as it was named on the command line.
    pub manifest: String,
    /// What it is about, as the finding shows it: `servers.EX01.services.SMTP`.
    pub path: String,
    /// The last day on which it is accepted, as `2026-12-31`; the day ends in UTC.
    pub until: Day,
    /// Why it is accepted.
    pub because: String,
}

/// A day, as `2026-12-31`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Day(String);

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match format!("{text}T00:00:00Z").parse::<Timestamp>() {
            Ok(_) => Ok(Self(text)),
            Err(_) => Err(format!("`{text}` is no day; write it like 2026-12-31")),
        }
    }
}

impl std::str::FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::try_from(text.to_owned())
    }
}

impl Day {
    /// The day that it is so many days later.
    pub(super) fn after(now: Timestamp, days: i64) -> Self {
        Self(now.plus(Span::days(days)).date())
    }

    /// The day, as it is written.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.0 < now.date()
    }
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
        let baseline: Self = json::read(&bytes).map_err(|mistake| refused().because(mistake).hint(again))?;
        if baseline.version == Self::VERSION {
            return Ok(baseline);
        }
        Err(refused().detail(format!(
            "Its format is {}; this certwright knows {}.",
            baseline.version,
            Self::VERSION
        )))
    }

    /// A baseline that accepts these findings until that day. Errors are not in it: nothing can be planned with them.
    pub(super) fn of(findings: &[(String, Finding)], until: &Day) -> Self {
        let acceptable = findings.iter().filter(|(_, finding)| finding.severity != Severity::Error);
        let entry = |(manifest, finding): &(String, Finding)| BaselineEntry {
            id: finding.id.clone(),
            manifest: manifest.clone(),
            path: finding.path.to_string(),
            until: until.clone(),
            because: "known when this baseline was written".into(),
        };
        Self { version: Self::VERSION, findings: acceptable.map(entry).collect() }
    }

    /// Sorts the findings of a manifest. Errors always count, and so does what an entry accepted that is over.
    pub(super) fn sort(&self, manifest: &str, findings: Vec<Finding>, now: Timestamp) -> Sorted {
        let mut sorted = Sorted::default();
        for mut finding in findings {
            let entry = self.findings.iter().find(|entry| entry.accepts(manifest, &finding));
            match entry {
                Some(entry) if finding.severity != Severity::Error && !entry.until.is_over(now) => {
                    sorted.accepted.push((finding, format!("{} (until {})", entry.because, entry.until.0)));
                }
                Some(entry) if finding.severity != Severity::Error => {
                    let over = format!(
                        "It was accepted until {}: {}.",
                        entry.until.0,
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

    /// The entries that nothing was found for: what they accept is mended, or they are misspelt.
    pub(super) fn unused<'a>(
        &'a self,
        found: &'a [(String, Finding)],
    ) -> impl Iterator<Item = &'a BaselineEntry> {
        self.findings
            .iter()
            .filter(move |entry| !found.iter().any(|(manifest, finding)| entry.accepts(manifest, finding)))
    }
}

impl BaselineEntry {
    fn accepts(&self, manifest: &str, finding: &Finding) -> bool {
        let plain = |text: &str| text.trim_start_matches("./").trim_end_matches('/').to_owned();
        self.id == finding.id
            && self.path == finding.path.to_string()
            && plain(&self.manifest) == plain(manifest)
    }
}
