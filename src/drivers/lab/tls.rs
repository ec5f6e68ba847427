//! The conversations of the lab's endpoints: enough of HTTP, SMTP, POP3 and IMAP4 for any client to reach TLS, and a
//! word to say behind it.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::Arc,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::Acceptor,
};

use crate::model::{certificate::Der, endpoint::Protocol, secret::Secret};

/// What an endpoint proves itself with.
pub(super) struct Identity {
    /// The certificate, and the CAs above it.
    pub(super) chain: Vec<Der>,
    pub(super) key: Secret,
}

/// Talks to one client until it leaves. `identity` finds what the endpoint proves itself with to a client that asks for a
/// name (SNI), or for none.
pub(super) fn talk(
    mut stream: TcpStream,
    protocol: Protocol,
    fqdn: &str,
    identity: &dyn Fn(Option<&str>) -> Option<Identity>,
) -> Result<(), Box<dyn std::error::Error>> {
    let begins = protocol.is_implicit()
        || dialogue(&mut stream, protocol, fqdn, identity(None).is_some())? == After::StartTls;
    if begins && let Some(mut encrypted) = handshake(stream, identity)? {
        serve(&mut encrypted, protocol, fqdn)?;
    }
    Ok(())
}

/// How a conversation in the clear ended.
#[derive(PartialEq, Eq)]
enum After {
    StartTls,
    Goodbye,
}

type Encrypted = StreamOwned<ServerConnection, TcpStream>;

/// None when there is no certificate for the client: http.sys and the services drop the connection then.
fn handshake(
    mut stream: TcpStream,
    identity: &dyn Fn(Option<&str>) -> Option<Identity>,
) -> Result<Option<Encrypted>, Box<dyn std::error::Error>> {
    let mut acceptor = Acceptor::default();
    let hello = loop {
        if acceptor.read_tls(&mut stream)? == 0 {
            return Ok(None);
        }
        match acceptor.accept() {
            Ok(Some(hello)) => break hello,
            Ok(None) => {}
            Err((error, mut alert)) => {
                alert.write_all(&mut stream)?;
                return Err(error.into());
            }
        }
    };
    let Some(identity) = identity(hello.client_hello().server_name()) else { return Ok(None) };
    let chain = identity.chain.into_iter().map(|der| CertificateDer::from(der.0)).collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key.expose().to_vec()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    let connection = match hello.into_connection(Arc::new(config)) {
        Ok(connection) => connection,
        Err((error, mut alert)) => {
            alert.write_all(&mut stream)?;
            return Err(error.into());
        }
    };
    let mut stream = StreamOwned::new(connection, stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(Some(stream))
}

/// What is said behind TLS.
fn serve(stream: &mut Encrypted, protocol: Protocol, fqdn: &str) -> Result<(), Box<dyn std::error::Error>> {
    match protocol {
        Protocol::Https => {
            http(stream, fqdn)?;
        }
        // A banner only where none was said in the clear.
        Protocol::Smtps | Protocol::Pops | Protocol::Imaps => {
            dialogue(stream, protocol, fqdn, false)?;
        }
        Protocol::Smtp | Protocol::SmtpAnonymousTls | Protocol::Pop | Protocol::Imap => {
            converse(stream, protocol, fqdn, false)?;
        }
        Protocol::Ldaps => {}
    }
    stream.conn.send_close_notify();
    stream.flush()?;
    Ok(())
}

/// One request, and the page of Managed Availability for those that ask for it (facts 11.3).
fn http(stream: &mut Encrypted, fqdn: &str) -> io::Result<()> {
    let request = line(stream)?.unwrap_or_default();
    while line(stream)?.is_some_and(|line| !line.is_empty()) {}
    let path = request.split(' ').nth(1).unwrap_or("/");
    let healthy = path.ends_with("/healthcheck.htm");
    let (status, body) =
        if healthy { ("200 OK", format!("200 OK<br/>{fqdn}")) } else { ("401 Unauthorized", String::new()) };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nServer: Microsoft-IIS/10.0\r\nX-FEServer: {fqdn}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )?;
    stream.flush()
}

fn dialogue(
    stream: &mut (impl Read + Write),
    protocol: Protocol,
    fqdn: &str,
    offers_tls: bool,
) -> io::Result<After> {
    let banner = match protocol {
        Protocol::Smtp | Protocol::SmtpAnonymousTls | Protocol::Smtps => {
            format!("220 {fqdn} Microsoft ESMTP MAIL Service ready\r\n")
        }
        Protocol::Pop | Protocol::Pops => "+OK The Microsoft Exchange POP3 service is ready.\r\n".into(),
        Protocol::Imap | Protocol::Imaps => "* OK The Microsoft Exchange IMAP4 service is ready.\r\n".into(),
        Protocol::Https | Protocol::Ldaps => String::new(),
    };
    stream.write_all(banner.as_bytes())?;
    stream.flush()?;
    converse(stream, protocol, fqdn, offers_tls)
}

