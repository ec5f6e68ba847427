//! A test message that is handed to a server.

use crate::model::{mail_address::MailAddress, thumbprint::Thumbprint, time::Timestamp};

/// What is handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestMessage {
    /// Who sends it.
    pub from: MailAddress,
    /// Who gets it.
    pub to: MailAddress,
    /// The server that is to take it, for the subject.
    pub server: String,
    /// When it is written.
    pub at: Timestamp,
}

/// What a server said to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedOver {
    /// The certificate behind which it was said.
    pub certificate: Option<Thumbprint>,
    /// Whether the server took it, and so answers for it from now on.
    pub accepted: bool,
    /// The last line of its answer, escaped and cut. Where it took the message, its id in the queue is there.
    pub reply: String,
}

impl TestMessage {
    /// Its text, in lines of a message (RFC 5322). No line begins with a dot.
    pub fn text(&self) -> String {
        let Self { from, to, server, at } = self;
        let moment = at.offset();
        let (day, month, year) = (moment.day(), &moment.month().to_string()[..3], moment.year());
        let (hour, minute, second) = moment.to_hms();
        let id = format!("certwright-{}-{server}@{}", at.unix(), from.domain());
        [
            format!("Date: {day} {month} {year} {hour:02}:{minute:02}:{second:02} +0000"),
            format!("From: <{from}>"),
            format!("To: <{to}>"),
            format!("Message-ID: <{id}>"),
            format!("Subject: certwright test message for {server}"),
            "Auto-Submitted: auto-generated".into(),
            "MIME-Version: 1.0".into(),
            "Content-Type: text/plain; charset=us-ascii".into(),
            String::new(),
            format!(
                "Somebody ran `certwright verify --mail-flow`. It handed this message to {server} over TLS."
            ),
            "The Received lines above show which way it went from there.".into(),
        ]
        .iter()
        .map(|line| format!("{line}\r\n"))
        .collect()
    }
}
