//! Objects as `ConvertTo-Json` writes them: property bags without types.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::error::Category;

use super::{
    document::{Content, Document, ListKind, Object, ObjectId, Property, Value},
    error::{ClixmlError, Problem},
    moment::Moment,
};
use crate::model::time::{Span, Timestamp};

pub(super) fn read(text: &str) -> Result<Document, ClixmlError> {
    if text.trim().is_empty() {
        return Err(ClixmlError::Empty);
    }
    let parsed: serde_json::Value = serde_json::from_str(text).map_err(|error| ClixmlError::At {
        line: error.line(),
        column: error.column(),
        problem: Problem::Json(match error.classify() {
            Category::Eof => "it ends in the middle",
            Category::Syntax | Category::Data | Category::Io => "nothing that JSON knows stands here",
        }),
    })?;
    let mut document = Document::default();
    let roots = match wrapped_list(parsed) {
        serde_json::Value::Array(items) => items,
        one => vec![one],
    };
    document.roots = roots.into_iter().map(|root| value("", root, &mut document.objects)).collect();
    document.streams = vec![None; document.roots.len()];
    Ok(document)
}

fn value(name: &str, json: serde_json::Value, objects: &mut Vec<Object>) -> Value {
    match wrapped_list(json) {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Boolean(truth),
        serde_json::Value::Number(number) => number.as_i64().map_or_else(
            || Value::Float(number.as_f64().unwrap_or_default()),
            |whole| Value::Integer(whole.into()),
        ),
        serde_json::Value::String(text) => of_text(name, text),
        serde_json::Value::Array(items) => {
            if let Some(bytes) = bytes(&items) {
                return Value::Bytes(bytes);
            }
            let items = items.into_iter().map(|item| value("", item, objects)).collect();
            add(objects, Object { content: Content::List(ListKind::List, items), ..Object::default() })
        }
        serde_json::Value::Object(fields) => {
            // An object of the directory that was not cut off has a name, which is its text in PowerShell.
            let to_string = fields.get("Name").and_then(serde_json::Value::as_str).map(str::to_owned);
            let adapted = fields
                .into_iter()
                .map(|(name, field)| Property { value: value(&name, field, objects), name: name.into() })
                .collect();
            add(objects, Object { to_string, adapted, ..Object::default() })
        }
    }
}

fn add(objects: &mut Vec<Object>, object: Object) -> Value {
    objects.push(object);
    Value::Object(ObjectId(objects.len() - 1))
}

/// Windows PowerShell writes a list that was given properties as `{"value": [...], "Count": 2}`.
fn wrapped_list(json: serde_json::Value) -> serde_json::Value {
    match json {
        serde_json::Value::Object(mut fields)
            if fields.len() == 2
                && fields.contains_key("Count")
                && fields.get("value").is_some_and(serde_json::Value::is_array) =>
        {
            fields.remove("value").unwrap_or_default()
        }
        other => other,
    }
}

/// An array of bytes is a list of numbers. No other list that counts here is as long.
fn bytes(items: &[serde_json::Value]) -> Option<Vec<u8>> {
    if items.len() < SHORTEST_BYTES {
        return None;
    }
    items.iter().map(|item| item.as_u64().and_then(|number| u8::try_from(number).ok())).collect()
}

fn of_text(name: &str, text: String) -> Value {
    let is_data = BYTES.iter().any(|own| own.eq_ignore_ascii_case(name));
    if is_data && let Ok(bytes) = BASE64_STANDARD.decode(text.trim()) {
        return Value::Bytes(bytes);
    }
    let milliseconds = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/"));
    let moment = match milliseconds.and_then(|number| number.parse::<i64>().ok()) {
        Some(milliseconds) => {
            let moment = Timestamp::from_unix(0).plus(Span::seconds(milliseconds.div_euclid(1000)));
            Moment::parse(&moment.to_string())
        }
        None => Moment::parse(&text),
    };
    moment.map_or(Value::Text(text), Value::Moment)
}

/// A certificate of fewer bytes does not exist.
const SHORTEST_BYTES: usize = 64;
/// What people write as base64, where PowerShell itself would write numbers.
const BYTES: [&str; 2] = ["RawData", "SerializationData"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_objects_survive() {
        let bytes: Vec<u8> = (0..=255).collect();
        let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
        let text = format!(
            r#"{{"value":[{{"RawData":[{}],"Services":5,"Names":{{"value":["a","b"],"Count":2}},"At":"/Date(1772445600000)/","Then":"2026-03-02T10:00:00Z","Site":{{"Name":"Paris"}},"None":null}}],"Count":1}}"#,
            numbers.join(",")
        );
        let document = read(&text).unwrap();
        let [root] = document.roots() else { panic!("{document:?}") };
        let get = |name| document.get(root, name).unwrap();
        assert_eq!(document.bytes(get("rawdata")), Some(bytes.as_slice()));
        assert_eq!(document.integer(get("Services")), Some(5));
        assert_eq!(document.items(get("Names")).unwrap().len(), 2);
        assert_eq!(document.text(get("Site")), Some("Paris"));
        assert!(document.is_null(get("None")));
        for name in ["At", "Then"] {
            let moment = document.moment(get(name)).unwrap().timestamp().unwrap();
            assert_eq!(moment.to_string(), "2026-03-02T10:00:00Z", "{name}");
        }
    }

    #[test]
    fn what_is_no_json_is_said_with_its_place() {
        assert_eq!(read(" ").unwrap_err(), ClixmlError::Empty);
        let error = read("[\n{\"a\": }]").unwrap_err().to_string();
        assert!(error.starts_with("line 2, column "), "{error}");
    }
}
