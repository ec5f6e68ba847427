//! The primitive types of the serialization (MS-PSRP section 2.2.5.1), from the text of their element.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{document::Value, error::Problem, escape, moment, moment::Moment};
use crate::{model::secret::Secret, wire::shown};

/// A primitive type: its element, and how its text is read.
pub(super) struct Primitive {
    pub(super) element: &'static str,
    /// For the error when it cannot be read.
    expected: &'static str,
    read: fn(&str) -> Option<Value>,
}

impl Primitive {
    /// The primitive that this element holds.
    pub(super) fn of(element: &str) -> Option<&'static Self> {
        PRIMITIVES.iter().find(|primitive| primitive.element == element)
    }

    /// The value that the text stands for.
    pub(super) fn value(&self, text: &str) -> Result<Value, Problem> {
        (self.read)(text).ok_or_else(|| Problem::Primitive {
            element: self.element,
            // Bytes may be anything, keys as well, and a terminal is no place for them.
            text: if self.element == BYTES { "…".to_owned() } else { shown(text) },
            expected: self.expected,
        })
    }
}

/// In the order of MS-PSRP section 2.2.5.1.
static PRIMITIVES: &[Primitive] = &[
    Primitive {
        element: "S",
        expected: "a text",
        read: |text| Some(Value::Text(escape::decode(text).into())),
    },
    Primitive {
        element: "C",
        expected: "the number of a UTF-16 code unit",
        read: |text| number(text).map(Value::Character),
    },
    Primitive { element: "B", expected: "true or false", read: boolean },
    Primitive {
        element: "DT",
        expected: "a date with a time, like 2026-03-02T09:14:07Z",
        read: |text| Moment::parse(trimmed(text)).map(Value::Moment),
    },
    Primitive {
        element: "TS",
        expected: "a span of time, like PT1M30.5S",
        read: |text| moment::ticks(trimmed(text)).map(Value::Duration),
    },
    Primitive { element: "By", expected: "a number from 0 to 255", read: integer::<u8> },
    Primitive { element: "SB", expected: "a number from -128 to 127", read: integer::<i8> },
    Primitive { element: "U16", expected: "a whole number of 16 bits without a sign", read: integer::<u16> },
    Primitive { element: "I16", expected: "a whole number of 16 bits", read: integer::<i16> },
    Primitive { element: "U32", expected: "a whole number of 32 bits without a sign", read: integer::<u32> },
    Primitive { element: "I32", expected: "a whole number of 32 bits", read: integer::<i32> },
    Primitive { element: "U64", expected: "a whole number of 64 bits without a sign", read: integer::<u64> },
    Primitive { element: "I64", expected: "a whole number of 64 bits", read: integer::<i64> },
    Primitive { element: "Sg", expected: "a number", read: |text| number(text).map(Value::Float) },
    Primitive { element: "Db", expected: "a number", read: |text| number(text).map(Value::Float) },
    Primitive { element: "D", expected: "a decimal number, like 12.34", read: decimal },
    Primitive { element: BYTES, expected: "base64", read: bytes },
    Primitive { element: "G", expected: "a GUID of 32 hexadecimal digits with four hyphens", read: guid },
    Primitive {
        element: "URI",
        expected: "a URI",
        read: |text| Some(Value::Uri(escape::decode(text).into())),
    },
    Primitive { element: "Version", expected: "a version, like 15.2.1544.4", read: version },
    Primitive {
        element: "XD",
        expected: "an XML document",
        read: |text| Some(Value::Xml(escape::decode(text).into())),
    },
    Primitive {
        element: "SBK",
        expected: "a script",
        read: |text| Some(Value::ScriptBlock(escape::decode(text).into())),
    },
    Primitive {
        element: "SS",
        expected: "a secure string",
        read: |text| Some(Value::SecureString(Secret::new(trimmed(text).as_bytes().to_vec()))),
    },
];

/// XML Schema ignores blanks around everything but strings.
fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    trimmed(text).parse().ok()
}

fn integer<T: std::str::FromStr + Into<i128>>(text: &str) -> Option<Value> {
    number::<T>(text).map(|number| Value::Integer(number.into()))
}

fn boolean(text: &str) -> Option<Value> {
    match trimmed(text) {
        "true" | "1" => Some(Value::Boolean(true)),
        "false" | "0" => Some(Value::Boolean(false)),
        _ => None,
    }
}

