//! Whether servers take mail: a test message to each, over the endpoint at which they take it from others.

use std::{collections::BTreeSet, time::Duration};

use serde::Serialize;

use super::{
    check::{Check, Peer, Settings},
    peers::Peers,
    worker_pool,
};
use crate::{
    model::{
        endpoint::{Endpoint, Protocol},
        mail_address::MailAddress,
        schema::JsonSchema,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    ports::{
        mail::TestMessage,
        prober::{Prober, Target, Unfinished},
    },
};

/// What a server said to a test message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MailRow {
    /// The server.
    pub server: String,
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Whether it took the message behind the certificate that should be there.
    pub accepted: bool,
    /// The certificate behind which it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Thumbprint>,
    /// What it said last; where it took the message, the id in its queue is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// What is wrong; absent when nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Sender and recipient of the messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Who sends them.
    pub from: MailAddress,
    /// Who gets them.
    pub to: MailAddress,
}

/// Hands one message to each server that is met at port 25 with STARTTLS; to a host that was named, at the endpoint that was
/// named. The rows come in the order of the checks.
pub fn rows(
    checks: &[Check],
    (peers, at): (&Peers<'_>, Timestamp),
    prober: &dyn Prober,
    settings: &Settings,
    mail: &Mail,
) -> Vec<MailRow> {
    let mut seen = BTreeSet::new();
    let asked: Vec<&Check> =
        checks.iter().filter(|check| takes_mail(check) && seen.insert(check.peer.to_string())).collect();
    let names: Vec<String> = asked.iter().map(|check| check.peer.to_string()).collect();
    worker_pool::each(&names, settings.at_once, settings.per_server, &|index| {
        row(asked[index], (peers, at), prober, mail)
    })
}

/// The port for clients wants a user, the other ones are for servers among themselves.
fn takes_mail(check: &Check) -> bool {
    let smtp = check.endpoint.protocol == Protocol::Smtp;
    match &check.peer {
        Peer::Server { .. } => smtp && check.endpoint.port == 25,
        Peer::Host(_) => smtp || check.endpoint.protocol == Protocol::Smtps,
        Peer::Balancer(_) => false,
    }
}

fn row(check: &Check, (peers, at): (&Peers<'_>, Timestamp), prober: &dyn Prober, mail: &Mail) -> MailRow {
    let server = check.peer.to_string();
    let row = MailRow {
        server: server.clone(),
        endpoint: check.endpoint,
        accepted: false,
        certificate: None,
        reply: None,
        problem: None,
    };
    let address = match peers.address(&check.peer, check.endpoint) {
        Ok(address) => address,
        Err(why) => return MailRow { problem: Some(why), ..row },
    };
    let protocol = check.endpoint.protocol;
    let target = Target { address, protocol, name: check.name.clone(), spent: Duration::ZERO };
    let message = TestMessage { from: mail.from.clone(), to: mail.to.clone(), server, at };
    match prober.hand_over(&target, &message) {
        Err(Unfinished { error, .. }) => MailRow { problem: Some(error.to_string()), ..row },
        Ok(handed) => {
            let other = check.expected.is_some() && handed.certificate != check.expected;
            let problem = if handed.accepted {
                other.then(|| "took the message behind another certificate than the declared one".into())
            } else {
                Some(format!("refuses the message: {}", handed.reply))
            };
            MailRow {
                accepted: handed.accepted && !other,
                certificate: handed.certificate,
                reply: Some(handed.reply),
                problem,
                ..row
            }
        }
    }
}
