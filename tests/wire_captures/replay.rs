//! Whole recorded sessions, played again: the client is asked for what was asked for then, has to send the very bytes
//! that were sent, and to understand of the answers what another client understood.

use std::{collections::HashMap, fs, path::Path};

use aws_lc_rs::{
    cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey},
    iv::FixedLength,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use certwright::{
    model::secret::Secret,
    wire::{
        clixml::{self, Document, Value},
        psrp::{
            Answer, Argument, Command, ErrorRecord, Event, Guid, Host, HostCall, PipelineState, PoolState,
            RunspacePool, SessionKey, Source,
        },
    },
};
use serde_json::Value as Json;

use crate::{
    captures,
    session::{Message, assert_is, expected, messages},
};

/// What a pipeline said.
#[derive(Default)]
struct Heard {
    output: Vec<Document>,
    errors: Vec<ErrorRecord>,
    warnings: Vec<String>,
    verbose: Vec<String>,
    information: Vec<String>,
    progress: usize,
    calls: Vec<HostCall>,
    state: Option<(PipelineState, Option<ErrorRecord>)>,
}

/// A session in the middle of being played again.
struct Replay {
    pool: RunspacePool,
    opening: Vec<&'static str>,
    heard: HashMap<Guid, Heard>,
    key: [u8; 32],
}

#[test]
fn recorded_sessions_are_replayed_byte_for_byte() {
    let Some(folder) = captures("powershell-7.6") else { return };
    assert_replayed(&folder, "with-host", Host::Present);
    assert_replayed(&folder, "null-host", Host::None);
}

/// `record.py` in that folder made it.
#[test]
fn a_session_of_another_client_is_replayed_byte_for_byte() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire_captures/psrpcore");
    assert_replayed(&folder, "session", Host::Present);
}

fn assert_replayed(folder: &Path, session: &str, host: Host) {
    let expected = expected(folder, session);
    let lines = fs::read_to_string(folder.join(format!("{session}.jsonl"))).unwrap();
    let key = expected.as_array().unwrap().iter().find_map(|scenario| scenario["aes256_key_hex"].as_str());
    let replay = Replay::of(&lines, host, key.unwrap());
    assert_eq!(replay.pool.state(), PoolState::Closed, "{session}");
    let mut opening = replay.opening.iter();
    let mut pipelines = 0;
    for scenario in expected.as_array().unwrap() {
        let name = format!("{session}, {}", scenario["scenario"].as_str().unwrap());
        if let Some(event) = scenario["event"].as_str() {
            assert_eq!(opening.next(), Some(&event), "{name}");
        } else if let Some(pipeline) = scenario["pipeline"].as_str() {
            replay.heard[&Guid::parse(pipeline).unwrap()].assert_is(scenario, &name);
            pipelines += 1;
        }
    }
    assert_eq!((opening.next(), pipelines), (None, replay.heard.len()), "{session}");
}

impl Replay {
    fn of(lines: &str, host: Host, key: &str) -> Self {
        let first = messages(lines).remove(0);
        let key: Vec<u8> =
            (0..32).map(|at| u8::from_str_radix(&key[2 * at..2 * at + 2], 16).unwrap()).collect();
        let mut replay = Self {
            pool: RunspacePool::new(Guid::from_wire(first.pool), host, 1 << 20),
            opening: Vec::new(),
            heard: HashMap::new(),
            key: key.try_into().unwrap(),
        };
        for (number, line) in lines.lines().enumerate() {
            let line: Json = serde_json::from_str(line).unwrap();
            let text = line["line"].as_str().unwrap();
            let Some((pipeline, bytes)) = data(text) else { continue };
            if line["from"] == "client" {
                let recorded = messages(&line.to_string());
                let sent = replay.send(pipeline, &recorded);
                assert!(sent == as_sent(&bytes), "line {} is not what we send", number + 1);
            } else {
                replay.receive(pipeline, &bytes);
            }
        }
        replay
    }

    /// What we send where these messages were sent.
    fn send(&mut self, pipeline: Guid, recorded: &[Message]) -> Vec<u8> {
        let [message] = recorded else { return self.pool.open().unwrap() };
        let document = clixml::read(&message.data).unwrap();
        let root = &document.roots()[0];
        match message.kind {
            0x0002_1006 => {
                let command = self.command(&document, root);
                self.heard.entry(pipeline).or_default();
                self.pool.begin(pipeline, &command, Host::OfThePool).unwrap().concat()
            }
            0x0004_1101 => {
                let call = self.heard[&pipeline].calls.last().unwrap();
                let answer = document.get(root, "mr").and_then(|answer| document.integer(answer));
                let answer =
                    answer.map_or(Answer::NoValues, |choice| Answer::Choice(choice.try_into().unwrap()));
                self.pool.answer(call, answer).unwrap().concat()
            }
            0x0001_0005 => {
                let blob = document.text(document.get(root, "PublicKey").unwrap()).unwrap();
                let mut modulus: [u8; 256] = BASE64_STANDARD.decode(blob).unwrap()[20..].try_into().unwrap();
                modulus.reverse();
                self.pool.exchange_key(&modulus, 65537).concat()
            }
            other => panic!("{other:x}"),
        }
    }

