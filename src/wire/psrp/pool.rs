//! The client's side of a runspace pool and of the one pipeline that runs in it, without any input or output: bytes go
//! in and come out as fragments, and what the server said comes out as events.

use super::{
    command::{APARTMENT_STATE, Command},
    error::PsrpError,
    fragment::{self, Defragmenter},
    guid::Guid,
    host::{Answer, Host, HostCall},
    message::Message,
    message_kind::MessageKind,
    records::{self, ErrorRecord, PipelineState, PoolState},
    secure_string::{self, SessionKey},
    writer::Writer,
};
use crate::wire::{clixml::Document, shown};

/// A runspace pool of one runspace.
#[derive(Debug)]
pub struct RunspacePool {
    id: Guid,
    host: Host,
    state: PoolState,
    /// The number of the next message that is sent.
    next_object: u64,
    most_message: usize,
    stream: Defragmenter,
    negotiated: bool,
    key: Option<SessionKey>,
    pipeline: Option<Pipeline>,
}

#[derive(Debug)]
struct Pipeline {
    id: Guid,
    state: PipelineState,
    stream: Defragmenter,
}

/// Where bytes came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The shell.
    Pool,
    /// A command of the shell.
    Pipeline(Guid),
}

/// What the server said.
#[derive(Debug)]
pub enum Event {
    /// It agrees on a version.
    Capability,
    /// How far the pool is, and why.
    PoolState(PoolState, Option<ErrorRecord>),
    /// What it tells about itself, like its `PSVersionTable`.
    PrivateData(Document),
    /// It wants to exchange a session key.
    KeyWanted,
    /// The session key, encrypted with the public key that it was sent (RSA, PKCS #1 v1.5).
    EncryptedKey(Vec<u8>),
    /// A question or something to show, from the pool or from its pipeline.
    HostCall(Source, HostCall),
    /// An object; one root.
    Output(Document, Vec<u8>),
    /// A record of the error stream.
    Error(ErrorRecord),
    /// A warning.
    Warning(String),
    /// A verbose record.
    Verbose(String),
    /// A debug record.
    Debug(String),
    /// An information record.
    Information(String),
    /// How far the cmdlet says that it is.
    Progress,
    /// How far the pipeline is, and why.
    PipelineState(PipelineState, Option<ErrorRecord>),
}

impl RunspacePool {
    /// A pool that nothing was sent for yet. Messages from the server may have `most_message` bytes.
    pub fn new(id: Guid, host: Host, most_message: usize) -> Self {
        Self {
            id,
            host,
            state: PoolState::BeforeOpen,
            next_object: 1,
            most_message,
            stream: Defragmenter::new(most_message),
            negotiated: false,
            key: None,
            pipeline: None,
        }
    }

    /// Its number, which the server's shell gets too.
    pub fn id(&self) -> Guid {
        self.id
    }

    /// How far it is.
    pub fn state(&self) -> PoolState {
        self.state
    }

    /// Whether a session key was agreed on.
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Whether the pipeline has ended, or there is none.
    pub fn is_idle(&self) -> bool {
        self.pipeline.as_ref().is_none_or(|pipeline| pipeline.state.is_final())
    }

    /// Opens the pool: what to create the shell with.
    pub fn open(&mut self) -> Result<Vec<u8>, PsrpError> {
        if self.state != PoolState::BeforeOpen {
            return Err(PsrpError::State("the runspace pool was opened before"));
        }
        self.state = PoolState::Opening;
        let host = self.host;
        let capability = self.send(MessageKind::SessionCapability, Guid::NIL, &session_capability());
        let init = self.send(MessageKind::InitRunspacePool, Guid::NIL, &init_runspace_pool(host));
        Ok([capability, init].concat().concat())
    }

    /// Asks for a session key: fragments to send to the shell. The server answers with [`Event::EncryptedKey`].
    pub fn exchange_key(&mut self, modulus: &[u8; 256], exponent: u32) -> Vec<Vec<u8>> {
        self.send(MessageKind::PublicKey, Guid::NIL, &secure_string::public_key(modulus, exponent))
    }

    /// The session key that was agreed on.
    pub fn set_key(&mut self, key: SessionKey) {
        self.key = Some(key);
    }

