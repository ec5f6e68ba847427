//! Requests to the driver script. Secrets stand beside the arguments, so that what is written down of a request never
//! holds one; they are put in where the line for the script is made, and wiped after it was sent.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use super::{error::PowerShellError, side::Side};
use crate::{
    exchange::cmdlet::{Cmdlet, Value},
    model::{action::CertRef, secret::Secret, service},
};

/// A request, without the number that it gets in its session.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is to be done.
    pub operation: &'static str,
    /// With what. A secret is an object with the one key `$secret`, its place in `secrets`.
    pub arguments: Json,
    /// The secrets.
    pub secrets: Vec<Secret>,
    /// Whether it changes something.
    pub changes: bool,
    /// Whether it only says what it would change.
    pub what_if: bool,
}

/// What stands for values that only the caller of a cmdlet has.
#[derive(Clone, Debug, Default)]
pub(super) struct Content<'a> {
    /// The bytes of the file.
    pub(super) bytes: Option<&'a [u8]>,
    /// Its password.
    pub(super) password: Option<&'a Secret>,
}

impl Request {
    /// A request that looks.
    pub(super) fn look(operation: &'static str, arguments: Json) -> Self {
        Self { operation, arguments, secrets: Vec::new(), changes: false, what_if: false }
    }

    /// A request that changes something.
    pub(super) fn change(operation: &'static str, arguments: Json) -> Self {
        Self { changes: true, ..Self::look(operation, arguments) }
    }

    /// What it is about.
    pub(super) fn side(&self) -> Side {
        let of_windows = ["iis.", "service.", "observe.windows"];
        if of_windows.iter().any(|start| self.operation.starts_with(start)) {
            Side::Windows
        } else {
            Side::Exchange
        }
    }

    /// The secret that an argument stands for; none where it is another value.
    pub(super) fn secret_of(&self, value: &Json) -> Option<&Secret> {
        let object = value.as_object().filter(|object| object.len() == 1)?;
        let place = object.get(SECRET)?.as_u64()?;
        self.secrets.get(usize::try_from(place).ok()?)
    }

