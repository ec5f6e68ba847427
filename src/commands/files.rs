//! Files that users name.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    fs,
    io::{self, Read, Write},
    path::{Component, Path, PathBuf},
    sync::Mutex,
};

use serde::Serialize;

use super::{
    error::{CommandError, Exit},
    live,
    terminal::Terminal,
};
use crate::{
    durable::{self, Readers},
    json::{self, Spacing},
    manifest::{
        foreign::{SkippedFile, foreign, is_lab},
        yaml::{self, Source},
    },
    model::{
        shown::ShowPath,
        text::{decoded, on_one_line},
    },
};

/// The manifest's files: the file itself, or those of the directory in the order of their names.
pub(super) fn manifest_sources(path: &Path) -> Result<Vec<Source>, CommandError> {
    let Found { sources, unreadable, .. } = found(path)?;
    unreadable.into_iter().next().map_or(Ok(sources), |(_, error)| Err(error))
}

/// The same for a command that goes by the manifest, with what lies beside it and is not read. That is said once: a part of the
/// manifest may be among it.
pub(super) fn manifest_and_skipped(path: &Path) -> Result<(Vec<Source>, Vec<SkippedFile>), CommandError> {
    let Found { sources, mut others, unreadable } = found(path)?;
    others.retain(|other| !other.own);
    let is_new = SAID.lock().is_ok_and(|mut said| said.insert(path.to_owned()));
    if is_new && !others.is_empty() {
        live::say(&skipped_in_short(&others));
    }
    unreadable.into_iter().next().map_or(Ok((sources, others)), |(_, error)| Err(error))
}

/// The paths of which it was said.
static SAID: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn skipped_in_short(others: &[SkippedFile]) -> String {
    let mut names: Vec<String> =
        others.iter().take(MOST_NAMED).map(|other| on_one_line(&other.file).into_owned()).collect();
    if others.len() > MOST_NAMED {
        names.push(format!("{} more", others.len() - MOST_NAMED));
    }
    let are = if others.len() == 1 { "is" } else { "are" };
    format!("{} {are} skipped; `certwright check` says why", names.join(", "))
}

/// So many files are named in one line.
const MOST_NAMED: usize = 4;

/// The files of a directory that are, or may be, parts of a manifest; none where it is not there.
pub(super) fn manifests_in(directory: &Path) -> Vec<String> {
    let Ok(Found { sources, unreadable, .. }) = found(directory) else { return Vec::new() };
    let unreadable = unreadable.iter().map(|(file, _)| file.shown().to_string());
    sources.into_iter().map(|source| source.file).chain(unreadable).collect()
}

/// What lies at the path of a manifest. What is not read of it is told.
pub(super) fn told_sources(path: &Path, terminal: Terminal) -> Result<Found, CommandError> {
    let found = found(path)?;
    for SkippedFile { file, why, .. } in &found.others {
        // A name may hold what a terminal would obey.
        terminal.say(&format!("{} is skipped: {why}", on_one_line(file)));
    }
    Ok(found)
}

/// Files that cannot be read, and why not.
pub(super) type Unreadable = Vec<(PathBuf, CommandError)>;

/// What lies at the path of a manifest.
#[derive(Default)]
pub(super) struct Found {
    pub(super) sources: Vec<Source>,
    /// Files of others, with what they are known by.
    pub(super) others: Vec<SkippedFile>,
    /// Files of a directory that cannot be read.
    pub(super) unreadable: Unreadable,
}

fn found(path: &Path) -> Result<Found, CommandError> {
    if !path.exists() {
        return Err(not_there(path));
    }
    let source = |file: PathBuf| -> Result<Source, CommandError> {
        Ok(Source { bytes: read_text(&file)?, file: at_its_own_place(file).shown().to_string() })
    };
    if !path.is_dir() {
        let sources = vec![source(path.to_owned())?];
        return Ok(Found { sources, ..Found::default() });
    }
    let (files, mut others) = yaml_files(path)?;
    let (mut sources, mut unreadable) = (Vec::new(), Vec::new());
    for file in files {
        let source = match source(file.clone()) {
            Ok(source) => source,
            Err(error) => {
                unreadable.push((file, error));
                continue;
            }
        };
        let text = std::str::from_utf8(&source.bytes)
            .map_or_else(|_| String::from_utf8_lossy(&source.bytes), Cow::Borrowed);
        match foreign(&text) {
            Some(why) => others.push(SkippedFile { file: source.file, why, own: is_lab(&text) }),
            None => sources.push(source),
        }
    }
    others.sort_by(|one, other| one.file.cmp(&other.file));
    if sources.is_empty()
        && let Some((_, error)) = unreadable.pop()
    {
        return Err(error);
    }
    if sources.is_empty() {
        let error =
            CommandError::new(Exit::Error, format!("{} holds no manifest", path.shown())).detail(
                "A manifest is a file that ends in .yaml or .yml, in small letters; directories below are not looked into, and hidden files are not read.",
            );
        let error = others.iter().fold(error, |error, SkippedFile { file, why, .. }| {
            error.detail(format!("{file} is not a manifest: {why}."))
        });
        return Err(error.hint(below(path).unwrap_or_else(|| yaml::START_FROM.to_owned())));
    }
    Ok(Found { sources, others, unreadable })
}