    /// Begins a pipeline: its fragments, the first of which goes with the command that is created in the shell, and the
    /// others to that command. The pipeline before it has to have ended.
    pub fn begin(&mut self, id: Guid, command: &Command, host: Host) -> Result<Vec<Vec<u8>>, PsrpError> {
        if self.state != PoolState::Opened {
            return Err(PsrpError::State("the runspace pool is not open"));
        }
        if !self.is_idle() {
            return Err(PsrpError::State("another pipeline runs in the runspace pool"));
        }
        let data = command.create_pipeline(host, self.key.as_ref())?;
        let stream = Defragmenter::new(self.most_message);
        self.pipeline = Some(Pipeline { id, state: PipelineState::NotStarted, stream });
        Ok(self.send(MessageKind::CreatePipeline, id, &data))
    }

    /// Answers a question of the pipeline: fragments to send to its command, on the stream for answers.
    pub fn answer(&mut self, call: &HostCall, answer: Answer) -> Result<Vec<Vec<u8>>, PsrpError> {
        let Some(pipeline) = self.pipeline.as_ref().filter(|_| call.wants_answer()) else {
            return Err(PsrpError::State("nobody waits for an answer"));
        };
        let id = pipeline.id;
        Ok(self.send(MessageKind::PipelineHostResponse, id, &call.response(answer)))
    }

    /// Takes bytes of a stream and returns what they say.
    pub fn take(&mut self, from: Source, bytes: &[u8]) -> Result<Vec<Event>, PsrpError> {
        let stream = match (from, &mut self.pipeline) {
            (Source::Pool, _) => &mut self.stream,
            (Source::Pipeline(id), Some(pipeline)) if pipeline.id == id => &mut pipeline.stream,
            (Source::Pipeline(_), _) => return Err(PsrpError::WrongIdentity),
        };
        let messages = stream.take(bytes)?;
        messages.iter().map(|message| self.event(from, &Message::read(message)?)).collect()
    }

    fn event(&mut self, from: Source, message: &Message<'_>) -> Result<Event, PsrpError> {
        let (kind, data) = (message.kind, message.data);
        // PowerShell puts no pool into what it sends before there is one, nor into what is about keys.
        let needs_no_pool = matches!(
            kind,
            MessageKind::SessionCapability | MessageKind::EncryptedSessionKey | MessageKind::PublicKeyRequest
        );
        let ours = message.pool == self.id || (needs_no_pool && message.pool == Guid::NIL);
        let pipeline = match from {
            Source::Pool => Guid::NIL,
            Source::Pipeline(id) => id,
        };
        if !ours || message.pipeline != pipeline {
            return Err(PsrpError::WrongIdentity);
        }
        if !self.negotiated && kind != MessageKind::SessionCapability {
            return Err(PsrpError::Misplaced(kind));
        }
        match from {
            Source::Pool => self.pool_event(kind, data),
            Source::Pipeline(_) => self.pipeline_event(from, kind, data),
        }
    }

    fn pool_event(&mut self, kind: MessageKind, data: &[u8]) -> Result<Event, PsrpError> {
        Ok(match kind {
            MessageKind::SessionCapability => {
                check_capability(data)?;
                self.negotiated = true;
                Event::Capability
            }
            MessageKind::RunspacePoolState => {
                let (state, reason) = PoolState::read(data)?;
                self.state = state;
                Event::PoolState(state, reason)
            }
            // Nobody asked for these, and they change nothing.
            MessageKind::ApplicationPrivateData
            | MessageKind::RunspaceAvailability
            | MessageKind::UserEvent
            | MessageKind::RunspacePoolInitData => Event::PrivateData(records::read_one(kind, data)?),
            MessageKind::PublicKeyRequest => Event::KeyWanted,
            MessageKind::EncryptedSessionKey => {
                Event::EncryptedKey(secure_string::encrypted_session_key(data)?)
            }
            MessageKind::RunspacePoolHostCall => Event::HostCall(Source::Pool, HostCall::read(kind, data)?),
            MessageKind::InitRunspacePool
            | MessageKind::PublicKey
            | MessageKind::CreatePipeline
            | MessageKind::RunspacePoolHostResponse
            | MessageKind::PipelineOutput
            | MessageKind::ErrorRecord
            | MessageKind::PipelineState
            | MessageKind::DebugRecord
            | MessageKind::VerboseRecord
            | MessageKind::WarningRecord
            | MessageKind::ProgressRecord
            | MessageKind::InformationRecord
            | MessageKind::PipelineHostCall
            | MessageKind::PipelineHostResponse => return Err(PsrpError::Misplaced(kind)),
        })
    }

