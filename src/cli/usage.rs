//! A command line that is wrong, in words of our own where those of the parser would mislead.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::commands::{CommandError, Exit};

/// The same error, with the tip that helps where people bring words of other programs.
pub(super) fn advised(mut error: clap::Error) -> clap::Error {
    let (kind, word) = match error.kind() {
        ErrorKind::UnknownArgument => (ContextKind::InvalidArg, OPTIONS),
        ErrorKind::InvalidSubcommand => (ContextKind::InvalidSubcommand, COMMANDS),
        _ => return error,
    };
    let Some(ContextValue::String(typed)) = error.get(kind) else { return error };
    let typed = typed.trim_start_matches('-').to_lowercase();
    let tip = word.iter().find(|(others, _)| others.contains(&typed.as_str())).map(|(_, tip)| *tip);
    // What the parser would suggest is the way to pass an option's name as a value, which nobody wants.
    let as_value = matches!(error.get(ContextKind::Suggested), Some(ContextValue::StyledStrs(_)));
    if tip.is_some() || as_value {
        let tips = tip.map(Into::into).into_iter().collect();
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
    if tip.is_some() {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::None);
        error.insert(ContextKind::SuggestedArg, ContextValue::None);
    }
    error
}

/// What is wrong, for programs.
pub(super) fn told(error: &clap::Error) -> CommandError {
    let text = plain(&error.render().to_string());
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or("the command line is wrong");
    let summary = first.strip_prefix("error: ").unwrap_or(first).to_owned();
    lines.fold(CommandError::new(Exit::Usage, summary), |error, line| match line.strip_prefix("tip: ") {
        Some(tip) => error.hint(tip),
        None => error.detail(line),
    })
}

/// A rendered text without what the standard library says of numbers.
pub(super) fn plain(text: &str) -> String {
    NUMBERS.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
}

const NUMBERS: [(&str, &str); 4] = [
    ("invalid digit found in string", "write a whole number"),
    ("cannot parse integer from empty string", "write a whole number"),
    ("number too large to fit in target type", "the number is too large"),
    ("number too small to fit in target type", "the number is too small"),
];

/// Options of other programs, and what does the same here.
const OPTIONS: &[(&[&str], &str)] = &[
    (&["yes", "y", "force", "f", "auto-apply", "assume-yes"], "`--auto-approve` applies without asking"),
    (&["dry-run", "whatif", "what-if", "check"], "`certwright plan` shows the steps and changes nothing"),
    (&["json"], "`--format json` prints JSON"),
    (&["output", "o"], "`--out FILE` saves the result, `--format` chooses how it is printed"),
    (&["no-color", "no-colour"], "`--color never` prints without colors"),
    (&["target"], "`--server` and `--certificate` limit a plan"),
    (&["debug"], "`--verbose` prints more"),
];

/// Commands of other programs, and what does the same here.
const COMMANDS: &[(&[&str], &str)] = &[
    (&["version"], "`certwright --version` prints the version"),
    (&["validate", "lint", "test"], "`certwright check` checks manifests"),
    (&["diff", "preview"], "`certwright plan` shows what differs, and the steps"),
    (&["undo", "revert", "restore"], "`certwright rollback` rolls a run back"),
    (&["run", "deploy", "renew", "update"], "`certwright apply` carries out the plan"),
    (&["log", "logs", "runs", "list"], "`certwright history` lists the runs"),
    (&["get", "export", "capture"], "`certwright observe` shows and saves what the servers have"),
    (&["new", "create"], "`certwright init` writes a first manifest"),
    (&["format"], "`certwright fmt` formats manifests"),
];
