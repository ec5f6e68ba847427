//! From a manifest's words to the driver of real servers.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Cancellation, Connect, Credential, PowerShell, ServerAccess, StdioChannel, Timeouts,
    channel::{PeerProgram, ssh::Ssh},
    script,
};
use crate::{
    drivers::opening::{OpenError, Opening},
    manifest::{AccountSpec, PowerShellSpec, ServerSpec, SshSpec},
    model::names::ServerName,
};

/// The servers of a manifest, as its driver says that they are reached. Nothing is reached yet; passwords are read now, so
/// that a missing one is found before anything is changed.
pub(in crate::drivers) fn open<E: From<OpenError>>(
    spec: &PowerShellSpec,
    opening: &Opening<'_, E>,
) -> Result<PowerShell, E> {
    let mut endpoints = Vec::new();
    let mut versions = BTreeMap::new();
    for (name, server) in &opening.manifest.servers {
        endpoints.push(endpoint(spec, name, server, opening)?);
        versions.extend(server.version.map(|version| (name.clone(), version)));
    }
    Ok(PowerShell::new(endpoints, versions))
}

fn endpoint<E: From<OpenError>>(
    spec: &PowerShellSpec,
    name: &ServerName,
    server: &ServerSpec,
    opening: &Opening<'_, E>,
) -> Result<ServerAccess, E> {
    let timeout = u64::try_from(spec.timeout.as_seconds()).unwrap_or_default().max(1);
    let patience = Timeouts { request: Duration::from_secs(timeout), ..Timeouts::default() };
    let program = match spec.ssh_of(name) {
        Some(ssh) => over_ssh(ssh, server, opening.base, patience.opening)?,
        None => local(name)?,
    };
    let account = spec.account_of(name);
    let credential = account.map(|account| credential(account, name, opening)).transpose()?;
    let connect: Connect = Box::new(move || {
        Ok(Box::new(StdioChannel::start(&program, &script::text(), Cancellation::default())?))
    });
    Ok(ServerAccess {
        name: name.clone(),
        fqdn: server.fqdn.clone(),
        edge: server.edge,
        connect,
        credential,
        patience,
    })
}

fn over_ssh(
    spec: &SshSpec,
    server: &ServerSpec,
    base: &Path,
    opening: Duration,
) -> Result<PeerProgram, OpenError> {
    let SshSpec { host, user, port, identity_file, known_hosts } = spec;
    let at = |path: &Option<PathBuf>| path.as_ref().map(|path| base.join(path));
    let ssh = Ssh {
        host: host.clone().unwrap_or_else(|| server.fqdn.to_string()),
        user: user.clone(),
        port: *port,
        identity: at(identity_file),
        known_hosts: at(known_hosts),
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

fn credential<E>(
    account: &AccountSpec,
    server: &ServerName,
    opening: &Opening<'_, E>,
) -> Result<Credential, E> {
    let what = format!("the password of {} for {server}", account.user);
    let password = (opening.secret)(&account.password, &what)?;
    Ok(Credential { user: account.user.clone(), password })
}

const WINDOWS_POWERSHELL: &str = "powershell.exe";
