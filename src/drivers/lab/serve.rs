//! The lab's endpoints on loopback: each serves what the service behind it has loaded, read anew for every connection,
//! so that a change is seen exactly when Exchange would show it.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    directory::{Addresses, Directory},
    files::{self, LabError},
    pickup, tls,
};
use crate::{
    exchange::binding_points::{binding_points, edge_directory, endpoints},
    model::{endpoint::Endpoint, names::ServerName, server::Server, time::Timestamp},
};

/// Listening sockets that serve until the value is dropped.
pub struct Serving {
    directory: Directory,
    now: Timestamp,
    stop: Arc<AtomicBool>,
    listening: Mutex<BTreeMap<(ServerName, Endpoint), Listening>>,
}

struct Listening {
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

/// Every endpoint of a lab, announced to other processes. They see it until the value is dropped or the process ends.
pub struct Announced {
    serving: Serving,
    directory: Directory,
    addresses: Addresses,
    _lock: File,
}

impl Serving {
    /// Serves nothing yet; endpoints are opened as they are asked for.
    pub(super) fn new(directory: &Directory, now: Timestamp) -> Self {
        Self { directory: directory.clone(), now, stop: Arc::default(), listening: Mutex::default() }
    }

    /// Where an endpoint listens, from now on if it did not before. None when the server has no such endpoint.
    pub(super) fn open(&self, name: &ServerName, endpoint: Endpoint) -> Result<Option<SocketAddr>, LabError> {
        let mut listening = self.listening.lock().expect("no panic holds it");
        if let Some(listening) = listening.get(&(name.clone(), endpoint)) {
            return Ok(Some(listening.address));
        }
        let mut server = self.directory.server(name)?.server;
        met_from_here(&mut server);
        if !offered(&server).contains(&endpoint) {
            return Ok(None);
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(LabError::Listen)?;
        let address = listener.local_addr().map_err(LabError::Listen)?;
        let door = Door { directory: self.directory.clone(), server: name.clone(), endpoint, now: self.now };
        let stop = Arc::clone(&self.stop);
        let thread = Some(thread::spawn(move || accept(&listener, &door, &stop)));
        listening.insert((name.clone(), endpoint), Listening { address, thread });
        Ok(Some(address))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let listening = self.listening.get_mut().map(std::mem::take).unwrap_or_default();
        for Listening { address, thread } in listening.into_values() {
            // A connection of our own wakes the thread that waits for one, and it sees that it has to stop.
            drop(TcpStream::connect_timeout(&address, Duration::from_secs(1)));
            if let Some(thread) = thread {
                let _ = thread.join();
            }
        }
    }
}

/// Opens every endpoint of the lab and announces them.
pub(super) fn announce(directory: &Directory, now: Timestamp) -> Result<Announced, LabError> {
    let path = directory.serving_lock();
    let write = |error| LabError::Write(path.clone(), error);
    let lock = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(write)?;
    lock.try_lock().map_err(|_| LabError::AlreadyServed)?;
    let serving = Serving::new(directory, now);
    let mut addresses = Addresses::new();
    for name in directory.server_names()? {
        let mut server = directory.server(&name)?.server;
        met_from_here(&mut server);
        for endpoint in offered(&server) {
            if let Some(address) = serving.open(&name, endpoint)? {
                addresses.entry(name.clone()).or_default().insert(endpoint, address);
            }
        }
    }
    files::write_json(&directory.serving_file(), &addresses)?;
    Ok(Announced { serving, directory: directory.clone(), addresses, _lock: lock })
}

impl Announced {
    /// Where everything listens.
    pub fn addresses(&self) -> &BTreeMap<ServerName, BTreeMap<Endpoint, SocketAddr>> {
        &self.addresses
    }

    /// How many sockets listen.
    pub fn count(&self) -> usize {
        self.serving.listening.lock().map_or(0, |listening| listening.len())
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        // Whoever reads it later sees by the lock that nobody serves; the file is only cleared away for tidiness.
        let _ = std::fs::remove_file(self.directory.serving_file());
    }
}

/// Handshakes with the lab's servers come from loopback, which a receive connector may be for.
pub(super) fn met_from_here(server: &mut Server) {
    server.met_from = server.tells_clients_apart().then_some(IpAddr::V4(Ipv4Addr::LOCALHOST));
}

/// The endpoints that a server has.
fn offered(server: &Server) -> Vec<Endpoint> {
    let mut offered: Vec<Endpoint> =
        binding_points(server).iter().flat_map(|presenter| endpoints(server, presenter)).collect();
    offered.extend(edge_directory(server));
    offered.sort_unstable();
    offered.dedup();
    offered
}

/// What a connection needs to know.
struct Door {
    directory: Directory,
    server: ServerName,
    endpoint: Endpoint,
    now: Timestamp,
}

fn accept(listener: &TcpListener, door: &Door, stop: &AtomicBool) {
    thread::scope(|scope| {
        while let Ok((stream, _)) = listener.accept() {
            if stop.load(Ordering::SeqCst) {
                return;
            }
            scope.spawn(|| answer(stream, door));
        }
    });
}

/// Talks to one client. Whatever goes wrong is the client's to see, as on a real server; nobody else is concerned.
fn answer(stream: TcpStream, door: &Door) {
    let bounded =
        stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
    if bounded.is_err() {
        return;
    }
    let identity = |name: Option<&str>| door.identity(name).ok().flatten();
    let _ = tls::talk(stream, door.endpoint.protocol, &door.fqdn(), &identity);
}

impl Door {
    /// The certificate and key that the service behind the endpoint serves at this moment to a client that asks for this
    /// name.
    fn identity(&self, name: Option<&str>) -> Result<Option<tls::Identity>, LabError> {
        let organization = self.directory.organization()?;
        let mut state = self.directory.server(&self.server)?;
        met_from_here(&mut state.server);
        let Some(presenter) = pickup::presenter_of(&state.server, self.endpoint, name) else {
            return Ok(None);
        };
        let now = organization.clock.unwrap_or(self.now);
        let Some(thumbprint) = state.loaded.served(&state.server, &presenter, organization.transport, now)
        else {
            return Ok(None);
        };
        let Some(stored) = state.server.certificate(thumbprint) else { return Ok(None) };
        let key = self.directory.key(&self.server, thumbprint)?;
        let above = self.directory.chain_above(&self.server, &stored.certificate)?;
        let chain = std::iter::once(stored.certificate.der.clone()).chain(above).collect();
        Ok(Some(tls::Identity { chain, key }))
    }

    fn fqdn(&self) -> String {
        let server = self.directory.server(&self.server).ok();
        let fqdn = server.and_then(|state| state.server.fqdn.known().map(ToString::to_string));
        fqdn.unwrap_or_else(|| self.server.to_string())
    }
}

/// Longer than any client of a test takes for one line.
const PATIENCE: Duration = Duration::from_secs(10);
