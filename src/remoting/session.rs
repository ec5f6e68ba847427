//! A session: a shell on the server, a runspace pool in it, and one command at a time.

use std::time::Duration;

use super::{
    channel::Channel,
    deadline::Deadline,
    endpoint::{Credentials, Endpoint, Limits},
    error::{ProtocolError, RemotingError},
    output::{Collector, Output},
    session_key::ExchangeKey,
};
use crate::wire::{
    psrp::{Answer, Command, Event, Guid, Host, HostCall, PoolState, PsrpError, RunspacePool, Source},
    shown,
    wsman::{Envelopes, Fault, FaultKind, Input, Question, Received, Signal, WsmanError, answer},
};

/// A session with a server.
pub struct PsrpSession {
    host: String,
    channel: Channel,
    limits: Limits,
    envelopes: Envelopes,
    pool: RunspacePool,
    /// The number that the server gave the shell.
    shell: String,
    state: State,
}

/// Whether the session can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ready,
    /// Something went wrong, and nothing may be built on it.
    Broken,
    /// The shell is deleted.
    Closed,
}

/// Who answers what a cmdlet asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostPolicy {
    /// Nobody. A cmdlet that wants to ask fails with [`Refusal::ConfirmationRequired`] and has done nothing.
    ///
    /// [`Refusal::ConfirmationRequired`]: crate::wire::psrp::Refusal::ConfirmationRequired
    Nobody,
    /// Questions are answered with *No*, which is found by the number of choices, for labels are in the server's
    /// language. This enables SMTP for a certificate and keeps the default one.
    AnswerNo,
}

impl PsrpSession {
    /// Connects, authenticates, and opens a runspace.
    pub fn open(
        endpoint: &Endpoint,
        credentials: Credentials,
        limits: Limits,
        deadline: Deadline,
    ) -> Result<Self, RemotingError> {
        let pool = RunspacePool::new(random_guid()?, Host::None, limits.message);
        let envelopes = Envelopes {
            to: endpoint.url.to_string(),
            resource: endpoint.resource.clone(),
            session: random_guid()?,
            most_answer: LARGEST_ENVELOPE.min(limits.answer),
        };
        let mut session = Self {
            host: endpoint.host().to_owned(),
            channel: Channel::new(endpoint, credentials, limits)?,
            limits,
            envelopes,
            pool,
            shell: String::new(),
            state: State::Closed,
        };
        session.channel.prepare(deadline)?;
        let opening = session.pool.open().map_err(|error| session.strange(error))?;
        let time = session.operation_time(deadline)?;
        let question = session.envelopes.create(random_guid()?, time, session.pool.id(), &opening);
        let created = session.channel.ask(&question, deadline)?;
        session.shell = session.read(answer::created(&created, question.message))?;
        // From here on there is a shell to delete.
        session.state = State::Ready;
        session.await_opened(deadline)?;
        Ok(session)
    }

    /// Runs a command and waits for its end.
    pub fn invoke(
        &mut self,
        command: &Command,
        policy: HostPolicy,
        deadline: Deadline,
    ) -> Result<Output, RemotingError> {
        if self.state != State::Ready {
            return Err(self.died("it was given up after an error"));
        }
        // Until it is known to have gone well.
        self.state = State::Broken;
        self.channel.prepare(deadline)?;
        if command.holds_secret() && !self.pool.has_key() {
            self.exchange_key(deadline)?;
        }
        let begun = self.begin(command, policy, deadline)?;
        let finished = self.finish(&begun, policy, deadline);
        let output = finished.map_err(|error| {
            self.stop(&begun.command);
            self.unknown(command, error)
        })?;
        // It is over; that the server hears of it only frees what it holds for us.
        self.signal(&begun.command, Signal::Terminate, Deadline::after(FAREWELL));
        self.state = State::Ready;
        Ok(output)
    }

    /// Ends the session. Dropping it does the same.
    pub fn close(self) {
        drop(self);
    }

