//! The words by which a conversation in the clear becomes TLS (RFC 3207, RFC 2595; X-ANONYMOUSTLS is Exchange's own).

use std::io::{Read, Write};

use super::{deadline, is_implicit};
use crate::{engine::prober::ProbeError, model::endpoint::Protocol};

/// Brings the conversation to the point where the handshake begins.
pub(super) fn ask_for_tls(stream: &mut (impl Read + Write), protocol: Protocol) -> Result<(), ProbeError> {
    if is_implicit(protocol) {
        return Ok(());
    }
    match protocol {
        Protocol::Pop => pop(stream),
        Protocol::Imap => imap(stream),
        Protocol::SmtpAnonymousTls => smtp(stream, "X-ANONYMOUSTLS"),
        Protocol::Smtp
        | Protocol::Https
        | Protocol::Smtps
        | Protocol::Pops
        | Protocol::Imaps
        | Protocol::Ldaps => smtp(stream, "STARTTLS"),
    }
}

fn smtp(stream: &mut (impl Read + Write), verb: &str) -> Result<(), ProbeError> {
    expect(&reply(stream)?, "220")?;
    say(stream, "EHLO certwright.invalid")?;
    let offers = reply(stream)?;
    expect(&offers, "250")?;
    let offered =
        offers.iter().any(|line| line.get(4..).is_some_and(|word| word.trim().eq_ignore_ascii_case(verb)));
    if !offered {
        return Err(ProbeError::NotOffered(format!("the server does not list {verb}")));
    }
    say(stream, verb)?;
    expect(&reply(stream)?, "220")
}

fn pop(stream: &mut (impl Read + Write)) -> Result<(), ProbeError> {
    expect(&[line(stream)?], "+OK")?;
    say(stream, "STLS")?;
    let answer = line(stream)?;
    if answer.starts_with("-ERR") {
        return Err(ProbeError::NotOffered(format!("the server answers STLS with {}", shown(&answer))));
    }
    expect(&[answer], "+OK")
}

fn imap(stream: &mut (impl Read + Write)) -> Result<(), ProbeError> {
    expect(&[line(stream)?], "* OK")?;
    say(stream, "a1 STARTTLS")?;
    for _ in 0..MOST_LINES {
        let answer = line(stream)?;
        if answer.starts_with("a1 OK") {
            return Ok(());
        }
        if answer.starts_with("a1 ") {
            return Err(ProbeError::NotOffered(format!(
                "the server answers STARTTLS with {}",
                shown(&answer)
            )));
        }
    }
    Err(ProbeError::Protocol("the server does not come to an end".into()))
}

/// An answer of SMTP: all its lines.
fn reply(stream: &mut impl Read) -> Result<Vec<String>, ProbeError> {
    let mut lines = Vec::new();
    while lines.len() < MOST_LINES {
        let next = line(stream)?;
        let more = next.as_bytes().get(3) == Some(&b'-');
        lines.push(next);
        if !more {
            return Ok(lines);
        }
    }
    Err(ProbeError::Protocol("the server does not come to an end".into()))
}

fn expect(lines: &[String], start: &str) -> Result<(), ProbeError> {
    match lines.last() {
        Some(last) if last.starts_with(start) => Ok(()),
        Some(last) => Err(ProbeError::Protocol(format!("expected {start}, got {}", shown(last)))),
        None => Err(ProbeError::Protocol(format!("expected {start}, got nothing"))),
    }
}

fn say(stream: &mut impl Write, words: &str) -> Result<(), ProbeError> {
    stream.write_all(format!("{words}\r\n").as_bytes()).map_err(|error| deadline::explain(&error, words))
}

fn line(stream: &mut impl Read) -> Result<String, ProbeError> {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    loop {
        match stream.read(&mut byte).map_err(|error| deadline::explain(&error, "greeting"))? {
            0 => return Err(ProbeError::Protocol("the peer closed the connection".into())),
            _ if byte[0] == b'\n' => break,
            _ => bytes.push(byte[0]),
        }
        if bytes.len() > LONGEST_LINE {
            return Err(ProbeError::Protocol(format!("a line of more than {LONGEST_LINE} bytes")));
        }
    }
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\r').to_owned())
}

/// Foreign bytes, safe to show on a terminal.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    format!("`{}`", short.escape_debug())
}

/// RFC 5321 allows 512 bytes for a reply line; some servers say more.
const LONGEST_LINE: usize = 4096;
const MOST_LINES: usize = 100;
