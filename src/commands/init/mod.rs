//! `certwright init`: a first manifest, with what belongs beside it. Nothing that is there is overwritten; of a `.gitignore` that is
//! there it says what belongs into it.

mod manifest_text;
mod options;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    str::FromStr,
};

use self::options::Known;
pub use self::options::{FirstDriver, FirstIssuer, InitOptions, NamedServer, Pipeline};
use super::{CommandError, Exit, Terminal, files, next, schema};
use crate::{
    manifest::format::formatted,
    model::{names::ServerName, shown::ShowPath},
    schemas,
};

/// Writes the files, all or none.
pub fn run(options: &InitOptions, terminal: Terminal) -> Result<Exit, CommandError> {
    let known = known(options, terminal)?;
    let (ignored, files): (Vec<_>, Vec<_>) = written(options, &known)?
        .into_iter()
        .partition(|(path, _)| path.ends_with(".gitignore") && path.exists());
    let there: Vec<&PathBuf> = files.iter().map(|(path, _)| path).filter(|path| path.exists()).collect();
    if let Some(first) = there.first() {
        let error = CommandError::new(Exit::Error, format!("{} is there already", first.shown()))
            .detail("Nothing was written: `init` never overwrites a file.");
        let error = there[1..]
            .iter()
            .fold(error, |error, path| error.detail(format!("{} is there too.", path.shown())));
        return Err(error.hint("name another directory, or move the files away"));
    }
    refuse_second(&options.directory)?;
    for (path, text) in &files {
        write_new(path, text)?;
        terminal.show(|out| writeln!(out, "{}", path.shown()))?;
    }
    for (path, text) in &ignored {
        let there = fs::read_to_string(path).unwrap_or_default();
        let wanted = text.lines().filter(|line| !line.starts_with('#'));
        let missing: Vec<&str> =
            wanted.filter(|line| !there.lines().any(|there| there.trim() == *line)).collect();
        if !missing.is_empty() {
            terminal.warn(&format!(
                "{} is there and stays as it is; add to it, so that Git keeps no keys: {}",
                path.shown(),
                missing.join(" ")
            ));
        }
    }
    let directory = next::quoted(&options.directory);
    terminal.say(&format!("next: certwright check {directory}"));
    let plan = next::Place { manifest: &options.directory, state: None }.plan();
    terminal.say(&match options.driver {
        FirstDriver::Powershell | FirstDriver::Lab => format!("then: {plan} shows what would be done"),
        FirstDriver::Capture => format!(
            "then: certwright observe --print-script > capture.ps1, run it on a server, put what it writes into {}/, and {plan}",
            next::quoted(&options.directory.join("capture"))
        ),
    });
    Ok(Exit::Done)
}

/// The files of a directory are one manifest: a second first one would be joined to what is there.
fn refuse_second(directory: &Path) -> Result<(), CommandError> {
    let manifests = files::manifests_in(directory);
    let Some(first) = manifests.first() else { return Ok(()) };
    let error = CommandError::new(Exit::Error, format!("{first} is a manifest already"))
        .detail("Nothing was written: all manifests of a directory are read as one.");
    let error = manifests[1..].iter().fold(error, |error, file| error.detail(format!("{file} is one too.")));
    Err(error.hint("name another directory, or go on with what is there: certwright check"))
}

fn known(options: &InitOptions, terminal: Terminal) -> Result<Known, CommandError> {
    let organization = match &options.organization {
        Some(organization) => organization.clone(),
        None => asked(terminal, "--organization", "The organization's name, such as contoso:", one)?,
    };
    let servers = once(if options.servers.is_empty() {
        asked_list(terminal, "--server", "Its servers by their full names, with blanks between:")?
    } else {
        options.servers.clone()
    });
    let names = once(if options.names.is_empty() {
        asked_list(
            terminal,
            "--name",
            "The names that clients use, such as mail.contoso.com autodiscover.contoso.com:",
        )?
    } else {
        options.names.clone()
    });
    for (index, NamedServer { name, fqdn }) in servers.iter().enumerate() {
        if let Some(other) = servers[..index].iter().find(|other| other.name == *name) {
            let what = format!("{} and {fqdn} have the same short name {name}", other.fqdn);
            return Err(CommandError::new(Exit::Usage, what)
                .detail("Exchange knows its servers by their short names, so no two are the same.")
                .hint(format!("give each its own: --server NAME={fqdn}")));
        }
        let (length, most) = (name.as_str().len(), ServerName::LONGEST_NETBIOS);
        if length > most {
            let what = format!("the short name {name} has {length} characters; Windows takes {most}");
            return Err(CommandError::new(Exit::Usage, what)
                .hint(format!("give the name that Get-ExchangeServer shows: --server NAME={fqdn}")));
        }
    }
    Ok(Known { organization, servers, names })
}

