//! Whether a file that Git tracks is a private key: by its name, or by what it begins with.

use std::path::{Component, Path};

use super::index;

/// Whether there is anything to be looked at in a file with this path: a repository has many, and few that matter here.
pub(super) fn may_matter(file: &[u8]) -> bool {
    let ending = file.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    is_any(ending, NAMED_SO)
        || is_any(ending, MAY_HOLD_ONE)
        || file.split(|byte| *byte == b'/').any(|part| part == super::STATE.as_bytes())
}

/// Whether its name alone says that it holds a key: PFX files, keytabs, and keys as most programs name them.
pub(super) fn is_named_so(file: &Path) -> bool {
    ends_with(file, NAMED_SO)
}

/// Whether it may hold a key beside or instead of a certificate.
pub(super) fn may_hold_one(file: &Path) -> bool {
    ends_with(file, MAY_HOLD_ONE)
}

/// Whether it holds a key. Nothing of it is kept.
pub(super) fn holds_one(file: &Path) -> bool {
    index::read(file, LARGEST_KEY).is_some_and(|bytes| is_pem_key(&bytes) || is_der_key(&bytes))
}

/// What runs leave: journals, backups, keys on their way.
pub(super) fn is_of_runs(file: &Path) -> bool {
    let ignores = file.file_name().is_some_and(|name| name == ".gitignore");
    !ignores && file.components().any(|part| part == Component::Normal(super::STATE.as_ref()))
}

/// Whether it lies in a folder for tests, whose keys are no secrets.
pub(super) fn is_for_tests(file: &Path) -> bool {
    let folders = file.parent().into_iter().flat_map(Path::components);
    let is_one = |part: Component<'_>| {
        ["test", "tests", "testdata", "fixtures"].iter().any(|name| part == Component::Normal(name.as_ref()))
    };
    folders.into_iter().any(is_one)
}

fn ends_with(file: &Path, endings: &[&str]) -> bool {
    file.extension().is_some_and(|ending| is_any(ending.as_encoded_bytes(), endings))
}

fn is_any(ending: &[u8], endings: &[&str]) -> bool {
    endings.iter().any(|known| ending.eq_ignore_ascii_case(known.as_bytes()))
}

/// RFC 7468 and OpenSSL: `PRIVATE KEY`, `RSA PRIVATE KEY`, `ENCRYPTED PRIVATE KEY` and so on. Windows PowerShell saves texts as
/// UTF-16, with a byte of zero beside each letter.
fn is_pem_key(bytes: &[u8]) -> bool {
    let letters: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    let header = |line: &[u8]| line.starts_with(b"-----BEGIN ") && contains(line, b"PRIVATE KEY-----");
    letters.split(|byte| *byte == b'\n').any(|line| header(line.trim_ascii()) || header(without_mark(line)))
}

fn without_mark(line: &[u8]) -> &[u8] {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    line.strip_prefix(b"\xff\xfe").unwrap_or(line).trim_ascii()
}

fn contains(line: &[u8], words: &[u8]) -> bool {
    line.windows(words.len()).any(|part| part == words)
}

/// PKCS#8, PKCS#1, SEC 1 and PKCS#12 begin with a sequence and a small version in it. A certificate and a request have another
/// sequence there, and an encrypted PKCS#8 key has there the sequence of an algorithm of PKCS#5.
fn is_der_key(bytes: &[u8]) -> bool {
    let Some(inside) = inside(bytes) else { return false };
    let has_version = matches!(inside, [0x02, 0x01, 0 | 1 | 3, ..]);
    let is_encrypted = || {
        let algorithm = self::inside(inside).unwrap_or_default();
        algorithm.starts_with(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05")
    };
    has_version || is_encrypted()
}

/// What a sequence of DER holds.
fn inside(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.strip_prefix(b"\x30")?.split_first()?;
    let more = if *length < 0x80 { 0 } else { usize::from(length & 0x7f) };
    rest.get(more..).filter(|_| more <= 4)
}

const NAMED_SO: &[&str] = &["pfx", "p12", "key", "p8", "pvk", "keytab"];
const MAY_HOLD_ONE: &[&str] = &["pem", "crt", "cer", "cert", "der", "txt", "asc"];

/// A bundle of a key, its certificate and all roots of a system is not longer.
const LARGEST_KEY: u64 = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_their_names() {
        for (file, named, may) in [
            ("contoso/old.PFX", true, false),
            ("MAIL.KEY", true, false),
            ("lab/state/keys/1.key", true, false),
            ("krb5.keytab", true, false),
            ("bundle.pem", false, true),
            ("contoso/manifest.yaml", false, false),
            ("key", false, false),
        ] {
            let file = Path::new(file);
            assert_eq!((is_named_so(file), may_hold_one(file)), (named, may), "{}", file.display());
        }
        assert!(is_of_runs(Path::new("contoso/.certwright/runs/1.jsonl")));
        assert!(!is_of_runs(Path::new("contoso/.certwright/.gitignore")));
        assert!(is_for_tests(Path::new("a/tests/b.key")) && !is_for_tests(Path::new("a/b/tests")));
    }

    #[test]
    fn keys_are_known_by_what_they_begin_with() {
        let wide: Vec<u8> =
            "\u{feff}-----BEGIN RSA PRIVATE KEY-----".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (bytes, is_key) in [
            (&b"notes\r\n-----BEGIN ENCRYPTED PRIVATE KEY-----\r\nMII"[..], true),
            (b"\xef\xbb\xbf-----BEGIN PRIVATE KEY-----\n", true),
            (&wide, true),
            (b"-----BEGIN CERTIFICATE-----\n", false),
            (b"write -----BEGIN PRIVATE KEY----- first", false),
            (b"\x30\x82\x04\xbd\x02\x01\x00\x30\x0d", true),
            (b"\x30\x77\x02\x01\x01\x04\x20", true),
            (b"\x30\x82\x0a\x00\x02\x01\x03\x30", true),
            (b"\x30\x82\x05\x00\x30\x40\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d\x30", true),
            (b"\x30\x82\x05\x00\x30\x82\x03\xe8\xa0\x03\x02\x01\x02", false),
            (b"\x30\xff", false),
            (b"", false),
        ] {
            assert_eq!(is_pem_key(bytes) || is_der_key(bytes), is_key, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
