//! Distinguished names, in DER and in the text form of .NET that Exchange's connectors store (facts 6.3).

mod countries;
mod tls_certificate_name;

use std::{
    borrow::Cow,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    str::FromStr,
};

pub(super) use self::tls_certificate_name::same_but_for_case;
pub use self::{
    countries::is_country,
    tls_certificate_name::{TlsCertificateName, TlsCertificateNameError},
};

/// A distinguished name, its parts in the order of the DER encoding. `Display` gives the text of .NET: the parts in
/// reverse order, `S` for the state, values quoted as `CertNameToStr` does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DistinguishedName(Vec<Rdn>);

/// One part of a distinguished name; nearly always a single attribute.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rdn(pub Vec<Attribute>);

/// One attribute of a name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attribute {
    /// The object identifier, in dots.
    pub oid: Cow<'static, str>,
    /// The value as text.
    pub value: String,
}

/// The attributes of a name, whatever order and case they were written in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Meaning(Vec<(Cow<'static, str>, String)>);

/// Why a text is not a distinguished name.
#[derive(Debug, thiserror::Error)]
pub enum DnError {
    /// A part has no `=`.
    #[error("`{0}` has no `=`; a distinguished name is written like C=NL, O=Contoso, CN=mail.contoso.com")]
    NoEquals(String),
    /// A part has no `=` and stands behind a comma: it belongs to the value before.
    #[error(
        "`{rest}` has no `=`; if it belongs to the value before, put that into quotation marks: `{quoted}`"
    )]
    Comma {
        /// The part.
        rest: String,
        /// The attribute with both.
        quoted: String,
    },
    /// The form of OpenSSL.
    #[error("a subject has commas between its parts, not slashes; write `{0}`")]
    Slashes(String),
    /// A separator with nothing behind it.
    #[error("a part of the name is empty: a `,` or `+` too many; take it out")]
    EmptyPart,
    /// Nothing at all.
    #[error("the name is empty; write one like C=NL, O=Contoso, CN=mail.contoso.com, or take the line out")]
    Empty,
    /// The attribute is not one we know.
    #[error("`{0}` is not an attribute of a name; expected one of {known}; others are written like OID.1.2.3=value", known = known_names())]
    UnknownAttribute(String),
    /// A quote was opened and not closed.
    #[error("a quotation mark is not closed in `{0}`; close it: O=\"Contoso, Inc.\"")]
    OpenQuote(String),
    /// Nothing stands after the `=`.
    #[error("`{0}` has no value; write one, or take this part out")]
    NoValue(String),
}

impl DistinguishedName {
    /// A name of these parts, in DER order.
    pub fn new(rdns: Vec<Rdn>) -> Self {
        Self(rdns)
    }

    /// `CN=<value>` alone.
    pub fn common_name_only(value: &str) -> Self {
        Self(vec![Rdn(vec![Attribute { oid: COMMON_NAME.into(), value: value.into() }])])
    }

    /// The parts in DER order.
    pub fn rdns(&self) -> &[Rdn] {
        &self.0
    }

    /// Whether it has no part at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first common name.
    pub fn common_name(&self) -> Option<&str> {
        self.common_names().next()
    }

    /// All common names.
    pub fn common_names(&self) -> impl Iterator<Item = &str> {
        let own = self.attributes().filter(|attribute| attribute.oid == COMMON_NAME);
        own.map(|attribute| attribute.value.as_str())
    }

    /// The first organization.
    pub fn organization(&self) -> Option<&str> {
        let mut attributes = self.attributes();
        attributes.find(|attribute| attribute.oid == ORGANIZATION).map(|attribute| attribute.value.as_str())
    }

    /// The same name with the country first in DER, as public and company CAs write it, whichever way round it was
    /// typed. A name typed in the order of `New-ExchangeCertificate -SubjectName`, country first, is read as .NET reads
    /// it, which puts the country last in DER (facts 1.1).
    #[must_use]
    pub fn largest_first(&self) -> Self {
        let common_name_leads =
            self.0.first().is_some_and(|rdn| rdn.0.iter().any(|attribute| attribute.oid == COMMON_NAME));
        let mut rdns = self.0.clone();
        if common_name_leads {
            rdns.reverse();
        }
        Self(rdns)
    }

    /// Whether both names hold the same attributes with the same values, in any order and case. CAs rebuild subjects in
    /// an order of their own, so the order says nothing about intent.
    pub fn means(&self, other: &Self) -> bool {
        self == other
            || self.attributes().count() == other.attributes().count()
                && self.meaning_hash() == other.meaning_hash()
                && self.meaning() == other.meaning()
    }

    /// A number that names which mean the same have in common, and others hardly ever.
    pub fn meaning_hash(&self) -> u64 {
        let hash = |Attribute { oid, value }: &Attribute| {
            let mut hasher = DefaultHasher::new();
            oid.hash(&mut hasher);
            // A sigma that ends a word has a small letter of its own.
            let fold = |char| if char == 'ς' { 'σ' } else { char };
            value.chars().flat_map(char::to_lowercase).for_each(|char| fold(char).hash(&mut hasher));
            hasher.finish()
        };
        self.attributes().map(hash).fold(0, u64::wrapping_add)
    }

