//! `_xHHHH_`: how CLIXML writes the UTF-16 code units that XML cannot hold, and the underscores that would look like it
//! (MS-PSRP section 2.2.5.3.2).

use std::borrow::Cow;

/// The text that was meant. Two halves of a surrogate pair become one character. A half that stands alone, which .NET
/// strings may hold and Rust's may not, becomes U+FFFD; the text around it stays.
///
/// As in .NET's `XmlConvert.DecodeName`, the `x` and the digits may be in either case, and eight digits are a code point.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains("_x") && !text.contains("_X") {
        return text.into();
    }
    let mut decoded = Decoded { text: String::with_capacity(text.len()), high: None };
    let mut rest = text;
    while let Some(at) = rest.find('_') {
        decoded.push_text(&rest[..at]);
        rest = &rest[at..];
        if let Some((code, length)) = escape_at_start(rest) {
            decoded.push_code(code);
            rest = &rest[length..];
        } else {
            decoded.push_text("_");
            rest = &rest[1..];
        }
    }
    decoded.push_text(rest);
    decoded.finish().into()
}

/// The code of the escape at the start, and how long the escape is.
fn escape_at_start(text: &str) -> Option<(u32, usize)> {
    let digits_and_more = text.strip_prefix("_x").or_else(|| text.strip_prefix("_X"))?;
    [4, 8].into_iter().find_map(|count| {
        let digits = digits_and_more.get(..count)?;
        let is_escape = digits_and_more[count..].starts_with('_')
            && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let code =
            u32::from_str_radix(digits, 16).ok().filter(|code| is_escape && *code <= LAST_CODE_POINT)?;
        Some((code, count + "_x_".len()))
    })
}

/// A text in the making, and the first half of a pair that may yet get its second.
struct Decoded {
    text: String,
    high: Option<u32>,
}

impl Decoded {
    fn push_text(&mut self, text: &str) {
        if !text.is_empty() {
            self.give_up_half();
            self.text.push_str(text);
        }
    }

    fn push_code(&mut self, code: u32) {
        match (code, self.high.take()) {
            (0xdc00..=0xdfff, Some(high)) => {
                let point = 0x1_0000 + ((high - 0xd800) << 10) + (code - 0xdc00);
                self.text.push(char::from_u32(point).expect("two halves are a code point beyond U+FFFF"));
            }
            (0xd800..=0xdbff, earlier) => {
                self.high = earlier;
                self.give_up_half();
                self.high = Some(code);
            }
            (_, earlier) => {
                self.high = earlier;
                self.give_up_half();
                self.text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
    }

    fn give_up_half(&mut self) {
        if self.high.take().is_some() {
            self.text.push(char::REPLACEMENT_CHARACTER);
        }
    }

    fn finish(mut self) -> String {
        self.give_up_half();
        self.text
    }
}

const LAST_CODE_POINT: u32 = 0x10_ffff;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_what_they_stand_for() {
        for (row, written, meant) in [
            ("no escape", "plain text", "plain text"),
            ("a line end", "a_x000D__x000A_b", "a\r\nb"),
            ("a control character", "bell _x0007_", "bell \u{7}"),
            ("a zero", "a_x0000_b", "a\0b"),
            ("the escape of an underscore", "_x005F_x0041_", "_x0041_"),
            ("two of them", "_x005F__x005F_", "__"),
            ("lower case digits", "_x00e9_", "é"),
            ("upper case X", "_X00E9_", "é"),
            ("a pair", "_xD83D__xDE00_", "😀"),
            ("a pair in lower case", "_xd83d__xde00_!", "😀!"),
            ("eight digits", "_x0001F600_", "😀"),
            ("eight digits beyond the last", "_x00110000_", "_x00110000_"),
            ("a first half alone", "lone_xD83D_ <", "lone\u{fffd} <"),
            ("a first half at the end", "lone_xD83D_", "lone\u{fffd}"),
            ("a second half alone", "_xDE00_x", "\u{fffd}x"),
            ("two first halves", "_xD83D__xD83D__xDE00_", "\u{fffd}😀"),
            ("a first half and an escape", "_xD83D__x0041_", "\u{fffd}A"),
            ("not an escape: too few digits", "_x41_", "_x41_"),
            ("not an escape: no digits", "_xyzzy_", "_xyzzy_"),
            ("not an escape: not closed", "_x0041", "_x0041"),
            ("not an escape: cut within a character", "_x00é_", "_x00é_"),
            ("a sign is no digit", "_x+041_", "_x+041_"),
            ("an escape after an underscore", "__x0041_", "_A"),
            ("an escape that shares its underscore", "_x0041_x0042_", "Ax0042_"),
        ] {
            assert_eq!(decode(written), meant, "{row}");
        }
    }
}
