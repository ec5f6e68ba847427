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
    line::{self, Counting},
    store::{Blob, BlobError, Blobs, LARGEST, Put, open_file},
};
use crate::{
    durable::{self, create_for_one_writer, make_private_directory, open_for_one_writer, sync_directory},
    json::{self, Spacing},
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
    writer: Mutex<(line::Writer, Medium)>,
}

#[derive(Debug)]
enum Medium {
    Lines(Lines),
    Numbered(Numbered),
}

/// A file of lines.
#[derive(Debug)]
struct Lines {
    file: File,
    /// The same file, where the system lets nothing that is there be written over. Windows knows one writer of a file.
    appending: Option<File>,
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
            Lines::create(blobs.as_ref(), name)?.map(Medium::Lines)
        } else {
            let claim = serde_json::json!({ "run": name }).to_string();
            match blobs.create(&format!("runs/{name}/begun.json"), claim.as_bytes())? {
                Put::Done(_) => Some(Medium::Numbered(Numbered { next: 1, doubtful: Vec::new() })),
                Put::Taken => None,
            }
        };
        writer.map(|writer| Self::new(blobs, name, writer)).transpose()
    }

    /// A run that was begun before.
    pub(super) fn resume(blobs: &Arc<dyn Blobs>, name: &str) -> Result<Self, StoreError> {
        let writer = if blobs.directory().is_some() {
            Medium::Lines(Lines::resume(blobs.as_ref(), name)?)
        } else {
            let last = entries_of(blobs.as_ref(), name)?.len() as u64;
            Medium::Numbered(Numbered { next: last + 1, doubtful: Vec::new() })
        };
        Self::new(blobs, name, writer)
    }

    fn new(blobs: &Arc<dyn Blobs>, name: &str, medium: Medium) -> Result<Self, StoreError> {
        let writer = line::Writer::new().map_err(StoreError::NoRandomness)?;
        Ok(Self { name: name.to_owned(), blobs: blobs.clone(), writer: Mutex::new((writer, medium)) })
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
            let bytes = json::bytes(plan, Spacing::Line)?;
            match self.blobs.create(&plan_file(&self.name), &bytes)? {
                Put::Done(_) => Ok(digest(&bytes)),
                Put::Taken => Err(StoreError::InUse(self.name.clone()).into()),
            }
        };
        let kept = keep().map_err(|source| JournalError { run: self.name.clone(), source })?;
        let plan = RecordedPlan::Beside(kept);
        self.append(&Entry::Opened { version: Entry::VERSION, at, by: by.clone(), plan })?;
        // A journal that is emptied later is told by it from one whose run died before its first entry. In a bucket each entry is an
        // object of its own.
        if self.blobs.directory().is_some() {
            let mark = self.blobs.create(&format!("runs/{}/{OPENED}", self.name), b"");
            drop(mark.map_err(|source| JournalError { run: self.name.clone(), source: source.into() })?);
        }
        Ok(())
    }

    /// One line of JSON, or one file of it; durable when it returns.
    fn append(&self, entry: &Entry) -> Result<(), JournalError> {
        let write = || -> Result<(), BoxError> {
            let (writer, medium) = &mut *self.writer.lock().expect("no panic holds it");
            let bytes = writer.line(entry)?;
            match medium {
                Medium::Lines(lines) => lines.append(bytes)?,
                Medium::Numbered(numbered) => numbered.append(self.blobs.as_ref(), &self.name, &bytes)?,
            }
            writer.has_written();
            Ok(())
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
        let mut counting = Counting::default();
        let parse = |(at, blob): (usize, &Blob)| {
            let line = line::read(&blob.bytes).map_err(|error| damaged(name, at, error))?;
            Ok(counting.entry(line))
        };
        blobs.iter().enumerate().map(parse).collect::<Result<_, StoreError>>()?
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

/// Whether the folder of a run holds what only a run leaves whose journal had an entry: the mark of that, keys, backups. Its plan is
/// written before.
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
    let (mut entries, mut end, mut counting) = (Vec::new(), 0, Counting::default());
    let mut next = next_line(&mut file).map_err(failed)?;
    while let Some(line) = next {
        next = next_line(&mut file).map_err(failed)?;
        if next.is_none() && !line.ends_with(b"\n") {
            break;
        }
        match line::read(&line) {
            Ok(line) => entries.push(counting.entry(line)),
            // JSON that is no entry was not torn: a newer program wrote it, and it must not be lost. Neither was a first line that is
            // whole: without it a run would count as one that never began.
            Err(error) if next.is_none() && !error.is_data() && !entries.is_empty() => break,
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
            Some(Some(file)) => Self::of(file, path, 0).map(Some),
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
        Self::of(file, path, end)
    }

    fn of(file: File, path: PathBuf, end: u64) -> Result<Self, StoreError> {
        let appending = cfg!(unix).then(|| File::options().append(true).open(&path)).transpose();
        let appending = appending.map_err(|error| StoreError::Write(path.clone(), error))?;
        Ok(Self { file, appending, path, end, torn: false })
    }

    /// Appends a line, unless somebody else has taken over meanwhile: a process that was stopped for long finds its journal in the
    /// hands of the run that went on with it. What such a process wrote before it looked does not count, and stays.
    fn append(&mut self, mut line: Vec<u8>) -> Result<(), BlobError> {
        line.push(b'\n');
        if line.len() as u64 > LARGEST {
            return Err(BlobError::TooLarge { place: self.path.shown().to_string(), bytes: line.len() });
        }
        let place = || self.path.shown().to_string();
        let there = self.file.metadata().map_err(|error| BlobError::Read(place(), error.into()))?.len();
        if !self.torn && there != self.end {
            let others = self.is_of_others(there);
            if others.map_err(|error| BlobError::Read(self.path.shown().to_string(), error.into()))? {
                let text = "somebody else has written into it since";
                return Err(BlobError::Write(self.path.shown().to_string(), io::Error::other(text).into()));
            }
            self.end = there;
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
            self.torn = self.torn || self.take_back(line.len() as u64).is_err();
        }
        written.map_err(|error| BlobError::Write(self.path.shown().to_string(), error.into()))
    }

    /// Whether what lies behind our last line is more than whole lines of somebody who lost the lock.
    fn is_of_others(&mut self, there: u64) -> io::Result<bool> {
        if there < self.end || there - self.end > LARGEST {
            return Ok(true);
        }
        self.file.seek(SeekFrom::Start(self.end))?;
        let mut added = Vec::new();
        (&self.file).take(there - self.end).read_to_end(&mut added)?;
        Ok(!added.ends_with(b"\n") || added.split_inclusive(|byte| *byte == b'\n').any(line::takes_over))
    }

    /// Cuts a part of our own line off. Where more is there than that, it is somebody else's.
    fn take_back(&self, longest: u64) -> io::Result<()> {
        if self.file.metadata()?.len() > self.end + longest {
            return Err(io::Error::other("somebody else has written into it since"));
        }
        self.file.set_len(self.end)
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let mut file = if let Some(appending) = &self.appending {
            appending
        } else {
            self.file.seek(SeekFrom::Start(self.end))?;
            &self.file
        };
        file.write_all(line)?;
        durable::point();
        file.sync_data()?;
        durable::point();
        Ok(())
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

/// The mark of a journal that has an entry.
const OPENED: &str = "opened";

fn plan_file(name: &str) -> String {
    format!("runs/{name}/plan.json")
}

fn journal_folder(name: &str) -> String {
    format!("runs/{name}/journal")
}
