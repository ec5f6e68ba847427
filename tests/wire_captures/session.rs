//! Recorded sessions of PowerShell remoting: the messages in their lines, and what another client made of them.

use std::{collections::HashMap, fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use certwright::wire::clixml::{Document, Value};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

/// A message of PSRP (MS-PSRP section 2.2.1).
pub(crate) struct Message {
    pub(crate) kind: u32,
    pub(crate) pool: [u8; 16],
    pub(crate) pipeline: [u8; 16],
    pub(crate) data: Vec<u8>,
}

const PIPELINE_OUTPUT: u32 = 0x0004_1004;

/// The outputs of each pipeline, in their order.
pub(crate) fn pipeline_outputs(lines: &str) -> HashMap<[u8; 16], Vec<Vec<u8>>> {
    let mut outputs: HashMap<_, Vec<_>> = HashMap::new();
    for message in messages(lines).into_iter().filter(|message| message.kind == PIPELINE_OUTPUT) {
        outputs.entry(message.pipeline).or_default().push(message.data);
    }
    outputs
}

/// All messages of a session, put together from their fragments (MS-PSRP section 2.2.4).
pub(crate) fn messages(lines: &str) -> Vec<Message> {
    let mut open: HashMap<(String, u64), Vec<u8>> = HashMap::new();
    let mut messages = Vec::new();
    for line in lines.lines() {
        let line: Json = serde_json::from_str(line).unwrap();
        let from = line["from"].as_str().unwrap();
        let Some(base64) = data_of(line["line"].as_str().unwrap()) else { continue };
        let bytes = BASE64_STANDARD.decode(base64).unwrap();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (header, after) = rest.split_at(21);
            let object = u64::from_be_bytes(header[..8].try_into().unwrap());
            let (is_start, is_end) = (header[16] & 1 > 0, header[16] & 2 > 0);
            let length = u32::from_be_bytes(header[17..].try_into().unwrap());
            let (data, after) = after.split_at(length.try_into().unwrap());
            let key = (from.to_owned(), object);
            assert_eq!(open.contains_key(&key), !is_start);
            open.entry(key.clone()).or_default().extend(data);
            if is_end {
                let message = open.remove(&key).unwrap();
                messages.push(Message {
                    kind: u32::from_le_bytes(message[4..8].try_into().unwrap()),
                    pool: message[8..24].try_into().unwrap(),
                    pipeline: message[24..40].try_into().unwrap(),
                    data: message[40..].to_vec(),
                });
            }
            rest = after;
        }
    }
    messages
}

/// The base64 of a `<Data ...>` line.
pub(crate) fn data_of(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("<Data ")?;
    Some(rest.split_once('>').unwrap().1.strip_suffix("</Data>").unwrap())
}

/// The scenarios that ran a pipeline: name, pipeline and what it put out.
pub(crate) fn scenarios(folder: &Path, session: &str) -> Vec<(String, [u8; 16], Vec<Json>)> {
    let json = expected(folder, session);
    let runs = json.as_array().unwrap().iter().filter(|scenario| scenario["output"].is_array());
    runs.map(|run| {
        let name = run["scenario"].as_str().unwrap().to_owned();
        (name, guid_bytes(run["pipeline"].as_str().unwrap()), run["output"].as_array().unwrap().clone())
    })
    .collect()
}

/// Everything that another client made of a session.
pub(crate) fn expected(folder: &Path, session: &str) -> Json {
    let text = fs::read_to_string(folder.join(format!("{session}.expected.json"))).unwrap();
    serde_json::from_str(&without_lone_halves(&text)).unwrap()
}

pub(crate) fn expected_outputs(folder: &Path, session: &str) -> HashMap<String, Vec<Json>> {
    scenarios(folder, session).into_iter().map(|(name, _, output)| (name, output)).collect()
}

/// Half a surrogate pair is allowed in Python's JSON, and becomes what we make of one.
fn without_lone_halves(text: &str) -> String {
    let mut parts = text.split("\\ud83d");
    let mut joined = parts.next().unwrap().to_owned();
    for part in parts {
        joined.push_str(if part.starts_with("\\ud") { "\\ud83d" } else { "\\ufffd" });
        joined.push_str(part);
    }
    joined
}

/// A GUID as .NET writes its bytes: the first three groups are little-endian.
fn guid_bytes(text: &str) -> [u8; 16] {
    let digits: String = text.chars().filter(|char| *char != '-').collect();
    let bytes: Vec<u8> =
        (0..16).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect();
    [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map(|at: usize| bytes[at])
}

/// Compares a value with what another client made of it.
pub(crate) fn assert_is(document: &Document, value: &Value, expected: &Json, place: &str) {
    let message = || format!("{place}: {value:?} is not {expected}");
    match expected {
        Json::Null => assert!(document.is_null(value), "{}", message()),
        Json::Bool(truth) => assert_eq!(document.boolean(value), Some(*truth), "{}", message()),
        Json::Number(number) => match number.as_i128() {
            Some(number) => assert_eq!(document.integer(value), Some(number), "{}", message()),
            None => assert_eq!(document.float(value), number.as_f64(), "{}", message()),
        },
        Json::String(text) => assert_eq!(document.text(value), Some(text.as_str()), "{}", message()),
        Json::Array(expected) => {
            let items = document.items(value).unwrap_or_else(|| panic!("{}", message()));
            assert_eq!(items.len(), expected.len(), "{}", message());
            items
                .iter()
                .zip(expected)
                .for_each(|(item, expected)| assert_is(document, item, expected, place));
        }
        Json::Object(expected) => {
            if let Some(entries) = expected.get("$dict") {
                let (have, entries) = (document.entries(value).unwrap(), entries.as_array().unwrap());
                assert_eq!(have.len(), entries.len(), "{}", message());
                for ((key, value), entry) in have.iter().zip(entries) {
                    assert_is(document, key, &entry[0], place);
                    assert_is(document, value, &entry[1], place);
                }
            } else if let Some(length) = expected.get("$bytes") {
                let bytes = document.bytes(value).unwrap();
                assert_eq!(Json::from(bytes.len()), *length);
                let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(hash, expected["sha256"].as_str().unwrap());
            } else if let Some(properties) = expected.get("props") {
                let names = expected["$type"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                let have = document.type_names(value).iter().map(String::as_str);
                assert!(names.map(plain_type).eq(have.map(plain_type)), "{}", message());
                let properties = properties.as_object().unwrap();
                assert_eq!(document.properties(value).count(), properties.len(), "{}", message());
                for (name, expected) in properties {
                    let value = document.get(value, name).unwrap_or_else(|| panic!("{place}: no {name}"));
                    assert_is(document, value, expected, place);
                }
            } else {
                assert_eq!(python_text(value), expected["text"].as_str().unwrap(), "{}", message());
            }
        }
    }
}

/// Another client puts `Deserialized.` before the names when it reads a file.
fn plain_type(name: &str) -> &str {
    name.strip_prefix("Deserialized.").unwrap_or(name)
}

/// The value as Python writes it.
fn python_text(value: &Value) -> String {
    match value {
        Value::Guid(text) | Value::Version(text) | Value::Decimal(text) => text.clone(),
        Value::Moment(moment) => moment.to_string().replace('T', " ").replace('Z', "+00:00"),
        Value::Duration(ticks) => {
            let seconds = ticks / 10_000_000;
            let micros = ticks % 10_000_000 / 10;
            format!("{}:{:02}:{:02}.{micros:06}", seconds / 3600, seconds / 60 % 60, seconds % 60)
        }
        other => panic!("{other:?}"),
    }
}
