//! Numbers that name shells, runspace pools, pipelines and messages.

use std::fmt;

/// A GUID. Its bytes are in the order of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid([u8; 16]);

impl Guid {
    /// All zeros: no pipeline.
    pub const NIL: Self = Self([0; 16]);

    /// A version 4 GUID (RFC 9562 section 5.4) from random bytes.
    pub fn from_random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }

    /// Reads the text form, in either case and without braces.
    pub fn parse(text: &str) -> Option<Self> {
        let hyphens = [8, 13, 18, 23];
        let well_formed = text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| {
                if hyphens.contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() }
            });
        if !well_formed {
            return None;
        }
        let digits: String = text.chars().filter(|char| *char != '-').collect();
        let bytes = u128::from_str_radix(&digits, 16).ok()?;
        Some(Self(bytes.to_be_bytes()))
    }

    /// The bytes as .NET writes them (`Guid.ToByteArray`): the first three groups are little-endian.
    pub fn to_wire(self) -> [u8; 16] {
        swapped(self.0)
    }

    /// The GUID of bytes that .NET wrote.
    pub fn from_wire(bytes: [u8; 16]) -> Self {
        Self(swapped(bytes))
    }
}

fn swapped(bytes: [u8; 16]) -> [u8; 16] {
    [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map(|at: usize| bytes[at])
}

/// In upper case, as WS-Management writes it.
impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if [4, 6, 8, 10].contains(&at) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_wire_are_two_forms_of_one_guid() {
        let guid = Guid::parse("760fe460-3acb-4c88-bc06-0e42c0a75685").unwrap();
        assert_eq!(guid.to_wire()[..8], [0x60, 0xe4, 0x0f, 0x76, 0xcb, 0x3a, 0x88, 0x4c]);
        assert_eq!(Guid::from_wire(guid.to_wire()), guid);
        assert_eq!(guid.to_string(), "760FE460-3ACB-4C88-BC06-0E42C0A75685");
        assert_eq!(Guid::parse(&guid.to_string()), Some(guid));
        for text in ["", "760fe4603acb4c88bc060e42c0a75685", "760fe460-3acb-4c88-bc06-0e42c0a7568g"] {
            assert_eq!(Guid::parse(text), None, "{text}");
        }
    }
}
