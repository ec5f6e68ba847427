//! Requests to the driver script. Secrets stand beside the arguments, so that what is written down of a request never
//! holds one; they are put in where the line for the script is made, and wiped after it was sent.

use std::time::Duration;

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

    /// How long it may take where its cmdlets may take so long: what it waits for by itself comes on top, so that it always
    /// comes to where it puts back what it has taken away.
    pub fn deadline(&self, patience: Duration) -> Duration {
        let seconds = |name: &str| self.arguments[name].as_u64().unwrap_or_default();
        let count = |name: &str| self.arguments[name].as_array().map_or(0, Vec::len) as u64;
        // Services are stopped, and started, and started once more when that failed.
        let service = seconds("seconds").max(SERVICE_SECONDS.into());
        let waits = match self.operation {
            "certificate.remove" if count("while_stopped") > 0 => 3 * service + RESTORE_SECONDS,
            "certificate.remove_named" => {
                let restored = count("still") * (2 * service + RESTORE_SECONDS);
                restored + seconds("replication_seconds") + count("name") * RESTORE_SECONDS
            }
            "service.suspend" => seconds("seconds") + 2 * service,
            "service.restart" => count("services") * service,
            "service.resume" => service,
            "transport.drain" => seconds("seconds") + RESTORE_SECONDS,
            _ => return patience,
        };
        patience + turn(patience) + Duration::from_secs(waits)
    }

    /// How long it has to put back what it has taken away, once its time is over; none where it takes nothing away.
    pub(super) fn puts_back_within(&self) -> Option<Duration> {
        let takes = [
            "certificate.remove",
            "certificate.remove_named",
            "service.restart",
            "service.suspend",
            "transport.drain",
        ];
        (self.changes && takes.contains(&self.operation)).then_some(Duration::from_secs(RESTORE_SECONDS))
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

    /// The line for the script, with its secrets. One that is no text has no place in it.
    pub(super) fn line(&self, id: u64, nonce: &str) -> Result<Zeroizing<Vec<u8>>, PowerShellError> {
        if self.secrets.iter().any(|secret| secret.expose_text().is_none()) {
            return Err(PowerShellError::Refused {
                what: "a secret",
                value: "[redacted]".into(),
                why: "it is not UTF-8",
            });
        }
        let envelope = json!({
            "v": 1, "id": id, "n": nonce, "op": self.operation, "what_if": self.what_if, "args": self.arguments,
        });
        let secrets: usize = self.secrets.iter().map(|secret| secret.expose().len()).sum();
        // Room for all of it from the start, since a buffer that grows leaves its old content behind.
        let mut line = Zeroizing::new(Vec::with_capacity(envelope.to_string().len() + 6 * secrets + 2));
        self.write(&envelope, &mut line);
        line.push(b'\n');
        Ok(line)
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

/// A secret as a text of JSON. Whether it is one was asked before.
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

/// How long a request waits until another one that changes something on the server has come to its end: less than it may
/// take itself.
pub(super) fn turn(patience: Duration) -> Duration {
    patience / 4 * 3
}

/// How long a Windows service may take to stop or to start.
pub(super) const SERVICE_SECONDS: u32 = 120;

/// What putting one thing back may take, with a session that has to be opened again for it.
pub(super) const RESTORE_SECONDS: u64 = 60;

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
        let line: Json = serde_json::from_slice(&request.line(7, "ab").unwrap()).unwrap();
        assert_eq!(line["args"]["password"], "pa\"ss\\\n\u{fc}");
        assert_eq!(line["args"]["text"], "{\"$secret\":0}", "a text that looks like one is a text");
        assert_eq!((&line["id"], &line["n"]), (&json!(7), &json!("ab")));
    }

    /// An empty password in the place of one that cannot be sent would lock the account out.
    #[test]
    fn a_secret_that_is_no_text_is_not_sent() {
        let mut request = Request::look("session.open", json!({}));
        let secret = request.secret(Secret::new(vec![0xff, 0xfe, b'h', 0]));
        let request = request.with("password", secret);
        let refused = request.line(1, "ab").unwrap_err();
        assert!(matches!(refused, PowerShellError::Refused { .. }), "{refused:?}");
    }

    /// Whatever the manifest's `timeout` is, what was taken away is given back before anybody loses patience.
    #[test]
    fn what_waits_by_itself_has_longer() {
        for patience in [10, 300, 3600].map(Duration::from_secs) {
            let still =
                json!([{ "services": ["MSExchangeTransport"] }, { "services": ["MSExchangeTransport"] }]);
            let named = Request::change("certificate.remove_named", json!({ "still": still, "name": [{}] }))
                .with("seconds", 120)
                .with("replication_seconds", 300);
            assert!(named.deadline(patience) >= patience + Duration::from_secs(300 + 4 * 120));
            let remove =
                Request::change("certificate.remove", json!({ "while_stopped": ["MSExchangePOP3"] }));
            assert!(remove.deadline(patience) >= patience + Duration::from_secs(2 * 120));
            let suspend = Request::change("service.suspend", json!({ "seconds": 420 }));
            assert!(suspend.deadline(patience) >= patience + Duration::from_secs(420 + 120));
            assert_eq!(Request::look("observe.server", json!({})).deadline(patience), patience);
        }
    }
}