    /// What names that mean the same have in common.
    pub fn meaning(&self) -> Meaning {
        let folded = self.attributes().map(|Attribute { oid, value }| (oid.clone(), value.to_lowercase()));
        let mut pairs: Vec<_> = folded.collect();
        pairs.sort();
        Meaning(pairs)
    }

    fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.0.iter().flat_map(|rdn| &rdn.0)
    }
}

impl Attribute {
    /// An attribute of a kind that is told by its object identifier.
    pub fn new(oid: &str, value: String) -> Self {
        let known = ATTRIBUTES.iter().find(|(_, known)| *known == oid);
        Self { oid: known.map_or_else(|| oid.to_owned().into(), |(_, known)| (*known).into()), value }
    }

    /// The short name that .NET prints, or the object identifier.
    pub fn name(&self) -> &str {
        ATTRIBUTES.iter().find(|(_, oid)| *oid == self.oid).map_or(&*self.oid, |(name, _)| *name)
    }

    /// How many characters its value may have, where a standard says it (X.520 annex C and RFC 5280 appendix A.1, "upper
    /// bounds"; RFC 1034 for a label).
    pub fn longest(&self) -> Option<usize> {
        UPPER_BOUNDS.iter().find(|(name, _)| *name == self.name()).map(|(_, most)| *most)
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rdn) in self.0.iter().rev().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            for (index, attribute) in rdn.0.iter().enumerate() {
                f.write_str(if index == 0 { "" } else { " + " })?;
                write!(f, "{attribute}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match ATTRIBUTES.iter().find(|(_, oid)| *oid == self.oid) {
            Some((name, _)) => write!(f, "{name}=")?,
            None => write!(f, "OID.{}=", self.oid)?,
        }
        // The rules of CertNameToStr; only the comma was captured, the others are its documentation's (facts 6.3).
        let value = &self.value;
        let quoted = value.is_empty()
            || value.starts_with(char::is_whitespace)
            || value.ends_with(char::is_whitespace)
            || value.contains([',', '+', '=', '"', '\n', '<', '>', '#', ';']);
        if quoted { write!(f, "\"{}\"", value.replace('"', "\"\"")) } else { f.write_str(value) }
    }
}

impl fmt::Debug for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DistinguishedName({self})")
    }
}

impl FromStr for DistinguishedName {
    type Err = DnError;

    /// Reads the text form of .NET, so `text.parse()?.to_string()` gives the text back.
    fn from_str(text: &str) -> Result<Self, DnError> {
        if text.trim().is_empty() {
            return Err(DnError::Empty);
        }
        if text.trim().starts_with('/') && text.contains('=') {
            let parts: Vec<&str> = text.split('/').map(str::trim).filter(|part| !part.is_empty()).collect();
            return Err(DnError::Slashes(parts.join(", ").chars().take(200).collect()));
        }
        let mut rdns = Vec::new();
        let parts = split_unquoted(text, &[',', ';'])?;
        for (index, part) in parts.iter().enumerate() {
            if let Some(before) = index.checked_sub(1).and_then(|before| parts.get(before)) {
                belongs_together(before, part)?;
            }
            let attributes = split_unquoted(part, &['+'])?;
            rdns.push(Rdn(attributes.into_iter().map(attribute).collect::<Result<_, _>>()?));
        }
        rdns.reverse();
        Ok(Self(rdns))
    }
}

/// Refuses a part that is only the rest of the value before it.
fn belongs_together(before: &str, part: &str) -> Result<(), DnError> {
    let Some((name, value)) = before.split_once('=') else { return Ok(()) };
    if part.contains('=') || part.trim().is_empty() || value.contains('"') {
        return Ok(());
    }
    let short = |text: &str| text.trim().chars().take(80).collect::<String>();
    let quoted = format!("{}=\"{}, {}\"", short(name), short(value), short(part));
    Err(DnError::Comma { rest: short(part), quoted })
}

/// Splits at separators that stand outside quotation marks.
fn split_unquoted<'a>(text: &'a str, separators: &[char]) -> Result<Vec<&'a str>, DnError> {
    let (mut parts, mut start, mut quoted) = (Vec::new(), 0, false);
    for (index, char) in text.char_indices() {
        if char == '"' {
            quoted = !quoted;
        } else if !quoted && separators.contains(&char) {
            parts.push(&text[start..index]);
            start = index + char.len_utf8();
        }
    }
    if quoted {
        return Err(DnError::OpenQuote(text.chars().take(120).collect()));
    }
    parts.push(&text[start..]);
    Ok(parts)
}

