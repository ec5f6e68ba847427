//! The catalogue: what each finding, reason, warning, kept certificate, side effect and law means, why Exchange is like that, and
//! what to do. The texts are the Markdown files beside this one; `tests/catalogue.rs` sees that none is missing and none is
//! left over.

use std::{fmt, sync::LazyLock};

use serde::Serialize;

use crate::model::schema::JsonSchema;

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
    /// The texts and numbers by which people search for it, where it is a message of another program.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub texts: String,
    /// Why it matters, and why Exchange is like that.
    pub why: String,
    /// What to do.
    pub advice: String,
    /// Where that is known from: sections of `docs/exchange-facts.md`, and pages of Microsoft.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
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
    /// Exchange, Windows or Microsoft 365 says it.
    Message,
    /// A plan warns of it.
    Warning,
    /// It should be done and cannot be.
    Cannot,
    /// A step cannot be taken back because of it.
    NoWayBack,
    /// `verify` could not ask an endpoint about it.
    NotProvable,
    /// An endpoint serves something that is wrong.
    Endpoint,
    /// A step of a run failed so.
    Failure,
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

/// The entries in which these words stand, the best first: those that have them as they were typed, before those that only
/// have all of them, and the texts of messages before explanations. Words of one or two letters do not count.
pub fn search(words: &str) -> Vec<&'static Explanation> {
    let phrase = searchable(words);
    let tokens: Vec<&str> = phrase.split(' ').filter(|token| token.chars().count() > 2).collect();
    if tokens.is_empty() {
        return Vec::new();
    }
    let rank = |entry: &Explanation| {
        let (texts, all) = (
            searchable(&entry.texts),
            searchable(&format!(
                "{} {} {} {} {}",
                entry.id, entry.texts, entry.means, entry.why, entry.advice
            )),
        );
        let has = |text: &str, token: &str| text.split(' ').any(|word| word.starts_with(token));
        if stands_in(&texts, &phrase) {
            Some(0)
        } else if tokens.iter().all(|token| has(&texts, token)) {
            Some(1)
        } else if stands_in(&all, &phrase) {
            Some(2)
        } else if tokens.iter().all(|token| has(&all, token)) {
            Some(3)
        } else {
            None
        }
    };
    let mut found: Vec<(u8, &Explanation)> =
        catalogue().iter().filter_map(|entry| rank(entry).map(|rank| (rank, entry))).collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// The entry of what Exchange or Windows says whose text stands in this message; of several the one with the longest passage.
/// What stands for a name or a number, `...`, parts the passages; those of fewer than five words are in too many messages.
pub fn of_message(message: &str) -> Option<&'static Explanation> {
    // How every error of the certificate cmdlets begins says nothing (facts 8.3).
    let message = searchable(message).replace("a special rpc error occurs on server", "");
    let longest = |entry: &&Explanation| {
        let passages = entry.texts.split("...").flat_map(|part| part.split(". ")).map(searchable);
        passages
            .filter(|passage| passage.split(' ').count() >= 5 && message.contains(passage.as_str()))
            .map(|passage| passage.len())
            .max()
            .unwrap_or(0)
    };
    let messages = catalogue().iter().filter(|entry| entry.kind == ExplanationKind::Message);
    messages.max_by_key(longest).filter(|entry| longest(entry) > 0)
}

/// Whether a text has these words, at the beginnings of its own: `nope` is not in `PSSessionOpenFailed`.
fn stands_in(text: &str, phrase: &str) -> bool {
    text.starts_with(phrase) || text.contains(&format!(" {phrase}"))
}

/// A text without case and punctuation: words and numbers with one space between.
fn searchable(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|char| if char.is_alphanumeric() { char.to_ascii_lowercase() } else { ' ' })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
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
    pub const ALL: [Self; 12] = [
        Self::Finding,
        Self::Reason,
        Self::Warning,
        Self::Cannot,
        Self::Kept,
        Self::Effect,
        Self::NoWayBack,
        Self::Failure,
        Self::Endpoint,
        Self::NotProvable,
        Self::Law,
        Self::Message,
    ];

    /// Where something of this kind is said, as a heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Finding => "what `check` finds in a manifest",
            Self::Reason => "why a plan changes something",
            Self::Kept => "why a plan leaves a certificate where it is",
            Self::Effect => "what Exchange does on its own when a step is done",
            Self::Law => "why a plan is refused as unsafe",
            Self::Message => "what Exchange, Windows or Microsoft 365 says",
            Self::Warning => "what a plan warns of",
            Self::Cannot => "what should be done and cannot be",
            Self::NoWayBack => "why a step cannot be undone",
            Self::NotProvable => "what `verify` could not check at any endpoint",
            Self::Endpoint => "what is wrong with what an endpoint serves",
            Self::Failure => "why a step of a run was not done",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Finding => include_str!("findings.md"),
            Self::Reason => include_str!("reasons.md"),
            Self::Kept => include_str!("kept.md"),
            Self::Effect => include_str!("effects.md"),
            Self::Law => include_str!("laws.md"),
            Self::Message => include_str!("messages.md"),
            Self::Warning => include_str!("warnings.md"),
            Self::Cannot => include_str!("cannot.md"),
            Self::NoWayBack => include_str!("no_way_back.md"),
            Self::NotProvable => include_str!("not_provable.md"),
            Self::Endpoint => include_str!("endpoints.md"),
            Self::Failure => include_str!("failures.md"),
        }
    }
}