/// A .NET `Decimal` has up to 29 digits, more than any number of ours holds, so it stays a text.
fn decimal(text: &str) -> Option<Value> {
    let text = trimmed(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let good = text.len() <= LONGEST_DECIMAL
        && is_number(whole.strip_prefix(['-', '+']).unwrap_or(whole))
        && is_number(fraction);
    good.then(|| Value::Decimal(text.to_owned()))
}

fn bytes(text: &str) -> Option<Value> {
    // .NET reads over blanks in base64.
    let plain = text.trim_ascii().as_bytes();
    let decoded = if plain.iter().any(u8::is_ascii_whitespace) {
        BASE64_STANDARD
            .decode(plain.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<u8>>())
    } else {
        BASE64_STANDARD.decode(plain)
    };
    decoded.ok().map(Value::Bytes)
}

fn guid(text: &str) -> Option<Value> {
    let text = trimmed(text);
    let good = text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    good.then(|| Value::Guid(text.to_ascii_lowercase()))
}

fn version(text: &str) -> Option<Value> {
    let text = trimmed(text);
    let is_version =
        matches!(text.split('.').count(), 2..=4) && text.split('.').all(|part| part.parse::<u32>().is_ok());
    is_version.then(|| Value::Version(text.to_owned()))
}

const BYTES: &str = "BA";
const LONGEST_DECIMAL: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(element: &str, text: &str) -> Option<Value> {
        Primitive::of(element).unwrap().value(text).ok()
    }

    #[test]
    fn each_primitive_is_read_as_dot_net_writes_it() {
        for (element, text, value) in [
            ("S", " a_x000A_ ", Value::Text(" a\n ".into())),
            ("C", "233", Value::Character(233)),
            ("C", "55357", Value::Character(0xd83d)),
            ("B", "true", Value::Boolean(true)),
            ("B", " 0 ", Value::Boolean(false)),
            ("DT", "2026-11-21T03:04:05Z", Value::Moment(Moment::parse("2026-11-21T03:04:05Z").unwrap())),
            ("TS", "PT1M30.5S", Value::Duration(905_000_000)),
            ("By", "255", Value::Integer(255)),
            ("SB", "-128", Value::Integer(-128)),
            ("U16", "65535", Value::Integer(65535)),
            ("I16", "-32768", Value::Integer(-32768)),
            ("U32", "4294967295", Value::Integer(4_294_967_295)),
            ("I32", "\n-2147483648\n", Value::Integer(-2_147_483_648)),
            ("U64", "18446744073709551615", Value::Integer(u64::MAX.into())),
            ("I64", "-9223372036854775808", Value::Integer(i64::MIN.into())),
            ("Sg", "-INF", Value::Float(f64::NEG_INFINITY)),
            ("Db", "0.0069444444444444441", Value::Float(0.006_944_444_444_444_444)),
            ("Db", "1E+20", Value::Float(1e20)),
            ("D", "-79228162514264337593543950335", Value::Decimal("-79228162514264337593543950335".into())),
            ("D", "12.34", Value::Decimal("12.34".into())),
            ("BA", "AAH/", Value::Bytes(vec![0, 1, 255])),
            ("BA", "AA\n H/ ", Value::Bytes(vec![0, 1, 255])),
            ("BA", "", Value::Bytes(Vec::new())),
            (
                "G",
                "4F1D6ED3-81ee-4120-9d38-b803867135e5",
                Value::Guid("4f1d6ed3-81ee-4120-9d38-b803867135e5".into()),
            ),
            ("URI", "https://mail.contoso.com/owa", Value::Uri("https://mail.contoso.com/owa".into())),
            ("Version", "15.2.1544.4", Value::Version("15.2.1544.4".into())),
            ("XD", "<a />", Value::Xml("<a />".into())),
            ("SBK", "Get-Date_x000A_", Value::ScriptBlock("Get-Date\n".into())),
            ("SS", "0100", Value::SecureString(Secret::new(b"0100".to_vec()))),
        ] {
            assert_eq!(read(element, text), Some(value), "<{element}>{text}");
        }
    }

    #[test]
    fn what_a_primitive_does_not_hold_is_an_error() {
        for (element, text) in [
            ("C", "é"),
            ("C", "65536"),
            ("B", "True"),
            ("By", "256"),
            ("I32", ""),
            ("I32", "2147483648"),
            ("I32", "0x10"),
            ("I64", "1.0"),
            ("U64", "-1"),
            ("Db", "one"),
            ("D", "1e5"),
            ("D", "."),
            ("D", "١٢"),
            ("BA", "A"),
            ("BA", "****"),
            ("G", "4f1d6ed381ee41209d38b803867135e5"),
            ("Version", "15"),
            ("Version", "1.2.3.4.5"),
            ("Version", "a.b"),
        ] {
            assert_eq!(read(element, text), None, "<{element}>{text}");
        }
        let error = Primitive::of("B").unwrap().value("vrai\u{1b}[2J").unwrap_err();
        assert_eq!(error.to_string(), "`vrai\\u{1b}[2J` is not what <B> holds, which is true or false");
        let error = Primitive::of(BYTES).unwrap().value("c2VjcmV0IQ*").unwrap_err();
        assert!(!error.to_string().contains("c2V"), "bytes are not shown: {error}");
    }
}
