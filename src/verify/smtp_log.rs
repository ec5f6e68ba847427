//! What SMTP protocol logs say was shown to partners, and by partners (facts 13). Lines are handed in one by one; what is
//! kept is counted by connector and certificate, so that logs of any length fit into memory.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::model::{schema::JsonSchema, thumbprint::Thumbprint, time::Timestamp};

/// What logs say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SmtpLogSummary {
    /// How many files were read.
    pub files: u64,
    /// How many lines, without those that begin with `#`.
    pub lines: u64,
    /// How many lines are no lines of such a log.
    pub unreadable: u64,
    /// The time of the first line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// The time of the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// The certificates that were shown, by connector.
    pub certificates: Vec<ShownCertificate>,
    /// Handshakes that failed, by connector.
    pub failures: Vec<Failure>,
}

/// A certificate that was shown over a connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShownCertificate {
    /// The connector, as the log has it: `EX01\\Default Frontend EX01`.
    pub connector: String,
    /// Who showed it.
    pub by: By,
    /// The certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumbprint: Option<Thumbprint>,
    /// Its subject and issuer, as the log has them.
    pub subject: String,
    /// Until when it is valid, where the log says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// In how many sessions.
    pub sessions: u64,
    /// In how many sessions it had expired already.
    pub expired_sessions: u64,
    /// How many handshakes succeeded after it, by version of TLS.
    pub versions: BTreeMap<String, u64>,
    /// The first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Timestamp>,
    /// The last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
}

/// Who shows a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum By {
    /// This server.
    Us,
    /// The partner.
    Partner,
}

/// Handshakes that failed in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The connector.
    pub connector: String,
    /// The error's name: `NoCredentials`, `UnknownCredentials`.
    pub error: String,
    /// How often.
    pub sessions: u64,
    /// The last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
}

/// Reads lines.
#[derive(Debug, Default)]
pub struct SmtpLog {
    shown: SmtpLogSummary,
    certificates: BTreeMap<Key, ShownCertificate>,
    failures: BTreeMap<(String, String), Failure>,
    sessions: HashMap<String, Session>,
}

/// Connector, who, and the certificate by its thumbprint or else its names.
type Key = (String, By, Option<Thumbprint>, String);

/// What is known of a session that goes on.
#[derive(Debug, Default)]
struct Session {
    /// The certificate that older servers tell line by line.
    telling: Option<Told>,
    last: Option<Key>,
}

#[derive(Debug)]
struct Told {
    by: By,
    subject: String,
    thumbprint: Option<Thumbprint>,
}

impl SmtpLog {
    /// Begins a file.
    pub fn file(&mut self) {
        self.shown.files += 1;
        // A session that is cut by the end of a file goes on in the next one, but nobody waits for it for ever.
        if self.sessions.len() > MOST_SESSIONS {
            self.sessions.clear();
        }
    }

    /// Reads a line, without its end.
    pub fn line(&mut self, line: &str) {
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        self.shown.lines += 1;
        if self.read(line).is_none() {
            self.shown.unreadable += 1;
        }
    }

    /// A line that is longer than lines are.
    pub fn too_long(&mut self) {
        self.shown.lines += 1;
        self.shown.unreadable += 1;
    }

    /// What all lines said.
    pub fn finish(mut self) -> SmtpLogSummary {
        self.shown.certificates = self.certificates.into_values().collect();
        self.shown.failures = self.failures.into_values().collect();
        self.shown
    }

    /// Reads `date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context`.
    fn read(&mut self, line: &str) -> Option<()> {
        let mut rest = line;
        let mut field = || take_field(&mut rest);
        let at = field()?;
        let (connector, session, _, _, _) = (field()?, field()?, field()?, field()?, field()?);
        let (event, data, context) = (field()?, field()?, field().unwrap_or_default());
        // Most lines are not about certificates; only those that are, and the ends of sessions, pay for a parsed time.
        if self.shown.from.is_none() {
            self.at(at.parse().ok()?);
        }
        if event == "-" {
            self.sessions.remove(&session);
            self.at(at.parse().ok()?);
            return Some(());
        }
        if event != "*" {
            return Some(());
        }
        let at: Timestamp = at.parse().ok()?;
        self.at(at);
        self.information(&connector, session, &data, &context, at);
        Some(())
    }

    /// Notes the time of a line. Files come in the order of their names, which is not that of time everywhere.
    fn at(&mut self, at: Timestamp) {
        let SmtpLogSummary { from, to, .. } = &mut self.shown;
        *from = Some(from.map_or(at, |from| from.min(at)));
        *to = Some(to.map_or(at, |to| to.max(at)));
    }

