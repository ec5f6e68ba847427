//! The name Exchange gives a certificate: the SHA-1 of its DER.

use std::{fmt, str::FromStr};

use data_encoding::HEXUPPER;
use sha1::{Digest, Sha1};

/// SHA-1 of a certificate's DER, 40 hexadecimal digits. Windows and Exchange name certificates by it; it is a name and
/// not a proof of anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint([u8; 20]);

/// Why a text is not a thumbprint.
#[derive(Debug, thiserror::Error)]
pub enum ThumbprintError {
    /// Another number of digits, or other characters.
    #[error("`{0}` is not a thumbprint; it has 40 hexadecimal digits, like 7F3A91…C210 written out")]
    NoThumbprint(String),
    /// 64 hexadecimal digits.
    #[error(
        "`{0}…` is a fingerprint by SHA-256, and no thumbprint; write the 40 digits that `Get-ExchangeCertificate` and `certwright observe` show"
    )]
    Sha256(String),
}

impl Thumbprint {
    /// The thumbprint of a certificate.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha1::digest(der).into())
    }

    /// The stand-in for a certificate that a step of a plan will make. It starts with 16 zero bytes, which no SHA-1 is
    /// expected to do, so that it never meets a real one.
    pub fn placeholder(step: u32) -> Self {
        let mut bytes = [0; 20];
        bytes[16..].copy_from_slice(&step.to_be_bytes());
        Self(bytes)
    }

    /// The step whose certificate this stands for, when it is a [placeholder](Self::placeholder).
    pub fn placeholder_step(self) -> Option<u32> {
        let (head, tail) = self.0.split_at(16);
        head.iter().all(|byte| *byte == 0).then(|| u32::from_be_bytes([tail[0], tail[1], tail[2], tail[3]]))
    }

    /// First six and last four digits: enough to recognise it on a screen. A [placeholder](Self::placeholder) has none
    /// and is named by its step.
    pub fn short(self) -> String {
        if let Some(step) = self.placeholder_step() {
            return format!("certificate of step {step}");
        }
        let text = self.to_string();
        format!("{}…{}", &text[..6], &text[36..])
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        HEXUPPER.encode_display(&self.0).fmt(f)
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({self})")
    }
}

impl FromStr for Thumbprint {
    type Err = ThumbprintError;

    /// Takes any case, and the blanks and colons with which Windows and OpenSSL print it.
    fn from_str(text: &str) -> Result<Self, ThumbprintError> {
        let error = || {
            let is_digit = |char: &char| char.is_ascii_hexdigit();
            let of_sha256 = text.chars().all(|char| is_digit(&char) || matches!(char, ' ' | ':'))
                && text.chars().filter(is_digit).count() == 64;
            if of_sha256 {
                ThumbprintError::Sha256(text.chars().take(12).collect())
            } else {
                ThumbprintError::NoThumbprint(text.chars().take(60).collect())
            }
        };
        // The certificate dialog of Windows puts a left-to-right mark before the first digit that is copied from it.
        let mut digits = text.chars().filter(|char| !matches!(char, ' ' | ':' | '\u{200e}'));
        let mut bytes = [0; 20];
        for byte in &mut bytes {
            let mut digit = || digits.next().and_then(|char| char.to_digit(16)).ok_or_else(error);
            *byte = u8::try_from(digit()? * 16 + digit()?).map_err(|_| error())?;
        }
        if digits.next().is_some() { Err(error()) } else { Ok(Self(bytes)) }
    }
}

text_type!(Thumbprint, "SHA-1 of a certificate's DER: 40 hexadecimal digits.", Some("^[0-9A-Fa-f]{40}$"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_people_copy_from_windows_and_openssl() {
        let plain = "BBA9F942B32F3E0F6E0C4E735BD1F38D4C06612E";
        let colons = "bb:a9:f9:42:b3:2f:3e:0f:6e:0c:4e:73:5b:d1:f3:8d:4c:06:61:2e";
        let dialog = "\u{200e}bb a9 f9 42 b3 2f 3e 0f 6e 0c 4e 73 5b d1 f3 8d 4c 06 61 2e";
        for text in [plain, colons, dialog] {
            assert_eq!(text.parse::<Thumbprint>().unwrap().to_string(), plain);
        }
        for text in ["", "BBA9", &format!("{plain}0"), &plain.replace('B', "G")] {
            assert!(text.parse::<Thumbprint>().is_err(), "{text}");
        }
        let sha256 = "ab".repeat(32).parse::<Thumbprint>().unwrap_err();
        assert!(matches!(sha256, ThumbprintError::Sha256(_)), "{sha256}");
    }

    #[test]
    fn a_placeholder_gives_its_step_back() {
        assert_eq!(Thumbprint::placeholder(3).placeholder_step(), Some(3));
        assert_eq!(Thumbprint::of(b"a certificate").placeholder_step(), None);
    }
}
