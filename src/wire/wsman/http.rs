//! HTTP/1.1 as a client of one connection needs it: the bytes of a request, and responses out of bytes, with bounds.
//! Kerberos authenticates a connection, so that a library that keeps several would be wrong here.

use std::fmt::Write;

use zeroize::Zeroizing;

/// A response.
#[derive(Debug)]
pub struct Response {
    /// The status, like 200.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the connection can be used again.
    pub keeps_alive: bool,
}

/// What is no response, or none that we take.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpError {
    /// Something else than HTTP.
    #[error("the answer is not HTTP/1.1")]
    NotHttp,
    /// Headers that never end.
    #[error("the headers of the answer have more than {0} bytes, or there are too many")]
    HeadersTooLarge(usize),
    /// A body beyond the bound.
    #[error("the answer has more than {0} bytes")]
    BodyTooLarge(usize),
    /// A body of which the end cannot be told.
    #[error("the end of the answer cannot be told: {0}")]
    Framing(&'static str),
    /// A body that is compressed, although nobody asked for that.
    #[error("the answer is compressed, which it was asked not to be")]
    Compressed,
    /// Bytes that belong to no request.
    #[error("there is more than the answer to the request")]
    TooMuch,
    /// The connection ended first.
    #[error("the connection ended in the middle of the answer")]
    Truncated,
}

impl Response {
    /// All values of a header, in their order.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
        let same = move |(have, _): &&(String, String)| have.eq_ignore_ascii_case(name);
        self.headers.iter().filter(same).map(|(_, value)| value.as_str())
    }

    /// The only value of a header.
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let mut values = self.headers(name);
        values.next().filter(|_| values.next().is_none())
    }
}

/// The head of a `POST`; the body of `length` bytes follows it. Header values have no line ends: whoever calls this
/// sees to that.
pub fn post(target: &str, host: &str, headers: &[(&str, &str)], length: usize) -> String {
    let mut head = format!("POST {target} HTTP/1.1\r\nHost: {host}\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").expect("a String takes everything");
    }
    // IIS compresses what it may, and Exchange's IIS does.
    let rest = "User-Agent: certwright\r\nAccept-Encoding: identity\r\nConnection: Keep-Alive\r\n";
    write!(head, "{rest}Content-Length: {length}\r\n\r\n").expect("a String takes everything");
    head
}

/// The head of a `CONNECT` to a host and port, with what a proxy wants to see of us. There is no body.
pub fn connect(target: &str, authorization: Option<&str>) -> Zeroizing<String> {
    let login = authorization.map(|login| format!("Proxy-Authorization: {login}\r\n")).unwrap_or_default();
    let login = Zeroizing::new(login);
    Zeroizing::new(format!(
        "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: certwright\r\n{}\r\n",
        login.as_str()
    ))
}

/// The status of a proxy's answer to `CONNECT`, when its head is whole. What follows a good one is the other side's, which
/// does not speak first in TLS.
pub fn connected(bytes: &[u8]) -> Result<Option<u16>, HttpError> {
    match read_head(bytes)? {
        None => Ok(None),
        Some((Head { status: 200..=299, .. }, length)) if length < bytes.len() => Err(HttpError::TooMuch),
        Some((Head { status, .. }, _)) => Ok(Some(status)),
    }
}

/// Reads one response.
#[derive(Debug)]
pub struct ResponseReader {
    most_body: usize,
    interim: usize,
    buffer: Vec<u8>,
    head: Option<Head>,
    body: Vec<u8>,
}

#[derive(Debug)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
    framing: Framing,
    keeps_alive: bool,
}

#[derive(Clone, Copy, Debug)]
enum Framing {
    Length(usize),
    Chunked,
    UntilTheEnd,
}

impl ResponseReader {
    /// A reader of a response with at most so many bytes of body.
    pub fn new(most_body: usize) -> Self {
        Self { most_body, interim: 0, buffer: Vec::new(), head: None, body: Vec::new() }
    }

