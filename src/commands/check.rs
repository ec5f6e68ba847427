//! `certwright check`: what can be said about a manifest alone. Offline; looks at no file but the manifest's.

use std::path::Path;

use super::{CommandError, Exit, Terminal, session::Checked};
use crate::manifest::finding::Severity;

/// Checks each manifest. Notices do not make the exit code; `strict` lets warnings do.
pub fn run(
    paths: &[std::path::PathBuf],
    format: &str,
    strict: bool,
    terminal: Terminal,
) -> Result<Exit, CommandError> {
    let (mut findings, mut files) = (Vec::new(), 0);
    for path in paths {
        match check(path) {
            Ok((found, looked_at)) => {
                findings.extend(found);
                files += looked_at;
            }
            Err(error) if !error.findings.is_empty() => {
                findings.extend(error.findings);
                files += 1;
            }
            Err(error) => return Err(error),
        }
    }
    terminal.show(|out| terminal.view(format).findings(&findings, files, out))?;
    if format == "human" && !findings.is_empty() {
        terminal.say("what a finding means, and why: certwright explain ID");
    }
    let counts = |finding: &crate::manifest::finding::Finding| match finding.severity {
        Severity::Error => true,
        Severity::Warning => strict,
        Severity::Notice => false,
    };
    Ok(if findings.iter().any(counts) { Exit::Findings } else { Exit::Done })
}

fn check(path: &Path) -> Result<(Vec<crate::manifest::finding::Finding>, usize), CommandError> {
    let checked = Checked::open(path)?;
    Ok((checked.findings, checked.files))
}
