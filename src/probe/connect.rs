//! From `host:port` to a connection, in bounded time.

use crate::model::handshake::probe_error::{Phase, ProbeError};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs, UdpSocket},
    sync::mpsc,
    thread,
    time::Instant,
};

use super::deadline::{explain, left};

/// Connects to the first address of the name that takes the connection.
pub(super) fn connect(address: &str, ends: Instant) -> Result<TcpStream, ProbeError> {
    let mut addresses = lookup(address, ends)?;
    addresses.truncate(MOST_ADDRESSES);
    let mut last = ProbeError::UnknownHost { host: address.into(), why: "the name has no address".into() };
    for (tried, to) in addresses.iter().enumerate() {
        // Each address gets its share of the time, so that one that leads nowhere does not use up the others'.
        let share = left(ends).map(|left| left / u32::try_from(addresses.len() - tried).unwrap_or(1));
        let stream = share.and_then(|share| TcpStream::connect_timeout(to, share));
        match stream.and_then(|stream| stream.set_nodelay(true).map(|()| stream)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = refused(address, &error),
        }
    }
    Err(last)
}

/// The address of this computer from which a connection to `host:port` would come. Nothing is sent for it; address translation
/// on the way is not seen.
pub(super) fn from_here(address: &str, ends: Instant) -> Result<IpAddr, ProbeError> {
    let to = lookup(address, ends)?.into_iter().next();
    let to = to.ok_or_else(|| ProbeError::UnknownHost {
        host: address.into(),
        why: "the name has no address".into(),
    })?;
    let any = if to.is_ipv4() { IpAddr::from(Ipv4Addr::UNSPECIFIED) } else { Ipv6Addr::UNSPECIFIED.into() };
    let chosen = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect(to)?;
        socket.local_addr()
    });
    chosen.map(|chosen| chosen.ip()).map_err(|error| refused(address, &error))
}

/// The addresses of a name. The system's resolver knows no deadline, so it is left behind when it takes too long.
fn lookup(address: &str, ends: Instant) -> Result<Vec<SocketAddr>, ProbeError> {
    if let Ok(literal) = address.parse() {
        return Ok(vec![literal]);
    }
    let explained = |error: &io::Error| explain(error, Phase::Lookup);
    let time = left(ends).map_err(|error| explained(&error))?;
    let (send, receive) = mpsc::channel();
    let name = address.to_owned();
    let resolve = move || {
        // Nobody listens any more when it took too long.
        let _ = send.send(name.to_socket_addrs().map(|found| found.take(MOST_ADDRESSES).collect()));
    };
    thread::Builder::new().spawn(resolve).map_err(|error| explained(&error))?;
    match receive.recv_timeout(time) {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidInput => {
            Err(ProbeError::Local { why: format!("`{address}` is not host:port") })
        }
        Ok(Err(error)) => {
            let host = address.rsplit_once(':').map_or(address, |(host, _)| host).to_owned();
            let why = error.to_string();
            // The system's own words follow those of the standard library.
            let why = why.rsplit(": ").next().unwrap_or_default().to_owned();
            Err(ProbeError::UnknownHost { host, why })
        }
        Err(_) => Err(ProbeError::TimedOut { phase: Phase::Lookup }),
    }
}

fn refused(address: &str, error: &io::Error) -> ProbeError {
    let address = address.to_owned();
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ProbeError::Refused { address },
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => {
            ProbeError::NoRoute { address, why: error.to_string() }
        }
        _ => explain(error, Phase::Connect),
    }
}

/// Nobody has more addresses that are worth trying.
const MOST_ADDRESSES: usize = 8;