    /// Takes bytes; returns the response when it is whole.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Option<Response>, HttpError> {
        self.buffer.extend_from_slice(bytes);
        while self.head.is_none() {
            let Some((head, length)) = read_head(&self.buffer)? else { return Ok(None) };
            self.buffer.drain(..length);
            // Interim answers like 100 come before the one that counts.
            match head.status {
                100..200 if self.interim < MOST_INTERIM => self.interim += 1,
                100..200 => return Err(HttpError::Framing("it is put off again and again")),
                _ => self.head = Some(head),
            }
        }
        let framing = self.head.as_ref().expect("there is one now").framing;
        let whole = match framing {
            Framing::Length(length) => {
                if length > self.most_body {
                    return Err(HttpError::BodyTooLarge(self.most_body));
                }
                self.move_to_body(self.buffer.len().min(length - self.body.len()))?;
                self.body.len() == length
            }
            Framing::Chunked => self.chunks()?,
            Framing::UntilTheEnd => {
                self.move_to_body(self.buffer.len())?;
                false
            }
        };
        if whole { self.finish().map(Some) } else { Ok(None) }
    }

    /// The connection has ended.
    pub fn end(mut self) -> Result<Response, HttpError> {
        match &self.head {
            Some(Head { framing: Framing::UntilTheEnd, .. }) => self.finish(),
            Some(_) | None => Err(HttpError::Truncated),
        }
    }

    /// Whether not a single byte has come.
    pub fn is_untouched(&self) -> bool {
        self.buffer.is_empty() && self.head.is_none()
    }

    fn finish(&mut self) -> Result<Response, HttpError> {
        if !self.buffer.is_empty() {
            return Err(HttpError::TooMuch);
        }
        let Head { status, headers, framing: _, keeps_alive } = self.head.take().expect("a head was read");
        Ok(Response { status, headers, body: std::mem::take(&mut self.body), keeps_alive })
    }

    fn move_to_body(&mut self, count: usize) -> Result<(), HttpError> {
        if count > self.most_body - self.body.len() {
            return Err(HttpError::BodyTooLarge(self.most_body));
        }
        self.body.extend(self.buffer.drain(..count));
        Ok(())
    }

    /// Moves whole chunks to the body. Whether the last one was among them.
    fn chunks(&mut self) -> Result<bool, HttpError> {
        loop {
            let parsed = httparse::parse_chunk_size(&self.buffer);
            let parsed = parsed.map_err(|_| HttpError::Framing("a chunk has no size"))?;
            let httparse::Status::Complete((start, size)) = parsed else {
                return if self.buffer.len() > LONGEST_CHUNK_LINE {
                    Err(HttpError::Framing("a chunk has no size"))
                } else {
                    Ok(false)
                };
            };
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            if size > self.most_body - self.body.len() {
                return Err(HttpError::BodyTooLarge(self.most_body));
            }
            let end = start + size;
            if self.buffer.len() < end + 2 {
                return Ok(false);
            }
            // Trailers are allowed after the last chunk; WS-Management has none, and they could hide an answer.
            if &self.buffer[end..end + 2] != b"\r\n" {
                return Err(HttpError::Framing("a chunk does not end where it should"));
            }
            self.body.extend_from_slice(&self.buffer[start..end]);
            self.buffer.drain(..end + 2);
            if size == 0 {
                return Ok(true);
            }
        }
    }
}

/// The head at the start of the bytes, and how long it is.
fn read_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, HttpError> {
    let mut slots = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut slots);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length <= LONGEST_HEAD => length,
        Ok(httparse::Status::Partial) if bytes.len() <= LONGEST_HEAD => return Ok(None),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(HttpError::HeadersTooLarge(LONGEST_HEAD)),
        Err(_) => return Err(HttpError::NotHttp),
    };
    let status = response.code.ok_or(HttpError::NotHttp)?;
    let header = |header: &httparse::Header<'_>| {
        let value = String::from_utf8_lossy(header.value).trim().to_owned();
        (header.name.to_owned(), value)
    };
    let headers: Vec<_> = response.headers.iter().map(header).collect();
    let values = |name: &str| {
        let same = headers.iter().filter(|(have, _)| have.eq_ignore_ascii_case(name));
        same.map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    if values("Content-Encoding").iter().any(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(HttpError::Compressed);
    }
    let framing = framing(status, &values("Transfer-Encoding"), &values("Content-Length"))?;
    let closes = values("Connection").iter().any(|value| value.eq_ignore_ascii_case("close"));
    let keeps_alive = response.version == Some(1) && !closes && !matches!(framing, Framing::UntilTheEnd);
    Ok(Some((Head { status, headers, framing, keeps_alive }, length)))
}