    /// The command of a recorded pipeline.
    fn command(&self, document: &Document, root: &Value) -> Command {
        let list =
            |value: &Value, name: &str| document.items(document.get(value, name).unwrap()).unwrap().to_vec();
        let power_shell = document.get(root, "PowerShell").unwrap();
        let [call] = &list(power_shell, "Cmds")[..] else { panic!("one cmdlet") };
        let cmdlet = document.text(document.get(call, "Cmd").unwrap()).unwrap();
        let cmdlet = if cmdlet == SCRIPT { NO_SCRIPT } else { cmdlet };
        list(call, "Args").iter().fold(Command::new(cmdlet).unwrap(), |command, argument| {
            let name = document.text(document.get(argument, "N").unwrap()).unwrap();
            let value = document.get(argument, "V").unwrap();
            command.with(name, self.argument(document, value)).unwrap()
        })
    }

    fn argument(&self, document: &Document, value: &Value) -> Argument {
        match value {
            Value::Boolean(truth) => Argument::Boolean(*truth),
            Value::Integer(number) => Argument::Integer((*number).try_into().unwrap()),
            Value::Text(text) => Argument::Text(text.clone()),
            Value::Bytes(bytes) => Argument::Bytes(bytes.clone()),
            Value::SecureString(text) => Argument::Secret(self.decrypted(text)),
            Value::Object(_) => {
                let items = document.items(value).unwrap().iter();
                Argument::Texts(items.map(|item| document.text(item).unwrap().to_owned()).collect())
            }
            other => panic!("{other:?}"),
        }
    }

    fn decrypted(&self, secret: &Secret) -> Secret {
        let mut bytes = BASE64_STANDARD.decode(secret.expose()).unwrap();
        let key = UnboundCipherKey::new(&AES_256, &self.key).unwrap();
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).unwrap();
        let context = DecryptionContext::Iv128(FixedLength::from([0; 16]));
        let plain = key.decrypt(&mut bytes, context).unwrap();
        let units = plain.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        Secret::new(String::from_utf16(&units.collect::<Vec<_>>()).unwrap().into_bytes())
    }

    fn receive(&mut self, pipeline: Guid, bytes: &[u8]) {
        let source = if pipeline == Guid::NIL { Source::Pool } else { Source::Pipeline(pipeline) };
        let events = self.pool.take(source, bytes);
        for event in events.unwrap_or_else(|error| panic!("{error}: {pipeline}")) {
            let mut unheard = Heard::default();
            let heard = self.heard.get_mut(&pipeline).unwrap_or(&mut unheard);
            match event {
                Event::Capability => self.opening.push("SessionCapabilityEvent"),
                Event::PrivateData(document) => {
                    assert_eq!(document.roots().len(), 1);
                    self.opening.push("ApplicationPrivateDataEvent");
                }
                Event::PoolState(PoolState::Opened, None) => self.opening.push("RunspacePoolStateEvent"),
                Event::PoolState(state, reason) => {
                    assert!(matches!(state, PoolState::Closing | PoolState::Closed), "{state:?} {reason:?}");
                }
                Event::KeyWanted => panic!("the client asks first"),
                Event::EncryptedKey(encrypted) => {
                    assert_eq!(encrypted.len(), 256);
                    self.pool.set_key(SessionKey::new(self.key));
                }
                Event::HostCall(Source::Pool, call) => {
                    assert!(!call.wants_answer());
                    self.opening.push("RunspacePoolHostCallEvent");
                }
                Event::HostCall(Source::Pipeline(_), call) => heard.calls.push(call),
                Event::Output(document, _) => heard.output.push(document),
                Event::Error(record) => heard.errors.push(record),
                Event::Warning(text) => heard.warnings.push(text),
                Event::Verbose(text) => heard.verbose.push(text),
                // The other client's reader did not note these.
                Event::Debug(_) => (),
                Event::Information(text) => heard.information.push(text),
                Event::Progress => heard.progress += 1,
                Event::PipelineState(state, reason) => heard.state = Some((state, reason)),
            }
        }
    }
}

