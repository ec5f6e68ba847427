//! What is said of a value that does not fit: how it is named, and what to write instead.

use serde_json::{Map, Value};

use super::schema::{Allowed, fields, key_words, needed, values};
use crate::{
    manifest::{
        finding::{DocPath, Segment},
        suggestion::{nearest, suggestion},
    },
    model::text::escaped,
};

/// What to write instead of a value of another kind.
pub(super) fn advice(allowed: &Allowed<'_>, value: &Value, path: &DocPath, root: &Value) -> String {
    special(allowed, value, path, root).unwrap_or_else(|| match value {
        Value::Object(entries) if allowed.text => {
            let mut values = entries.values();
            match (values.next(), values.next()) {
                (Some(Value::String(one)), None) => format!("write it without braces: `{}`", shortened(one)),
                _ => "write one text here, without braces".into(),
            }
        }
        Value::Object(_) if allowed.list.is_some() => {
            let item = allowed.list.map(|item| Allowed::by(item, root)).unwrap_or_default();
            let item = if item.mapping.is_some() || !item.ways.is_empty() { "{ … }" } else { "…" };
            format!("write a list: `{}: [{item}]`", last(path).unwrap_or_default())
        }
        _ => "correct it; `certwright schema manifest` tells the form".into(),
    })
}

/// The same, for what there is more to say of.
fn special(allowed: &Allowed<'_>, value: &Value, path: &DocPath, root: &Value) -> Option<String> {
    let key = last(path).unwrap_or_default();
    match value {
        Value::Number(number) if allowed.text => Some(match allowed.name {
            Some("Span" | "RenewBefore" | "ExpiryWarning") => {
                with_unit(&number.to_string(), &key, allowed.example)
            }
            Some("ServerVersion") => "write it like `2019 CU14`, `SE` or `15.2.1544.4`".into(),
            // YAML has made another number of it, so it cannot be repeated.
            Some("Thumbprint") => "put all 40 digits into quotation marks: `\"…\"`".into(),
            _ if !number.is_i64() && !number.is_u64() => "put it into quotation marks".into(),
            _ => format!("put it into quotation marks: `\"{number}\"`"),
        }),
        Value::Bool(_) if allowed.text => Some(match allowed.example {
            Some(example) => format!("write `{key}: {}`", flow(example)),
            None => format!("put it into quotation marks: `\"{value}\"`"),
        }),
        Value::Number(number) if allowed.boolean => Some(match number.as_i64() {
            Some(1) => format!("write `{key}: true`"),
            Some(0) => format!("write `{key}: false`"),
            _ => "write `true` or `false`".into(),
        }),
        Value::String(word) if allowed.boolean => Some(match word.to_lowercase().as_str() {
            "yes" | "on" | "y" | "1" | "true" => "write `true`".into(),
            "no" | "off" | "n" | "0" | "false" => "write `false`".into(),
            _ => "write `true` or `false`".into(),
        }),
        Value::String(word) if allowed.number.is_some() && word.parse::<i64>().is_ok() => {
            Some(format!("write it without quotation marks: `{word}`"))
        }
        Value::String(word) if !allowed.ways.is_empty() => {
            let words: Vec<&str> = allowed.ways.iter().map(|(word, _)| *word).collect();
            let known = allowed.ways.iter().find(|(known, _)| known == word);
            Some(match known {
                Some((word, schema)) if empty_is_enough(schema, root) => {
                    format!("write `{key}: {{ {word}: {{}} }}`")
                }
                Some((word, _)) => format!("write `{key}: {{ {word}: … }}`"),
                None => one_of(&words),
            })
        }
        Value::String(text) if allowed.list.is_some() => {
            Some(format!("write a list: `[{}]`", shortened(&items(text).join(", "))))
        }
        Value::String(word) => {
            let written = allowed.mapping.and_then(|mapping| around(word, mapping, root));
            let is_item = matches!(path.segments().last(), Some(Segment::Index(_)));
            match (written, allowed.mapping) {
                (Some(written), _) if is_item => Some(format!("write `{written}`")),
                (Some(written), _) => Some(format!("write `{key}: {written}`")),
                (None, Some(mapping)) => form(mapping),
                (None, None) => {
                    let example = allowed.example.map(|example| format!("write `{key}: {}`", flow(example)));
                    example.or_else(|| allowed.number.map(|_| "write a whole number".into()))
                }
            }
        }
        Value::Array(items) if allowed.text => match items.as_slice() {
            [Value::String(one)] => Some(format!("write it without brackets: `{}`", shortened(one))),
            _ => Some("only one value can stand here".into()),
        },
        Value::Array(_) if allowed.mapping.is_some_and(|mapping| values(mapping).is_some()) => {
            Some("write each name with a colon and what belongs to it: `NAME: { … }`".into())
        }
        Value::Array(_) if !allowed.ways.is_empty() => {
            Some(one_of(&allowed.ways.iter().map(|(word, _)| *word).collect::<Vec<_>>()))
        }
        _ => allowed
            .example
            .map(|example| format!("write `{key}: {}`", flow(example)))
            .or_else(|| allowed.words.first().map(|word| format!("write `{key}: {word}`")))
            .or_else(|| allowed.mapping.and_then(form)),
    }
}

