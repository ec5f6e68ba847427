//! Patterns of the manifest, in which `*` stands for any text, wherever it is written. There is no other wildcard and no escape.

/// Whether the text is of the pattern. Case does not matter.
pub fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last: Option<&str> = None;
    for part in parts {
        if let Some(middle) = last {
            let Some(at) = rest.find(middle) else { return false };
            rest = &rest[at + middle.len()..];
        }
        last = Some(part);
    }
    last.map_or(rest.is_empty(), |end| rest.ends_with(end))
}

/// Whether it says nothing: it fits the empty text only, or every text.
pub fn says_nothing(pattern: &str) -> bool {
    pattern.trim_matches(|char: char| char == '*' || char.is_whitespace()).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, fitting) in [
            ("EX02/*", "EX02/served/https:443", true),
            ("ex02/*", "EX02/served/https:443", true),
            ("*/served/*", "EX02/served/https:443", true),
            ("EX02", "EX02/served/https:443", false),
            ("EX02/served/https:443", "EX02/served/https:443", true),
            ("*", "anything", true),
            ("*:443", "EX02/served/https:4430", false),
            ("CN=*mail*", "CN=mail.contoso.com, O=Contoso", true),
            ("CN=*mail*", "CN=web.contoso.com, O=Mail", true),
            ("cn=mail*", "CN=MAIL.contoso.com", true),
            ("CN=Ä*", "cn=äpfel", true),
            ("a*b*b", "ab", false),
            ("a*b*b", "abb", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(fits(pattern, text), fitting, "{pattern} on {text}");
        }
        for (pattern, nothing) in [("", true), (" ", true), ("**", true), ("* *", true), ("a*", false)] {
            assert_eq!(says_nothing(pattern), nothing, "{pattern:?}");
        }
    }
}
