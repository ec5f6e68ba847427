//! The report of GitLab's Code Quality: a list of issues, each with a fingerprint of its own.

use std::{collections::BTreeMap, io};

use serde::Serialize;

use super::told::{Diagnostics, by_severity, fingerprint, place};
use crate::views::json;

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: IssueLocation,
}

#[derive(Serialize)]
struct IssueLocation {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
}

/// Writes it.
pub(super) fn write(diagnostics: &Diagnostics, out: &mut dyn io::Write) -> io::Result<()> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let issues: Vec<Issue> = diagnostics
        .list
        .iter()
        .map(|diagnostic| {
            let (path, begin, _) = place(diagnostics, diagnostic);
            let mut fingerprint = fingerprint(diagnostics, diagnostic);
            // GitLab takes two issues of one fingerprint for one.
            let times = seen.entry(fingerprint.clone()).or_insert(0);
            *times += 1;
            if *times > 1 {
                fingerprint += &format!("-{times}");
            }
            Issue {
                description: diagnostic.to_string(),
                check_name: diagnostic.code.clone().into_owned(),
                fingerprint,
                severity: by_severity(diagnostic.severity, ["major", "minor", "info"]),
                location: IssueLocation { path, lines: Lines { begin } },
            }
        })
        .collect();
    json::write(&issues, out)
}