    /// Begins a pipeline. On an error it has not run, unless the error says that nobody knows.
    fn begin(
        &mut self,
        command: &Command,
        policy: HostPolicy,
        deadline: Deadline,
    ) -> Result<Begun, RemotingError> {
        let pipeline = random_guid()?;
        let host = match policy {
            HostPolicy::Nobody => Host::OfThePool,
            HostPolicy::AnswerNo => Host::Present,
        };
        let fragments = self.pool.begin(pipeline, command, host).map_err(|error| self.strange(error))?;
        let (first, others) = fragments.split_first().expect("a message has a fragment");
        let time = self.operation_time(deadline)?;
        let question = self.envelopes.command(random_guid()?, time, &self.shell, pipeline, first);
        // The server begins when it has the last fragment.
        let asked = self.channel.ask(&question, deadline);
        let created =
            asked.map_err(|error| if others.is_empty() { self.unknown(command, error) } else { error })?;
        let id = match answer::command_created(&created, question.message) {
            Ok(id) => id,
            Err(WsmanError::Fault(fault)) => return Err(RemotingError::of_fault(&self.host, fault)),
            Err(error) => return Err(self.unknown(command, self.strange(error))),
        };
        for (at, fragment) in others.iter().enumerate() {
            let sent = self.send(Some(&id), Input::Messages, fragment, deadline);
            let is_last = at + 1 == others.len();
            sent.map_err(|error| if is_last { self.unknown(command, error) } else { error })?;
        }
        Ok(Begun { pipeline, command: id })
    }

    /// Receives until the pipeline has ended.
    fn finish(
        &mut self,
        begun: &Begun,
        policy: HostPolicy,
        deadline: Deadline,
    ) -> Result<Output, RemotingError> {
        let mut collector = Collector::new(self.limits);
        loop {
            let received = self.receive(Some(&begun.command), deadline)?;
            for (from, bytes) in received.streams {
                if from.is_some_and(|from| from != begun.command) {
                    return Err(self.strange(PsrpError::WrongIdentity));
                }
                collector.count(bytes.len())?;
                let events = self.pool.take(Source::Pipeline(begun.pipeline), &bytes);
                for event in events.map_err(|error| self.strange(error))? {
                    match event {
                        Event::HostCall(_, call) if call.wants_answer() => {
                            let answer = answer_to(&call, policy, collector.answers())?;
                            let fragments = self.pool.answer(&call, answer);
                            for fragment in fragments.map_err(|error| self.strange(error))? {
                                self.send(Some(&begun.command), Input::Answers, &fragment, deadline)?;
                            }
                            collector.declined(call.question());
                        }
                        event => {
                            if let Some(output) = collector.take(event)? {
                                return Ok(output);
                            }
                        }
                    }
                }
            }
            if received.done {
                return Err(self.died("the command ended without saying how"));
            }
        }
    }

    /// Waits until the runspace pool is open.
    fn await_opened(&mut self, deadline: Deadline) -> Result<(), RemotingError> {
        while self.pool.state() != PoolState::Opened {
            for event in self.receive_pool(deadline)? {
                match event {
                    Event::PoolState(PoolState::Broken | PoolState::Closed | PoolState::Closing, reason) => {
                        let reason = Box::new(reason.unwrap_or_default());
                        return Err(RemotingError::NotOpened { host: self.host.clone(), reason });
                    }
                    Event::HostCall(_, call) if call.wants_answer() => {
                        answer_to(&call, HostPolicy::Nobody, 0)?;
                    }
                    _ => (),
                }
            }
        }
        Ok(())
    }

    /// Agrees on a session key.
    fn exchange_key(&mut self, deadline: Deadline) -> Result<(), RemotingError> {
        let key = ExchangeKey::generate().map_err(|error| self.strange(error))?;
        for fragment in self.pool.exchange_key(&key.modulus, key.exponent) {
            self.send(None, Input::Messages, &fragment, deadline)?;
        }
        let encrypted = loop {
            let events = self.receive_pool(deadline)?;
            let found = events.into_iter().find_map(|event| match event {
                Event::EncryptedKey(encrypted) => Some(encrypted),
                _ => None,
            });
            if let Some(encrypted) = found {
                break encrypted;
            }
            if self.pool.state() != PoolState::Opened {
                return Err(self.died("its runspace pool was closed"));
            }
        };
        let key = key.open(&encrypted).map_err(|error| self.strange(error))?;
        self.pool.set_key(key);
        Ok(())
    }

    /// What the shell itself says next.
    fn receive_pool(&mut self, deadline: Deadline) -> Result<Vec<Event>, RemotingError> {
        let received = self.receive(None, deadline)?;
        let mut events = Vec::new();
        for (from, bytes) in received.streams {
            if from.is_some() {
                return Err(self.strange(PsrpError::WrongIdentity));
            }
            events.extend(self.pool.take(Source::Pool, &bytes).map_err(|error| self.strange(error))?);
        }
        if events.is_empty() && received.done {
            return Err(self.died("its shell ended"));
        }
        Ok(events)
    }

