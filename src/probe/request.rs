//! One request of HTTP/1.1 behind TLS (RFC 9112), without credentials, for pages that say whether a service is well.

use std::io::{self, ErrorKind, Read, Write};

use super::{handshake, handshake::Meeting, shown::shown};
use crate::{
    model::{
        endpoint::Protocol,
        handshake::probe_error::{Phase, ProbeError},
    },
    ports::{
        health::{Health, Page},
        prober::Target,
    },
};

/// Asks for the page and reads the answer.
pub(super) fn ask(meeting: Meeting, target: &Target, page: Page) -> Result<Health, ProbeError> {
    if target.protocol != Protocol::Https {
        return Err(ProbeError::Local { why: format!("{} has no pages", target.protocol.title()) });
    }
    let Meeting { mut connection, mut stream, served } = meeting;
    // The namespace, as clients say it: IIS and load balancers choose by it.
    let address = target.address.rsplit_once(':').map_or(target.address.as_str(), |(host, _)| host);
    let host = target.name.as_ref().map_or(address, |name| name.as_str());
    let request =
        format!("GET {page} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: certwright\r\nConnection: close\r\n\r\n");
    let mut tls = rustls::Stream::new(&mut connection, &mut stream);
    let answer = tls.write_all(request.as_bytes()).and_then(|()| Answer::read(&mut tls));
    let answer = answer.map_err(|error| handshake::fault(&error, stream.heard(), Phase::Request))?;
    let head = answer.head().ok_or_else(|| ProbeError::Violation {
        why: format!("it answers `{}` to a request of HTTP", shown(&answer.start())),
    })?;
    let says_ok = answer.body(&head).windows(6).any(|window| window == b"200 OK");
    let certificate = served.chain.first().map(crate::ports::prober::Sent::thumbprint);
    Ok(Health { certificate, status: head.status, front_end: head.front_end, says_ok })
}

/// What came, up to the end of the answer or to what is worth reading of it.
struct Answer(Vec<u8>);

struct Head {
    status: u16,
    front_end: Option<String>,
    length: Option<usize>,
    is_chunked: bool,
    ends: usize,
}

impl Answer {
    fn read(stream: &mut impl Read) -> io::Result<Self> {
        let mut answer = Self(Vec::new());
        let mut buffer = [0; 4096];
        while answer.0.len() < MOST_BYTES && !answer.is_complete() {
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => answer.0.extend(&buffer[..count]),
                // Who says nothing of the end of TLS has still said all that it wanted (Connection: close).
                Err(error) if error.kind() == ErrorKind::UnexpectedEof && !answer.0.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        if answer.0.is_empty() { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(answer) }
    }

    /// Whether the peer has nothing more to say. Some do not close the connection when they were asked to.
    fn is_complete(&self) -> bool {
        self.head().is_some_and(|head| {
            let body = &self.0[head.ends..];
            match head.length {
                _ if matches!(head.status, 204 | 304) => true,
                _ if head.is_chunked => body.ends_with(b"0\r\n\r\n"),
                Some(length) => body.len() >= length,
                None => false,
            }
        })
    }

    /// The status line and what matters of the fields. None until all of them are there, and when it is not HTTP.
    fn head(&self) -> Option<Head> {
        let ends = self.0.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let text = String::from_utf8_lossy(&self.0[..ends]);
        let mut lines = text.split("\r\n");
        let status = lines.next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
        let mut head = Head { status, front_end: None, length: None, is_chunked: false, ends };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "x-feserver" => head.front_end = Some(shown(value)),
                "content-length" => head.length = value.parse().ok(),
                "transfer-encoding" => head.is_chunked = value.to_ascii_lowercase().ends_with("chunked"),
                _ => {}
            }
        }
        Some(head)
    }

    /// The body as far as it came.
    fn body(&self, head: &Head) -> Vec<u8> {
        let body = &self.0[head.ends..];
        if head.is_chunked {
            return unchunked(body);
        }
        body[..head.length.unwrap_or(body.len()).min(body.len())].to_vec()
    }

    /// The first line.
    fn start(&self) -> String {
        String::from_utf8_lossy(&self.0).lines().next().unwrap_or_default().to_owned()
    }
}

/// The data of chunks (RFC 9112 section 7.1), as far as they came.
fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
        let size = String::from_utf8_lossy(&body[..end]);
        let size = size.split(';').next().unwrap_or_default().trim();
        let Ok(size @ 1..) = usize::from_str_radix(size, 16) else { break };
        let rest = &body[end + 2..];
        data.extend(&rest[..size.min(rest.len())]);
        body = rest.get(size.saturating_add(2)..).unwrap_or_default();
    }
    data
}

/// Health pages have a hundred bytes; sign-in pages have more, of which the start will do.
const MOST_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn health(answer: &[u8]) -> Option<(u16, bool, Option<String>)> {
        let answer = Answer::read(&mut &answer[..]).unwrap();
        let head = answer.head()?;
        let says_ok = answer.body(&head).windows(6).any(|window| window == b"200 OK");
        Some((head.status, says_ok, head.front_end))
    }

    #[test]
    fn answers_are_read_as_servers_write_them() {
        let ex01 = || Some("ex01.contoso.com".to_owned());
        for (what, answer, expected) in [
            (
                "a health page",
                "HTTP/1.1 200 OK\r\nX-FEServer: ex01.contoso.com\r\nContent-Length: 6\r\n\r\n200 OK",
                Some((200, true, ex01())),
            ),
            (
                "the words in the status line alone",
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                Some((200, false, None)),
            ),
            ("no length", "HTTP/1.0 200 OK\r\n\r\n200 OK<br/>EX01", Some((200, true, None))),
            (
                "chunks that cut the words",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n200\r\n3;a=b\r\n OK\r\n0\r\n\r\n",
                Some((200, true, None)),
            ),
            (
                "a chunk that says more than it has",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n200 OK",
                Some((200, true, None)),
            ),
            (
                "a redirection, its field in other letters",
                "HTTP/1.1 302 Found\r\nx-feserver: ex01.contoso.com\r\nLocation: /owa/\r\n\r\n",
                Some((302, false, ex01())),
            ),
            (
                "a length that is none",
                "HTTP/1.1 503 No\r\nContent-Length: x\r\n\r\n",
                Some((503, false, None)),
            ),
            ("no status", "HTTP/1.1 \r\n\r\n", None),
            ("another protocol", "220 mail ESMTP\r\n\r\n", None),
            ("half a head", "HTTP/1.1 200 OK\r\nServer: IIS", None),
        ] {
            assert_eq!(health(answer.as_bytes()), expected, "{what}");
        }
    }

    #[test]
    fn an_answer_without_end_is_not_read_to_its_end() {
        let mut endless = Read::chain(&b"HTTP/1.1 200 OK\r\nX: "[..], io::repeat(b'x'));
        let answer = Answer::read(&mut endless).unwrap();
        assert!(answer.0.len() < MOST_BYTES + 4096 && answer.head().is_none());
    }
}
