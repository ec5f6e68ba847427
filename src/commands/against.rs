//! `plan --against`: another version of the manifest, from a directory or from a revision of Git.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{CommandError, Exit, files};
use crate::{
    manifest::{foreign::foreign, yaml::Source},
    model::secret::Secret,
    process::{self, Bounds, Program},
};

/// The files of the other version of the manifest at `path`: of the manifest at `other`, where that is a path, or of that
/// revision. None where the revision has none there: the organization is new.
pub(super) fn sources(other: &str, path: &Path) -> Result<Option<Vec<Source>>, CommandError> {
    if Path::new(other).exists() {
        return files::manifest_sources(Path::new(other)).map(Some);
    }
    let git = Git::at(files::base_directory(path), other)?;
    let mut names = git.files()?;
    if path.is_dir() {
        names.retain(|name| is_yaml(name));
    } else {
        let name = file_name(path);
        names.retain(|other| *other == name);
    }
    let read = |name: &String| Ok(Source { file: format!("{other}:{name}"), bytes: git.content(name)? });
    let sources: Vec<Source> = names.iter().map(read).collect::<Result<_, CommandError>>()?;
    let ours = |source: &Source| !path.is_dir() || foreign(&String::from_utf8_lossy(&source.bytes)).is_none();
    let sources: Vec<Source> = sources.into_iter().filter(ours).collect();
    Ok(Some(sources).filter(|sources| !sources.is_empty()))
}

struct Git<'a> {
    directory: PathBuf,
    /// As it was named.
    revision: &'a str,
    object: String,
}

impl<'a> Git<'a> {
    /// The repository around a directory, at the object that the revision names now: what is searched for (`:/message`)
    /// would take a path behind it as a part of itself.
    fn at(directory: PathBuf, revision: &'a str) -> Result<Self, CommandError> {
        let unresolved = Self { directory, revision, object: String::new() };
        // What begins with a hyphen would be an option of Git.
        if revision.starts_with('-') {
            return Err(unresolved.no_revision());
        }
        let answer = unresolved.run(&["rev-parse", "--verify", "--quiet", revision])?;
        let object = String::from_utf8_lossy(&answer).trim().to_owned();
        Ok(Self { object, ..unresolved })
    }

    /// The names in the directory at the revision, without those below.
    fn files(&self) -> Result<Vec<String>, CommandError> {
        let listed = self.run(&["ls-tree", "-z", "--name-only", &self.object, "./"])?;
        let names = listed.split(|byte| *byte == 0).map(|name| String::from_utf8_lossy(name).into_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        Ok(names)
    }

    /// What a file held at the revision; a link within the repository is followed.
    fn content(&self, name: &str) -> Result<Vec<u8>, CommandError> {
        // A line of its input ends where the name would go on.
        if name.contains('\n') {
            return self.run(&["show", &format!("{}:./{name}", self.object)]);
        }
        let asked = format!("{}:./{name}\n", self.object);
        let answer =
            self.told(&["cat-file", "--batch", "--follow-symlinks"], Some(&Secret::new(asked.into_bytes())))?;
        content_of(&answer).ok_or_else(|| {
            let what = format!("{name} of {} is not the path of a file", self.revision);
            CommandError::new(Exit::Error, what)
                .detail("It is not there, or it is a link to what is not in the repository at that revision.")
                .hint("let the link lead to a file in the repository: ../../shared/profiles.yml")
        })
    }

    fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, CommandError> {
        self.told(arguments, None)
    }

    fn told(&self, arguments: &[&str], input: Option<&Secret>) -> Result<Vec<u8>, CommandError> {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        // Hooks of Git have GIT_DIR and others, which would lead away from the repository of this directory.
        let program = Program::new("git", &arguments, &self.directory).passing_on(PASSED_ON);
        let bounds = Bounds { time: PATIENCE, output: MOST };
        let output =
            process::output(&program, input, bounds).map_err(|error| self.no_revision().because(error))?;
        Ok(output.expose().to_vec())
    }

    fn no_revision(&self) -> CommandError {
        CommandError::new(
            Exit::Error,
            format!("{} is neither a path nor a revision of Git here", self.revision),
        )
        .hint("name a directory, or a revision: certwright plan . --against origin/main")
    }
}

fn is_yaml(name: &str) -> bool {
    let ending = Path::new(name).extension();
    !name.starts_with('.') && ending.is_some_and(|ending| ending == "yaml" || ending == "yml")
}

/// The content in an answer of `git cat-file --batch`: a line `HASH blob SIZE`, so many bytes, the end of a line.
fn content_of(answer: &[u8]) -> Option<Vec<u8>> {
    let end = answer.iter().position(|byte| *byte == b'\n')?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let mut words = head.split(' ');
    let (_, kind, size) = (words.next()?, words.next()?, words.next()?);
    let size: usize = size.parse().ok().filter(|_| kind == "blob")?;
    answer.get(end + 1..end + 1 + size).map(<[u8]>::to_vec)
}

const PASSED_ON: &[&str] =
    &["HOME", "GIT_CONFIG*", "GIT_EXEC_PATH", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM"];

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

const PATIENCE: Duration = Duration::from_secs(60);
/// More than a manifest may have.
const MOST: u64 = 8 * 1024 * 1024;
