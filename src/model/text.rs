//! Text in files of others.

use std::borrow::Cow;

/// The text with its control characters written out: the name of a file may hold any of them, and a terminal would obey.
pub fn on_one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut told = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        if char.is_control() { told.extend(char.escape_default()) } else { told.push(char) }
    }
    Cow::Owned(told)
}

/// The text with everything written out that could move a cursor or hide something. Quotation marks and backslashes stay as they
/// are: they are no danger on a screen.
pub fn escaped(text: &str) -> String {
    let mut told = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        if matches!(char, '\'' | '"' | '\\') { told.push(char) } else { told.extend(char.escape_debug()) }
    }
    told
}

/// The text in a file: UTF-8, or UTF-16 as Windows PowerShell writes it with `>`, without the mark that Windows puts before
/// either. None when it is no text.
pub fn decoded(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let (units, unit): (_, fn([u8; 2]) -> u16) = match bytes {
        [0xff, 0xfe, units @ ..] => (units, u16::from_le_bytes),
        [0xfe, 0xff, units @ ..] => (units, u16::from_be_bytes),
        _ => {
            let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
            return std::str::from_utf8(text).ok().map(Cow::Borrowed);
        }
    };
    if units.len() % 2 != 0 {
        return None;
    }
    let units = units.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).collect::<Result<String, _>>().ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_text_however_windows_wrote_it() {
        let text = "{ \"name\": \"Größe 😀\" }\r\n";
        let utf16 = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        for (what, bytes) in [
            ("UTF-8", text.as_bytes().to_vec()),
            ("with Notepad's mark", format!("\u{feff}{text}").into_bytes()),
            ("of PowerShell", [&[0xff, 0xfe][..], &utf16(u16::to_le_bytes)].concat()),
            ("the other way round", [&[0xfe, 0xff][..], &utf16(u16::to_be_bytes)].concat()),
        ] {
            assert_eq!(decoded(&bytes).as_deref(), Some(text), "{what}");
        }
        for none in [&b"\xff\xfea"[..], b"\xff\xfe\x00\xd8", b"\xc3"] {
            assert_eq!(decoded(none), None);
        }
    }
}
