//! The plan and its run: what it does to people, what it does not take back, and what nobody could see.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use crate::model::{
    action::StepId,
    certificate_id::CertificateId,
    diagnostic::{Coded, Diagnostic, Severity, Subject},
    list::joined,
    names::{ConnectorName, ServerName},
    no_way_back::NoWayBack,
    protection::Protection,
    schema::JsonSchema,
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// The plan and its run: what it does to people, what it does not take back, and what nobody could see.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(tag = "code", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum RunWarning {
    /// A server holds a request that the plan does not wait for.
    RequestNotAwaited {
        /// The server.
        server: ServerName,
        /// The request, by its stand-in.
        thumbprint: Thumbprint,
        /// Whom it names.
        named: String,
        /// When it was made.
        since: Timestamp,
        /// The certificate of the manifest that it could be for.
        certificate: CertificateId,
    },
    /// People have to sign in again while servers behind one load balancer have different certificates.
    SignInAgain {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The servers that do not have it yet.
        servers: Vec<ServerName>,
    },
    /// A send connector that is declared, or selects a certificate of the manifest, sends from servers, too, that the manifest does not
    /// have: nobody has looked at them.
    SenderNotSeen {
        /// The send connector.
        connector: ConnectorName,
        /// The certificate of the manifest that it is declared with.
        certificate: CertificateId,
        /// The servers.
        servers: Vec<ServerName>,
        /// Whether it goes on naming another certificate for that.
        stays: bool,
    },
    /// A step of a run cannot be taken back, or not in full.
    NotTakenBack {
        /// The run.
        run: String,
        /// The step.
        step: StepId,
        /// What it did.
        verb: String,
        /// Its server.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<ServerName>,
        /// Whether part of it is taken back.
        partly: bool,
        /// Why not.
        #[serde(with = "crate::model::diagnostic::one")]
        #[schemars(with = "crate::model::diagnostic::Coding<NoWayBack>")]
        why: NoWayBack,
    },
    /// An entry of `protect` fits no certificate.
    ProtectsNothing {
        /// Its position in `protect`, from 0.
        index: usize,
        /// What it says.
        rule: Protection,
    },
    /// The server that `copyFrom` names cannot give the key.
    CopiedFromElsewhere {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The server that the manifest names.
        wanted: ServerName,
        /// Whether that one has the certificate at all, with its key.
        holds_it: bool,
        /// The server that gives the key.
        from: ServerName,
    },
    /// Servers need a certificate whose key cannot be had from the one that has it.
    // facts 8.3, 8.6
    NoKeySource {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The server that has the key, or the request.
        holder: ServerName,
        /// Why it does not give it.
        why: NoKeyBecause,
        /// The servers that need it.
        servers: Vec<ServerName>,
        /// When what they have instead ends, the first one; absent where they have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ends: Option<Timestamp>,
    },
    /// A run took the key of a certificate from another server, because it did not come out of this one.
    // facts 8.6
    KeyStays {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The server.
        server: ServerName,
        /// The certificate there.
        thumbprint: Thumbprint,
        /// When it was tried.
        at: Timestamp,
    },
    /// A certificate whose key others may have is on no server.
    CompromisedNotThere {
        /// The certificate.
        thumbprint: Thumbprint,
    },
    /// A certificate whose key others may have is presented by nobody, and stays on a server.
    CompromisedKept {
        /// The server.
        server: ServerName,
        /// The certificate.
        thumbprint: Thumbprint,
    },
    /// Something about the look itself: what could not be read, and why.
    Observation {
        /// It, as a sentence.
        note: String,
    },
    /// What certwright 0.1 wrote, as a sentence alone.
    Other {
        /// The sentence.
        text: String,
    },
}

/// Why the server that has a key does not give it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum NoKeyBecause {
    /// The manifest leaves it out for now.
    LeftOut,
    /// The same, and the certificate is only asked for yet: the key belongs to the request there.
    RequestLeftOut,
    /// An earlier run tried it: the key cannot be read there, or not be exported.
    Refused {
        /// When.
        at: Timestamp,
    },
}

