//! The lab's load balancers: a file with certificate and key for each, served on loopback as clients meet it.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    directory::Directory,
    files::{self, LabError},
    tls,
};
use crate::{
    durable,
    model::{
        bundle::Bundle,
        certificate::Certificate,
        endpoint::Endpoint,
        names::{BalancerName, ServerName},
        secret::Secret,
        shown::ShowPath,
    },
    pki::pem_bundle,
    ports::{
        BoxError, FoundDrained,
        balancer::{Balancer, BalancerError},
    },
};

/// A load balancer of the lab. Its endpoints listen from the first time that somebody asks where they are.
pub struct LabBalancer {
    file: PathBuf,
    stop: Arc<AtomicBool>,
    listening: Mutex<BTreeMap<Endpoint, (SocketAddr, JoinHandle<()>)>>,
}

impl LabBalancer {
    /// The load balancer of this name in the lab of this directory.
    pub fn new(directory: &Directory, name: &BalancerName) -> Self {
        Self { file: directory.balancer_file(name), stop: Arc::default(), listening: Mutex::default() }
    }

    fn bundle(&self) -> Result<Option<Bundle>, BalancerError> {
        let failed = |error: BoxError| BalancerError::failed(format!("reading {}", self.file.shown()), error);
        if !self.file.exists() {
            return Ok(None);
        }
        let text = durable::read(&self.file).map(Secret::new).map_err(|error| failed(error.into()))?;
        pem_bundle::read(&text, &text).map(Some).map_err(|error| failed(error.into()))
    }

    /// The file that is there while a server is sent no clients.
    fn out_file(&self, server: &ServerName) -> PathBuf {
        self.file.with_extension(format!("without-{server}"))
    }

    fn listen(&self, endpoint: Endpoint) -> Result<SocketAddr, LabError> {
        let mut listening = self.listening.lock().expect("no panic holds it");
        if let Some((address, _)) = listening.get(&endpoint) {
            return Ok(*address);
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(LabError::Listen)?;
        let address = listener.local_addr().map_err(LabError::Listen)?;
        let (file, stop) = (self.file.clone(), Arc::clone(&self.stop));
        let thread = thread::spawn(move || accept(&listener, &file, endpoint, &stop));
        listening.insert(endpoint, (address, thread));
        Ok(address)
    }
}

impl Balancer for LabBalancer {
    fn observe(&self) -> Result<Option<Certificate>, BalancerError> {
        Ok(self.bundle()?.map(|bundle| bundle.certificate))
    }

    fn is_readable(&self) -> bool {
        true
    }

    fn export(&self) -> Result<Option<Bundle>, BalancerError> {
        self.bundle()
    }

    fn install(&self, bundle: &Bundle) -> Result<(), BalancerError> {
        let failed = |error: BoxError| BalancerError::failed(format!("writing {}", self.file.shown()), error);
        let text = pem_bundle::write(bundle).map_err(|error| failed(error.into()))?;
        files::write_secret(&self.file, &text).map_err(|error| failed(error.into()))
    }

    fn take_out(&self, server: &ServerName, found: FoundDrained) -> Result<(), BalancerError> {
        let file = self.out_file(server);
        if found == FoundDrained::Foreign && file.exists() {
            let why = format!("{server} is out already: somebody else has taken it out, so it is left alone");
            return Err(BalancerError::failed(format!("taking {server} out"), why));
        }
        let failed = |error: LabError| BalancerError::failed(format!("writing {}", file.shown()), error);
        files::write_json(&file, &"drain").map_err(failed)
    }

    fn put_back(&self, server: &ServerName) -> Result<(), BalancerError> {
        let file = self.out_file(server);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(BalancerError::failed(format!("removing {}", file.shown()), error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// A lab serves what it was given at once.
    fn pause(&self) {}

    fn address(&self, endpoint: Endpoint) -> Result<String, BalancerError> {
        let address = self.listen(endpoint).map_err(|error| BalancerError::failed("serving", error))?;
        Ok(address.to_string())
    }
}

impl Drop for LabBalancer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let listening = self.listening.get_mut().map(std::mem::take).unwrap_or_default();
        for (address, thread) in listening.into_values() {
            // A connection of our own wakes the thread that waits for one, and it sees that it has to stop.
            drop(TcpStream::connect_timeout(&address, Duration::from_secs(1)));
            let _ = thread.join();
        }
    }
}

/// Serves one client after the other what the file holds at that moment.
fn accept(listener: &TcpListener, file: &Path, endpoint: Endpoint, stop: &AtomicBool) {
    while let Ok((stream, _)) = listener.accept() {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let bounded =
            stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
        let text = durable::read(file).map(Secret::new).ok();
        let bundle = text.and_then(|text| pem_bundle::read(&text, &text).ok());
        let identity = |_: Option<&str>| {
            let bundle = bundle.clone()?;
            let chain = std::iter::once(bundle.certificate.der.clone()).chain(bundle.chain).collect();
            Some(tls::Identity { chain, key: bundle.key? })
        };
        if bounded.is_ok() {
            // Whatever goes wrong is the client's to see.
            let _ = tls::talk(stream, endpoint.protocol, "load balancer", &identity);
        }
    }
}

/// Longer than any client of a test takes for one line.
const PATIENCE: Duration = Duration::from_secs(10);