/// A file by the one name that it has: links to it, as of shared profiles, would give it a name for each organization.
fn at_its_own_place(file: PathBuf) -> PathBuf {
    let mut own = file.clone();
    for _ in 0..MOST_LINKS {
        let Ok(target) = fs::read_link(&own) else { break };
        own = shortened(&own.parent().unwrap_or(Path::new("")).join(target));
    }
    // A link in the way may lead elsewhere than `..` says.
    let is_same = || Some(fs::canonicalize(&own).ok()? == fs::canonicalize(&file).ok()?);
    if own == file || is_same() == Some(true) { own } else { file }
}

/// The path without what `..` takes back.
fn shortened(path: &Path) -> PathBuf {
    let mut short = PathBuf::new();
    for part in path.components() {
        let takes_back = part == Component::ParentDir
            && matches!(short.components().next_back(), Some(Component::Normal(_)));
        match part {
            _ if takes_back => drop(short.pop()),
            Component::CurDir => {}
            part => short.push(part),
        }
    }
    short
}

/// More links one after the other no system follows.
const MOST_LINKS: usize = 40;

/// Which of the directories below hold manifests, as an advice.
fn below(directory: &Path) -> Option<String> {
    let entries = fs::read_dir(directory).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let is_part =
        |file: &PathBuf| read_text(file).is_ok_and(|text| foreign(&String::from_utf8_lossy(&text)).is_none());
    let holds_one =
        |path: &PathBuf| path.is_dir() && yaml_files(path).is_ok_and(|(files, _)| files.iter().any(is_part));
    let mut names: Vec<String> =
        entries.filter(holds_one).map(|path| path.shown().to_string()).take(MOST_LOOKED_INTO).collect();
    names.sort();
    let more = names.len().saturating_sub(MOST_NAMED);
    names.truncate(MOST_NAMED);
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    (!names.is_empty()).then(|| format!("name those below that hold one: {}{rest}", names.join(" ")))
}

/// In so many directories below is looked for manifests.
const MOST_LOOKED_INTO: usize = 100;

fn not_there(path: &Path) -> CommandError {
    CommandError::new(Exit::Error, format!("{} does not exist", path.shown()))
        .hint("name a manifest, or the directory that holds it; `certwright init` writes a first one")
}

/// Refuses a path that names no organization: what lies beside it is another one's. The file of a manifest may be gone by now; its
/// folder may not.
pub(super) fn check_manifest_place(path: &Path) -> Result<(), CommandError> {
    let yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    let is_there = path.exists() || (yaml && base_directory(path).is_dir());
    if is_there { Ok(()) } else { Err(not_there(path)) }
}