impl Coded for RunWarning {
    #[expect(clippy::too_many_lines, reason = "a table: an arm for each warning, each a sentence")]
    fn diagnostic(&self) -> Diagnostic {
        let warn =
            |subject, message: String| Diagnostic::new(self.into(), Severity::Warning, subject, message);
        let notice =
            |subject, message: String| Diagnostic::new(self.into(), Severity::Notice, subject, message);
        match self {
            Self::RequestNotAwaited { server, thumbprint, named, since, certificate } => notice(
                Subject::server(server).of(certificate).thumbprint(*thumbprint),
                format!(
                    "{server} holds a request of {} for {named}, which {certificate} does not wait for",
                    since.date()
                ),
            )
            .hinted(format!("when no answer will come, remove {thumbprint}")),
            Self::SignInAgain { certificate, servers } => notice(
                Subject::certificate(certificate),
                format!(
                    "until {} has {certificate} too, users whom a load balancer sends from one server to another have to \
                     sign in to Outlook on the web again: it encrypts its cookie with the certificate",
                    joined(servers)
                ),
            ),
            Self::SenderNotSeen { connector, certificate, servers, stays } => {
                let (who, them) = (joined(servers), if servers.len() == 1 { "it" } else { "them" });
                let so = if *stays {
                    format!("{connector} goes on naming what it names, since mail would wait where {certificate} is not")
                } else {
                    format!("whether {certificate} is there, and until when what is there is valid, is not known")
                };
                warn(
                    Subject::certificate(certificate).named(connector),
                    format!(
                        "{connector} sends from {who} too, which the manifest does not have, and nobody has looked at {them}: {so}"
                    ),
                )
                .hinted(format!(
                    "add {who} to the manifest, or take {them} out of the connector: `Set-SendConnector \"{connector}\" \
                     -SourceTransportServers ...`"
                ))
            }
            Self::NotTakenBack { run, step, verb, server, partly, why } => {
                let on = server.as_ref().map_or(String::new(), |server| format!(" on {server}"));
                let how = if *partly { "can be rolled back only in part" } else { "cannot be rolled back" };
                let subject = server.as_ref().map(Subject::server).unwrap_or_default();
                warn(
                    subject.place(format!("step {step}")),
                    format!("step {step} of run {run} ({verb}{on}) {how}: {why}"),
                )
            }
            Self::ProtectsNothing { index, rule } => warn(
                Subject::default().place(format!("protect[{index}]")),
                format!("{rule} under `protect` matches no certificate of these servers, so it protects nothing"),
            )
            .hinted(
                "correct it by `certwright observe`, which shows subjects and friendly names in full; `*` matches any text",
            ),
            Self::CopiedFromElsewhere { certificate, wanted, holds_it, from } => {
                let why = if *holds_it {
                    "whose copy of the key may not leave it, as far as is known"
                } else {
                    "which does not have it with its key"
                };
                warn(
                    Subject::server(wanted).of(certificate),
                    format!("`copyFrom` of {certificate} names {wanted}, {why}: its key comes from {from}"),
                )
                .hinted("name a server that has it, or leave `copyFrom` out")
            }
            Self::NoKeySource { certificate, holder, why, servers, ends } => {
                let (who, wait) = (joined(servers), if servers.len() == 1 { "waits" } else { "wait" });
                let key = match why {
                    NoKeyBecause::LeftOut => {
                        format!("the key of {certificate} is on {holder} alone, which the manifest leaves out (`leftOut`): {who} {wait}")
                    }
                    NoKeyBecause::RequestLeftOut => format!(
                        "the request for {certificate}, and with it the key, is on {holder}, which the manifest leaves out \
                         (`leftOut`): {who} {wait}"
                    ),
                    NoKeyBecause::Refused { at } => format!(
                        "the key of {certificate} is on {holder} alone and could not be exported there on {} (it cannot be read, or \
                         may not leave): {who} {wait}",
                        at.date()
                    ),
                };
                let meanwhile = match ends {
                    Some(ends) => format!(", and what is there instead ends on {}", ends.date()),
                    None => ", with nothing of it there instead".into(),
                };
                let first = match why {
                    NoKeyBecause::LeftOut | NoKeyBecause::RequestLeftOut => {
                        format!("when {holder} will not be back before, ")
                    }
                    NoKeyBecause::Refused { .. } => {
                        format!("repair it on {holder} (`certutil -repairstore My THUMBPRINT`), or ")
                    }
                };
                warn(
                    Subject::server(holder).of(certificate),
                    format!("{key}{meanwhile}"),
                )
                .hinted(format!(
                    "{first}have a new one issued for all: `certwright plan --replace {name}`; or bring the key as a PFX file \
                     (an issuer with `pfx`)",
                    name = certificate.name
                ))
            }
            Self::KeyStays { certificate, server, thumbprint, at } => warn(
                Subject::server(server).of(certificate).thumbprint(*thumbprint),
                format!(
                    "the key of {certificate} could not be exported from {server} on {}: it may not leave, or cannot be read, and \
                     then {server} serves nothing with it",
                    at.date()
                ),
            )
            .hinted(format!(
                "meet it: `certwright verify`; where nothing is served, `certutil -repairstore My {thumbprint}` on {server}"
            )),
            Self::CompromisedNotThere { thumbprint } => warn(
                Subject::default().thumbprint(*thumbprint),
                format!("{thumbprint}, whose key others may have, is on no server, and so nothing is replaced for it"),
            )
            .hinted("check the thumbprint; when the certificate was replaced and removed, take it out of `compromised`"),
            Self::CompromisedKept { server, thumbprint } => warn(
                Subject::server(server).thumbprint(*thumbprint),
                format!(
                    "{} on {server}, whose key others may have, stays there: send connectors name it and its successor alike",
                    thumbprint.short()
                ),
            )
            .hinted("have it removed with transport stopped: `retire: { stopTransport: true }`"),
            Self::Observation { note } => notice(Subject::default(), note.clone()),
            Self::Other { text } => warn(Subject::default(), text.clone()),
        }
    }
}