fn attribute(text: &str) -> Result<Attribute, DnError> {
    let shown = || text.trim().chars().take(80).collect::<String>();
    if text.trim().is_empty() {
        return Err(DnError::EmptyPart);
    }
    let (name, value) = text.split_once('=').ok_or_else(|| DnError::NoEquals(shown()))?;
    let (name, value) = (name.trim(), value.trim());
    let oid = match name.get(..4) {
        Some(prefix) if prefix.eq_ignore_ascii_case("OID.") => Cow::from(name[4..].to_owned()),
        _ => ATTRIBUTES
            .iter()
            .chain(SYNONYMS)
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, oid)| Cow::from(*oid))
            .ok_or_else(|| DnError::UnknownAttribute(name.chars().take(40).collect()))?,
    };
    if !is_oid(&oid) {
        return Err(DnError::UnknownAttribute(name.chars().take(40).collect()));
    }
    let value = match value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None if value.is_empty() => return Err(DnError::NoValue(shown())),
        None => value.to_owned(),
    };
    Ok(Attribute { oid, value })
}

/// At least two numbers with dots between, the first 0 to 2: what DER can encode.
fn is_oid(text: &str) -> bool {
    let numbers: Option<Vec<u64>> = text.split('.').map(|number| number.parse().ok()).collect();
    matches!(numbers.as_deref(), Some([first, second, ..]) if *first <= 2 && (*second < 40 || *first == 2))
}

fn known_names() -> String {
    ATTRIBUTES.iter().take(7).map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// The object identifier of the common name.
pub const COMMON_NAME: &str = "2.5.4.3";
/// The object identifier of the organization.
const ORGANIZATION: &str = "2.5.4.10";
/// The object identifier of the country.
pub const COUNTRY: &str = "2.5.4.6";
/// The object identifier of a domain component.
pub const DOMAIN_COMPONENT: &str = "0.9.2342.19200300.100.1.25";
/// The object identifier of an e-mail address inside a name.
pub const EMAIL: &str = "1.2.840.113549.1.9.1";

/// The short names that .NET prints, and the object identifiers they stand for.
const ATTRIBUTES: [(&str, &str); 14] = [
    ("CN", COMMON_NAME),
    ("OU", "2.5.4.11"),
    ("O", ORGANIZATION),
    ("L", "2.5.4.7"),
    ("S", "2.5.4.8"),
    ("C", COUNTRY),
    ("DC", DOMAIN_COMPONENT),
    ("E", EMAIL),
    ("SERIALNUMBER", "2.5.4.5"),
    ("STREET", "2.5.4.9"),
    ("T", "2.5.4.12"),
    ("G", "2.5.4.42"),
    ("I", "2.5.4.43"),
    ("SN", "2.5.4.4"),
];

/// How many characters a value may have. The country has two, and is looked up.
const UPPER_BOUNDS: [(&str, usize); 11] = [
    ("CN", 64),
    ("OU", 64),
    ("O", 64),
    ("L", 128),
    ("S", 128),
    ("DC", 63),
    ("E", 255),
    ("SERIALNUMBER", 64),
    ("STREET", 128),
    ("T", 64),
    ("SN", 40),
];

/// Other names under which people know the same attributes.
const SYNONYMS: &[(&str, &str)] = &[("ST", "2.5.4.8"), ("EMAIL", EMAIL), ("emailAddress", EMAIL)];

text_type!(
    DistinguishedName,
    "A distinguished name as .NET writes it: C=NL, O=\"Contoso, Inc.\", CN=mail.contoso.com.",
    None
);
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_dotnet_goes_both_ways() {
        for text in [
            r#"CN=Go Daddy Secure Certificate Authority - G2, OU=http://certs.godaddy.com/repository/, O="GoDaddy.com, Inc.", L=Scottsdale, S=Arizona, C=US"#,
            "CN=GeoTrust TLS RSA CA G1, OU=www.digicert.com, O=DigiCert Inc, C=US",
            "CN=domain.com, OU=IT, O=Contoso, L=Cologne, S=NRW, C=DE",
            "CN=Contoso Issuing CA, DC=corp, DC=contoso, DC=com",
            r#"CN="a ""b"" c", OID.1.2.3.4=x"#,
            "CN=a + OU=b, O=c",
            r#"CN=" leading blank""#,
        ] {
            assert_eq!(text.parse::<DistinguishedName>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn der_order_is_the_reverse_of_the_text() {
        let name: DistinguishedName = "CN=mail.contoso.com, O=Contoso, C=NL".parse().unwrap();
        assert_eq!(name.rdns()[0].0[0].value, "NL");
        let typed: DistinguishedName = "C=NL, O=Contoso, CN=mail.contoso.com".parse().unwrap();
        assert_eq!(typed.rdns()[0].0[0].value, "mail.contoso.com");
        assert_eq!(typed.largest_first(), name);
        assert_eq!(name.largest_first(), name);
        assert!(typed.means(&name));
        assert_eq!(name.common_name(), Some("mail.contoso.com"));
    }

    #[test]
    fn names_that_are_none() {
        for (text, says) in [
            ("mail.contoso.com", "no `=`"),
            ("CN=a, ", "a part of the name is empty"),
            ("CN=a + ", "a part of the name is empty"),
            (",CN=a", "a part of the name is empty"),
            ("CN=", "no value"),
            ("XX=a", "not an attribute"),
            ("OID.9.1=a", "not an attribute"),
            ("CN=\"a", "not closed"),
        ] {
            let error = text.parse::<DistinguishedName>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