    /// Output of the shell or of a command, as soon as there is some.
    fn receive(&mut self, command: Option<&str>, deadline: Deadline) -> Result<Received, RemotingError> {
        loop {
            let time = self.operation_time(deadline)?;
            let question = self.envelopes.receive(random_guid()?, time, &self.shell, command);
            // The server may use up its time, and its answer has to come here too.
            let answer = self.channel.ask(&question, deadline.with_grace(GRACE))?;
            match answer::received(&answer, question.message) {
                Err(WsmanError::Fault(fault)) if fault.kind() == FaultKind::NothingYet => (),
                received => return self.read(received),
            }
        }
    }

    fn send(
        &mut self,
        command: Option<&str>,
        input: Input,
        fragment: &[u8],
        deadline: Deadline,
    ) -> Result<(), RemotingError> {
        let time = self.operation_time(deadline)?;
        let question = self.envelopes.send(random_guid()?, time, &self.shell, command, input, fragment);
        let answer = self.channel.ask(&question, deadline)?;
        self.read(answer::done(&answer, question.message))
    }

    /// Tells the server to stop a command that nobody waits for any more.
    fn stop(&mut self, command: &str) {
        self.signal(command, Signal::Stop, Deadline::after(FAREWELL));
    }

    /// Signals as well as that goes: nothing depends on it.
    fn signal(&mut self, command: &str, signal: Signal, deadline: Deadline) {
        let Ok(message) = random_guid() else { return };
        let question = self.envelopes.signal(message, FAREWELL, &self.shell, command, signal);
        let _ = self.ask_quietly(&question, deadline);
    }

    fn ask_quietly(&mut self, question: &Question, deadline: Deadline) -> Result<(), RemotingError> {
        self.channel.prepare(deadline)?;
        self.channel.ask(question, deadline).map(drop)
    }

    /// How long the server may take for one answer.
    fn operation_time(&self, deadline: Deadline) -> Result<Duration, RemotingError> {
        let left =
            deadline.left().ok_or_else(|| RemotingError::DeadlineExceeded { host: self.host.clone() })?;
        Ok(left.min(LONGEST_OPERATION))
    }

    fn read<T>(&self, answer: Result<T, WsmanError>) -> Result<T, RemotingError> {
        answer.map_err(|error| match error {
            WsmanError::Fault(fault) => self.fault(fault),
            error => self.strange(error),
        })
    }

    fn fault(&self, fault: Fault) -> RemotingError {
        RemotingError::of_fault(&self.host, fault)
    }

    fn strange(&self, error: impl Into<ProtocolError>) -> RemotingError {
        RemotingError::Protocol { host: self.host.clone(), source: error.into() }
    }

    fn died(&self, detail: &str) -> RemotingError {
        RemotingError::SessionDied { host: self.host.clone(), detail: detail.to_owned() }
    }

    fn unknown(&self, command: &Command, error: RemotingError) -> RemotingError {
        let source = Box::new(error);
        RemotingError::OutcomeUnknown { command: command.shown(), host: self.host.clone(), source }
    }
}

impl Drop for PsrpSession {
    fn drop(&mut self) {
        if self.state == State::Closed {
            return;
        }
        let Ok(message) = random_guid() else { return };
        let question = self.envelopes.delete(message, FAREWELL, &self.shell);
        let _ = self.ask_quietly(&question, Deadline::after(FAREWELL));
    }
}

/// What a question is answered, if it is.
fn answer_to(call: &HostCall, policy: HostPolicy, before: usize) -> Result<Answer, RemotingError> {
    let answer = match policy {
        HostPolicy::Nobody => None,
        HostPolicy::AnswerNo if before >= MOST_ANSWERS => None,
        HostPolicy::AnswerNo if call.is_prompt() => Some(Answer::NoValues),
        HostPolicy::AnswerNo => call.no().map(Answer::Choice),
    };
    answer.ok_or_else(|| RemotingError::UnexpectedPrompt {
        method: shown(call.method()),
        question: call.question(),
    })
}

/// A pipeline that runs: its number, and that of its command in the shell.
struct Begun {
    pipeline: Guid,
    command: String,
}

fn random_guid() -> Result<Guid, RemotingError> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| RemotingError::Tls("the system gives no random numbers".to_owned()))?;
    Ok(Guid::from_random(bytes))
}

/// What any Windows takes and gives (`MaxEnvelopeSizekb` is 500 by default).
const LARGEST_ENVELOPE: usize = 500 * 1024;
/// As Windows' own client asks for output.
const LONGEST_OPERATION: Duration = Duration::from_secs(20);
/// How much longer than it may take an answer may be on its way.
const GRACE: Duration = Duration::from_secs(5);
/// How long is waited for what nothing depends on.
const FAREWELL: Duration = Duration::from_secs(3);
/// Questions of one command that are answered.
const MOST_ANSWERS: usize = 16;
