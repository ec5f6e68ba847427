//! Programs that do one thing and end.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use super::{
    error::ProcessError,
    program::{Bounds, Program},
    streams::{self, Tail},
};
use crate::model::secret::Secret;

/// Runs a program to its end. What it prints on stdout goes nowhere.
pub fn run(program: &Program, input: Option<&Secret>, time: Duration) -> Result<(), ProcessError> {
    finish(program, input, Stdio::null(), Bounds { time, output: 0 }).map(drop)
}

/// Runs a program to its end and returns what it printed on stdout.
pub fn output(program: &Program, input: Option<&Secret>, bounds: Bounds) -> Result<Secret, ProcessError> {
    finish(program, input, Stdio::piped(), bounds)
}

fn finish(
    program: &Program,
    input: Option<&Secret>,
    stdout: Stdio,
    bounds: Bounds,
) -> Result<Secret, ProcessError> {
    let ends = Instant::now() + bounds.time;
    let mut group = program.start(if input.is_some() { Stdio::piped() } else { Stdio::null() }, stdout)?;
    if let (Some(stdin), Some(input)) = (group.stdin(), input) {
        // A program that does not want to hear it all is free to; its exit code says whether it got on without.
        drop(streams::writer(stdin).send(input.clone()));
    }
    let stdout = group.stdout().map(|pipe| streams::whole(pipe, bounds.output));
    let stderr = Tail::of(group.stderr());
    let named = || program.name();
    let timed_out = || ProcessError::TimedOut { program: named(), after: bounds.time, stderr: stderr.text() };
    let too_much = || ProcessError::TooMuch { program: named(), most: bounds.output, in_a_line: false };
    let ended = group.wait_until(ends).map_err(|source| ProcessError::Wait { program: named(), source })?;
    let Some(status) = ended else {
        group.kill();
        return Err(timed_out());
    };
    if !status.success() {
        // It ends by a signal when nobody reads on, and that was us.
        let printed = stdout.as_ref().and_then(|stdout| stdout.recv_timeout(streams::GRACE).ok());
        if matches!(printed, Some(Ok(None))) {
            return Err(too_much());
        }
        return Err(ProcessError::Failed { program: named(), status, stderr: stderr.text() });
    }
    let Some(stdout) = stdout else { return Ok(Secret::new(Vec::new())) };
    match stdout.recv_timeout(ends.saturating_duration_since(Instant::now())) {
        Ok(Ok(Some(output))) => Ok(output),
        Ok(Ok(None)) => Err(too_much()),
        Ok(Err(source)) => Err(ProcessError::Wait { program: named(), source }),
        // Something that it left behind still holds its stdout.
        Err(_) => Err(timed_out()),
    }
}
