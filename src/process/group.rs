//! A process and all that it starts: a process group on Unix, a job object on Windows.

use std::{
    io,
    process::{ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use process_wrap::std::{ChildWrapper, CommandWrap};

/// A started process with all that it starts. Dropped before its end, all of it is killed.
pub(super) struct Group {
    child: Box<dyn ChildWrapper>,
    is_over: bool,
}

impl Group {
    pub(super) fn start(command: Command) -> io::Result<Self> {
        let mut command = CommandWrap::from(command);
        #[cfg(unix)]
        command.wrap(process_wrap::std::ProcessGroup::leader());
        #[cfg(windows)]
        command.wrap(process_wrap::std::JobObject);
        Ok(Self { child: command.spawn()?, is_over: false })
    }

    pub(super) fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin().take()
    }

    pub(super) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout().take()
    }

    pub(super) fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr().take()
    }

    /// How it ended; none when it is still running at that time.
    pub(super) fn wait_until(&mut self, end: Instant) -> io::Result<Option<ExitStatus>> {
        loop {
            let ended = self.child.try_wait()?;
            self.is_over |= ended.is_some();
            if ended.is_some() || Instant::now() >= end {
                return Ok(ended);
            }
            thread::sleep(GLANCE);
        }
    }

    /// Kills it with all that it started. When it ends in this very moment there is nothing left to kill.
    pub(super) fn kill(&mut self) {
        // It has not been waited for, so the group cannot be somebody else's by now.
        if !std::mem::replace(&mut self.is_over, true) {
            let _ = self.child.start_kill();
            // It was killed; whatever waiting says, there is nothing more to be done.
            let _ = self.child.wait();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How often a running process is looked at.
const GLANCE: Duration = Duration::from_millis(10);
