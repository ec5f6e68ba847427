//! The bytes of a stream, one after the other. Everything is little-endian (MS-NRBF section 2.1.1).

use super::error::{NrbfError, Problem};

pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Where the next byte is.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// How many bytes follow.
    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The error for a problem at the next byte.
    pub(super) fn error(&self, problem: Problem) -> NrbfError {
        NrbfError::At { offset: self.at, problem }
    }

    /// The next bytes, as they are.
    pub(super) fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], NrbfError> {
        let taken = self.bytes[self.at..].get(..count).ok_or_else(|| self.error(Problem::Truncated(what)))?;
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], NrbfError> {
        let bytes = self.take(N, what)?;
        Ok(bytes.try_into().expect("take gives as many bytes as are asked for"))
    }

    pub(super) fn u8(&mut self, what: &'static str) -> Result<u8, NrbfError> {
        Ok(self.array::<1>(what)?[0])
    }

    pub(super) fn i32(&mut self, what: &'static str) -> Result<i32, NrbfError> {
        Ok(i32::from_le_bytes(self.array(what)?))
    }

    pub(super) fn i64(&mut self, what: &'static str) -> Result<i64, NrbfError> {
        Ok(i64::from_le_bytes(self.array(what)?))
    }

    /// A whole number of 1, 2, 4 or 8 bytes, with a sign or without.
    pub(super) fn integer(&mut self, size: usize, signed: bool) -> Result<i128, NrbfError> {
        let bytes = self.take(size, "a number")?;
        let fill = if signed && bytes.last().is_some_and(|last| *last >= 0x80) { 0xff } else { 0 };
        let mut wide = [fill; 16];
        wide[..size].copy_from_slice(bytes);
        Ok(i128::from_le_bytes(wide))
    }

    pub(super) fn f32(&mut self) -> Result<f32, NrbfError> {
        Ok(f32::from_le_bytes(self.array("a number")?))
    }

    pub(super) fn f64(&mut self) -> Result<f64, NrbfError> {
        Ok(f64::from_le_bytes(self.array("a number")?))
    }

    /// How many things follow that take at least `size` bytes each: never more than there are bytes for.
    pub(super) fn count(&mut self, size: usize, what: &'static str) -> Result<usize, NrbfError> {
        let length = self.i32(what)?;
        let count = usize::try_from(length).ok().filter(|count| count.saturating_mul(size) <= self.left());
        count.ok_or_else(|| self.error(Problem::Length { what, length: length.into(), left: self.left() }))
    }

    /// A text with its length before it, in seven bits to a byte (MS-NRBF section 2.1.1.6).
    pub(super) fn text(&mut self) -> Result<String, NrbfError> {
        let mut length: u64 = 0;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.u8("the length of a text")?;
            length |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                let left = self.left();
                let whole = usize::try_from(length).ok().filter(|length| *length <= left);
                let length = i64::try_from(length).unwrap_or(i64::MAX);
                let whole =
                    whole.ok_or_else(|| self.error(Problem::Length { what: "a text", length, left }))?;
                let start = self.at;
                let bytes = self.take(whole, "a text")?;
                let text = std::str::from_utf8(bytes);
                return text
                    .map(str::to_owned)
                    .map_err(|_| NrbfError::At { offset: start, problem: Problem::NotText });
            }
        }
        Err(self.error(Problem::UnknownCode { what: "the length of a text", code: 0x80 }))
    }

    /// One character in UTF-8.
    pub(super) fn character(&mut self) -> Result<char, NrbfError> {
        let rest = &self.bytes[self.at..];
        let not_text = self.error(Problem::NotText);
        let char = (1..=4).find_map(|length| std::str::from_utf8(rest.get(..length)?).ok()?.chars().next());
        let char = char.ok_or(not_text)?;
        self.at += char.len_utf8();
        Ok(char)
    }
}