    /// Adds an argument.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.arguments[name] = value.into();
        self
    }

    /// Adds a cmdlet.
    pub(super) fn with_call(
        mut self,
        name: &str,
        cmdlet: &Cmdlet,
        content: &Content<'_>,
    ) -> Result<Self, PowerShellError> {
        let call = self.call(cmdlet, content)?;
        self.arguments[name] = call;
        Ok(self)
    }

    /// Adds a list of cmdlets that take no content.
    pub(super) fn with_calls(mut self, name: &str, cmdlets: &[Cmdlet]) -> Result<Self, PowerShellError> {
        let calls: Result<Vec<Json>, _> =
            cmdlets.iter().map(|cmdlet| self.call(cmdlet, &Content::default())).collect();
        self.arguments[name] = Json::Array(calls?);
        Ok(self)
    }

    /// Keeps a secret and returns what stands for it.
    pub(super) fn secret(&mut self, secret: Secret) -> Json {
        self.secrets.push(secret);
        json!({ SECRET: self.secrets.len() - 1 })
    }

    /// The line for the script, with its secrets.
    pub(super) fn line(&self, id: u64, nonce: &str) -> Zeroizing<Vec<u8>> {
        let envelope = json!({
            "v": 1, "id": id, "n": nonce, "op": self.operation, "what_if": self.what_if, "args": self.arguments,
        });
        let secrets: usize = self.secrets.iter().map(|secret| secret.expose().len()).sum();
        // Room for all of it from the start, since a buffer that grows leaves its old content behind.
        let mut line = Zeroizing::new(Vec::with_capacity(envelope.to_string().len() + 6 * secrets + 2));
        self.write(&envelope, &mut line);
        line.push(b'\n');
        line
    }

    fn write(&self, value: &Json, line: &mut Vec<u8>) {
        match value {
            Json::Object(object) => {
                if let Some(secret) = self.secret_of(value) {
                    escaped(secret, line);
                    return;
                }
                line.push(b'{');
                for (index, (name, value)) in object.iter().enumerate() {
                    if index > 0 {
                        line.push(b',');
                    }
                    line.extend_from_slice(Json::String(name.clone()).to_string().as_bytes());
                    line.push(b':');
                    self.write(value, line);
                }
                line.push(b'}');
            }
            Json::Array(items) => {
                line.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        line.push(b',');
                    }
                    self.write(item, line);
                }
                line.push(b']');
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
                line.extend_from_slice(value.to_string().as_bytes());
            }
        }
    }

    fn call(&mut self, cmdlet: &Cmdlet, content: &Content<'_>) -> Result<Json, PowerShellError> {
        let mut parameters = Vec::new();
        for parameter in &cmdlet.parameters {
            let (kind, value) = self.value(cmdlet.name, &parameter.value, content)?;
            parameters.push(json!({ "name": parameter.name, "kind": kind, "value": value }));
        }
        Ok(json!({ "name": cmdlet.name, "parameters": parameters }))
    }

    fn value(
        &mut self,
        cmdlet: &'static str,
        value: &Value,
        content: &Content<'_>,
    ) -> Result<(&'static str, Json), PowerShellError> {
        Ok(match value {
            Value::Switch => ("switch", Json::Null),
            Value::Boolean(value) => ("boolean", json!(value)),
            Value::Number(number) => ("number", json!(number)),
            Value::Text(text) => ("text", json!(text)),
            Value::Word(word) => ("text", json!(word)),
            Value::Texts(texts) => ("texts", json!(texts)),
            Value::Null => ("null", Json::Null),
            Value::Moment(at) => ("moment", json!(at.to_string())),
            Value::Now => ("now", Json::Null),
            Value::Services(services) if services.is_empty() => ("text", json!("None")),
            Value::Services(services) => ("text", json!(service::list(services))),
            Value::UmStartupMode(mode) => ("text", json!(mode.to_string())),
            Value::Thumbprint(CertRef::Known(thumbprint)) => ("text", json!(thumbprint.to_string())),
            Value::Thumbprint(CertRef::FromStep(_)) | Value::TlsCertificateName(_) => {
                return Err(PowerShellError::NotMade { cmdlet });
            }
            Value::Path(_) => return Err(PowerShellError::TakesFiles { cmdlet }),
            Value::Bytes(_) => {
                let bytes = content.bytes.ok_or(PowerShellError::NotMade { cmdlet })?;
                ("bytes", self.secret(Secret::new(BASE64_STANDARD.encode(bytes).into_bytes())))
            }
            Value::Password(_) => {
                let password = content.password.ok_or(PowerShellError::NotMade { cmdlet })?;
                ("secret", self.secret(password.clone()))
            }
            // The script repeats what the override has.
            Value::OverrideParameters(_) => ("null", Json::Null),
        })
    }
}

/// A secret as a text of JSON. What is no UTF-8 has no place in one; such passwords do not exist in Windows.
fn escaped(secret: &Secret, line: &mut Vec<u8>) {
    line.push(b'"');
    for character in secret.expose_text().unwrap_or_default().chars() {
        match character {
            '"' | '\\' => line.extend([b'\\', character as u8]),
            '\u{0}'..='\u{1f}' => line.extend(format!("\\u{:04x}", character as u32).into_bytes()),
            _ => line.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    line.push(b'"');
}

const SECRET: &str = "$secret";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_in_the_line_and_nowhere_else() {
        let mut request = Request::change("certificate.import", json!({}));
        let secret = request.secret(Secret::new("pa\"ss\\\n\u{fc}".into()));
        let request = request.with("password", secret).with("text", "{\"$secret\":0}");
        assert!(!format!("{request:?}").contains("pa\"ss"), "{request:?}");
        assert!(!format!("{request:?}").contains('\u{fc}'), "{request:?}");
        let line: Json = serde_json::from_slice(&request.line(7, "ab")).unwrap();
        assert_eq!(line["args"]["password"], "pa\"ss\\\n\u{fc}");
        assert_eq!(line["args"]["text"], "{\"$secret\":0}", "a text that looks like one is a text");
        assert_eq!((&line["id"], &line["n"]), (&json!(7), &json!("ab")));
    }
}
