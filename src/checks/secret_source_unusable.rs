//! Secrets that cannot be read from where the manifest says.

use crate::{
    manifest::{
        Manifest,
        finding::{Finding, Severity},
        secrets::secrets,
    },
    model::{desired::Desired, secret::SecretRef},
};

/// A secret should be read from a variable, a file or a program that cannot be one. What is written there may be the secret
/// itself, so it is not repeated.
pub(super) fn secret_source_unusable(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let unusable = secrets(manifest).into_iter().filter_map(|(path, secret)| {
        let (key, what, hint) = wrong(&secret)?;
        let why = "The run would stop when it reads the secret.";
        Some(Finding::new("", Severity::Error, path.key(key), what, why).hinted(hint).hiding_its_line())
    });
    unusable.collect()
}

fn wrong(secret: &SecretRef) -> Option<(&'static str, &'static str, &'static str)> {
    match secret {
        SecretRef::Env(name) if name.is_empty() => Some((
            "env",
            "the name of the environment variable is empty",
            "write the variable's name: `env: NAME`",
        )),
        SecretRef::Env(name) if !is_variable(name) => Some((
            "env",
            "this is not the name of an environment variable",
            "write the variable's name alone, without `$` and `%`: `env: NAME`; the secret itself is the variable's value",
        )),
        SecretRef::File(path) if path.as_os_str().is_empty() => {
            Some(("file", "the path of the file is empty", "write the file's path: `file: PATH`"))
        }
        SecretRef::Command(words) => match words.first().map(String::as_str) {
            None | Some("") => {
                Some(("command", "the command is empty", "write `command: [PROGRAM, ARGUMENT]`"))
            }
            Some(program) if is_whole_line(program) && words.len() == 1 => Some((
                "command",
                "the command is one word with blanks in it",
                "write each word as an item of its own: `command: [PROGRAM, ARGUMENT]`; no shell reads it",
            )),
            Some(_) => None,
        },
        SecretRef::Env(_) | SecretRef::File(_) => None,
    }
}

/// Windows has `ProgramFiles(x86)`, and containers have names with dots and hyphens.
fn is_variable(name: &str) -> bool {
    name.chars().all(|char| char.is_ascii_alphanumeric() || "_.-()".contains(char))
        && !name.starts_with(|char: char| char.is_ascii_digit())
}

/// Whether a program and its arguments stand in one word. A path may have blanks in it.
fn is_whole_line(program: &str) -> bool {
    let first = program.split_whitespace().next().unwrap_or_default();
    first.len() < program.trim_end().len() && !first.contains(['/', '\\'])
}
