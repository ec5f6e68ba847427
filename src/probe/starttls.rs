//! The words by which a conversation in the clear becomes TLS (RFC 3207, RFC 2595; X-ANONYMOUSTLS is Exchange's own).

use std::io::{Read, Write};

use super::{deadline, shown::shown};
use crate::model::{
    endpoint::Protocol,
    handshake::probe_error::{Phase, ProbeError},
};

/// Brings the conversation to the point where the handshake begins.
pub(super) fn ask_for_tls(stream: &mut (impl Read + Write), protocol: Protocol) -> Result<(), ProbeError> {
    let mut talk = Talk::new(stream, protocol, Phase::Greeting);
    match protocol {
        Protocol::Https | Protocol::Smtps | Protocol::Pops | Protocol::Imaps | Protocol::Ldaps => Ok(()),
        Protocol::Smtp => talk.smtp("STARTTLS"),
        Protocol::SmtpAnonymousTls => talk.smtp("X-ANONYMOUSTLS"),
        Protocol::Pop => talk.pop(),
        Protocol::Imap => talk.imap(),
    }
}

/// The words that end a conversation behind TLS which began in the clear; nothing where the other side has not greeted.
pub(super) const fn goodbye(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Smtp | Protocol::SmtpAnonymousTls | Protocol::Pop => "QUIT\r\n",
        Protocol::Imap => "a2 LOGOUT\r\n",
        Protocol::Https | Protocol::Smtps | Protocol::Pops | Protocol::Imaps | Protocol::Ldaps => "",
    }
}

/// A conversation in lines.
pub(super) struct Talk<'a, S> {
    stream: &'a mut S,
    protocol: Protocol,
    unread: Vec<u8>,
    phase: Phase,
}

impl<'a, S: Read + Write> Talk<'a, S> {
    pub(super) const fn new(stream: &'a mut S, protocol: Protocol, phase: Phase) -> Self {
        Self { stream, protocol, unread: Vec::new(), phase }
    }

    fn smtp(&mut self, verb: &str) -> Result<(), ProbeError> {
        let greeting = self.reply()?;
        self.agree(&greeting, "220")?;
        self.say("EHLO certwright.invalid")?;
        let offers = self.reply()?;
        self.agree(&offers, "250")?;
        let words = || offers.iter().skip(1).filter_map(|line| line.get(4..));
        if !words().any(|word| word.trim().eq_ignore_ascii_case(verb)) {
            let listed = format!("no {verb} among {}", words().collect::<Vec<_>>().join(", "));
            self.leave();
            return Err(ProbeError::NotOffered { words: shown(&listed) });
        }
        self.phase = Phase::StartTls;
        self.say(verb)?;
        let answer = self.reply()?;
        self.agree(&answer, "220")?;
        self.is_silent()
    }

    fn pop(&mut self) -> Result<(), ProbeError> {
        let greeting = self.line()?;
        self.agree(&[greeting], "+OK")?;
        self.phase = Phase::StartTls;
        self.say("STLS")?;
        let answer = self.line()?;
        self.agree(&[answer], "+OK")?;
        self.is_silent()
    }

    fn imap(&mut self) -> Result<(), ProbeError> {
        let greeting = self.line()?;
        self.agree(&[greeting], "* OK")?;
        self.phase = Phase::StartTls;
        self.say("a1 STARTTLS")?;
        for _ in 0..MOST_LINES {
            let answer = self.line()?;
            // Servers may tell news before they answer (RFC 3501 section 7).
            if !answer.starts_with("* ") || answer.starts_with("* BYE") {
                self.agree(&[answer], "a1 OK")?;
                return self.is_silent();
            }
        }
        Err(endless())
    }

    /// An answer of SMTP: all its lines.
    pub(super) fn reply(&mut self) -> Result<Vec<String>, ProbeError> {
        let mut lines = Vec::new();
        while lines.len() < MOST_LINES {
            let next = self.line()?;
            let more = next.as_bytes().get(3) == Some(&b'-');
            lines.push(next);
            if !more {
                return Ok(lines);
            }
        }
        Err(endless())
    }

    /// Whether the answer begins as it should. A polite no is no breach of the protocol.
    fn agree(&mut self, lines: &[String], start: &str) -> Result<(), ProbeError> {
        let last = lines.last().map_or("", String::as_str);
        if last.starts_with(start) {
            return Ok(());
        }
        let code = last.as_bytes().get(..3).is_some_and(|code| code.iter().all(u8::is_ascii_digit));
        let no = (start.len() == 3 && code && last.starts_with(['4', '5']))
            || ["-ERR", "a1 NO", "a1 BAD", "* BYE"].iter().any(|no| last.starts_with(no));
        if no {
            self.leave();
            return Err(ProbeError::NotOffered { words: shown(last) });
        }
        Err(ProbeError::Violation { why: format!("expected `{start}`, got `{}`", shown(last)) })
    }

    /// Who speaks in the clear after the agreement would be heard as if it had been said behind TLS (CVE-2011-0411).
    fn is_silent(&self) -> Result<(), ProbeError> {
        if self.unread.is_empty() {
            return Ok(());
        }
        let words = shown(&String::from_utf8_lossy(&self.unread));
        Err(ProbeError::Violation {
            why: format!("it goes on in the clear after it agreed to TLS: `{words}`"),
        })
    }

    /// Says goodbye. The answer is not waited for, and that nobody hears it changes nothing.
    pub(super) fn leave(&mut self) {
        let _ = self.stream.write_all(goodbye(self.protocol).as_bytes());
    }

    pub(super) fn say(&mut self, words: &str) -> Result<(), ProbeError> {
        let sent = self.stream.write_all(format!("{words}\r\n").as_bytes());
        sent.map_err(|error| deadline::explain(&error, self.phase))
    }

    fn line(&mut self) -> Result<String, ProbeError> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let rest = self.unread.split_off(end + 1);
                let line = std::mem::replace(&mut self.unread, rest);
                return Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned());
            }
            if self.unread.len() > LONGEST_LINE {
                let what = format!("a line of more than {LONGEST_LINE} bytes");
                return Err(ProbeError::Violation { why: what });
            }
            let mut buffer = [0; 1024];
            let read = self.stream.read(&mut buffer);
            match read.map_err(|error| deadline::explain(&error, self.phase))? {
                0 => return Err(ProbeError::Closed { phase: self.phase }),
                count => self.unread.extend(&buffer[..count]),
            }
        }
    }
}

fn endless() -> ProbeError {
    ProbeError::Violation { why: format!("an answer of more than {MOST_LINES} lines") }
}

/// RFC 5321 allows 512 bytes for a reply line; some servers say more.
const LONGEST_LINE: usize = 4096;
const MOST_LINES: usize = 100;