    fn pipeline_event(&mut self, from: Source, kind: MessageKind, data: &[u8]) -> Result<Event, PsrpError> {
        let pipeline = self.pipeline.as_mut().filter(|pipeline| !pipeline.state.is_final());
        let Some(pipeline) = pipeline else { return Err(PsrpError::Misplaced(kind)) };
        Ok(match kind {
            MessageKind::PipelineOutput => Event::Output(records::read_one(kind, data)?, data.to_vec()),
            MessageKind::ErrorRecord => {
                let document = records::read_one(kind, data)?;
                Event::Error(ErrorRecord::of(&document, &document.roots()[0]))
            }
            MessageKind::PipelineState => {
                let (state, reason) = PipelineState::read(data)?;
                pipeline.state = state;
                Event::PipelineState(state, reason)
            }
            MessageKind::DebugRecord => Event::Debug(records::informational(kind, data)?),
            MessageKind::VerboseRecord => Event::Verbose(records::informational(kind, data)?),
            MessageKind::WarningRecord => Event::Warning(records::informational(kind, data)?),
            MessageKind::InformationRecord => Event::Information(records::information(data)?),
            MessageKind::ProgressRecord => Event::Progress,
            MessageKind::PipelineHostCall => Event::HostCall(from, HostCall::read(kind, data)?),
            MessageKind::SessionCapability
            | MessageKind::InitRunspacePool
            | MessageKind::PublicKey
            | MessageKind::EncryptedSessionKey
            | MessageKind::PublicKeyRequest
            | MessageKind::RunspacePoolState
            | MessageKind::CreatePipeline
            | MessageKind::RunspaceAvailability
            | MessageKind::UserEvent
            | MessageKind::ApplicationPrivateData
            | MessageKind::RunspacePoolInitData
            | MessageKind::RunspacePoolHostCall
            | MessageKind::RunspacePoolHostResponse
            | MessageKind::PipelineHostResponse => return Err(PsrpError::Misplaced(kind)),
        })
    }

    fn send(&mut self, kind: MessageKind, pipeline: Guid, data: &[u8]) -> Vec<Vec<u8>> {
        let object = self.next_object;
        self.next_object += 1;
        let message = Message { kind, pool: self.id, pipeline, data }.write();
        fragment::split(object, &message, LARGEST_FRAGMENT)
    }
}

/// As PowerShell 2.0 said it; what a server can do beyond that is nothing that we need.
fn session_capability() -> Vec<u8> {
    let mut xml = Writer::new();
    xml.object(None, |xml| {
        xml.element("MS", |xml| {
            xml.primitive("Version", Some("PSVersion"), "2.0");
            xml.primitive("Version", Some("protocolversion"), PROTOCOL_VERSION);
            xml.primitive("Version", Some("SerializationVersion"), "1.1.0.1");
        });
    });
    xml.finish()
}

fn init_runspace_pool(host: Host) -> Vec<u8> {
    let mut xml = Writer::new();
    xml.object(None, |xml| {
        xml.element("MS", |xml| {
            xml.integer(Some("MinRunspaces"), 1);
            xml.integer(Some("MaxRunspaces"), 1);
            xml.enumeration("PSThreadOptions", 0, THREAD_OPTIONS, "Default");
            xml.enumeration("ApartmentState", 2, APARTMENT_STATE, "Unknown");
            host.write(xml);
            xml.object(Some("ApplicationArguments"), |xml| {
                xml.types(PRIMITIVE_DICTIONARY);
                xml.element("DCT", |_| ());
            });
        });
    });
    xml.finish()
}

/// Versions 2.x can speak to each other.
fn check_capability(data: &[u8]) -> Result<(), PsrpError> {
    let kind = MessageKind::SessionCapability;
    let document = records::read_one(kind, data)?;
    let version = records::required(&document, &document.roots()[0], kind, "protocolversion")?;
    let version = document.text(version).unwrap_or_default();
    if version.starts_with("2.") { Ok(()) } else { Err(PsrpError::Version(shown(version))) }
}

/// The version of the protocol that we say we speak, to WS-Management as well.
pub const PROTOCOL_VERSION: &str = "2.3";
/// As .NET cuts them, and as fits into the envelopes that any server takes.
const LARGEST_FRAGMENT: usize = 32 * 1024;

const THREAD_OPTIONS: &[&str] = &[
    "System.Management.Automation.Runspaces.PSThreadOptions",
    "System.Enum",
    "System.ValueType",
    "System.Object",
];
const PRIMITIVE_DICTIONARY: &[&str] =
    &["System.Management.Automation.PSPrimitiveDictionary", "System.Collections.Hashtable", "System.Object"];