    fn information(&mut self, connector: &str, session: String, data: &str, context: &str, at: Timestamp) {
        let by = |context: &str| if context.starts_with("Received") { By::Partner } else { By::Us };
        match context {
            "Sending certificate" | "Received certificate" => {
                let told = Told { by: by(context), subject: String::new(), thumbprint: None };
                // Servers of 2019 tell a received certificate without any further line outside X-ANONYMOUSTLS.
                self.session(session).telling = Some(told);
            }
            "Certificate subject" => {
                if let Some(told) = &mut self.session(session).telling {
                    data.clone_into(&mut told.subject);
                }
            }
            "Certificate thumbprint" => {
                if let Some(told) = self.session(session.clone()).telling.take() {
                    let thumbprint = data.parse().ok().or(told.thumbprint);
                    self.count(connector, session, told.by, thumbprint, &told.subject, None, at);
                }
            }
            _ if context.starts_with("Sending certificate Subject")
                || context.starts_with("Received certificate Subject") =>
            {
                let (subject, thumbprint, not_after) = one_line(data);
                self.count(connector, session, by(context), thumbprint, subject, not_after, at);
            }
            _ if context.starts_with("TLS protocol ") && context.contains(" negotiation succeeded") => {
                let key = self.sessions.get(&session).and_then(|session| session.last.clone());
                let counted = key.and_then(|key| self.certificates.get_mut(&key));
                if let (Some(counted), Some(version)) = (counted, version(context)) {
                    *counted.versions.entry(version).or_default() += 1;
                }
            }
            _ => {
                if let Some(error) = context.strip_prefix("TLS negotiation failed with error ") {
                    let error: String = error.chars().take(60).collect();
                    let entry = self.failures.entry((connector.to_owned(), error.clone()));
                    let failure = entry.or_insert_with(|| Failure {
                        connector: connector.to_owned(),
                        error,
                        sessions: 0,
                        last: None,
                    });
                    failure.sessions += 1;
                    failure.last = failure.last.max(Some(at));
                }
            }
        }
    }

    fn session(&mut self, id: String) -> &mut Session {
        if self.sessions.len() > MOST_SESSIONS {
            self.sessions.clear();
        }
        self.sessions.entry(id).or_default()
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of one line, used once each")]
    fn count(
        &mut self,
        connector: &str,
        session: String,
        by: By,
        thumbprint: Option<Thumbprint>,
        subject: &str,
        not_after: Option<Timestamp>,
        at: Timestamp,
    ) {
        let subject: String = subject.chars().take(300).collect();
        let named = if thumbprint.is_some() { String::new() } else { subject.clone() };
        let key = (connector.to_owned(), by, thumbprint, named);
        self.session(session).last = Some(key.clone());
        if self.certificates.len() >= MOST_CERTIFICATES && !self.certificates.contains_key(&key) {
            return;
        }
        let counted = self.certificates.entry(key).or_insert_with(|| ShownCertificate {
            connector: connector.to_owned(),
            by,
            thumbprint,
            subject,
            not_after,
            sessions: 0,
            expired_sessions: 0,
            versions: BTreeMap::new(),
            first: Some(at),
            last: None,
        });
        counted.sessions += 1;
        counted.expired_sessions += u64::from(not_after.is_some_and(|end| end < at));
        counted.first = counted.first.min(Some(at));
        counted.last = counted.last.max(Some(at));
    }
}

/// Takes the next field of a line with commas. A quoted one may hold commas, and quotes that are doubled.
fn take_field(rest: &mut &str) -> Option<String> {
    if rest.is_empty() {
        return None;
    }
    let Some(quoted) = rest.strip_prefix('"') else {
        let (field, after) = rest.split_once(',').unwrap_or((rest, ""));
        // A line that ends with a comma has an empty last field, which nobody asks for.
        let field = field.to_owned();
        *rest = after;
        return Some(field);
    };
    let mut field = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, char)) = characters.next() {
        if char != '"' {
            field.push(char);
        } else if quoted[at + 1..].starts_with('"') {
            field.push('"');
            characters.next();
        } else {
            let after = &quoted[at + 1..];
            *rest = after.strip_prefix(',').unwrap_or(after);
            return Some(field);
        }
    }
    *rest = "";
    Some(field)
}

/// ` Subject Issuer Serial Thumbprint NotBefore NotAfter Names`. Distinguished names hold blanks, so it is read from the
/// right (facts 13.2).
fn one_line(data: &str) -> (&str, Option<Thumbprint>, Option<Timestamp>) {
    let mut words = data.trim().rsplitn(6, ' ');
    let (_names, not_after, _, thumbprint, _serial) =
        (words.next(), words.next(), words.next(), words.next(), words.next());
    let subject = words.next().unwrap_or_default();
    (subject, thumbprint.and_then(|word| word.parse().ok()), not_after.and_then(|word| word.parse().ok()))
}

