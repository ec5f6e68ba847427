//! Reading and writing the presentation language of TLS (RFC 5246 section 4). What is read ends where it ends: a length
//! that a stranger wrote never reaches beyond the bytes that came.

/// Bytes that are not read yet.
#[derive(Clone, Copy)]
pub(super) struct Wire<'a>(pub(super) &'a [u8]);

impl<'a> Wire<'a> {
    /// The next handshake message, its type and its body. None until all of it is there; nothing is taken then.
    pub(super) fn message(&mut self) -> Option<(u8, &'a [u8])> {
        let mut ahead = *self;
        let kind = ahead.take(1)?[0];
        let body = ahead.vector24()?;
        *self = ahead;
        Some((kind, body))
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn number16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    /// Bytes with their length in front, of one byte.
    pub(super) fn vector8(&mut self) -> Option<&'a [u8]> {
        self.vector(1)
    }

    /// Bytes with their length in front, of two bytes.
    pub(super) fn vector16(&mut self) -> Option<&'a [u8]> {
        self.vector(2)
    }

    /// Bytes with their length in front, of three bytes.
    pub(super) fn vector24(&mut self) -> Option<&'a [u8]> {
        self.vector(3)
    }

    fn vector(&mut self, width: usize) -> Option<&'a [u8]> {
        let length = self.take(width)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        self.take(length)
    }
}

/// Bytes of ours with their length in front, of two bytes.
pub(super) fn vector16(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).expect("what we say is short");
    [&length.to_be_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_never_reach_beyond_the_bytes() {
        for bytes in [&[][..], &[0], &[0, 0], &[0, 0, 1], &[0xff, 0xff, 0xff, 1, 2], &[11, 0, 0, 2, 1]] {
            assert!(Wire(bytes).message().is_none(), "{bytes:?}");
            assert!(Wire(bytes).vector24().is_none_or(<[u8]>::is_empty), "{bytes:?}");
        }
    }

    #[test]
    fn a_message_is_taken_when_all_of_it_is_there() {
        let mut wire = Wire(&[14, 0, 0, 0, 11, 0, 0, 2, 7, 8, 9]);
        assert_eq!(wire.message(), Some((14, &[][..])));
        assert_eq!(wire.message(), Some((11, &[7, 8][..])));
        assert_eq!(wire.message(), None);
        assert_eq!(wire.0, [9]);
    }
}
