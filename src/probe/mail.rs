//! Handing a test message over behind TLS (RFC 5321 section 3.3).

use super::{handshake::Meeting, shown::shown, starttls::Talk};
use crate::{
    model::{
        endpoint::Protocol,
        handshake::probe_error::{Phase, ProbeError},
    },
    ports::{
        mail::{HandedOver, TestMessage},
        prober::{Sent, Target},
    },
};

/// Hands the message over. A server that does not want it is no error: its answer is the result.
pub(super) fn hand_over(
    meeting: Meeting,
    target: &Target,
    message: &TestMessage,
) -> Result<HandedOver, ProbeError> {
    match target.protocol {
        Protocol::Smtp | Protocol::Smtps => {}
        Protocol::SmtpAnonymousTls
        | Protocol::Https
        | Protocol::Pop
        | Protocol::Pops
        | Protocol::Imap
        | Protocol::Imaps
        | Protocol::Ldaps => {
            return Err(ProbeError::Local {
                why: format!("{} takes no mail of clients", target.protocol.title()),
            });
        }
    }
    let Meeting { mut connection, mut stream, served } = meeting;
    let certificate = served.chain.first().map(Sent::thumbprint);
    let mut tls = rustls::Stream::new(&mut connection, &mut stream);
    let mut talk = Talk::new(&mut tls, target.protocol, Phase::Request);
    let commands = [
        ("EHLO certwright.invalid".to_owned(), "250"),
        (format!("MAIL FROM:<{}>", message.from), "250"),
        (format!("RCPT TO:<{}>", message.to), "25"),
        ("DATA".to_owned(), "354"),
        // The line end before the dot is that of the text.
        (format!("{}.", message.text()), "250"),
    ];
    let mut reply = String::new();
    for (command, wanted) in commands {
        talk.say(&command)?;
        reply = talk.reply()?.pop().unwrap_or_default();
        if !reply.starts_with(wanted) {
            talk.leave();
            return Ok(HandedOver { certificate, accepted: false, reply: shown(&reply) });
        }
    }
    talk.leave();
    Ok(HandedOver { certificate, accepted: true, reply: shown(&reply) })
}