/// `SP_PROT_TLS1_2_SERVER` as `TLS 1.2`.
fn version(context: &str) -> Option<String> {
    let name = context.split(' ').find_map(|word| word.strip_prefix("SP_PROT_"))?;
    let name = name.trim_end_matches("_SERVER").trim_end_matches("_CLIENT");
    Some(match name.strip_prefix("TLS") {
        Some(number) => format!("TLS {}", number.replace('_', ".")),
        None => name.chars().take(20).collect(),
    })
}

/// More sessions than a server has at a time.
const MOST_SESSIONS: usize = 100_000;
/// More certificates than an organization and its partners have; the log of an attack has as many as it likes.
const MOST_CERTIFICATES: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    const T1: &str = "F544B0B7D0C7B3F0A1B2C3D4E5F60718293A3640";

    fn read(text: &str) -> SmtpLogSummary {
        let mut log = SmtpLog::default();
        log.file();
        text.lines().for_each(|line| log.line(line));
        log.finish()
    }

    #[test]
    fn both_shapes_and_failures() {
        let shown = read(&format!(
            "#Software: Microsoft Exchange Server\n\
             2023-01-11T15:59:51.433Z,SRV01\\Default Frontend SRV01,123453EC62278461,1,10.1.1.1:25,95.1.2.3:56026,>,\"220 SRV01 Microsoft ESMTP MAIL Service ready at Wed, 11 Jan 2023 16:59:51 +0100\",\n\
             2023-01-11T15:59:56.232Z,SRV01\\Default Frontend SRV01,123453EC62278461,6,10.1.1.1:25,95.1.2.3:56026,*,\" CN=mail.contoso.com, O=Contoso CN=Corp CA, O=Contoso 0A1B2C {T1} 2020-01-17T15:15:33.000Z 2022-01-17T15:15:33.000Z mail.contoso.com;autodiscover.contoso.com\",Sending certificate Subject Issuer name Serial number Thumbprint Not before Not after Subject alternate names\n\
             2023-01-11T16:00:01.010Z,SRV01\\Default Frontend SRV01,123453EC62278461,7,10.1.1.1:25,95.1.2.3:56026,*,,\"TLS protocol SP_PROT_TLS1_2_SERVER negotiation succeeded using bulk encryption algorithm CALG_AES_128\"\n\
             2023-01-11T16:00:02.010Z,SRV01\\Default Frontend SRV01,123453EC62278461,8,10.1.1.1:25,95.1.2.3:56026,-,,Remote\n\
             2023-01-11T16:00:03.000Z,Outbound,08D50D3D9730A8D2,15,10.1.1.1:25,95.1.2.3:25,*,,Sending certificate\n\
             2023-01-11T16:00:03.000Z,Outbound,08D50D3D9730A8D2,16,10.1.1.1:25,95.1.2.3:25,*,\"CN=*.contoso.com, O=Contoso\",Certificate subject\n\
             2023-01-11T16:00:03.000Z,Outbound,08D50D3D9730A8D2,19,10.1.1.1:25,95.1.2.3:25,*,{T1},Certificate thumbprint\n\
             2023-01-11T16:00:04.000Z,Outbound,08D50D3D9730A8D2,21,10.1.1.1:25,95.1.2.3:25,*,,TLS negotiation failed with error UnknownCredentials\n\
             not a line\n"
        ));
        assert_eq!((shown.files, shown.lines, shown.unreadable), (1, 9, 1));
        let [outbound, inbound] = shown.certificates.as_slice() else { panic!("{shown:#?}") };
        assert_eq!(outbound.subject, "CN=*.contoso.com, O=Contoso");
        assert_eq!(inbound.subject, "CN=mail.contoso.com, O=Contoso CN=Corp CA, O=Contoso");
        assert_eq!(inbound.thumbprint.unwrap().to_string(), T1);
        assert_eq!((inbound.sessions, inbound.expired_sessions), (1, 1));
        assert_eq!(inbound.versions, BTreeMap::from([("TLS 1.2".to_owned(), 1)]));
        assert_eq!(shown.failures[0].error, "UnknownCredentials");
        assert_eq!(shown.to.unwrap().to_string(), "2023-01-11T16:00:04Z");
    }

    #[test]
    fn fields_with_quotes_and_without_end() {
        for (text, fields) in [
            ("a,b", vec!["a", "b"]),
            ("\"a,\"\"b\"\"\",c", vec!["a,\"b\"", "c"]),
            ("\"open,c", vec!["open,c"]),
            (",,x", vec!["", "", "x"]),
        ] {
            let mut rest = text;
            let read: Vec<String> = std::iter::from_fn(|| take_field(&mut rest)).collect();
            assert_eq!(read, fields, "{text}");
        }
    }
}
