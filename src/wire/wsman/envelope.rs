//! Questions: the SOAP envelopes of shells (MS-WSMV sections 3.1.4.1 to 3.1.4.14, MS-PSRP section 3.1.5.3).

use std::{fmt::Write, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::wire::psrp::{Guid, PROTOCOL_VERSION};

/// What all envelopes of a session have in common.
#[derive(Clone, Debug)]
pub struct Envelopes {
    /// The address of the endpoint.
    pub to: String,
    /// The kind of shell, like `http://schemas.microsoft.com/powershell/Microsoft.Exchange`.
    pub resource: String,
    /// The number of the session.
    pub session: Guid,
    /// The largest envelope that the server may answer with, in bytes.
    pub most_answer: usize,
}

/// A question with its number.
#[derive(Clone, Debug)]
pub struct Question {
    /// The number, which the answer has to repeat.
    pub message: Guid,
    /// The envelope.
    pub xml: String,
}

/// Which stream of a shell input goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Messages.
    Messages,
    /// Answers to host calls, which overtake messages.
    Answers,
}

/// What a command is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// To stop what it does.
    Stop,
    /// That it has ended for us as well.
    Terminate,
}

impl Envelopes {
    /// Creates the shell, with the fragments that open its runspace pool.
    pub fn create(&self, message: Guid, time: Duration, shell: Guid, opening: &[u8]) -> Question {
        let options = format!(
            "<w:OptionSet s:mustUnderstand=\"true\"><w:Option Name=\"protocolversion\" MustComply=\"true\">\
             {PROTOCOL_VERSION}</w:Option></w:OptionSet>"
        );
        let body = format!(
            "<rsp:Shell ShellId=\"{shell}\"><rsp:InputStreams>stdin pr</rsp:InputStreams>\
             <rsp:OutputStreams>stdout</rsp:OutputStreams>\
             <creationXml xmlns=\"http://schemas.microsoft.com/powershell\">{}</creationXml></rsp:Shell>",
            BASE64_STANDARD.encode(opening)
        );
        self.question(message, time, TRANSFER, "Create", &options, &body)
    }

    /// Creates a command in the shell, with the first fragment of its pipeline.
    pub fn command(
        &self,
        message: Guid,
        time: Duration,
        shell: &str,
        command: Guid,
        first: &[u8],
    ) -> Question {
        let body = format!(
            "<rsp:CommandLine CommandId=\"{command}\"><rsp:Command/><rsp:Arguments>{}</rsp:Arguments></rsp:CommandLine>",
            BASE64_STANDARD.encode(first)
        );
        self.question(message, time, SHELL, "Command", &selectors(shell), &body)
    }

    /// Asks for output of the shell, or of a command. The answer comes within `time`.
    pub fn receive(&self, message: Guid, time: Duration, shell: &str, command: Option<&str>) -> Question {
        let options = "<w:OptionSet s:mustUnderstand=\"true\">\
                       <w:Option Name=\"WSMAN_CMDSHELL_OPTION_KEEPALIVE\">TRUE</w:Option></w:OptionSet>";
        let header = selectors(shell) + options;
        let command = command_id(command);
        let body =
            format!("<rsp:Receive><rsp:DesiredStream{command}>stdout</rsp:DesiredStream></rsp:Receive>");
        self.question(message, time, SHELL, "Receive", &header, &body)
    }

    /// Sends a fragment to the shell or to a command.
    pub fn send(
        &self,
        message: Guid,
        time: Duration,
        shell: &str,
        command: Option<&str>,
        input: Input,
        fragment: &[u8],
    ) -> Question {
        let name = match input {
            Input::Messages => "stdin",
            Input::Answers => "pr",
        };
        let body = format!(
            "<rsp:Send><rsp:Stream Name=\"{name}\"{}>{}</rsp:Stream></rsp:Send>",
            command_id(command),
            BASE64_STANDARD.encode(fragment)
        );
        self.question(message, time, SHELL, "Send", &selectors(shell), &body)
    }

    /// Signals a command.
    pub fn signal(
        &self,
        message: Guid,
        time: Duration,
        shell: &str,
        command: &str,
        signal: Signal,
    ) -> Question {
        let code = match signal {
            // The misspelling is the protocol's.
            Signal::Stop => "powershell/signal/crtl_c",
            Signal::Terminate => "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/terminate",
        };
        let id = command_id(Some(command));
        let body = format!("<rsp:Signal{id}><rsp:Code>{code}</rsp:Code></rsp:Signal>");
        self.question(message, time, SHELL, "Signal", &selectors(shell), &body)
    }

    /// Deletes the shell.
    pub fn delete(&self, message: Guid, time: Duration, shell: &str) -> Question {
        self.question(message, time, TRANSFER, "Delete", &selectors(shell), "")
    }

    fn question(
        &self,
        message: Guid,
        time: Duration,
        actions: &str,
        action: &str,
        header: &str,
        body: &str,
    ) -> Question {
        let Self { to, resource, session, most_answer } = self;
        let (to, resource) = (escaped(to), escaped(resource));
        let seconds = time.as_millis().div_ceil(1000).max(1);
        let mut xml = String::with_capacity(body.len() + 3000);
        write!(
            xml,
            "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
             xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
             xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\" \
             xmlns:p=\"http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd\" \
             xmlns:rsp=\"http://schemas.microsoft.com/wbem/wsman/1/windows/shell\"><s:Header>\
             <a:To>{to}</a:To>\
             <w:ResourceURI s:mustUnderstand=\"true\">{resource}</w:ResourceURI>\
             <a:ReplyTo><a:Address s:mustUnderstand=\"true\">\
             http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>\
             <a:Action s:mustUnderstand=\"true\">{actions}/{action}</a:Action>\
             <w:MaxEnvelopeSize s:mustUnderstand=\"true\">{most_answer}</w:MaxEnvelopeSize>\
             <a:MessageID>uuid:{message}</a:MessageID>\
             <w:Locale xml:lang=\"en-US\" s:mustUnderstand=\"false\"/>\
             <p:DataLocale xml:lang=\"en-US\" s:mustUnderstand=\"false\"/>\
             <p:SessionId s:mustUnderstand=\"false\">uuid:{session}</p:SessionId>\
             <w:OperationTimeout>PT{seconds}S</w:OperationTimeout>{header}</s:Header>\
             <s:Body>{body}</s:Body></s:Envelope>"
        )
        .expect("a String takes everything");
        Question { message, xml }
    }
}

fn selectors(shell: &str) -> String {
    format!("<w:SelectorSet><w:Selector Name=\"ShellId\">{}</w:Selector></w:SelectorSet>", escaped(shell))
}

fn command_id(command: Option<&str>) -> String {
    command.map(|command| format!(" CommandId=\"{}\"", escaped(command))).unwrap_or_default()
}

fn escaped(text: &str) -> std::borrow::Cow<'_, str> {
    quick_xml::escape::escape(text)
}

const TRANSFER: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer";
const SHELL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell";
