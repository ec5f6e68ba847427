//! Reading SMTP protocol logs from directories, line by line: logs of gigabytes need no more memory than one of a line.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use crate::{
    durable,
    model::shown::ShowPath,
    verify::smtp_log::{SmtpLog, SmtpLogSummary},
};

/// Why logs cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A directory or file cannot be read.
    #[error("{} cannot be read", .0.shown())]
    Read(PathBuf, #[source] std::io::Error),
    /// There is no log.
    #[error("{} holds no file that ends in .log; name the directory of SmtpReceive or SmtpSend, or the one above", .0.shown())]
    Empty(PathBuf),
}

/// Reads the logs of these directories and of those below them, in the order of their names.
pub fn read(directories: &[PathBuf]) -> Result<SmtpLogSummary, LogError> {
    let mut log = SmtpLog::default();
    for directory in directories {
        let mut files = Vec::new();
        find(directory, DEEPEST, &mut files)?;
        if files.is_empty() {
            return Err(LogError::Empty(directory.clone()));
        }
        files.sort();
        for file in files {
            read_file(&file, &mut log).map_err(|error| LogError::Read(file.clone(), error))?;
        }
    }
    Ok(log.finish())
}

fn find(path: &Path, depth: u32, files: &mut Vec<PathBuf>) -> Result<(), LogError> {
    let failed = |error| LogError::Read(path.to_owned(), error);
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        let path = entry.path();
        let is_log = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("log"));
        if kind.is_file() && is_log {
            files.push(path);
        } else if kind.is_dir() && depth > 0 {
            find(&path, depth - 1, files)?;
        }
    }
    Ok(())
}

fn read_file(path: &Path, log: &mut SmtpLog) -> std::io::Result<()> {
    let mut reader = BufReader::with_capacity(BUFFER, durable::open(path)?);
    log.file();
    let (mut line, mut too_long) = (Vec::new(), false);
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            break;
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        too_long |= line.len() + part.len() > LONGEST_LINE;
        if !too_long {
            line.extend_from_slice(part);
        }
        let used = end.map_or(buffer.len(), |end| end + 1);
        reader.consume(used);
        if end.is_some() {
            take(log, &mut line, &mut too_long);
        }
    }
    take(log, &mut line, &mut too_long);
    Ok(())
}

fn take(log: &mut SmtpLog, line: &mut Vec<u8>, too_long: &mut bool) {
    if std::mem::take(too_long) {
        log.too_long();
    } else {
        // Exchange writes UTF-8, with a byte order mark at the beginning of a file.
        let text = String::from_utf8_lossy(line);
        log.line(text.trim_start_matches('\u{feff}').trim_end_matches('\r'));
    }
    line.clear();
}

const BUFFER: usize = 256 * 1024;
/// The longest lines are answers to EHLO and certificates with many names.
const LONGEST_LINE: usize = 256 * 1024;
/// From `Logs` down to `SmtpSend\Delivery` it is four.
const DEEPEST: u32 = 6;
