//! The names by which connectors select certificates (facts 5.5, 6.3).

use std::{fmt, str::FromStr};

/// What a connector's `TlsCertificateName` holds: the text `<I>issuer<S>subject`, each in .NET's form and compared
/// verbatim but for case (facts 5.5, 6.3).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TlsCertificateName {
    pub(in crate::model) issuer: String,
    pub(in crate::model) subject: String,
}

/// Why a text is not a `TlsCertificateName`.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a TlsCertificateName; it has the form <I>issuer<S>subject")]
pub struct TlsCertificateNameError(String);

impl TlsCertificateName {
    /// Whether both select the same certificates: equal text, in any case.
    pub fn is_same_as(&self, other: &Self) -> bool {
        same_but_for_case(&self.subject, &other.subject) && same_but_for_case(&self.issuer, &other.issuer)
    }

    /// The issuer's text.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The subject's text.
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

/// Whether two texts are equal in any case.
pub(in crate::model) fn same_but_for_case(one: &str, other: &str) -> bool {
    let is_same_ascii = |(a, b): &(u8, u8)| a.is_ascii() && b.is_ascii() && a.eq_ignore_ascii_case(b);
    let same = one.bytes().zip(other.bytes()).take_while(is_same_ascii).count();
    if [one, other].iter().all(|text| text.as_bytes().get(same).is_none_or(u8::is_ascii)) {
        return one.len() == same && other.len() == same;
    }
    let (mut one, mut other) = (one[same..].chars(), other[same..].chars());
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if is_same_but_for_case(a, b) => {}
            (Some(_) | None, _) => return false,
        }
    }
}

/// Letter by letter, as .NET's ordinal comparison that ignores case.
fn is_same_but_for_case(a: char, b: char) -> bool {
    a == b || a.to_lowercase().eq(b.to_lowercase())
}

impl fmt::Display for TlsCertificateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<I>{}<S>{}", self.issuer, self.subject)
    }
}

impl fmt::Debug for TlsCertificateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for TlsCertificateName {
    type Err = TlsCertificateNameError;

    /// The markers are accepted in lower case too (facts 5.5). There is no escape for a `<S>` inside the issuer.
    fn from_str(text: &str) -> Result<Self, TlsCertificateNameError> {
        let error = || TlsCertificateNameError(text.chars().take(120).collect());
        let marker = |text: &str, letter: char| {
            text.get(..3).is_some_and(|head| head.eq_ignore_ascii_case(&format!("<{letter}>")))
        };
        if !marker(text, 'I') {
            return Err(error());
        }
        let subject_at =
            (3..text.len()).find(|index| text.get(*index..).is_some_and(|rest| marker(rest, 'S')));
        let at = subject_at.ok_or_else(error)?;
        Ok(Self { issuer: text[3..at].to_owned(), subject: text[at + 3..].to_owned() })
    }
}

text_type!(
    TlsCertificateName,
    "What selects a connector's certificate: <I>issuer<S>subject.",
    Some("^<[Ii]>.*<[Ss]>.*$")
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_certificate_names() {
        let name: TlsCertificateName = "<i>CN=Corp CA<s>CN=mail.contoso.com".parse().unwrap();
        assert_eq!(name.to_string(), "<I>CN=Corp CA<S>CN=mail.contoso.com");
        assert!(name.is_same_as(&"<I>CN=CORP CA<S>CN=Mail.contoso.com".parse().unwrap()));
        for (one, other, same) in [
            ("CN=Straße", "cn=STRAßE", true),
            ("CN=Ärzte", "CN=ärzte", true),
            ("CN=Ärzte", "CN=ärzten", false),
            ("CN=\u{212a}", "CN=k", true),
            ("CN=\u{212a}", "CN=l", false),
            ("CN=a", "CN=ab", false),
            ("CN=a", "CN=aß", false),
            ("", "", true),
        ] {
            assert_eq!(same_but_for_case(one, other), same, "{one} {other}");
            assert_eq!(same_but_for_case(other, one), same, "{other} {one}");
        }
        for text in ["", "CN=a", "<I>CN=a", "<S>CN=a<I>CN=b", "<I", "é<I>a<S>b"] {
            assert!(text.parse::<TlsCertificateName>().is_err(), "{text}");
        }
    }
}
