//! What a name, an account or a path cannot be, whoever reads it: `ssh`, Kerberos or Windows.

use std::{net::IpAddr, path::Path};

/// What is wrong with a word, and what to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) why: &'static str,
    pub(super) hint: &'static str,
}

fn wrong(why: &'static str, hint: &'static str) -> Wrong {
    Wrong { why, hint }
}

/// Why this is no host: neither a name of the DNS, nor an alias of the user's own `ssh` configuration, nor an address.
pub(super) fn host(text: &str) -> Option<Wrong> {
    let alone = "write the name alone; `user` and `port` are words of their own";
    if text.is_empty() {
        return Some(wrong("It is empty.", alone));
    }
    if text.starts_with('-') {
        return Some(wrong("It begins with a hyphen, as options do.", alone));
    }
    if has_blanks(text) {
        return Some(wrong("It has spaces or control characters.", alone));
    }
    if text.contains(['/', '@']) {
        return Some(wrong(
            "It is a URL or has a user in it; what stands on a command line everybody on the machine can see.",
            alone,
        ));
    }
    let (address, zone) = text.split_once('%').map_or((text, None), |(address, zone)| (address, Some(zone)));
    match (address.parse::<IpAddr>(), zone) {
        (Ok(_), None) => return None,
        (Ok(IpAddr::V6(_)), Some(zone)) if !zone.is_empty() && zone.chars().all(is_of_a_name) => return None,
        (Ok(_) | Err(_), _) => {}
    }
    if text.contains(['[', ']']) {
        return Some(wrong(
            "It has brackets, which only URLs have.",
            "write an IPv6 address without them: 'fd00::1'",
        ));
    }
    if let Some((name, port)) = text.rsplit_once(':')
        && !name.contains(':')
        && port.chars().all(|digit| digit.is_ascii_digit())
    {
        return Some(wrong("It has a port in it, and would be looked for as a name.", alone));
    }
    if !text.is_ascii() {
        return Some(wrong(
            "It has a character that is not ASCII, as names in the DNS are.",
            "write the name as the DNS has it, which for such names begins with `xn--`",
        ));
    }
    if !text.chars().all(is_of_a_name) {
        return Some(wrong(
            "It has a character that no host name and no address has.",
            "names have letters, digits, hyphens, dots and underscores",
        ));
    }
    let labels = text.strip_suffix('.').unwrap_or(text);
    if labels
        .split('.')
        .any(|label| label.is_empty() || label.len() > 63 || label.starts_with('-') || label.ends_with('-'))
        || labels.len() > 253
    {
        return Some(wrong(
            "A part between its dots is empty, longer than 63 characters, or begins or ends with a hyphen; or all of it is \
             longer than 253.",
            "write the name as the DNS has it",
        ));
    }
    let is_number =
        labels.rsplit('.').next().is_some_and(|last| last.chars().all(|char| char.is_ascii_digit()));
    if is_number {
        return Some(wrong(
            "It ends with a number, as addresses do, and is none.",
            "an IPv4 address has four numbers up to 255: 192.0.2.10",
        ));
    }
    None
}

/// Why `ssh` cannot take this as a user.
pub(super) fn ssh_user(text: &str) -> Option<Wrong> {
    let hint = "write the account alone: certwright, 'CONTOSO\\certwright' or certwright@contoso.com";
    if text.is_empty() {
        Some(wrong("It is empty.", hint))
    } else if text.starts_with('-') {
        Some(wrong("It begins with a hyphen, as options do.", hint))
    } else if has_blanks(text) {
        Some(wrong("It has spaces or control characters.", hint))
    } else if text.contains(|char| NOT_IN_ACCOUNTS.contains(char) || "'`&(){}$%!".contains(char)) {
        Some(wrong(
            "It has a character that `ssh` refuses or reads as something else, or that no account has.",
            hint,
        ))
    } else {
        parts(text, hint)
    }
}

/// Why this is no account of Windows. Basic ends it at its first colon.
pub(super) fn account(text: &str, is_basic: bool) -> Option<Wrong> {
    let hint = "write it as 'DOMAIN\\user' or user@domain";
    if text.trim().is_empty() {
        Some(wrong("It is empty.", hint))
    } else if is_basic && text.contains(':') {
        Some(wrong(
            "It has a colon; Basic ends the name there, and takes what follows for the password.",
            hint,
        ))
    } else if text.trim() != text || text.chars().any(char::is_control) {
        Some(wrong("It begins or ends with a space, or has control characters.", hint))
    } else if text.contains(|char| NOT_IN_ACCOUNTS.contains(char)) {
        Some(wrong("It has a character that no account of Windows has.", hint))
    } else {
        parts(text, hint)
    }
}

/// Why nobody's tickets are those of this name.
pub(super) fn principal(text: &str) -> Option<Wrong> {
    let hint = "write it as user@REALM, or leave it out";
    if text.trim().is_empty() {
        return Some(wrong("It is empty.", hint));
    }
    if has_blanks(text) {
        return Some(wrong("It has spaces or control characters.", hint));
    }
    if text.contains('\\') {
        return Some(wrong("It has a backslash, as accounts of Windows have; Kerberos has realms.", hint));
    }
    let mut parts = text.split('@');
    let (user, realm, more) = (parts.next(), parts.next(), parts.next());
    if more.is_some() {
        return Some(wrong("It has more than one `@`.", hint));
    }
    if user.is_none_or(str::is_empty) || realm.is_some_and(str::is_empty) {
        return Some(wrong("It lacks the user or the realm.", hint));
    }
    None
}