static CATALOGUE: LazyLock<Vec<Explanation>> =
    LazyLock::new(|| ExplanationKind::ALL.into_iter().flat_map(|kind| entries(kind, kind.text())).collect());

/// The entries of a file: `## id`, what it means, `**Text:**` of a message, `**Why:**`, `**Do:**`, `**Source:**`. A part
/// that is missing is empty.
fn entries(kind: ExplanationKind, text: &'static str) -> Vec<Explanation> {
    let sections = text.split("\n## ").skip(1);
    sections
        .map(|section| {
            let (id, rest) = section.split_once('\n').unwrap_or((section, ""));
            let (means, rest) = rest.split_once(WHY).unwrap_or((rest, ""));
            let (means, texts) = means.split_once(TEXT).unwrap_or((means, ""));
            let (why, advice) = rest.split_once(DO).unwrap_or((rest, ""));
            let (advice, source) = advice.split_once(SOURCE).unwrap_or((advice, ""));
            Explanation {
                id: id.trim(),
                kind,
                means: one_line(means),
                texts: one_line(texts),
                why: one_line(why),
                advice: one_line(advice),
                source: one_line(source),
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
            Self::Message => "message",
            Self::Warning => "warning",
            Self::Cannot => "cannot",
            Self::NoWayBack => "no way back",
            Self::NotProvable => "not provable",
            Self::Endpoint => "endpoint",
            Self::Failure => "failure",
        })
    }
}

const TEXT: &str = "**Text:**";
const WHY: &str = "**Why:**";
const DO: &str = "**Do:**";
const SOURCE: &str = "**Source:**";

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
    fn messages_are_found_by_what_people_type() {
        for (typed, id) in [
            ("12014", "event-12014"),
            ("takes precedence", "takes-precedence"),
            ("-2146893016", "certificate-expired-schannel"),
            ("0x80090328", "certificate-expired-schannel"),
            ("WinRM", "winrm-shell-handle-not-valid"),
            (
                "The shell handle passed to the WSMan Shell function is not valid",
                "winrm-shell-handle-not-valid",
            ),
            ("Failed to connect to an Exchange server in the current site.", "winrm-shell-handle-not-valid"),
            ("Overwrite the existing default SMTP certificate?", "overwrite-default-smtp-certificate"),
            ("454 4.7.0", "event-2004"),
            ("454 4.7.5", "tlscertificatename-not-found"),
            ("PrivateKeyMissing", "not-valid-for-exchange"),
            ("was not found", "certificate-not-found"),
            ("5.7.64 TenantAttribution", "tenant-attribution"),
            ("0xe0434352", "unknown-error-0xe0434352"),
            ("10104", "event-10104"),
            ("FbaModule.ParseCadataCookies", "outlook-on-the-web-sign-in-loop"),
            ("HMACProvider.GetCertificates", "outlook-on-the-web-protection-certificates"),
            ("MSExchange OAuth 2004", "oauth-2004"),
            ("0x80092004", "cannot-find-object-or-property"),
            ("36870", "schannel-36870"),
            ("(Error Code 10)", "outlook-proxy-certificate"),
            ("ERR_CERT_DATE_INVALID", "browser-certificate-errors"),
            ("451 5.7.3 Cannot achieve", "cannot-achieve-exchange-server-authentication"),
        ] {
            let found = search(typed);
            assert_eq!(found.first().map(|entry| entry.id), Some(id), "{typed}");
        }
        assert!(search("xyzzy").is_empty());
        assert!(search("a").is_empty());
    }

    #[test]
    fn a_message_of_exchange_leads_to_its_entry() {
        let told = "A special Rpc error occurs on server EX01: The private key couldn't be exported as PKCS-12. It either \
                    couldn't be accessed or isn't exportable.";
        assert_eq!(of_message(told).map(|entry| entry.id), Some("key-not-exportable"));
        assert_eq!(
            of_message("A special Rpc error occurs on server EX01: something else.").map(|entry| entry.id),
            None
        );
        assert_eq!(of_message("").map(|entry| entry.id), None);
    }

    #[test]
    fn messages_have_the_texts_that_others_have_not() {
        for entry in catalogue() {
            let is_message = entry.kind == ExplanationKind::Message;
            assert_eq!(!entry.texts.is_empty(), is_message, "{}", entry.id);
            assert!(!is_message || entry.source.starts_with("facts "), "{}", entry.id);
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