fn converse(
    stream: &mut (impl Read + Write),
    protocol: Protocol,
    fqdn: &str,
    offers_tls: bool,
) -> io::Result<After> {
    let mut in_message = false;
    for _ in 0..LONGEST_CONVERSATION {
        let Some(line) = line(stream)? else { break };
        if in_message && line != "." {
            continue;
        }
        in_message = false;
        let (answer, after) = match protocol {
            Protocol::Pop | Protocol::Pops => pop(&line, offers_tls),
            Protocol::Imap | Protocol::Imaps => imap(&line, offers_tls),
            Protocol::Smtp
            | Protocol::SmtpAnonymousTls
            | Protocol::Smtps
            | Protocol::Https
            | Protocol::Ldaps => smtp(&line, protocol, fqdn, offers_tls),
        };
        in_message |= answer.starts_with("354");
        stream.write_all(answer.as_bytes())?;
        stream.flush()?;
        if let Some(after) = after {
            return Ok(after);
        }
    }
    Ok(After::Goodbye)
}

/// STARTTLS and X-ANONYMOUSTLS are listed only when there is a certificate for them (facts 5, 13.2). The two endpoints of
/// one port are two sockets here; each offers its own.
fn smtp(line: &str, protocol: Protocol, fqdn: &str, offers_tls: bool) -> (String, Option<After>) {
    let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
    let start = if protocol == Protocol::SmtpAnonymousTls { "X-ANONYMOUSTLS" } else { "STARTTLS" };
    match verb.as_str() {
        "EHLO" => {
            let offer = if offers_tls { format!("250-{start}\r\n") } else { String::new() };
            (format!("250-{fqdn} Hello [127.0.0.1]\r\n250-SIZE 37748736\r\n{offer}250 8BITMIME\r\n"), None)
        }
        "HELO" => (format!("250 {fqdn} Hello\r\n"), None),
        "MAIL" => ("250 2.1.0 Sender OK\r\n".into(), None),
        // A name that nobody can have accepts no mail (RFC 2606).
        "RCPT" if line.trim_end_matches('>').ends_with(".invalid") => {
            ("550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain\r\n".into(), None)
        }
        "RCPT" => ("250 2.1.5 Recipient OK\r\n".into(), None),
        "DATA" => ("354 Start mail input; end with <CRLF>.<CRLF>\r\n".into(), None),
        "." => (format!("250 2.6.0 [InternalId=1, Hostname={fqdn}] Queued mail for delivery\r\n"), None),
        "NOOP" | "RSET" => ("250 2.0.0 OK\r\n".into(), None),
        "QUIT" => ("221 2.0.0 Service closing transmission channel\r\n".into(), Some(After::Goodbye)),
        verb if verb == start && offers_tls => {
            ("220 2.0.0 SMTP server ready\r\n".into(), Some(After::StartTls))
        }
        _ => ("500 5.3.3 Unrecognized command\r\n".into(), None),
    }
}

fn pop(line: &str, offers_tls: bool) -> (String, Option<After>) {
    match line.to_ascii_uppercase().as_str() {
        "CAPA" => {
            let offer = if offers_tls { "STLS\r\n" } else { "" };
            (format!("+OK\r\nTOP\r\nUIDL\r\n{offer}.\r\n"), None)
        }
        "STLS" if offers_tls => ("+OK Begin TLS negotiation.\r\n".into(), Some(After::StartTls)),
        "QUIT" => ("+OK Microsoft Exchange Server POP3 server signing off.\r\n".into(), Some(After::Goodbye)),
        _ => ("-ERR Protocol error. Invalid command.\r\n".into(), None),
    }
}

fn imap(line: &str, offers_tls: bool) -> (String, Option<After>) {
    let (tag, command) = line.split_once(' ').unwrap_or(("*", line));
    match command.to_ascii_uppercase().as_str() {
        "CAPABILITY" => {
            let offer = if offers_tls { " STARTTLS" } else { "" };
            (
                format!(
                    "* CAPABILITY IMAP4 IMAP4rev1{offer} LOGINDISABLED\r\n{tag} OK CAPABILITY completed.\r\n"
                ),
                None,
            )
        }
        "STARTTLS" if offers_tls => {
            (format!("{tag} OK Begin TLS negotiation now.\r\n"), Some(After::StartTls))
        }
        "LOGOUT" => (format!("* BYE signing off.\r\n{tag} OK LOGOUT completed.\r\n"), Some(After::Goodbye)),
        _ => (format!("{tag} BAD Command Error.\r\n"), None),
    }
}

/// One line without its end; none at the end of the stream.
fn line(stream: &mut impl Read) -> io::Result<Option<String>> {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while bytes.len() < LONGEST_LINE {
        match stream.read(&mut byte)? {
            0 if bytes.is_empty() => return Ok(None),
            0 => break,
            _ if byte[0] == b'\n' => break,
            _ => bytes.push(byte[0]),
        }
    }
    Ok(Some(String::from_utf8_lossy(&bytes).trim_end_matches('\r').to_owned()))
}

const LONGEST_CONVERSATION: usize = 100;
const LONGEST_LINE: usize = 1000;
