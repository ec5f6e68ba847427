//! Bodies that are encrypted with the keys of the authentication (MS-WSMV section 2.2.9.1), which makes plain HTTP safe.
//!
//! ```text
//! --Encrypted Boundary
//!     Content-Type: application/HTTP-Kerberos-session-encrypted
//!     OriginalContent: type=application/soap+xml;charset=UTF-8;Length=1234
//! --Encrypted Boundary
//!     Content-Type: application/octet-stream
//! <length of the header: 4, little-endian><header><data>--Encrypted Boundary--
//! ```

use super::WsmanError;

/// An encrypted message: GSS-API's header and what it goes with.
#[derive(Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The header (the signature, in Windows' words).
    pub header: Vec<u8>,
    /// The encrypted data.
    pub data: Vec<u8>,
    /// How long the data is when it is decrypted, as the sender says outside of what is protected.
    pub plain_length: usize,
}

/// The `Content-Type` of a sealed body.
pub fn content_type() -> String {
    format!("multipart/encrypted;protocol=\"{PROTOCOL}\";boundary=\"{BOUNDARY}\"")
}

impl Sealed {
    /// The body that carries it.
    pub fn write(&self) -> Vec<u8> {
        let Self { header, data, plain_length } = self;
        let mut body = format!(
            "--{BOUNDARY}\r\n\tContent-Type: {PROTOCOL}\r\n\tOriginalContent: {ORIGINAL};Length={plain_length}\r\n\
             --{BOUNDARY}\r\n\tContent-Type: {OCTETS}\r\n"
        )
        .into_bytes();
        let length = u32::try_from(header.len()).expect("headers of GSS-API have less than 100 bytes");
        body.extend(length.to_le_bytes());
        body.extend_from_slice(header);
        body.extend_from_slice(data);
        body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
        body
    }

    /// What a body of this `Content-Type` carries. The data is binary, so the end is looked for at the end.
    pub fn read(content_type: &str, body: &[u8]) -> Result<Self, WsmanError> {
        const WRONG: WsmanError = WsmanError::Sealed("the parts are not what they should be");
        let mut parameters = content_type.split(';').map(str::trim);
        if !parameters.next().is_some_and(|media| media.eq_ignore_ascii_case("multipart/encrypted")) {
            return Err(WsmanError::Sealed("the answer is not encrypted"));
        }
        let boundary = parameters.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
        });
        let boundary = boundary.filter(|boundary| !boundary.is_empty()).ok_or(WRONG)?;
        let rest = after_boundary(body, boundary).ok_or(WRONG)?;
        let (description, rest) = before_boundary(rest, boundary).ok_or(WRONG)?;
        let description = std::str::from_utf8(description).map_err(|_| WRONG)?;
        let length = description.rsplit_once("Length=").ok_or(WRONG)?.1.trim();
        let plain_length = length.parse().map_err(|_| WRONG)?;
        // The second part has one header line, and then the bytes begin without an empty line.
        let line = rest.windows(2).take(LONGEST_LINE).position(|window| window == b"\r\n").ok_or(WRONG)?;
        if !String::from_utf8_lossy(&rest[..line]).contains(OCTETS) {
            return Err(WRONG);
        }
        let message = without_end(&rest[line + 2..], boundary).ok_or(WRONG)?;
        let (length, message) = message.split_first_chunk::<4>().ok_or(WRONG)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (header, data) = message.split_at_checked(length).ok_or(WRONG)?;
        Ok(Self { header: header.to_vec(), data: data.to_vec(), plain_length })
    }
}

/// What follows a boundary line at the start. Exchange writes a blank after the hyphens.
fn after_boundary<'a>(bytes: &'a [u8], boundary: &str) -> Option<&'a [u8]> {
    let bytes = bytes.strip_prefix(b"--")?;
    let bytes = bytes.strip_prefix(b" ").unwrap_or(bytes);
    bytes.strip_prefix(boundary.as_bytes())?.strip_prefix(b"\r\n")
}

/// The lines before the next boundary line, and what follows it.
fn before_boundary<'a>(bytes: &'a [u8], boundary: &str) -> Option<(&'a [u8], &'a [u8])> {
    let mut at = 0;
    while at <= LONGEST_LINE {
        if let Some(rest) = after_boundary(bytes.get(at..)?, boundary) {
            return Some((&bytes[..at], rest));
        }
        at += bytes[at..].windows(2).take(LONGEST_LINE).position(|window| window == b"\r\n")? + 2;
    }
    None
}

/// The bytes without the last boundary.
fn without_end<'a>(bytes: &'a [u8], boundary: &str) -> Option<&'a [u8]> {
    let bytes = bytes.strip_suffix(b"\r\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"--")?.strip_suffix(boundary.as_bytes())?;
    bytes.strip_suffix(b"-- ").or_else(|| bytes.strip_suffix(b"--"))
}

const PROTOCOL: &str = "application/HTTP-Kerberos-session-encrypted";
const BOUNDARY: &str = "Encrypted Boundary";
const OCTETS: &str = "application/octet-stream";
const ORIGINAL: &str = "type=application/soap+xml;charset=UTF-8";
const LONGEST_LINE: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> Sealed {
        let data = b"\0--Encrypted Boundary\r\n--Encrypted Boundary--\r\n\xff".to_vec();
        Sealed { header: b"header\r\n".to_vec(), data, plain_length: 40 }
    }

    #[test]
    fn what_is_written_is_read_whatever_the_data_is() {
        let body = sealed().write();
        assert_eq!(Sealed::read(&content_type(), &body).unwrap(), sealed());
    }

    #[test]
    fn the_blanks_of_exchange_are_read_over() {
        let empty = Sealed { header: vec![1], data: vec![2, 3], plain_length: 2 };
        let body = empty.write();
        let text = String::from_utf8(body).unwrap().replace("--Encrypted", "-- Encrypted");
        let content_type = "multipart/encrypted; boundary=\"Encrypted Boundary\"";
        assert_eq!(Sealed::read(content_type, text.as_bytes()).unwrap(), empty);
    }

    #[test]
    fn anything_else_is_an_error() {
        let content_type = content_type();
        // A cut at what looks like the end is noticed by who opens the message.
        let body = Sealed { data: vec![0xff; 40], ..sealed() }.write();
        for cut in 0..body.len() - 2 {
            assert!(Sealed::read(&content_type, &body[..cut]).is_err(), "cut after {cut} bytes");
        }
        assert!(Sealed::read("application/soap+xml", &body).is_err());
        assert!(Sealed::read("multipart/encrypted", &body).is_err());
        assert!(Sealed::read("multipart/encrypted;boundary=\"\"", &body).is_err());
        let mut long = sealed();
        long.header = vec![0; 3];
        let mut body = long.write();
        let at = body.windows(4).position(|window| window == [3, 0, 0, 0]).unwrap();
        body[at + 2] = 0xff;
        assert!(Sealed::read(&content_type, &body).is_err(), "a header longer than the body");
    }
}