/// RFC 9112 section 6.3, where it is doubtful an error.
fn framing(status: u16, encodings: &[String], lengths: &[String]) -> Result<Framing, HttpError> {
    match (encodings, lengths) {
        _ if matches!(status, 100..200 | 204 | 304) => Ok(Framing::Length(0)),
        ([], []) => Ok(Framing::UntilTheEnd),
        ([], [length]) => {
            let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
            let length = length.parse().ok().filter(|_| digits);
            length.map(Framing::Length).ok_or(HttpError::Framing("its length is no number"))
        }
        ([encoding], []) if encoding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        (_, []) => Err(HttpError::Framing("it has an unknown transfer encoding")),
        (_, _) => Err(HttpError::Framing("it says its length more than once")),
    }
}

const MOST_INTERIM: usize = 8;
const LONGEST_HEAD: usize = 64 * 1024;
const MOST_HEADERS: usize = 100;
const LONGEST_CHUNK_LINE: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, step: usize) -> Result<Response, HttpError> {
        let mut reader = ResponseReader::new(20);
        for piece in text.as_bytes().chunks(step) {
            if let Some(response) = reader.take(piece)? {
                return Ok(response);
            }
        }
        reader.end()
    }

    #[test]
    fn responses_are_read_however_they_come() {
        for (text, status, body, keeps_alive) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true),
            ("HTTP/1.1 401 \r\ncontent-length: 0\r\nConnection: close\r\n\r\n", 401, "", false),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n",
                200,
                "hello",
                true,
            ),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 Oops\r\nContent-Length: 1\r\n\r\nx", 500, "x", true),
            ("HTTP/1.1 204 No Content\r\n\r\n", 204, "", true),
            ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x", false),
            ("HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, "until the end", false),
        ] {
            for step in [1, 7, 1000] {
                let response = read(text, step).unwrap_or_else(|error| panic!("{text}: {error}"));
                assert_eq!((response.status, &response.body[..]), (status, body.as_bytes()), "{text}");
                assert_eq!(response.keeps_alive, keeps_alive, "{text}");
            }
        }
    }

    #[test]
    fn a_way_through_a_proxy_is_asked_for() {
        let head = connect("hooks.example.com:443", Some("Basic bWU6cDp3"));
        assert_eq!(
            head.as_str(),
            "CONNECT hooks.example.com:443 HTTP/1.1\r\nHost: hooks.example.com:443\r\nUser-Agent: certwright\r\n\
             Proxy-Authorization: Basic bWU6cDp3\r\n\r\n"
        );
        for (answer, status) in [
            ("HTTP/1.1 200 Connection established\r\n\r\n", Ok(Some(200))),
            ("HTTP/1.0 200 OK\r\nVia: x\r\n\r\n", Ok(Some(200))),
            ("HTTP/1.1 407 Who?\r\nContent-Length: 4\r\n\r\nno!\n", Ok(Some(407))),
            ("HTTP/1.1 200 Connection estab", Ok(None)),
            ("HTTP/1.1 200 OK\r\n\r\n\x16\x03", Err(HttpError::TooMuch)),
            ("220 mail.contoso.com\r\n", Err(HttpError::NotHttp)),
        ] {
            assert_eq!(connected(answer.as_bytes()), status, "{answer}");
        }
    }

    #[test]
    fn doubtful_responses_are_refused() {
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(70_000));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(101));
        for (text, error) in [
            ("SSH-2.0-OpenSSH_9.2\r\n", HttpError::NotHttp),
            ("HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n", HttpError::BodyTooLarge(20)),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", HttpError::Framing("its length is no number")),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                HttpError::Framing("it says its length more than once"),
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                HttpError::Framing("it says its length more than once"),
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                HttpError::Framing("it has an unknown transfer encoding"),
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                HttpError::Framing("a chunk has no size"),
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                HttpError::BodyTooLarge(20),
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz",
                HttpError::Framing("a chunk does not end where it should"),
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
                HttpError::Compressed,
            ),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy", HttpError::TooMuch),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx", HttpError::Truncated),
            ("HTTP/1.1 200 OK\r\n\r\nuntil the end, which is far", HttpError::BodyTooLarge(20)),
            (&endless, HttpError::HeadersTooLarge(LONGEST_HEAD)),
            (&many, HttpError::HeadersTooLarge(LONGEST_HEAD)),
        ] {
            assert_eq!(read(text, 10_000).unwrap_err(), error, "{text}");
        }
    }
}
