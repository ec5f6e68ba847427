//! A process and all that it starts: a process group on Unix, a job object on Windows.

use std::{
    io,
    process::{ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use process_wrap::std::CommandWrap;

use super::{
    interrupt,
    living::{self, Living},
};

/// A started process with all that it starts. Dropped before its end, all of it is killed; and when somebody stops this program
/// at once, it ends with it.
pub struct Group {
    living: Arc<Living>,
    is_over: bool,
}

impl Group {
    /// Starts it.
    pub fn start(command: Command) -> io::Result<Self> {
        let mut command = CommandWrap::from(command);
        #[cfg(unix)]
        command.wrap(process_wrap::std::ProcessGroup::leader());
        #[cfg(windows)]
        command.wrap(process_wrap::std::JobObject);
        // In a group of its own it does not hear Ctrl-C: whoever stops this program stops it too.
        interrupt::catch_for_children();
        Ok(Self { living: living::note(command.spawn()?), is_over: false })
    }

    /// Its standard input, once.
    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.living.child().stdin().take()
    }

    /// Its standard output, once.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.living.child().stdout().take()
    }

    /// Its standard error, once.
    pub fn stderr(&mut self) -> Option<ChildStderr> {
        self.living.child().stderr().take()
    }

    /// What asks it to end by itself, with what it has in hand put back: that comes before it is killed when somebody stops this
    /// program.
    pub fn on_stop(&self, ask: impl Fn() + Send + Sync + 'static) {
        self.living.ask_by(Box::new(ask));
    }

    /// How it ended; none while it is running.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        let ended = self.living.child().try_wait()?;
        self.is_over |= ended.is_some();
        Ok(ended)
    }

    /// How it ended; none when it is still running at that time.
    pub(super) fn wait_until(&mut self, end: Instant) -> io::Result<Option<ExitStatus>> {
        loop {
            let ended = self.try_wait()?;
            if ended.is_some() || Instant::now() >= end {
                return Ok(ended);
            }
            thread::sleep(GLANCE);
        }
    }

    /// Kills it with all that it started. When it ends in this very moment there is nothing left to kill.
    pub(super) fn kill(&mut self) {
        // It has not been waited for, so the group cannot be somebody else's by now.
        if !self.is_over {
            self.kill_what_is_left();
        }
    }

    /// Kills what is left of it, though it may have ended itself: something that it has started holds its output, so the group is
    /// its own still.
    pub fn kill_what_is_left(&mut self) {
        self.is_over = true;
        let mut child = self.living.child();
        let _ = child.start_kill();
        // It was killed; whatever waiting says, there is nothing more to be done.
        let _ = child.wait();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How often a running process is looked at.
const GLANCE: Duration = Duration::from_millis(10);
