//! The journal of one run: in a directory a file to which lines are appended, in a bucket a file for each entry. The plan
//! is in a file of its own.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::PathBuf,
    sync::{Arc, Mutex},
};

use sha2::{Digest, Sha256};

use super::{
    StoreError,
    store::{Blob, BlobError, Blobs, LARGEST, Put, open_file},
};
use crate::{
    durable::{create_for_one_writer, make_private_directory, open_for_one_writer, sync_directory},
    model::{
        entry::{Entry, Holder, PlanDigest, RecordedPlan},
        plan::Plan,
        shown::ShowPath,
        time::Timestamp,
    },
    ports::{
        BoxError,
        journal::{Journal, JournalError},
    },
};

/// A run that is going on.
#[derive(Debug)]
pub struct Run {
    name: String,
    blobs: Arc<dyn Blobs>,
    writer: Mutex<Writer>,
}

#[derive(Debug)]
enum Writer {
    Lines(Lines),
    Numbered(Numbered),
}

/// A file of lines.
#[derive(Debug)]
struct Lines {
    file: File,
    path: PathBuf,
    /// Where the last whole line ends.
    end: u64,
    /// Whether there may be a part of a line behind it that could not be taken back.
    torn: bool,
}

/// A folder of numbered files.
#[derive(Debug)]
struct Numbered {
    /// The number of the next entry.
    next: u64,
    /// What was to be written under this number when the store did not answer: it may be there all the same.
    doubtful: Vec<Vec<u8>>,
}

impl Run {
    /// A new run; none when one of this name exists.
    pub(super) fn create(blobs: &Arc<dyn Blobs>, name: &str) -> Result<Option<Self>, StoreError> {
        let writer = if blobs.directory().is_some() {
            Lines::create(blobs.as_ref(), name)?.map(Writer::Lines)
        } else {
            let claim = serde_json::json!({ "run": name }).to_string();
            match blobs.create(&format!("runs/{name}/begun.json"), claim.as_bytes())? {
                Put::Done(_) => Some(Writer::Numbered(Numbered { next: 1, doubtful: Vec::new() })),
                Put::Taken => None,
            }
        };
        Ok(writer.map(|writer| Self::new(blobs, name, writer)))
    }

    /// A run that was begun before.
    pub(super) fn resume(blobs: &Arc<dyn Blobs>, name: &str) -> Result<Self, StoreError> {
        let writer = if blobs.directory().is_some() {
            Writer::Lines(Lines::resume(blobs.as_ref(), name)?)
        } else {
            let last = entries_of(blobs.as_ref(), name)?.len() as u64;
            Writer::Numbered(Numbered { next: last + 1, doubtful: Vec::new() })
        };
        Ok(Self::new(blobs, name, writer))
    }

    fn new(blobs: &Arc<dyn Blobs>, name: &str, writer: Writer) -> Self {
        Self { name: name.to_owned(), blobs: blobs.clone(), writer: Mutex::new(writer) }
    }

    /// Where the journal is, for messages.
    pub fn place(&self) -> String {
        match self.blobs.directory() {
            Some(root) => root.join(lines_file(&self.name)).shown().to_string(),
            None => format!("{}/{}", self.blobs.describe(), journal_folder(&self.name)),
        }
    }

    pub(super) fn blobs(&self) -> &Arc<dyn Blobs> {
        &self.blobs
    }
}

impl Journal for Run {
    /// The plan is a file beside the journal, and the first entry has its digest.
    fn open(&self, at: Timestamp, by: &Holder, plan: &Plan) -> Result<(), JournalError> {
        let keep = || -> Result<PlanDigest, BoxError> {
            let bytes = serde_json::to_vec(plan)?;
            match self.blobs.create(&plan_file(&self.name), &bytes)? {
                Put::Done(_) => Ok(digest(&bytes)),
                Put::Taken => Err(StoreError::InUse(self.name.clone()).into()),
            }
        };
        let kept = keep().map_err(|source| JournalError { run: self.name.clone(), source })?;
        let plan = RecordedPlan::Beside(kept);
        self.append(&Entry::Opened { version: Entry::VERSION, at, by: by.clone(), plan })
    }

    /// One line of JSON, or one file of it; durable when it returns.
    fn append(&self, entry: &Entry) -> Result<(), JournalError> {
        let write = || -> Result<(), BoxError> {
            let bytes = serde_json::to_vec(entry)?;
            match &mut *self.writer.lock().expect("no panic holds it") {
                Writer::Lines(lines) => Ok(lines.append(bytes)?),
                Writer::Numbered(numbered) => Ok(numbered.append(self.blobs.as_ref(), &self.name, &bytes)?),
            }
        };
        write().map_err(|source| JournalError { run: self.name.clone(), source })
    }

