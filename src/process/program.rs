//! A program, and what it finds around it.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use super::{error::ProcessError, group::Group};

/// A program, its arguments, and what it finds around it.
#[derive(Clone, Debug)]
pub struct Program {
    program: String,
    arguments: Vec<String>,
    directory: PathBuf,
    passed_on: &'static [&'static str],
    stderr: Stderr,
}

/// Where the program's stderr goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stderr {
    /// Its end goes into the error, when there is one.
    Kept,
    /// To the terminal, where it may ask somebody to touch a security key. No error repeats it.
    Shown,
}

/// How long a program may take, and how much it may print.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// From its start to its end.
    pub time: Duration,
    /// Bytes on stdout.
    pub output: u64,
}

impl Program {
    /// A program, started in `directory` as it stands, without a shell. One with a `/` in it is relative to the
    /// directory, any other is looked for in PATH.
    pub fn new(program: &str, arguments: &[String], directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        Self {
            program: program.to_owned(),
            arguments: arguments.to_vec(),
            directory: std::path::absolute(&directory).unwrap_or(directory),
            passed_on: &[],
            stderr: Stderr::Kept,
        }
    }

    /// Passes these variables of our environment on too. A name that ends in `*` stands for all that begin so.
    #[must_use]
    pub fn passing_on(self, names: &'static [&'static str]) -> Self {
        Self { passed_on: names, ..self }
    }

    /// Says where its stderr goes.
    #[must_use]
    pub fn stderr(self, stderr: Stderr) -> Self {
        Self { stderr, ..self }
    }

    /// Whether there is such a program; whether it can be started shows when it is.
    pub fn is_there(&self) -> bool {
        if self.program.contains(std::path::is_separator) {
            return self.directory.join(&self.program).is_file();
        }
        // Windows knows a program without its ending too.
        let endings: &[&str] = if cfg!(windows) { &["", ".exe", ".cmd", ".bat", ".com"] } else { &[""] };
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| {
            endings.iter().any(|ending| folder.join(format!("{}{ending}", self.program)).is_file())
        })
    }

    pub(super) fn start(&self, stdin: Stdio, stdout: Stdio) -> Result<Group, ProcessError> {
        let in_a_directory = self.program.contains(std::path::is_separator);
        let path = if in_a_directory { self.directory.join(&self.program) } else { (&self.program).into() };
        let mut command = Command::new(path);
        command.args(&self.arguments).current_dir(&self.directory).env_clear().envs(self.environment());
        command.stdin(stdin).stdout(stdout).stderr(match self.stderr {
            Stderr::Kept => Stdio::piped(),
            Stderr::Shown => Stdio::inherit(),
        });
        Group::start(command)
            .map_err(|source| ProcessError::NotStarted { program: self.program.clone(), source })
    }

    /// The name, as it stands in the manifest.
    pub(super) fn name(&self) -> String {
        self.program.clone()
    }

    fn environment(&self) -> impl Iterator<Item = (OsString, OsString)> {
        std::env::vars_os().filter(|(name, _)| {
            ALWAYS_PASSED_ON.iter().chain(self.passed_on).any(|allowed| is_called(name, allowed))
        })
    }
}

/// Whether a variable has this name, or begins with it where the name ends in `*`. Windows tells no case apart.
pub(super) fn is_called(variable: &OsStr, name: &str) -> bool {
    let Some(variable) = variable.to_str() else { return false };
    let (variable, whole) = match name.strip_suffix('*') {
        Some(start) => (variable.get(..start.len()).unwrap_or_default(), start),
        None => (variable, name),
    };
    if cfg!(windows) { variable.eq_ignore_ascii_case(whole) } else { variable == whole }
}

/// What every program needs to find others, its own settings and a place for its files, and nothing of what else there
/// is in our environment.
const ALWAYS_PASSED_ON: &[&str] = &[
    "PATH",
    "HOME",
    // Windows, and what PowerShell needs to start at all.
    "SystemRoot",
    "SystemDrive",
    "windir",
    "ComSpec",
    "PATHEXT",
    "PSModulePath",
    "TEMP",
    "TMP",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "ProgramData",
    "ProgramFiles",
    "CommonProgramFiles",
    "ExchangeInstallPath",
];
