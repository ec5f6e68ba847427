//! The catalogue: what each finding, reason, kept certificate, side effect and law means, why Exchange is like that, and
//! what to do. The texts are the Markdown files beside this one; `tests/catalogue.rs` sees that none is missing and none is
//! left over.

use std::{fmt, sync::LazyLock};

use schemars::JsonSchema;
use serde::Serialize;

/// What certwright says somewhere, in more words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Its id, as findings show it; for the others, their name in plans, with hyphens.
    pub id: &'static str,
    /// Where it is said.
    pub kind: ExplanationKind,
    /// What it means.
    pub means: String,
    /// Why it matters, and why Exchange is like that.
    pub why: String,
    /// What to do.
    pub advice: String,
}

/// Where something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ExplanationKind {
    /// `check` finds it.
    Finding,
    /// It is why a plan changes something.
    Reason,
    /// It is why a plan leaves a certificate where it is.
    Kept,
    /// Exchange does it on its own when a step is done.
    Effect,
    /// A plan is refused because of it.
    Law,
}

/// Every entry, by kind, in the order of the files.
pub fn catalogue() -> &'static [Explanation] {
    &CATALOGUE
}

/// The entries of this id. The same word can be a reason to keep a certificate and a law of plans. Ids are also found as
/// plans in JSON spell them: `namesNotCovered`.
pub fn find(id: &str) -> Vec<&'static Explanation> {
    let wanted = with_hyphens(id);
    catalogue().iter().filter(|entry| entry.id == wanted).collect()
}

/// `namesNotCovered` and `names_not_covered` as `names-not-covered`.
pub fn with_hyphens(name: &str) -> String {
    let mut text = String::new();
    for char in name.trim().chars() {
        match char {
            '_' | ' ' => text.push('-'),
            char if char.is_uppercase() => {
                if !text.is_empty() && !text.ends_with('-') {
                    text.push('-');
                }
                text.extend(char.to_lowercase());
            }
            char => text.push(char),
        }
    }
    text
}

impl ExplanationKind {
    /// All kinds, in the order in which they are listed.
    pub const ALL: [Self; 5] = [Self::Finding, Self::Reason, Self::Kept, Self::Effect, Self::Law];

    /// Where something of this kind is said, as a heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Finding => "what `check` finds in a manifest",
            Self::Reason => "why a plan changes something",
            Self::Kept => "why a plan leaves a certificate where it is",
            Self::Effect => "what Exchange does on its own when a step is done",
            Self::Law => "why a plan is refused as unsafe",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Finding => include_str!("findings.md"),
            Self::Reason => include_str!("reasons.md"),
            Self::Kept => include_str!("kept.md"),
            Self::Effect => include_str!("effects.md"),
            Self::Law => include_str!("laws.md"),
        }
    }
}

static CATALOGUE: LazyLock<Vec<Explanation>> =
    LazyLock::new(|| ExplanationKind::ALL.into_iter().flat_map(|kind| entries(kind, kind.text())).collect());

/// The entries of a file: `## id`, what it means, `**Why:**`, `**Do:**`. A part that is missing is empty.
fn entries(kind: ExplanationKind, text: &'static str) -> Vec<Explanation> {
    let sections = text.split("\n## ").skip(1);
    sections
        .map(|section| {
            let (id, rest) = section.split_once('\n').unwrap_or((section, ""));
            let (means, rest) = rest.split_once(WHY).unwrap_or((rest, ""));
            let (why, advice) = rest.split_once(DO).unwrap_or((rest, ""));
            Explanation {
                id: id.trim(),
                kind,
                means: one_line(means),
                why: one_line(why),
                advice: one_line(advice),
            }
        })
        .collect()
}

/// Text without the line breaks of its file.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for ExplanationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Finding => "finding",
            Self::Reason => "reason",
            Self::Kept => "kept",
            Self::Effect => "effect",
            Self::Law => "law",
        })
    }
}

const WHY: &str = "**Why:**";
const DO: &str = "**Do:**";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_however_they_are_spelt() {
        for (typed, id) in [
            ("names-not-covered", "names-not-covered"),
            ("namesNotCovered", "names-not-covered"),
            ("names_not_covered", "names-not-covered"),
            ("x509CertificateNameDiffers", "x509-certificate-name-differs"),
            (" Expires ", "expires"),
        ] {
            assert_eq!(find(typed).iter().map(|entry| entry.id).collect::<Vec<_>>(), [id], "{typed}");
        }
    }

    #[test]
    fn every_entry_has_its_three_parts() {
        for entry in catalogue() {
            for part in [&entry.means, &entry.why, &entry.advice] {
                assert!(part.ends_with('.') && part.len() > 5, "{} `{}`: {part:?}", entry.kind, entry.id);
            }
        }
        let mut seen: Vec<(ExplanationKind, &str)> =
            catalogue().iter().map(|entry| (entry.kind, entry.id)).collect();
        seen.sort_unstable();
        let all = seen.len();
        seen.dedup();
        assert_eq!(seen.len(), all, "an id stands twice in a file");
    }
}