    fn run(&self) -> &str {
        &self.name
    }
}

/// The entries of a journal, the first with the plan.
pub(super) fn read(blobs: &dyn Blobs, name: &str) -> Result<Vec<Entry>, StoreError> {
    let mut entries = if blobs.directory().is_some() {
        read_lines(blobs, name)?.0
    } else {
        let files = entries_of(blobs, name)?;
        let blobs = blobs.read_all(&files)?;
        let parse = |(at, blob): (usize, &Blob)| {
            serde_json::from_slice(&blob.bytes).map_err(|error| damaged(name, at, error))
        };
        blobs.iter().enumerate().map(parse).collect::<Result<_, _>>()?
    };
    if let Some(Entry::Opened { plan, .. }) = entries.first_mut()
        && let RecordedPlan::Beside(digest) = plan
    {
        *plan = RecordedPlan::Whole(Box::new(read_plan(blobs, name, digest)?));
    }
    Ok(entries)
}

/// Whether the folder of a run holds keys on their way, which a run leaves only in its middle.
pub(super) fn has_keys(blobs: &dyn Blobs, name: &str) -> Result<bool, StoreError> {
    Ok(!blobs.list(&format!("runs/{name}/issued"))?.is_empty())
}

/// Whether the folder of a run holds what only a run that did something leaves: keys, backups. Its plan is written before its
/// journal has an entry.
pub(super) fn has_left_something(blobs: &dyn Blobs, name: &str) -> Result<bool, StoreError> {
    let folder = format!("runs/{name}");
    for file in blobs.list(&folder)? {
        match file.as_str() {
            "plan.json" | "begun.json" => {}
            "issued/" => {
                if has_keys(blobs, name)? {
                    return Ok(true);
                }
            }
            _ => return Ok(true),
        }
    }
    Ok(false)
}

/// The plan that a run was begun with.
fn read_plan(blobs: &dyn Blobs, name: &str, wanted: &PlanDigest) -> Result<Plan, StoreError> {
    let file = plan_file(name);
    let kept = blobs.read(&file)?;
    let kept = kept.ok_or_else(|| damaged(name, 0, format!("its plan, {file}, is missing")))?;
    if digest(&kept.bytes) != *wanted {
        return Err(damaged(
            name,
            0,
            format!("its plan, {file}, is not the one that the run was begun with"),
        ));
    }
    serde_json::from_slice(&kept.bytes).map_err(|error| damaged(name, 0, error))
}

fn digest(bytes: &[u8]) -> PlanDigest {
    PlanDigest { sha256: Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect() }
}

/// The files of a journal in a bucket, in order. None may be missing.
fn entries_of(blobs: &dyn Blobs, name: &str) -> Result<Vec<String>, StoreError> {
    let folder = journal_folder(name);
    let listed = blobs.list(&folder)?;
    if listed.is_empty() && blobs.read(&format!("runs/{name}/begun.json"))?.is_none() {
        return Err(StoreError::NoSuchRun(name.into(), blobs.describe()));
    }
    let mut numbers: Vec<u64> =
        listed.iter().filter_map(|file| file.strip_suffix(".json")?.parse().ok()).collect();
    numbers.sort_unstable();
    for (at, number) in numbers.iter().enumerate() {
        if *number != at as u64 + 1 {
            return Err(damaged(name, at, "it is missing, and later ones are there"));
        }
    }
    Ok(numbers.iter().map(|number| format!("{folder}/{number:06}.json")).collect())
}

/// The entries of a file of lines, and where the last whole one ends. Only one line at a time is held as text.
fn read_lines(blobs: &dyn Blobs, name: &str) -> Result<(Vec<Entry>, u64), StoreError> {
    let path = path_of(blobs, name);
    let failed = |error: io::Error| BlobError::Read(path.shown().to_string(), error.into());
    let file = open_file(&path).map_err(failed)?;
    let mut file = BufReader::new(file.ok_or_else(|| StoreError::NoSuchRun(name.into(), blobs.describe()))?);
    let (mut entries, mut end) = (Vec::new(), 0);
    let mut next = next_line(&mut file).map_err(failed)?;
    while let Some(line) = next {
        next = next_line(&mut file).map_err(failed)?;
        if next.is_none() && !line.ends_with(b"\n") {
            break;
        }
        match serde_json::from_slice(&line) {
            Ok(entry) => entries.push(entry),
            // JSON that is no entry was not torn: a newer program wrote it, and it must not be lost.
            Err(error) if next.is_none() && !error.is_data() => break,
            Err(error) => return Err(damaged(name, entries.len(), error)),
        }
        end += line.len() as u64;
    }
    Ok((entries, end))
}