impl Heard {
    fn assert_is(&self, expected: &Json, name: &str) {
        let outputs = expected["output"].as_array().unwrap();
        assert_eq!(self.output.len(), outputs.len(), "{name}");
        for (document, expected) in self.output.iter().zip(outputs) {
            assert_is(document, &document.roots()[0], expected, name);
        }
        let errors = expected["errors"].as_array().unwrap();
        assert_eq!(self.errors.len(), errors.len(), "{name}");
        self.errors.iter().zip(errors).for_each(|(error, expected)| assert_error(error, expected, name));
        for (have, expected) in [
            (&self.warnings, &expected["warnings"]),
            (&self.verbose, &expected["verbose"]),
            (&self.information, &expected["information"]),
        ] {
            assert_eq!(Json::from(have.clone()), *expected, "{name}");
        }
        assert_eq!(Json::from(self.progress), expected["progress"], "{name}");
        let prompts = expected["prompts"].as_array().unwrap();
        assert_eq!(self.calls.len(), prompts.len(), "{name}");
        self.calls.iter().zip(prompts).for_each(|(call, expected)| assert_call(call, expected, name));
        let (state, reason) = self.state.as_ref().unwrap();
        assert_eq!(format!("{state:?}"), expected["state"].as_str().unwrap(), "{name}");
        match (reason, expected.get("reason")) {
            (Some(reason), Some(expected)) => assert_error(reason, expected, name),
            (reason, expected) => assert!(reason.is_none() && expected.is_none(), "{name}: {reason:?}"),
        }
    }
}

fn assert_error(error: &ErrorRecord, expected: &Json, name: &str) {
    let types: Vec<&str> =
        expected["types"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let have: Vec<String> =
        error.exceptions[0].types.iter().map(|name| format!("Deserialized.{name}")).collect();
    assert_eq!(have, types, "{name}");
    assert_eq!(
        serde_json::json!([
            error.message,
            error.fully_qualified_error_id,
            error.category.name(),
            error.reason,
            error.target
        ]),
        serde_json::json!([
            expected["message"],
            expected["fqid"],
            expected["category"],
            expected["reason"],
            expected["target"]
        ]),
        "{name}"
    );
}

fn assert_call(call: &HostCall, expected: &Json, name: &str) {
    assert_eq!(
        (call.method(), Json::from(call.id())),
        (expected["method"].as_str().unwrap(), expected["call_id"].clone())
    );
    assert_eq!(call.wants_answer(), expected.get("answered").is_some(), "{name}");
    let (document, arguments) = call.arguments();
    let parameters = expected["parameters"].as_array().unwrap();
    assert_eq!(arguments.len(), parameters.len(), "{name}");
    for (argument, expected) in arguments.iter().zip(parameters) {
        match expected {
            // The other client fills in types, and its own names for properties.
            Json::Array(expected) => {
                assert_eq!(document.items(argument).unwrap().len(), expected.len(), "{name}")
            }
            Json::Object(_) => assert!(document.object(argument).is_some(), "{name}"),
            _ => assert_is(document, argument, expected, name),
        }
    }
    if call.method() == "PromptForChoice" {
        assert_eq!(call.no(), Some(2), "{name}: Yes, Yes to All, No, No to All");
    }
}

/// The pipeline (or none) and the bytes of a `<Data ...>` line.
fn data(line: &str) -> Option<(Guid, Vec<u8>)> {
    let bytes = BASE64_STANDARD.decode(crate::session::data_of(line)?).unwrap();
    let guid = line.split_once("PSGuid='").unwrap().1;
    Some((Guid::parse(&guid[..36]).unwrap(), bytes))
}

/// Once the other client sent a script, to see it refused. Ours cannot; it asks for a cmdlet in its place, and that much
/// of the recording is changed.
fn as_sent(bytes: &[u8]) -> Vec<u8> {
    let replace = |bytes: &[u8], from: &str, to: &str| {
        let mut rest = bytes;
        let mut changed = Vec::new();
        while let Some(at) = rest.windows(from.len()).position(|window| window == from.as_bytes()) {
            changed.extend_from_slice(&rest[..at]);
            changed.extend_from_slice(to.as_bytes());
            rest = &rest[at + from.len()..];
        }
        [changed, rest.to_vec()].concat()
    };
    let script = format!(">{SCRIPT}<");
    let mut changed = replace(bytes, &script, &format!(">{NO_SCRIPT}<"));
    if changed == bytes {
        return changed;
    }
    changed = replace(&changed, "<B N=\"IsScript\">true", "<B N=\"IsScript\">false");
    let length = u32::try_from(changed.len() - 21).unwrap();
    changed[17..21].copy_from_slice(&length.to_be_bytes());
    changed
}

const SCRIPT: &str = "$x=1; $x";
const NO_SCRIPT: &str = "Get-Nothing";