/// A number without its unit, with those that are likely.
fn with_unit(number: &str, key: &str, example: Option<&Value>) -> String {
    let example = example.and_then(Value::as_str).unwrap_or_default();
    if key.to_lowercase().contains("timeout") || example.ends_with(['s', 'm']) {
        format!("write the unit too: `{number}s` for seconds, `{number}m` for minutes")
    } else {
        format!("write the unit too: `{number}d` for days, `{number}h` for hours")
    }
}

/// The mapping that somebody meant who wrote only a word of it.
fn around(word: &str, mapping: &Map<String, Value>, root: &Value) -> Option<String> {
    let shown = shortened(word);
    if values(mapping).is_some() {
        let words = key_words(mapping);
        let known = words.iter().find(|known| known.eq_ignore_ascii_case(word));
        return Some(match (known, words.first()) {
            (Some(known), _) => format!("{{ {known}: … }}"),
            (None, Some(first)) => format!("{{ {first}: {shown} }}"),
            (None, None) => format!("{{ {}: … }}", flow(&Value::String(shown))),
        });
    }
    let needed: Vec<&str> = needed(mapping).collect();
    if let [field] = needed.as_slice() {
        return Some(format!("{{ {field}: {shown} }}"));
    }
    let digits: String = word.chars().filter(char::is_ascii_digit).collect();
    let is_span = !digits.is_empty() && word.strip_prefix(&digits).is_some_and(|unit| unit.len() == 1);
    let field = fields(mapping).find_map(|(field, schema)| {
        let allowed = Allowed::by(schema, root);
        let meant = allowed.words.iter().find(|known| known.eq_ignore_ascii_case(word));
        match (meant, allowed.name, allowed.number) {
            (Some(known), ..) => Some(format!("{{ {field}: {known} }}")),
            (None, Some("Span" | "RenewBefore"), _) if is_span => Some(format!("{{ {field}: {shown} }}")),
            (None, _, Some(_)) if !digits.is_empty() && !is_span => Some(format!("{{ {field}: {digits} }}")),
            _ => None,
        }
    });
    // A text of no kind of its own is rather the first thing that is said there.
    let first = || {
        let (field, schema) = fields(mapping).next()?;
        let allowed = Allowed::by(schema, root);
        (allowed.text && allowed.name.is_none()).then(|| format!("{{ {field}: {shown} }}"))
    };
    field.or_else(first).filter(|_| needed.is_empty())
}

/// What to write instead of a field that there is not.
pub(super) fn unknown_field(
    key: &str,
    value: &Value,
    mapping: &Map<String, Value>,
    root: &Value,
    without_value: Option<&str>,
) -> String {
    let known: Vec<&str> = fields(mapping).map(|(key, _)| key).collect();
    if key == "<<" {
        return "merge keys are not read; say once under `profiles` what servers have in common".into();
    }
    if let Some(level) = on_first_level(key, root) {
        return level;
    }
    if let Some(other) = other_word(key, value, &known) {
        return other;
    }
    if nearest(key, &known).is_some() {
        return suggestion(key, &known);
    }
    match without_value {
        Some(owner) => format!("indent it by two spaces if it belongs to `{owner}`"),
        None => elsewhere(key, root).unwrap_or_else(|| suggestion(key, &known)),
    }
}

/// What other programs call a field of a certificate.
fn other_word(key: &str, value: &Value, known: &[&str]) -> Option<String> {
    if !["issuer", "names", "subject", "key"].iter().all(|field| known.contains(field)) {
        return None;
    }
    let word: String = key.chars().filter(|char| char.is_alphanumeric()).collect::<String>().to_lowercase();
    let value = match value {
        Value::Number(_) | Value::String(_) => shortened(&flow(value)),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => "…".into(),
    };
    Some(match word.as_str() {
        "san"
        | "sans"
        | "subjectalternativename"
        | "subjectalternativenames"
        | "subjectaltname"
        | "subjectaltnames"
        | "altnames"
        | "alternativenames"
        | "dnsnames"
        | "domains"
        | "domainnames"
        | "hosts"
        | "hostnames" => "write `names: [mail.contoso.com, autodiscover.contoso.com]`".into(),
        "keysize" | "keylength" | "bits" => format!("write `key: {{ size: {value} }}`"),
        "keyalgorithm" | "keytype" | "algorithm" => format!("write `key: {{ algorithm: {value} }}`"),
        "commonname" | "cn" => format!("write `subject: CN={value}`"),
        "ca" | "issuedby" => format!("write `issuer: {value}`"),
        _ => return None,
    })
}