/// The next line with its end; none behind the last.
fn next_line(file: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    file.take(LARGEST + 1).read_until(b'\n', &mut line)?;
    if line.len() as u64 > LARGEST {
        let text = "a line is longer than anything that certwright writes";
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok((!line.is_empty()).then_some(line))
}

fn damaged(run: &str, at: usize, source: impl Into<BoxError>) -> StoreError {
    StoreError::Damaged { run: run.into(), entry: at as u64 + 1, source: source.into() }
}

impl Lines {
    fn create(blobs: &dyn Blobs, name: &str) -> Result<Option<Self>, StoreError> {
        let path = path_of(blobs, name);
        let create = || -> io::Result<Option<Option<File>>> {
            let folder = path.parent().expect("a journal is in a folder");
            make_private_directory(folder)?;
            match create_for_one_writer(&path) {
                Ok(file) => sync_directory(folder).map(|()| Some(file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
                Err(error) => Err(error),
            }
        };
        match create().map_err(|error| StoreError::Write(path.clone(), error))? {
            Some(Some(file)) => Ok(Some(Self { file, path, end: 0, torn: false })),
            Some(None) => Err(StoreError::InUse(name.into())),
            None => Ok(None),
        }
    }

    /// Takes back what a power cut left of a last line, so that the next one does not become its end.
    fn resume(blobs: &dyn Blobs, name: &str) -> Result<Self, StoreError> {
        let path = path_of(blobs, name);
        // Before it is opened for writing: one that is damaged is left as it is.
        read_lines(blobs, name)?;
        let write = |error| StoreError::Write(path.clone(), error);
        let file = open_for_one_writer(&path).map_err(write)?;
        let file = file.ok_or_else(|| StoreError::InUse(name.into()))?;
        // Nobody else appends from here on.
        let (_, end) = read_lines(blobs, name)?;
        file.set_len(end).and_then(|()| file.sync_all()).map_err(write)?;
        Ok(Self { file, path, end, torn: false })
    }

    /// Appends a line, unless somebody else has appended meanwhile: a process that was stopped for long finds its journal in the
    /// hands of the run that went on with it.
    fn append(&mut self, mut line: Vec<u8>) -> Result<(), BlobError> {
        line.push(b'\n');
        if line.len() as u64 > LARGEST {
            return Err(BlobError::TooLarge { place: self.path.shown().to_string(), bytes: line.len() });
        }
        let place = || self.path.shown().to_string();
        let there = self.file.metadata().map_err(|error| BlobError::Read(place(), error.into()))?.len();
        if !self.torn && there != self.end {
            let text = "somebody else has written into it since";
            return Err(BlobError::Write(place(), io::Error::other(text).into()));
        }
        let written = if self.torn {
            Err(io::Error::other("an earlier line was written in part and could not be taken back"))
        } else {
            self.write(&line)
        };
        if written.is_ok() {
            self.end += line.len() as u64;
        } else {
            // A full disk takes a part of a line. Other steps are still to be written down once they end.
            self.torn = self.torn || self.file.set_len(self.end).is_err();
        }
        written.map_err(|error| BlobError::Write(self.path.shown().to_string(), error.into()))
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(line)?;
        self.file.sync_data()
    }
}

impl Numbered {
    fn append(&mut self, blobs: &dyn Blobs, run: &str, bytes: &[u8]) -> Result<(), StoreError> {
        if self.create(blobs, run, bytes)? {
            return Ok(());
        }
        // The number is taken: by what we wrote when the store did not answer, or by another writer.
        let there = blobs.read(&self.file(run))?;
        if there.is_some_and(|there| self.doubtful.contains(&there.bytes)) {
            self.next += 1;
            self.doubtful.clear();
            if self.create(blobs, run, bytes)? {
                return Ok(());
            }
        }
        Err(StoreError::InUse(run.into()))
    }

    fn create(&mut self, blobs: &dyn Blobs, run: &str, bytes: &[u8]) -> Result<bool, StoreError> {
        match blobs.create(&self.file(run), bytes) {
            Ok(Put::Done(_)) => {
                self.next += 1;
                self.doubtful.clear();
                Ok(true)
            }
            Ok(Put::Taken) => Ok(false),
            Err(error) => {
                self.doubtful.push(bytes.to_vec());
                Err(error.into())
            }
        }
    }

    fn file(&self, run: &str) -> String {
        format!("{}/{:06}.json", journal_folder(run), self.next)
    }
}

fn path_of(blobs: &dyn Blobs, name: &str) -> PathBuf {
    blobs.directory().expect("lines are in a directory").join(lines_file(name))
}

fn lines_file(name: &str) -> String {
    format!("runs/{name}.jsonl")
}

fn plan_file(name: &str) -> String {
    format!("runs/{name}/plan.json")
}

fn journal_folder(name: &str) -> String {
    format!("runs/{name}/journal")
}