/// Why this path is not the path of a file.
pub(super) fn path(file: &Path) -> Option<Wrong> {
    let relative = "write the path of the file, relative to the manifest's directory";
    // Paths of a manifest are UTF-8.
    let text = file.to_string_lossy();
    if text.trim().is_empty() {
        return Some(wrong("It is empty; that is the manifest's directory.", relative));
    }
    if text.chars().any(char::is_control) {
        return Some(wrong("It has control characters.", relative));
    }
    if text == "~"
        || text.starts_with("~/")
        || text.starts_with("~\\")
        || text.contains("${")
        || text.starts_with('$')
    {
        return Some(wrong(
            "`~` and variables are for a shell, and no shell reads this.",
            "write the whole path",
        ));
    }
    if text.starts_with('%') && text[1..].contains('%') {
        return Some(wrong("Variables are for a shell, and no shell reads this.", "write the whole path"));
    }
    let kind = text.split_once(':').map(|(kind, _)| kind);
    if kind.is_some_and(|kind| KINDS.iter().any(|known| kind.eq_ignore_ascii_case(known))) {
        return Some(wrong(
            "It begins with a kind, as `KRB5CCNAME` does, and only files are read here.",
            "write the path of the file alone; without this word, the system's own place counts",
        ));
    }
    let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
    if last.is_empty() || last == "." || last == ".." {
        return Some(wrong("It is a directory.", relative));
    }
    None
}

/// `DOMAIN\user`, `user@domain` or `user`: one separator at most, and something on both of its sides.
fn parts(text: &str, hint: &'static str) -> Option<Wrong> {
    let mut parts = text.split('\\');
    let (first, second, more) = (parts.next(), parts.next(), parts.next());
    if more.is_some() {
        return Some(wrong("It has more than one backslash.", hint));
    }
    if first.is_none_or(str::is_empty) || second.is_some_and(str::is_empty) {
        return Some(wrong("It lacks the domain or the user.", hint));
    }
    if text.starts_with('@') || text.ends_with('@') {
        return Some(wrong("It lacks the user or the domain.", hint));
    }
    None
}

fn has_blanks(text: &str) -> bool {
    text.chars().any(|char| char.is_whitespace() || char.is_control())
}

fn is_of_a_name(char: char) -> bool {
    char.is_ascii_alphanumeric() || "-._".contains(char)
}

/// What names of accounts must not have (Microsoft: "User name must not contain"), but for `@`, which separates.
const NOT_IN_ACCOUNTS: &str = "\"/[]:;|=,+*?<>";

/// What a name of a ticket cache or a keytab may begin with where it is no file, or says that it is one.
const KINDS: [&str; 9] = ["FILE", "WRFILE", "DIR", "MEMORY", "KEYRING", "KCM", "API", "MSLSA", "SRVTAB"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for good in [
            "ex01",
            "ex01.contoso.com",
            "ex01.contoso.com.",
            "jump_host",
            "192.0.2.10",
            "fd00::1",
            "fe80::1%eth0",
            "EX01",
            "3com",
        ] {
            assert_eq!(host(good), None, "{good}");
        }
        for bad in [
            "",
            " ",
            "-o",
            "ex01:22",
            "[::1]",
            "[fd00::1]:22",
            "a$(x)",
            "%h",
            "ex 01",
            "ssh://ex01",
            "user@ex01",
            "m\u{fc}ller",
            "ex01..contoso.com",
            ".",
            ".ex01",
            "ex01;calc",
            "10.0.0.999",
            "10.0.1",
            "1234",
            "ex-.contoso.com",
            "*",
            "fd00::1%",
            "192.0.2.1%eth0",
            "ex01,ex02",
            "'ex01'",
            "a\\b",
            "ex01:ssh",
            "::g",
        ] {
            assert!(host(bad).is_some(), "{bad}");
        }
        assert!(host(&"a".repeat(64)).is_some() && host(&format!("{}x", "a.".repeat(127))).is_some());
    }

    #[test]
    fn users() {
        for good in [
            "certwright",
            "CONTOSO\\certwright",
            "certwright@contoso.com",
            "svc-cert$".trim_end_matches('$'),
            "m\u{fc}ller",
        ] {
            assert_eq!((ssh_user(good), account(good, true)), (None, None), "{good}");
        }
        assert_eq!(account("CONTOSO\\Erika Muster", false), None);
        assert_eq!(account("CONTOSO\\gmsa$", false), None);
        for bad in [
            "",
            "\\",
            "CONTOSO\\",
            "\\user",
            "a\\b\\c",
            "@contoso.com",
            "user@",
            "a/b",
            "a:b",
            "a\u{7}",
            "a;b",
            "\"a\"",
        ] {
            assert!(ssh_user(bad).is_some() && account(bad, true).is_some(), "{bad}");
        }
        for bad in ["-l", "%r", "$(x)", "a b", "a`b", "a'b"] {
            assert!(ssh_user(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn principals() {
        for good in ["svc@CONTOSO.COM", "svc", "host/ex01.contoso.com@CONTOSO.COM"] {
            assert_eq!(principal(good), None, "{good}");
        }
        for bad in ["", " ", "svc@", "@CONTOSO.COM", "a@b@c", "CONTOSO\\svc", "svc @X", "a\n"] {
            assert!(principal(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn paths() {
        for good in
            ["keys/id", "../id", "/etc/krb5.keytab", "C:\\keys\\id", "my key", ".ssh/id", "a:b", "100%"]
        {
            assert_eq!(path(Path::new(good)), None, "{good}");
        }
        for bad in [
            "",
            " ",
            ".",
            "..",
            "keys/",
            "keys/..",
            "~/.ssh/id",
            "~",
            "${HOME}/id",
            "$HOME/id",
            "%USERPROFILE%\\id",
            "FILE:/tmp/x",
            "kcm:",
            "a\nb",
        ] {
            assert!(path(Path::new(bad)).is_some(), "{bad}");
        }
    }
}
