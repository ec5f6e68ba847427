//! Annotations: lines in a job's log that the forge shows beside the file.

use std::io;

use super::told::{Diagnostics, by_severity, place};
use crate::model::diagnostic::Severity;

/// Workflow commands of GitHub Actions: `::error file=…,line=…,col=…,title=…::message`.
pub(super) fn github(diagnostics: &Diagnostics, out: &mut dyn io::Write) -> io::Result<()> {
    for diagnostic in &diagnostics.list {
        let (file, line, column) = place(diagnostics, diagnostic);
        let level = by_severity(diagnostic.severity, ["error", "warning", "notice"]);
        let (file, title) = (property(&file), property(&diagnostic.code));
        let message = escaped(&diagnostic.to_string(), &[('%', "%25"), ('\r', "%0D"), ('\n', "%0A")]);
        writeln!(out, "::{level} file={file},line={line},col={column},title={title}::{message}")?;
    }
    Ok(())
}

fn property(text: &str) -> String {
    escaped(text, &[('%', "%25"), ('\r', "%0D"), ('\n', "%0A"), (':', "%3A"), (',', "%2C")])
}

/// Logging commands of Azure Pipelines: `##vso[task.logissue type=…;sourcepath=…;linenumber=…;…]message`. They know errors
/// and warnings only; a notice is a line of the log.
pub(super) fn azure(diagnostics: &Diagnostics, out: &mut dyn io::Write) -> io::Result<()> {
    const TABLE: &[(char, &str)] =
        &[('%', "%AZP25"), (';', "%3B"), ('\r', "%0D"), ('\n', "%0A"), (']', "%5D")];
    for diagnostic in &diagnostics.list {
        let (file, line, column) = place(diagnostics, diagnostic);
        let message = escaped(&diagnostic.to_string(), &TABLE[..1]).replace(['\r', '\n'], " ");
        match diagnostic.severity {
            Severity::Error | Severity::Warning => {
                let level = by_severity(diagnostic.severity, ["error", "warning", ""]);
                let (file, code) = (escaped(&file, TABLE), escaped(&diagnostic.code, TABLE));
                writeln!(
                    out,
                    "##vso[task.logissue type={level};sourcepath={file};linenumber={line};columnnumber={column};code={code};]{message}"
                )?;
            }
            Severity::Notice => {
                writeln!(out, "{file}({line},{column}): notice {}: {message}", diagnostic.code)?;
            }
        }
    }
    Ok(())
}

fn escaped(text: &str, table: &[(char, &str)]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match table.iter().find(|(special, _)| *special == char) {
            Some((_, instead)) => escaped.push_str(instead),
            // A log is read on a terminal, too.
            None if char.is_control() && !matches!(char, '\r' | '\n' | '\t') => {
                escaped.extend(char.escape_default())
            }
            None => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::diagnostic::{Diagnostic, Location, Subject};

    fn diagnostics(severity: Severity) -> Diagnostics {
        let mut diagnostic =
            Diagnostic::new("bad-value", severity, Subject::default(), "50 % of\n`a;b]c` are wrong");
        diagnostic.location = Some(Location { file: "./of,all:/m.yaml".into(), line: 3, column: 5 });
        let list = vec![diagnostic];
        Diagnostics { command: "check", file: "m.yaml".into(), list, ..Diagnostics::default() }
    }

    fn written(write: fn(&Diagnostics, &mut dyn io::Write) -> io::Result<()>, severity: Severity) -> String {
        let mut bytes = Vec::new();
        write(&diagnostics(severity), &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn nothing_in_a_text_ends_a_command() {
        assert_eq!(
            written(github, Severity::Error),
            "::error file=of%2Call%3A/m.yaml,line=3,col=5,title=bad-value::50 %25 of%0A`a;b]c` are wrong\n"
        );
        assert_eq!(
            written(azure, Severity::Warning),
            "##vso[task.logissue type=warning;sourcepath=of,all:/m.yaml;linenumber=3;columnnumber=5;code=bad-value;]50 %AZP25 of `a;b]c` are wrong\n"
        );
        assert!(!written(azure, Severity::Notice).contains("##vso"));
    }
}
