//! Secrets in what a peer says. Whoever was given one may repeat it, by a wrapper that prints its commands or by an error that
//! shows its input, and what is said goes into reports and logs.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value as Json;
use zeroize::Zeroizing;

use crate::{model::secret::Secret, wire::clixml::Document};

/// Takes secrets out of a text, as they are and as they stand in a request.
pub(super) fn redacted(text: &str, secrets: &[Secret]) -> String {
    let mut text = text.to_owned();
    for form in forms(secrets) {
        if text.contains(form.as_str()) {
            text = text.replace(form.as_str(), REDACTED);
        }
    }
    text
}

/// The same of the end of a longer text, which may begin in the middle of a secret.
pub(super) fn redacted_end(text: &str, secrets: &[Secret]) -> String {
    let rest = forms(secrets).into_iter().find_map(|form| {
        let ends = form.char_indices().map(|(at, _)| form.get(at..).unwrap_or_default()).skip(1);
        ends.filter(|end| end.len() >= SHORTEST_END).find_map(|end| text.strip_prefix(end))
    });
    redacted(rest.unwrap_or(text), secrets)
}

/// Takes secrets out of everything in an answer that is said, and leaves what is data as it is: bytes may hold any
/// text. Objects are read first, and then [`redact_objects`] is for them.
pub(super) fn redact_answer(value: &mut Json, secrets: &[Secret]) {
    match value {
        Json::String(text) => *text = redacted(text, secrets),
        Json::Array(items) => items.iter_mut().for_each(|item| redact_answer(item, secrets)),
        Json::Object(object) => {
            let said = object.iter_mut().filter(|(name, _)| !DATA.contains(&name.as_str()));
            said.for_each(|(_, value)| redact_answer(value, secrets));
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// The same for what is written down, objects too, of whose CLIXML only the text is known here.
pub(super) fn redact_recorded(value: &mut Json, secrets: &[Secret]) {
    redact_answer(value, secrets);
    let sections = value.get_mut("result").and_then(|result| result.get_mut("sections"));
    for section in sections.and_then(Json::as_array_mut).into_iter().flatten() {
        let pieces = section.as_object_mut().into_iter().flatten();
        for (_, piece) in pieces.filter(|(name, _)| ["clixml", "objects"].contains(&name.as_str())) {
            match piece {
                Json::Array(pieces) => pieces.iter_mut().for_each(|piece| redact_piece(piece, secrets)),
                piece => redact_piece(piece, secrets),
            }
        }
    }
}

/// A piece of CLIXML in Base64. What is none has no place in a file.
fn redact_piece(piece: &mut Json, secrets: &[Secret]) {
    let Json::String(text) = piece else { return };
    let bytes = BASE64_STANDARD.decode(text.as_bytes()).unwrap_or_default();
    let in_xml = |secret: &Secret| {
        let text = secret.expose_text().unwrap_or_default();
        Secret::new(text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").into_bytes())
    };
    let secrets: Vec<Secret> = secrets.iter().cloned().chain(secrets.iter().map(in_xml)).collect();
    let plain = redacted(&String::from_utf8_lossy(&bytes), &secrets);
    *text = BASE64_STANDARD.encode(plain);
}

/// Takes secrets out of all texts of objects.
pub(super) fn redact_objects(document: &mut Document, secrets: &[Secret]) {
    let forms = forms(secrets);
    if forms.is_empty() {
        return;
    }
    document.replace_texts(&|text| {
        forms.iter().any(|form| text.contains(form.as_str())).then(|| redacted(text, secrets))
    });
}

/// Each secret as it is, and with what JSON writes in another way; the longest ones first, since one may hold another.
fn forms(secrets: &[Secret]) -> Vec<Zeroizing<String>> {
    let texts = secrets.iter().filter_map(Secret::expose_text);
    let mut forms = Vec::new();
    for text in texts.filter(|text| !text.is_empty() && text.len() <= LONGEST) {
        let quoted = Zeroizing::new(Json::String(text.to_owned()).to_string());
        let escaped = quoted.trim_matches('"');
        if escaped != text && !escaped.is_empty() {
            forms.push(Zeroizing::new(escaped.to_owned()));
        }
        forms.push(Zeroizing::new(text.to_owned()));
    }
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms
}

const REDACTED: &str = "[redacted]";
/// Parts of answers that are bytes in Base64.
const DATA: [&str; 7] = ["clixml", "objects", "new", "request", "certificate", "pfx", "id"];
/// What is longer is a file, and it is sealed with a password that is a secret itself.
const LONGEST: usize = 1024;
/// A shorter end of a secret is no secret any more, and stands in many words.
const SHORTEST_END: usize = 3;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secrets() -> Vec<Secret> {
        ["hunter2", "pa\"ss\\word", "hunter2secret", "a<b&c"].map(|text| Secret::new(text.into())).to_vec()
    }

    #[test]
    fn nothing_that_is_said_shows_a_secret() {
        for (said, shown) in [
            ("the password hunter2 is wrong", "the password [redacted] is wrong"),
            ("hunter2secret", "[redacted]"),
            (r#"line: {"password":"pa\"ss\\word"}"#, r#"line: {"password":"[redacted]"}"#),
            ("pa\"ss\\word", "[redacted]"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(redacted(said, &secrets()), shown);
        }
        assert_eq!(redacted_end("ter2\"} at line 1", &secrets()), "\"} at line 1");
        assert_eq!(redacted("text", &[Secret::new(Vec::new())]), "text");
    }

    #[test]
    fn data_stays_as_it_is() {
        let mut answer = json!({ "error": { "message": "hunter2" }, "warnings": ["x hunter2"],
            "result": { "sections": [{ "name": "hunter2", "clixml": "hunter2" }] } });
        redact_answer(&mut answer, &secrets());
        let expected = json!({ "error": { "message": "[redacted]" }, "warnings": ["x [redacted]"],
            "result": { "sections": [{ "name": "[redacted]", "clixml": "hunter2" }] } });
        assert_eq!(answer, expected);
    }

    #[test]
    fn what_is_written_down_has_no_secret_in_its_objects() {
        let base64 = |text: &str| BASE64_STANDARD.encode(text);
        let mut answer = json!({ "result": { "sections": [{ "name": "EX01.X", "clixml": base64("<S>hunter2</S>") },
            { "name": "EX01.Z", "clixml": base64("<S>a&lt;b&amp;c</S>") },
            { "name": "EX01.Y", "objects": [base64("<S>hunter2</S>"), base64("<S>x</S>")] }] } });
        redact_recorded(&mut answer, &secrets());
        let shown = base64("<S>[redacted]</S>");
        let expected = json!({ "result": { "sections": [{ "name": "EX01.X", "clixml": shown },
            { "name": "EX01.Z", "clixml": shown },
            { "name": "EX01.Y", "objects": [shown, base64("<S>x</S>")] }] } });
        assert_eq!(answer, expected);
    }
}
