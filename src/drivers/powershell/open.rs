//! From a manifest's words to the driver of real servers.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Connect, Credential, PowerShell, PowerShellError, ServerAccess, StdioChannel, Timeouts, WindowsAccess,
    channel::{
        PeerProgram,
        remoting::{OpenShell, Psrp, RemotingChannel},
        ssh::Ssh,
    },
    script,
};
use crate::{
    drivers::opening::{OpenError, Opening},
    durable,
    manifest::{
        AccountSpec, Authentication, PowerShellSpec, RemotingSpec, ServerSpec, SshSpec, TlsTrustSpec, Way,
    },
    model::{causes::with_causes, names::ServerName, secret::SecretRef, shown::ShowPath},
    pki::pem,
    remoting::{Credentials, Endpoint, Limits, PsrpSession, RemotingError, TicketSource, Tickets, Trust},
};

/// The servers of a manifest, as its driver says that they are reached. Nothing is reached yet; passwords are read now, so
/// that a missing one is found before anything is changed.
pub(in crate::drivers) fn open<E: From<OpenError> + std::error::Error>(
    spec: &PowerShellSpec,
    opening: &Opening<'_, E>,
) -> Result<PowerShell, E> {
    let mut endpoints = Vec::new();
    let mut versions = BTreeMap::new();
    for (name, server) in &opening.manifest.servers {
        endpoints.push(match endpoint(spec, name, server, opening) {
            Err(error) if opening.examines => unopened(name, server, &with_causes(&error)),
            opened => opened?,
        });
        versions.extend(server.version.map(|version| (name.clone(), version)));
    }
    Ok(PowerShell::new(endpoints, versions))
}

/// A server to which there is no way, for whoever examines it.
fn unopened(name: &ServerName, server: &ServerSpec, why: &str) -> ServerAccess {
    let why = why.to_owned();
    ServerAccess {
        name: name.clone(),
        fqdn: server.fqdn.clone(),
        edge: server.edge,
        connect: Box::new(move || Err(PowerShellError::NoWay { why: why.clone() })),
        windows: WindowsAccess::Same,
        credential: None,
        patience: Timeouts::default(),
    }
}

fn endpoint<E: From<OpenError>>(
    spec: &PowerShellSpec,
    name: &ServerName,
    server: &ServerSpec,
    opening: &Opening<'_, E>,
) -> Result<ServerAccess, E> {
    let timeout = u64::try_from(spec.timeout.as_seconds()).unwrap_or_default().max(1);
    let patience = Timeouts { request: Duration::from_secs(timeout), ..Timeouts::default() };
    // Who is asked on itself needs no other account's password.
    let account =
        spec.account_of(name).filter(|_| !server.edge || matches!(spec.way_to(name), Way::Remoting(_)));
    let credential = account.map(|account| credential(account, name, opening)).transpose()?;
    let base = opening.base;
    let (connect, windows) = match spec.way_to(name) {
        Way::Here => (script_at(local(name)?, server.edge.then_some(name)), WindowsAccess::Same),
        Way::Ssh(ssh) => {
            // Without a host it is the server itself; and cmdlets of an Edge server act on whoever runs them.
            let own = (ssh.host.is_none() || server.edge).then_some(name);
            (script_at(over_ssh(ssh, server, base, patience.opening)?, own), WindowsAccess::Same)
        }
        Way::Remoting(remoting) => {
            let windows = match spec.windows_of(name) {
                None => WindowsAccess::None,
                Some(windows) => {
                    let program = over_ssh(&windows.ssh, server, base, patience.opening)?;
                    match windows.ssh.host {
                        Some(_) => WindowsAccess::Through(script_at(program, None)),
                        None => WindowsAccess::Other(script_at(program, Some(name))),
                    }
                }
            };
            (remoting_to(remoting, server, credential.clone(), base)?, windows)
        }
    };
    Ok(ServerAccess {
        name: name.clone(),
        fqdn: server.fqdn.clone(),
        edge: server.edge,
        connect,
        windows,
        credential,
        patience,
    })
}

/// The driver script in a PowerShell that this program is, or leads to; on the computer of this name, where one is meant.
fn script_at(program: PeerProgram, computer: Option<&ServerName>) -> Connect {
    let computer = computer.map(ToString::to_string);
    Box::new(move || {
        let channel = StdioChannel::start(&program, &script::text())?;
        Ok(Box::new(match &computer {
            Some(name) => channel.to_computer(name.clone()),
            None => channel,
        }))
    })
}

