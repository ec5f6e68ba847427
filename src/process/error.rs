//! Why a program did not do what it is there for.

use std::{io, process::ExitStatus, time::Duration};

use crate::model::text::on_one_line;

/// What usually helps. Windows starts no script of PowerShell by itself.
fn how_to_start(program: &str) -> &'static str {
    let is_script =
        program.get(program.len().saturating_sub(4)..).is_some_and(|end| end.eq_ignore_ascii_case(".ps1"));
    if is_script {
        "a script needs its shell: [powershell, -NoProfile, -File, SCRIPT.ps1]"
    } else {
        "if it stands in none of PATH's directories, write its whole path"
    }
}

/// Why a program did not do what it is there for.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It could not be started.
    #[error("`{program}` cannot be started; {}", how_to_start(.program))]
    NotStarted {
        /// The program.
        program: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It says that it failed.
    #[error("`{program}` ended with {status}{}", said(.stderr.as_deref()))]
    Failed {
        /// The program.
        program: String,
        /// Its exit code, or the signal that ended it.
        status: ExitStatus,
        /// The end of what it wrote to stderr; none where that went to the terminal.
        stderr: Option<String>,
    },
    /// It takes too long.
    #[error("`{program}` did not come to an end within {} s and was killed{}", .after.as_secs_f32(), said(.stderr.as_deref()))]
    TimedOut {
        /// The program.
        program: String,
        /// How long it had.
        after: Duration,
        /// The end of what it wrote to stderr; none where that went to the terminal.
        stderr: Option<String>,
    },
    /// It prints without end.
    #[error("`{program}` printed more than {most} bytes{}", if *.in_a_line { " in one line" } else { "" })]
    TooMuch {
        /// The program.
        program: String,
        /// How many it may.
        most: u64,
        /// Whether they are of one line.
        in_a_line: bool,
    },
    /// It says nothing, and is still running.
    #[error("`{program}` gave no answer within {} s{}", .after.as_secs_f32(), said(.stderr.as_deref()))]
    Silent {
        /// The program.
        program: String,
        /// How long it had.
        after: Duration,
        /// The end of what it wrote to stderr; none where that went to the terminal.
        stderr: Option<String>,
    },
    /// It does not read any more.
    #[error("`{program}` takes no more input{}", said(.stderr.as_deref()))]
    Deaf {
        /// The program.
        program: String,
        /// The end of what it wrote to stderr; none where that went to the terminal.
        stderr: Option<String>,
    },
    /// Nobody can wait for it, or read what it prints.
    #[error("`{program}` was started, and waiting for its end failed")]
    Wait {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl ProcessError {
    /// Whether the program itself came to an end and said that it failed. Anything else leaves open what it had done.
    pub fn is_verdict(&self) -> bool {
        match self {
            Self::NotStarted { .. } => true,
            Self::Failed { status, .. } => status.code().is_some(),
            Self::TimedOut { .. }
            | Self::TooMuch { .. }
            | Self::Silent { .. }
            | Self::Deaf { .. }
            | Self::Wait { .. } => false,
        }
    }
}

/// What a program said, as the end of a sentence: the last lines, safe to show on a terminal.
fn said(stderr: Option<&str>) -> String {
    let Some(stderr) = stderr else { return String::new() };
    let lines: Vec<String> = stderr
        .lines()
        .map(|line| on_one_line(line.trim()).into_owned())
        .filter(|line| !line.is_empty())
        .collect();
    let last = &lines[lines.len().saturating_sub(MOST_LINES)..];
    if last.is_empty() { ", and said nothing".into() } else { format!(": {}", last.join("; ")) }
}

const MOST_LINES: usize = 8;