/// Reads a file that people write, up to what such a file can have. One that is larger is refused for what was read.
fn read_text(path: &Path) -> Result<Vec<u8>, CommandError> {
    let failed = |error| unreadable(path, error);
    let (file, length) = open_readable(path)?;
    let limit = yaml::LARGEST as u64 + 1;
    let length = length.min(limit);
    // One more, so that the end is found without asking for twice as much.
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn unreadable(path: &Path, error: io::Error) -> CommandError {
    CommandError::new(Exit::Error, format!("{} cannot be read", path.shown()))
        .because(error)
        .hint("name a file that is there and that this user may read")
}

/// Opens a file for reading. A pipe by a name in the file system could keep whoever opens it waiting for ever; what the shell
/// hands over under `/dev` has somebody who writes. With it its length as the file system says it.
fn open_readable(path: &Path) -> Result<(fs::File, u64), CommandError> {
    let failed = |error| unreadable(path, error);
    let there = fs::metadata(path).map_err(|error| match fs::read_link(path) {
        Ok(target) => CommandError::new(
            Exit::Error,
            format!("{} is a link to {}, which cannot be read", path.shown(), target.shown()),
        )
        .because(error)
        .hint("make the file that it leads to, or take the link away"),
        Err(_) => failed(error),
    })?;
    if !there.is_file() && !there.is_dir() && !path.starts_with("/dev") {
        return Err(CommandError::new(Exit::Error, format!("{} is not a file", path.shown()))
            .detail("Reading a pipe or a device could wait for ever.")
            .hint("name a file, or hand the text over: certwright check /dev/stdin"));
    }
    Ok((fs::File::open(path).map_err(failed)?, there.len()))
}

/// The YAML files of a directory. Hidden ones are of others: of editors, of pipelines. A link that leads nowhere is read, and
/// fails: a part of a manifest must not vanish.
fn yaml_files(directory: &Path) -> Result<(Vec<PathBuf>, Vec<SkippedFile>), CommandError> {
    let unreadable = |error| {
        CommandError::new(Exit::Error, format!("{} cannot be read", directory.shown())).because(error)
    };
    let (mut files, mut others) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        let ending = path.extension().unwrap_or_default();
        let yaml = ending.eq_ignore_ascii_case("yaml") || ending.eq_ignore_ascii_case("yml");
        let small = ending == "yaml" || ending == "yml";
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        // What the directory says of it spares a question for each file; what a link leads to it does not say.
        let is_dir = || match entry.file_type() {
            Ok(kind) if !kind.is_symlink() => kind.is_dir(),
            Ok(_) | Err(_) => path.is_dir(),
        };
        if !yaml || is_dir() {
            continue;
        }
        let skipped = |why: &str| SkippedFile { file: path.shown().to_string(), why: why.into(), own: false };
        if hidden {
            others.push(skipped("it is hidden"));
        } else if !small {
            others.push(skipped("its name does not end in small letters"));
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok((files, others))
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    open_readable(path)?.0.read_to_end(&mut bytes).map_err(|error| unreadable(path, error))?;
    Ok(bytes)
}

/// Reads the text of a JSON file, also of one that Windows PowerShell wrote: with a byte order mark, or in UTF-16.
pub(super) fn read_json(path: &Path) -> Result<Vec<u8>, CommandError> {
    let bytes = read(path)?;
    Ok(decoded(&bytes).map(|text| text.as_bytes().to_vec()).unwrap_or(bytes))
}

/// The directory that relative paths of a manifest start from.
pub(super) fn base_directory(path: &Path) -> PathBuf {
    let base = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
    if base.as_os_str().is_empty() { PathBuf::from(".") } else { base.to_owned() }
}

/// Writes JSON for people to read too: whole, or not at all. A folder that is not there yet is made.
pub(super) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), CommandError> {
    let mut bytes = json::bytes(value, Spacing::Indented).map_err(|error| unwritable(path, error.into()))?;
    bytes.push(b'\n');
    write(path, &bytes)
}

/// Writes a file: whole, or not at all. Whoever reads it meanwhile sees the one before. A link stays a link, and what is
/// no file, such as `/dev/stdout` or a pipe, is written into and never replaced.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    let failed = |error: io::Error| unwritable(path, error);
    if fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        let written =
            fs::OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(bytes));
        return written.map_err(failed);
    }
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    // Who could read it before can read it now, and nobody else.
    let readers = if place.is_file() { Readers::AsBefore } else { Readers::Usual };
    durable::write(&place, bytes, readers).map_err(failed)
}

fn unwritable(path: &Path, error: io::Error) -> CommandError {
    CommandError::new(Exit::Error, format!("{} cannot be written", path.shown()))
        .because(error)
        .hint("name a place that can be written and has room; a file that was there is as it was")
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("plan.json"), folder.path().join("latest.json"));
        fs::write(&file, "old").unwrap();
        symlink("plan.json", &link).unwrap();
        write(&link, b"new").unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("plan.json"));
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside");
    }

    #[test]
    fn readers_stay_as_they_were() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("manifest.yaml");
        for mode in [0o640, 0o600, 0o664] {
            fs::write(&file, "old").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            write(&file, b"new").unwrap();
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, mode);
        }
    }

    #[test]
    fn a_file_behind_links_has_one_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for directory in ["shared", "organizations/contoso", "organizations/fabrikam"] {
            fs::create_dir_all(at(directory)).unwrap();
        }
        fs::write(at("shared/profiles.yml"), "profiles: {}\n").unwrap();
        symlink("../../shared/profiles.yml", at("organizations/contoso/profiles.yml")).unwrap();
        symlink("../contoso/profiles.yml", at("organizations/fabrikam/common.yml")).unwrap();
        for link in ["organizations/contoso/profiles.yml", "organizations/fabrikam/common.yml"] {
            assert_eq!(at_its_own_place(at(link)), at("shared/profiles.yml"));
        }
        assert_eq!(
            shortened(Path::new("./../../shared/profiles.yml")),
            Path::new("../../shared/profiles.yml")
        );
        // A folder that is a link itself: `..` is not where it seems.
        fs::create_dir_all(at("elsewhere/deep")).unwrap();
        symlink(at("elsewhere/deep"), at("organizations/linked")).unwrap();
        fs::write(at("elsewhere/a.yml"), "").unwrap();
        symlink("../a.yml", at("elsewhere/deep/b.yml")).unwrap();
        assert_eq!(at_its_own_place(at("organizations/linked/b.yml")), at("organizations/linked/b.yml"));
    }

    #[test]
    fn a_device_is_written_into_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let full = folder.path().join("full");
        symlink("/dev/full", &full).unwrap();
        let error = write(&full, b"plan").unwrap_err();
        assert!(error.causes().join(" ").contains("the disk is full"), "{:?}", error.causes());
        assert_eq!(fs::read_link(&full).unwrap(), Path::new("/dev/full"));
    }
}
