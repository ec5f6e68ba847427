//! Fragments (MS-PSRP section 2.2.4): how a message travels in pieces.
//!
//! ```text
//! object id: 8 | fragment id: 8 | 1 = start, 2 = end | length: 4 | that many bytes        all big-endian
//! ```

use super::error::PsrpError;

/// Cuts a message into fragments of at most `most` bytes, each with its header.
pub(super) fn split(object: u64, message: &[u8], most: usize) -> Vec<Vec<u8>> {
    let pieces: Vec<&[u8]> = message.chunks(most - HEADER).collect();
    let last = pieces.len() - 1;
    let header = |at: usize, length: usize| {
        let mut fragment = Vec::with_capacity(HEADER + length);
        fragment.extend(object.to_be_bytes());
        fragment.extend((at as u64).to_be_bytes());
        fragment.push((u8::from(at == 0) * START) | (u8::from(at == last) * END));
        fragment.extend(u32::try_from(length).expect("a piece is smaller than a fragment").to_be_bytes());
        fragment
    };
    let fragment = |(at, piece): (usize, &&[u8])| [header(at, piece.len()), piece.to_vec()].concat();
    pieces.iter().enumerate().map(fragment).collect()
}

/// Puts the messages of one stream together. It never holds more than one message, and that no larger than `most` bytes.
#[derive(Debug)]
pub struct Defragmenter {
    most: usize,
    /// Bytes of a fragment that has not come whole.
    pending: Vec<u8>,
    open: Option<Open>,
}

/// A message of which the end has not come.
#[derive(Debug)]
struct Open {
    object: u64,
    next: u64,
    data: Vec<u8>,
}

impl Defragmenter {
    /// A reader of messages of at most `most` bytes.
    pub fn new(most: usize) -> Self {
        Self { most, pending: Vec::new(), open: None }
    }

    /// Takes the next bytes of the stream and returns the messages that they complete.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, PsrpError> {
        if self.pending.is_empty() {
            let (messages, rest) = self.whole(bytes)?;
            self.pending = rest.to_vec();
            return Ok(messages);
        }
        let mut joined = std::mem::take(&mut self.pending);
        joined.extend_from_slice(bytes);
        let (messages, rest) = self.whole(&joined)?;
        self.pending = rest.to_vec();
        Ok(messages)
    }

    /// Reads all fragments that are whole; what is left over is the beginning of one.
    fn whole<'a>(&mut self, mut bytes: &'a [u8]) -> Result<(Vec<Vec<u8>>, &'a [u8]), PsrpError> {
        let mut messages = Vec::new();
        while let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() {
            let length = u32::from_be_bytes([header[17], header[18], header[19], header[20]]) as usize;
            let so_far = self.open.as_ref().map_or(0, |open| open.data.len());
            if length > self.most.saturating_sub(so_far) {
                return Err(PsrpError::MessageTooLarge(self.most));
            }
            let Some((piece, rest)) = rest.split_at_checked(length) else { break };
            bytes = rest;
            let number = |at: usize| {
                u64::from_be_bytes(header[at..at + 8].try_into().expect("eight bytes of the header"))
            };
            messages.extend(self.fragment(number(0), number(8), header[16], piece)?);
        }
        Ok((messages, bytes))
    }

    fn fragment(
        &mut self,
        object: u64,
        id: u64,
        flags: u8,
        piece: &[u8],
    ) -> Result<Option<Vec<u8>>, PsrpError> {
        // The other bits are reserved and to be ignored.
        let (starts, ends) = (flags & START > 0, flags & END > 0);
        let mut open = match self.open.take() {
            None if starts && id == 0 => Open { object, next: 0, data: Vec::new() },
            None => return Err(PsrpError::Fragment("a fragment in the middle comes first")),
            Some(_) if starts => return Err(PsrpError::Fragment("a message begins inside another one")),
            Some(open) if open.object != object => {
                return Err(PsrpError::Fragment("fragments of two messages are mixed"));
            }
            Some(open) if open.next != id => return Err(PsrpError::Fragment("a fragment is missing")),
            Some(open) => open,
        };
        if piece.is_empty() && !ends {
            return Err(PsrpError::Fragment("a fragment is empty"));
        }
        open.data.extend_from_slice(piece);
        open.next = id.wrapping_add(1);
        if ends {
            return Ok(Some(open.data));
        }
        self.open = Some(open);
        Ok(None)
    }
}

const HEADER: usize = 21;
const START: u8 = 1;
const END: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_survives_any_cut() {
        let message: Vec<u8> = (0..100_u8).collect();
        for most in [22, 30, 70, 121, 500] {
            let stream = split(7, &message, most).concat();
            for step in [1, 5, 21, 22, 1000] {
                let mut reader = Defragmenter::new(100);
                let mut messages = Vec::new();
                for piece in stream.chunks(step) {
                    messages.extend(reader.take(piece).unwrap());
                }
                assert_eq!(messages, [&message[..]], "fragments of {most}, read by {step}");
            }
        }
    }

    #[test]
    fn fragments_out_of_order_are_refused() {
        let fragments = split(7, &[1; 50], 30);
        let other = split(8, &[1; 50], 30);
        let empty = [&7_u64.to_be_bytes()[..], &0_u64.to_be_bytes(), &[START], &0_u32.to_be_bytes()].concat();
        for (row, stream, says) in [
            ("the end first", vec![&fragments[5]], "a fragment in the middle comes first"),
            ("one left out", vec![&fragments[0], &fragments[2]], "a fragment is missing"),
            ("begun twice", vec![&fragments[0], &fragments[0]], "a message begins inside another one"),
            ("mixed", vec![&fragments[0], &other[1]], "fragments of two messages are mixed"),
            ("empty", vec![&empty], "a fragment is empty"),
        ] {
            let mut reader = Defragmenter::new(1000);
            let error = stream.iter().find_map(|fragment| reader.take(fragment).err());
            assert!(error.unwrap().to_string().contains(says), "{row}");
        }
    }

    #[test]
    fn a_message_that_is_too_large_is_refused_before_it_is_there() {
        let mut reader = Defragmenter::new(40);
        let fragments = split(7, &[1; 50], 30);
        let taken = fragments.iter().map_while(|fragment| reader.take(fragment).ok()).count();
        assert_eq!(taken, 4);
        let huge = [&[0; 16][..], &[START], &u32::MAX.to_be_bytes()].concat();
        assert!(matches!(Defragmenter::new(1 << 20).take(&huge), Err(PsrpError::MessageTooLarge(_))));
    }
}
