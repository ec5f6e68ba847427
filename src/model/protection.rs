//! What a manifest says must never be touched.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{dn::DistinguishedName, pattern::fits, schema::JsonSchema, thumbprint::Thumbprint};

/// Which certificates are never touched. All that is given must fit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct Protection {
    /// The friendly name; `*` stands for any text, wherever it is written, and case does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"Federation*")]
    pub friendly_name: Option<String>,
    /// The whole subject in the text form of Windows; `*` stands for any text, wherever it is written, so that
    /// `CN=*.contoso.com*` fits all names below contoso.com and not the wildcard alone. Without `*` the order of its parts
    /// does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"CN=WMSvc*")]
    pub subject: Option<String>,
    /// The thumbprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbprint: Option<Thumbprint>,
}

/// Whether an entry means a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// It means another one.
    No,
    /// What was read of the certificate fits, and its friendly name was not read.
    Perhaps,
    /// It means this one.
    Yes,
}

impl fmt::Display for Protection {
    /// What it says, as the manifest has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { friendly_name, subject, thumbprint } = self;
        let said = [
            friendly_name.as_ref().map(|pattern| format!("friendlyName: {pattern:?}")),
            subject.as_ref().map(|pattern| format!("subject: {pattern:?}")),
            thumbprint.map(|thumbprint| format!("thumbprint: {thumbprint}")),
        ];
        let said: Vec<String> = said.into_iter().flatten().collect();
        write!(f, "{{ {} }}", said.join(", "))
    }
}

impl Protection {
    /// Whether all that it says of subject and friendly name fits; not when it says nothing at all.
    pub fn fits(&self, subject: &DistinguishedName, friendly_name: Option<&str>) -> Fit {
        let Self { friendly_name: of_name, subject: of_subject, thumbprint } = self;
        let says_something = of_name.is_some() || of_subject.is_some() || thumbprint.is_some();
        if !says_something || !of_subject.as_ref().is_none_or(|pattern| is_subject(pattern, subject)) {
            return Fit::No;
        }
        match (of_name, friendly_name) {
            (Some(_), None) => Fit::Perhaps,
            (Some(pattern), Some(name)) if !fits(pattern, name) => Fit::No,
            (Some(_) | None, _) => Fit::Yes,
        }
    }
}

fn is_subject(pattern: &str, subject: &DistinguishedName) -> bool {
    let same = || pattern.parse::<DistinguishedName>().is_ok_and(|written| written.means(subject));
    // Issued certificates begin with the largest part, in whatever order a manifest writes them.
    let written = [subject.to_string(), subject.largest_first().to_string()];
    written.iter().any(|subject| fits(pattern, subject)) || (!pattern.contains('*') && same())
}
