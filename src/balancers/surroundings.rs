//! Commands of the user: started as they stand in the manifest, with an end in sight.

use std::{path::PathBuf, time::Duration};

use crate::{
    manifest::CommandLine,
    model::secret::Secret,
    process::{self, Bounds, ProcessError, Program},
};

/// Where commands are started, and how long each may take.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    /// The manifest's directory, absolute.
    pub(super) base: PathBuf,
    pub(super) patience: Duration,
}

impl Surroundings {
    /// Runs a command to its end. What it prints on stdout goes nowhere.
    pub(super) fn run(&self, command: &CommandLine, input: Option<&Secret>) -> Result<(), ProcessError> {
        process::run(&self.program(command), input, self.patience)
    }

    /// Runs a command to its end and returns what it printed on stdout.
    pub(super) fn output(&self, command: &CommandLine) -> Result<Secret, ProcessError> {
        process::output(&self.program(command), None, Bounds { time: self.patience, output: LARGEST })
    }

    fn program(&self, command: &CommandLine) -> Program {
        Program::new(command.program(), command.arguments(), &self.base)
    }
}

/// As long as a load balancer takes to start the processes of its new configuration, or a part of it.
pub(super) fn pause() {
    std::thread::sleep(Duration::from_millis(200));
}

/// A chain of certificates is a few kilobytes.
const LARGEST: u64 = 1024 * 1024;
