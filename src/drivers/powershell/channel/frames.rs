//! Frames: what a program prints that is an answer, told from everything else that it prints.

use std::{
    io::Read,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread,
};

/// What comes from standard output.
pub(super) enum Event {
    /// The body of a frame, still in Base64.
    Frame(Vec<u8>),
    /// A frame larger than is read.
    TooLarge,
    /// There is no more.
    End,
}

/// Tells frames from everything else that is printed: greetings, profiles, warnings of whatever kind. A frame is a line
/// that begins with 0x1E, the nonce of this process and a space.
///
/// It waits until somebody takes what it has read, so that whoever sends more than is asked for fills no memory.
pub(super) fn read_frames(stdout: Option<impl Read>, nonce: &str, noise: &Tail, events: &SyncSender<Event>) {
    let head = [&[MARK], nonce.as_bytes(), b" "].concat();
    let mut line: Vec<u8> = Vec::new();
    // Whether the line is a frame; none while it is too short to tell.
    let mut is_frame: Option<bool> = None;
    let mut chunk = vec![0; 64 * 1024];
    let mut stdout = stdout;
    while let Some(Ok(count @ 1..)) = stdout.as_mut().map(|stdout| stdout.read(&mut chunk)) {
        let mut rest = &chunk[..count];
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
            rest = after.get(1..).unwrap_or_default();
            if is_frame == Some(false) {
                noise.push(part);
            } else {
                line.extend_from_slice(part);
                // A byte order mark may stand before the first line.
                if line.starts_with(BYTE_ORDER_MARK) {
                    line.drain(..BYTE_ORDER_MARK.len());
                }
                if is_frame.is_none() && line.len() >= head.len() + BYTE_ORDER_MARK.len() {
                    is_frame = Some(line.starts_with(&head));
                    if is_frame == Some(false) {
                        noise.push(&line);
                        line.clear();
                    }
                }
            }
            if line.len() > LARGEST_ANSWER / 3 * 4 {
                let _ = events.send(Event::TooLarge);
                return;
            }
            if end.is_some() {
                if is_frame == Some(true) {
                    let mut body = line.split_off(head.len());
                    while body.last() == Some(&b'\r') {
                        body.pop();
                    }
                    if events.send(Event::Frame(body)).is_err() {
                        return;
                    }
                }
                if is_frame.is_none() {
                    noise.push(&line);
                }
                noise.push(b"\n");
                line.clear();
                is_frame = None;
            }
        }
    }
    // Nobody may be waiting any more.
    let _ = events.send(Event::End);
}

/// The frames of an output that has come to its end, still in Base64, and the end of the rest; none where one is too large.
pub fn frames_of(stdout: &[u8], nonce: &str) -> (Option<Vec<Vec<u8>>>, String) {
    let noise = Tail::default();
    let (sender, receiver) = sync_channel(0);
    let frames = thread::scope(|scope| {
        let (reader, noise) = (sender, &noise);
        scope.spawn(move || read_frames(Some(stdout), nonce, noise, &reader));
        let mut frames = Some(Vec::new());
        for event in receiver {
            match event {
                Event::Frame(body) => {
                    frames.as_mut().into_iter().for_each(|frames| frames.push(body.clone()))
                }
                Event::TooLarge => frames = None,
                Event::End => {}
            }
        }
        frames
    });
    (frames, noise.text())
}

/// The end of what a program says, collected while it runs.
#[derive(Clone, Default)]
pub(super) struct Tail {
    bytes: Arc<Mutex<Vec<u8>>>,
    closed: Arc<AtomicBool>,
}

impl Tail {
    pub(super) fn push(&self, part: &[u8]) {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.extend_from_slice(&part[part.len().saturating_sub(LONGEST_TAIL)..]);
        let surplus = bytes.len().saturating_sub(LONGEST_TAIL);
        bytes.drain(..surplus);
    }

    pub(super) fn collect(&self, pipe: Option<impl Read>) {
        let mut chunk = [0; 4096];
        let mut pipe = pipe;
        while let Some(Ok(count @ 1..)) = pipe.as_mut().map(|pipe| pipe.read(&mut chunk)) {
            self.push(&chunk[..count]);
        }
        self.closed.store(true, Ordering::Release);
    }

    /// Whether there will be no more.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(super) fn text(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

const MARK: u8 = 0x1e;
const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];
/// More is read from nobody.
pub(super) const LARGEST_ANSWER: usize = 64 << 20;
const LONGEST_TAIL: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(stdout: &[u8]) -> (Vec<String>, String) {
        let (frames, noise) = frames_of(stdout, "ab12");
        let frames = frames.unwrap().into_iter().map(|body| String::from_utf8(body).unwrap());
        (frames.collect(), noise)
    }

    #[test]
    fn frames_are_told_from_everything_else() {
        for (case, stdout, expected) in [
            ("a frame", &b"\x1eab12 eHg=\n"[..], &["eHg="][..]),
            ("with a carriage return", b"\x1eab12 eHg=\r\n", &["eHg="]),
            ("after a byte order mark", b"\xef\xbb\xbf\x1eab12 eHg=\n", &["eHg="]),
            ("after a greeting", b"Welcome\nto us\n\x1eab12 eHg=\n", &["eHg="]),
            ("of somebody else", b"\x1eab13 eHg=\n", &[]),
            ("half of one", b"\x1eab12 eHg=", &[]),
            ("in the middle of a line", b"x\x1eab12 eHg=\n", &[]),
            ("two", b"\x1eab12 eHg=\n\n\x1eab12 eQ==\n", &["eHg=", "eQ=="]),
        ] {
            assert_eq!(bodies(stdout).0, expected, "{case}");
        }
    }

    #[test]
    fn noise_is_kept_for_a_while() {
        let mut stdout = b"'powershell.exe' is not recognized\n".to_vec();
        assert_eq!(bodies(&stdout).1.trim(), "'powershell.exe' is not recognized");
        stdout.extend(vec![b'x'; 3 * LONGEST_TAIL]);
        assert_eq!(bodies(&stdout).1.len(), LONGEST_TAIL);
    }

    proptest::proptest! {
        /// Whatever is printed, and however it is cut: frames are those that are there, and what is kept of the rest is bounded.
        #[test]
        fn any_stream_ends_in_frames_and_bounded_noise(
            before in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..2000),
            after in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..2000),
        ) {
            let stream = [before.as_slice(), b"\n\x1eab12 eHg=\n", after.as_slice()].concat();
            let (frames, noise) = bodies(&stream);
            proptest::prop_assert!(frames.contains(&"eHg=".to_owned()));
            proptest::prop_assert!(noise.len() <= 3 * LONGEST_TAIL);
        }
    }
}