/// A session that certwright opens itself.
fn remoting_to(
    spec: &RemotingSpec,
    server: &ServerSpec,
    credential: Option<Credential>,
    base: &Path,
) -> Result<Connect, OpenError> {
    let RemotingSpec { port, tls, authentication, ticket_cache, keytab, principal } = spec;
    let trust = match tls {
        Some(TlsTrustSpec { pin: Some(pin), ca: _ }) => Trust::Fingerprint(pin.0),
        Some(TlsTrustSpec { pin: None, ca: Some(file) }) => authorities(&base.join(file))?,
        Some(TlsTrustSpec { pin: None, ca: None }) | None => Trust::System,
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let url = format!("{scheme}://{}{port}/PowerShell/?serializationLevel=Full", server.fqdn);
    let refused = |error| OpenError::PowerShell(PowerShellError::Remoting(Box::new(error)));
    let endpoint = Endpoint::new(&url, trust).map_err(refused)?;
    let credentials = match (authentication, credential) {
        (Authentication::Basic, Some(Credential { user, password })) => Credentials::Basic { user, password },
        (Authentication::Basic, None) => {
            return Err(refused(RemotingError::InsecureTransport("Basic needs an `account`")));
        }
        (Authentication::Kerberos, _) => {
            let source = match (keytab, ticket_cache) {
                (Some(keytab), _) => {
                    let keytab = base.join(keytab);
                    only_for_its_owner(&keytab)?;
                    TicketSource::Keytab(keytab)
                }
                (None, Some(cache)) => {
                    let cache = base.join(cache);
                    only_for_its_owner(&cache)?;
                    TicketSource::Cache(format!("FILE:{}", cache.shown()))
                }
                (None, None) => {
                    for file in files_of_the_system() {
                        only_for_its_owner(&file)?;
                    }
                    TicketSource::System
                }
            };
            Credentials::Kerberos(Tickets { source, principal: principal.clone() })
        }
    };
    let host = format!("{} over remoting", server.fqdn);
    Ok(Box::new(move || {
        let (endpoint, credentials) = (endpoint.clone(), credentials.clone());
        let open: OpenShell = Box::new(move |deadline| {
            let session = PsrpSession::open(&endpoint, credentials.clone(), Limits::default(), deadline);
            let session = session.map_err(|error| PowerShellError::Remoting(Box::new(error)))?;
            Ok(Box::new(Psrp(session)))
        });
        Ok(Box::new(RemotingChannel::new(host.clone(), open)))
    }))
}

fn authorities(file: &Path) -> Result<Trust, OpenError> {
    let unusable = |why: String| OpenError::File { file: file.to_owned(), why };
    let bytes = durable::read(file).map_err(|error| unusable(error.to_string()))?;
    let certificates = pem::certificates(&bytes).map_err(|error| unusable(error.to_string()))?;
    Ok(Trust::Authorities(certificates.into_iter().map(|certificate| certificate.der.0.clone()).collect()))
}

/// The keytab and the cache that the environment names, where they are files that are there.
fn files_of_the_system() -> impl Iterator<Item = PathBuf> {
    let named = ["KRB5_CLIENT_KTNAME", "KRB5CCNAME"].into_iter().filter_map(std::env::var_os);
    let files = named.map(|name| match name.to_str().and_then(|name| name.strip_prefix("FILE:")) {
        Some(file) => PathBuf::from(file),
        None => PathBuf::from(name),
    });
    files.filter(|file| file.is_file())
}

/// Refuses a keytab, a cache or a password that others can read: whoever has it is the account.
fn only_for_its_owner(file: &Path) -> Result<(), OpenError> {
    let unusable = |why: String| OpenError::File { file: file.to_owned(), why };
    if certwright_access::others_can_read(file).map_err(|error| unusable(error.to_string()))? {
        let how = if cfg!(windows) { "take them off its access list" } else { "chmod 600" };
        return Err(unusable(format!("others can read it, and whoever has it is the account: {how}")));
    }
    Ok(())
}

/// A file that is there: `ssh` does without one that is not, and says so in a line that nobody reads.
fn there(file: PathBuf) -> Result<PathBuf, OpenError> {
    match durable::open(&file) {
        Ok(_) => Ok(file),
        Err(error) => Err(OpenError::File { file, why: error.to_string() }),
    }
}

fn over_ssh(
    spec: &SshSpec,
    server: &ServerSpec,
    base: &Path,
    opening: Duration,
) -> Result<PeerProgram, OpenError> {
    let SshSpec { host, user, port, identity_file, known_hosts } = spec;
    let at = |path: &Option<PathBuf>| path.as_ref().map(|path| there(base.join(path))).transpose();
    let ssh = Ssh {
        host: host.clone().unwrap_or_else(|| server.fqdn.to_string()),
        user: user.clone(),
        port: *port,
        identity: at(identity_file)?,
        known_hosts: at(known_hosts)?,
        command: [WINDOWS_POWERSHELL.to_owned()].into_iter().chain(script::encoded_arguments()).collect(),
    };
    ssh.program(opening).map_err(OpenError::PowerShell)
}

/// Windows PowerShell of this computer, by its full path.
fn local(server: &ServerName) -> Result<PeerProgram, OpenError> {
    let Some(root) = std::env::var_os("SystemRoot").filter(|_| cfg!(windows)) else {
        return Err(OpenError::NotFromHere { server: server.clone() });
    };
    let mut program: OsString = root;
    program.push(r"\System32\WindowsPowerShell\v1.0\");
    program.push(WINDOWS_POWERSHELL);
    let arguments = script::arguments().into_iter().map(Into::into).collect();
    Ok(PeerProgram { program, arguments, host: "this computer".into(), is_ssh: false })
}

fn credential<E: From<OpenError>>(
    account: &AccountSpec,
    server: &ServerName,
    opening: &Opening<'_, E>,
) -> Result<Credential, E> {
    let what = format!("the password of {} for {server}", account.user);
    let password = (opening.secret)(&account.password, &what)?;
    if password.expose_text().is_none() {
        return Err(OpenError::Secret { what, why: "it is not UTF-8" }.into());
    }
    if let SecretRef::File(file) = &account.password {
        only_for_its_owner(&opening.base.join(file))?;
    }
    Ok(Credential { user: account.user.clone(), password })
}

const WINDOWS_POWERSHELL: &str = "powershell.exe";
