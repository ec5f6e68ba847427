//! The three streams of a process, each with a thread of its own, so that no side waits for the other for ever.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel, sync_channel},
    },
    thread,
    time::Duration,
};

use zeroize::Zeroizing;

use crate::model::secret::Secret;

/// What is sent to it is written, one after the other; when the sender is dropped, the pipe is closed.
pub(super) fn writer(mut pipe: impl Write + Send + 'static) -> Sender<Secret> {
    let (sender, receiver) = channel::<Secret>();
    thread::spawn(move || {
        while let Ok(bytes) = receiver.recv() {
            if pipe.write_all(bytes.expose()).and_then(|()| pipe.flush()).is_err() {
                break;
            }
        }
    });
    sender
}

/// All that the pipe holds once it has been closed; none when there is too much.
pub(super) fn whole(pipe: impl Read + Send + 'static, most: u64) -> Receiver<io::Result<Option<Secret>>> {
    let (sender, receiver) = sync_channel(1);
    thread::spawn(move || drop(sender.send(read_bounded(pipe, most))));
    receiver
}

/// The pipe's lines without their ends, as they come; none in place of one that is too long, and then no more. A reader
/// that is slow lets the process wait.
pub(super) fn lines(pipe: impl Read + Send + 'static, longest: u64) -> Receiver<io::Result<Option<Secret>>> {
    let (sender, receiver) = sync_channel(LINES_AHEAD);
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        while let Some(line) = read_line(&mut pipe, longest) {
            let is_last = !matches!(line, Ok(Some(_)));
            if sender.send(line).is_err() || is_last {
                break;
            }
        }
    });
    receiver
}

fn read_bounded(pipe: impl Read, most: u64) -> io::Result<Option<Secret>> {
    let mut bytes = Zeroizing::new(Vec::new());
    pipe.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= most);
    Ok(fits.then(|| Secret::new(std::mem::take(&mut *bytes))))
}

/// The next line, if there is one; and none in its place when it is too long.
fn read_line(pipe: &mut impl BufRead, longest: u64) -> Option<io::Result<Option<Secret>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    match pipe.take(longest.saturating_add(2)).read_until(b'\n', &mut bytes) {
        Ok(0) => return None,
        Ok(_) => {}
        Err(error) => return Some(Err(error)),
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= longest);
    Some(Ok(fits.then(|| Secret::new(std::mem::take(&mut *bytes)))))
}

/// The end of what a process writes to stderr, collected while it runs; nothing where stderr is the terminal's.
pub(super) struct Tail(Option<Collected>);

struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    closed: Receiver<()>,
}

impl Tail {
    pub(super) fn of(pipe: Option<impl Read + Send + 'static>) -> Self {
        Self(pipe.map(|mut pipe| {
            let bytes = Arc::new(Mutex::new(Vec::new()));
            let (sender, closed) = channel();
            let into = Arc::clone(&bytes);
            thread::spawn(move || {
                let mut chunk = [0; 4096];
                while let Ok(count @ 1..) = pipe.read(&mut chunk) {
                    let mut bytes = into.lock().unwrap_or_else(PoisonError::into_inner);
                    bytes.extend_from_slice(&chunk[..count]);
                    let surplus = bytes.len().saturating_sub(LONGEST_TAIL);
                    bytes.drain(..surplus);
                }
                // Nobody may be waiting any more.
                let _ = sender.send(());
            });
            Collected { bytes, closed }
        }))
    }

    /// What there is, once the process is over. Something that it left behind may hold stderr for ever, so that is not
    /// waited for long.
    pub(super) fn text(&self) -> Option<String> {
        let Collected { closed, .. } = self.0.as_ref()?;
        let _ = closed.recv_timeout(GRACE);
        self.so_far()
    }

    /// What there is by now.
    pub(super) fn so_far(&self) -> Option<String> {
        let bytes = self.0.as_ref()?.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// How long the last words of a process are waited for.
pub(super) const GRACE: Duration = Duration::from_secs(1);
const LONGEST_TAIL: usize = 4096;
/// How many lines are read before somebody wants them.
const LINES_AHEAD: usize = 64;