/// What is given twice counts once.
fn once<T: PartialEq>(given: Vec<T>) -> Vec<T> {
    given.into_iter().fold(Vec::new(), |mut list, item| {
        if !list.contains(&item) {
            list.push(item);
        }
        list
    })
}

/// Somebody who answers wrongly so often does not know it.
const MOST_ASKED: usize = 3;

/// Asks until the answer can be read, but not for ever.
fn asked<T>(
    terminal: Terminal,
    option: &str,
    question: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, CommandError> {
    if !terminal.can_answer {
        return Err(CommandError::new(
            Exit::Usage,
            format!("{option} is missing, and there is no terminal to ask at"),
        )
        .hint("certwright init --organization contoso --server ex01.contoso.com --name mail.contoso.com"));
    }
    let mut answer = terminal.ask(question)?;
    // Whoever has typed the answers before should not lose them by a slip.
    for _ in 1..MOST_ASKED {
        match read(&answer) {
            Ok(read) => return Ok(read),
            Err(error) => terminal.warn(&told(&answer, &error)),
        }
        answer = terminal.ask(question)?;
    }
    read(&answer).map_err(|error| {
        CommandError::new(Exit::Usage, told(&answer, &error))
            .hint(format!("give it on the command line: {option}"))
    })
}

fn told(answer: &str, error: &str) -> String {
    if answer.trim().is_empty() {
        "nothing was answered".to_owned()
    } else {
        format!("`{answer}` does not do: {error}")
    }
}

fn asked_list<T: FromStr<Err: std::fmt::Display>>(
    terminal: Terminal,
    option: &str,
    question: &str,
) -> Result<Vec<T>, CommandError> {
    asked(terminal, option, question, |answer| {
        let words: Vec<&str> = answer.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        if words.is_empty() { Err("it is empty".into()) } else { words.into_iter().map(one).collect() }
    })
}

fn one<T: FromStr<Err: std::fmt::Display>>(word: &str) -> Result<T, String> {
    word.parse().map_err(|error: T::Err| error.to_string())
}

/// Everything that is written.
fn written(options: &InitOptions, known: &Known) -> Result<Vec<(PathBuf, String)>, CommandError> {
    let at = |name: &str| options.directory.join(name);
    let manifest = manifest_text::manifest(options, known);
    // What is written is laid out as `fmt` would, so that a first `fmt --check` passes.
    let manifest = formatted(&manifest).map_err(|error| {
        CommandError::new(Exit::Error, "the first manifest cannot be laid out").because(error)
    })?;
    let mut files = vec![
        (at("manifest.yaml"), manifest),
        (at("manifest.schema.json"), schema::text(schemas::MANIFEST)),
        (at(".gitignore"), GITIGNORE.to_owned()),
    ];
    if options.driver == FirstDriver::Lab {
        files.push((at("lab/lab.yaml"), manifest_text::lab(known)));
    }
    files.extend(options.pipeline.map(|pipeline| match pipeline {
        Pipeline::Github => (at(".github/workflows/certwright.yml"), include_str!("github.yml").to_owned()),
        Pipeline::Gitlab => (at(".gitlab-ci.yml"), include_str!("gitlab.yml").to_owned()),
        Pipeline::Azure => (at("azure-pipelines.yml"), include_str!("azure.yml").to_owned()),
    }));
    Ok(files)
}

fn write_new(path: &Path, text: &str) -> Result<(), CommandError> {
    let failed = |error: std::io::Error| {
        CommandError::new(Exit::Error, format!("{} cannot be written", path.shown())).because(error)
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut file = fs::File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

const GITIGNORE: &str = "\
# What runs of certwright leave behind: journals, backups with keys, the state of a lab.
.certwright/
lab/state/
*.pfx
*.key
";