/// What a mapping looks like, by the fields that it needs or may have.
fn form(mapping: &Map<String, Value>) -> Option<String> {
    let needed: Vec<String> = needed(mapping).map(|field| format!("{field}: …")).collect();
    match fields(mapping).next() {
        _ if !needed.is_empty() => Some(format!("write `{{ {} }}`", needed.join(", "))),
        Some((field, _)) => Some(format!("write a mapping, such as `{{ {field}: … }}`")),
        None => None,
    }
}

/// The items of a list that somebody wrote as one text: between commas, or the words of a command. A path may have blanks.
fn items<'a>(text: &'a str) -> Vec<&'a str> {
    let first = text.split_whitespace().next().unwrap_or_default();
    if text.contains(',') {
        let bare = |item: &'a str| item.trim().trim_start_matches('[').trim_end_matches(']').trim();
        text.split(',').map(bare).filter(|item| !item.is_empty()).collect()
    } else if first.contains(['/', '\\']) {
        vec![text]
    } else {
        text.split_whitespace().collect()
    }
}

fn empty_is_enough(schema: &Value, root: &Value) -> bool {
    Allowed::by(schema, root).mapping.is_some_and(|mapping| needed(mapping).next().is_none())
}

/// Where a field belongs that is not one of this mapping.
fn elsewhere(field: &str, root: &Value) -> Option<String> {
    let places: Vec<&str> = OWNERS
        .iter()
        .filter(|(definition, _)| root.pointer(&format!("/$defs/{definition}/properties/{field}")).is_some())
        .map(|(_, people)| *people)
        .collect();
    (!places.is_empty()).then(|| format!("`{field}` is a field of {}", places.join(" and ")))
}

/// A field of the first level, for one that stands further down.
fn on_first_level(field: &str, root: &Value) -> Option<String> {
    root.pointer("/properties")?.get(field)?;
    Some(format!("`{field}` is a field of the manifest itself; write it without indentation"))
}

/// The mappings in which people look for a field, as they call them.
const OWNERS: &[(&str, &str)] = &[
    ("CertificateSpec", "a certificate"),
    ("KeyRequest", "a certificate's `key`"),
    ("RetireWhen", "a certificate's `retire`"),
    ("ServerSpec", "a server"),
    ("Uses", "a profile"),
    ("LocalCaSpec", "`localCa`"),
    ("CsrSpec", "`csr`"),
    ("PfxSpec", "`pfx`"),
    ("Limits", "`limits`"),
    ("VerifySpec", "`verify`"),
    ("BalancerSpec", "a load balancer"),
    ("PowerShellSpec", "`driver: { powershell: … }`"),
    ("SshSpec", "`ssh`"),
];

pub(super) fn one_of(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}: …`")).collect();
    match words.split_last() {
        Some((last, others)) if !others.is_empty() => {
            format!("write one of {} and {last}", others.join(", "))
        }
        _ => format!("write {}", words.join("")),
    }
}

/// The version behind the slash, when it is a newer one than the only one that is known.
pub(super) fn newer_version<'w>(word: &'w str, known: &[&str]) -> Option<&'w str> {
    let [known] = known else { return None };
    let (family, version) = word.split_once("/v")?;
    let (known_family, known_version) = known.split_once("/v")?;
    let number = |version: &str| version.parse::<u32>().ok();
    (family == known_family && number(version)? > number(known_version)?).then_some(version)
}

pub(super) fn kind(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(value) => format!("`{value}`"),
        // YAML may have made another number of it.
        Value::Number(number) if number.is_f64() => "a number".into(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text `{}`", shortened(text)),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a mapping".into(),
    }
}

/// A value by the key that leads to it.
pub(super) fn named(path: &DocPath) -> String {
    match path.segments().last() {
        Some(Segment::Key(key)) => format!("`{}`", shortened(key)),
        Some(Segment::Index(index)) => {
            let list = path.parent().and_then(|list| last(&list)).unwrap_or_default();
            format!("item {} of `{}`", index + 1, shortened(&list))
        }
        None => "the document".into(),
    }
}

pub(super) fn last(path: &DocPath) -> Option<String> {
    path.segments().iter().rev().find_map(|segment| match segment {
        Segment::Key(key) => Some(key.clone()),
        Segment::Index(_) => None,
    })
}

/// A value in the brackets of YAML.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains(": ") || text.contains('*') => format!("\"{text}\""),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) if entries.is_empty() => "{}".into(),
        Value::Object(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

pub(super) fn shortened(text: &str) -> String {
    escaped(&text.chars().take(80).collect::<String>())
}
