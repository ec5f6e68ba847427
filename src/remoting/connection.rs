//! One connection, plain or in TLS, and one request at a time on it.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    sync::Arc,
};

use rustls::{ClientConfig, ClientConnection, StreamOwned, pki_types::ServerName};

use super::{
    deadline::Deadline,
    endpoint::Endpoint,
    error::{ProtocolError, RemotingError},
    tls,
};
use crate::wire::wsman::http::{Response, ResponseReader};

/// A connection.
pub(super) struct Connection {
    host: String,
    stream: Stream,
    usable: bool,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Connection {
    pub(super) fn open(
        endpoint: &Endpoint,
        config: Option<&Arc<ClientConfig>>,
        deadline: Deadline,
    ) -> Result<Self, RemotingError> {
        let host = endpoint.host().to_owned();
        let (first, result) = match &endpoint.proxy {
            Some(proxy) => (proxy.to_string(), connect(proxy.host(), proxy.port(), None, deadline)),
            None => (host.clone(), connect(endpoint.host(), endpoint.port(), endpoint.connect_to, deadline)),
        };
        let mut socket = result.map_err(|source| RemotingError::Unreachable { host: first, source })?;
        if let Some(proxy) = &endpoint.proxy {
            proxy.connect(&mut socket, endpoint.host(), endpoint.port(), deadline)?;
        }
        let stream = match config {
            None => Stream::Plain(socket),
            Some(config) => Stream::Tls(Box::new(handshake(&host, Arc::clone(config), socket, deadline)?)),
        };
        Ok(Self { host, stream, usable: true })
    }

    /// What binds an authentication to this connection, in TLS.
    pub(super) fn binding(&self) -> Option<Vec<u8>> {
        let Stream::Tls(stream) = &self.stream else { return None };
        stream.conn.peer_certificates()?.first().map(tls::end_point_binding)
    }

    /// Whether another request can be sent: nothing has come meanwhile, least of all an end.
    pub(super) fn is_usable(&mut self) -> bool {
        let socket = self.socket();
        let quiet = socket.set_nonblocking(true).is_ok()
            && socket.peek(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        let blocking = socket.set_nonblocking(false).is_ok();
        self.usable && quiet && blocking
    }

    /// Whether the last answer left the connection open.
    pub(super) fn is_open(&self) -> bool {
        self.usable
    }

    /// Sends a request and returns the answer to it, whatever its status.
    pub(super) fn request(
        &mut self,
        head: &str,
        body: &[u8],
        most_body: usize,
        deadline: Deadline,
    ) -> Result<Response, RemotingError> {
        // Until the answer is whole, nobody can tell where the next one would begin.
        self.usable = false;
        let sent = self.send(&[head.as_bytes(), body], deadline);
        sent.map_err(|error| self.died(&error))?;
        let mut reader = ResponseReader::new(most_body);
        let mut buffer = vec![0; 64 * 1024];
        let response = loop {
            let count = match self.read(&mut buffer, deadline) {
                Ok(count) => count,
                // Many servers end without a word of TLS; whether the answer was whole, HTTP knows.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => 0,
                Err(error) => return Err(self.died(&error)),
            };
            if count == 0 {
                if reader.is_untouched() {
                    return Err(self.died(&ErrorKind::UnexpectedEof.into()));
                }
                break reader.end().map_err(|error| self.strange(error))?;
            }
            if let Some(response) = reader.take(&buffer[..count]).map_err(|error| self.strange(error))? {
                break response;
            }
        };
        self.usable = response.keeps_alive;
        Ok(response)
    }

    fn send(&mut self, parts: &[&[u8]], deadline: Deadline) -> io::Result<()> {
        for part in parts {
            let mut rest = *part;
            while !rest.is_empty() {
                let left = deadline.left().ok_or(ErrorKind::TimedOut)?;
                self.socket().set_write_timeout(Some(left))?;
                let count = match &mut self.stream {
                    Stream::Plain(socket) => socket.write(rest)?,
                    Stream::Tls(stream) => stream.write(rest)?,
                };
                if count == 0 {
                    return Err(ErrorKind::WriteZero.into());
                }
                rest = &rest[count..];
            }
        }
        match &mut self.stream {
            Stream::Plain(socket) => socket.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }

    fn read(&mut self, buffer: &mut [u8], deadline: Deadline) -> io::Result<usize> {
        let left = deadline.left().ok_or(ErrorKind::TimedOut)?;
        self.socket().set_read_timeout(Some(left))?;
        match &mut self.stream {
            Stream::Plain(socket) => socket.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }
    }

    fn socket(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => &stream.sock,
        }
    }

    fn died(&self, error: &io::Error) -> RemotingError {
        let host = self.host.clone();
        if is_timeout(error) {
            return RemotingError::DeadlineExceeded { host };
        }
        RemotingError::SessionDied { host, detail: format!("the connection broke ({error})") }
    }

    fn strange(&self, error: impl Into<ProtocolError>) -> RemotingError {
        RemotingError::Protocol { host: self.host.clone(), source: error.into() }
    }
}

/// Connects to the first address that takes it.
fn connect(host: &str, port: u16, at: Option<SocketAddr>, deadline: Deadline) -> io::Result<TcpStream> {
    let addresses: Vec<SocketAddr> = if let Some(address) = at {
        vec![address]
    } else {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (host, port).to_socket_addrs()?.collect()
    };
    let mut last = io::Error::new(ErrorKind::NotFound, "its name has no address");
    for address in addresses {
        let left = deadline.left().ok_or(ErrorKind::TimedOut)?;
        match TcpStream::connect_timeout(&address, left) {
            Ok(socket) => {
                // Requests are small and wait for answers; nothing is gained by waiting for more to send.
                socket.set_nodelay(true)?;
                return Ok(socket);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn handshake(
    host: &str,
    config: Arc<ClientConfig>,
    mut socket: TcpStream,
    deadline: Deadline,
) -> Result<StreamOwned<ClientConnection, TcpStream>, RemotingError> {
    let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(name).map_err(|error| RemotingError::Tls(error.to_string()))?;
    let connection = ClientConnection::new(config, name);
    let mut connection = connection.map_err(|error| RemotingError::Tls(error.to_string()))?;
    while connection.is_handshaking() {
        let step = deadline
            .left()
            .ok_or_else(|| ErrorKind::TimedOut.into())
            .and_then(|left| socket.set_read_timeout(Some(left)).map(|()| left))
            .and_then(|left| socket.set_write_timeout(Some(left)))
            .and_then(|()| turn(&mut connection, &mut socket));
        if let Err(error) = step {
            return Err(handshake_error(host, error));
        }
    }
    Ok(StreamOwned::new(connection, socket))
}

/// Writes what there is to write, else reads once: `complete_io` would read on without looking at the clock.
fn turn(connection: &mut ClientConnection, socket: &mut TcpStream) -> io::Result<()> {
    if connection.wants_write() {
        return connection.write_tls(socket).map(drop);
    }
    if connection.read_tls(socket)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let processed = connection.process_new_packets();
    processed.map(drop).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

fn handshake_error(host: &str, error: io::Error) -> RemotingError {
    let host = host.to_owned();
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(tls @ rustls::Error::InvalidCertificate(_)) => {
            RemotingError::TlsUntrusted { host, source: tls.clone() }
        }
        // The system has its own words for a clock that has run out.
        None if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            let source =
                io::Error::new(ErrorKind::TimedOut, "the TLS handshake did not come to its end in time");
            RemotingError::Unreachable { host, source }
        }
        Some(_) | None => RemotingError::Unreachable { host, source: error },
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}
