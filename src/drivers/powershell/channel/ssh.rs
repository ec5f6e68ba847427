//! The system's `ssh`, with the user's own configuration, agent and keys, and with what must not be left to them.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{super::error::PowerShellError, PeerProgram};

/// A PowerShell that is reached by `ssh`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    /// The host.
    pub host: String,
    /// The account there; without it, that of the user's own configuration.
    pub user: Option<String>,
    /// The port; without it, that of the user's own configuration.
    pub port: Option<u16>,
    /// A private key.
    pub identity: Option<PathBuf>,
    /// A file of host keys that takes the place of the user's.
    pub known_hosts: Option<PathBuf>,
    /// What is run there, as the words of its shell: a program and its arguments.
    pub command: Vec<String>,
}

impl Ssh {
    /// The program with its arguments. Values that `ssh` would take for options are refused.
    pub fn program(&self, connect: Duration) -> Result<PeerProgram, PowerShellError> {
        let Self { host, user, port, identity, known_hosts, command } = self;
        plain("the host", host)?;
        let mut arguments: Vec<OsString> = vec!["-T".into()];
        for option in FIXED {
            arguments.extend(["-o".into(), option.into()]);
        }
        arguments.extend(["-o".into(), format!("ConnectTimeout={}", connect.as_secs().max(1)).into()]);
        if let Some(user) = user {
            plain("the user", user)?;
            arguments.extend(["-l".into(), user.into()]);
        }
        if let Some(port) = port {
            arguments.extend(["-p".into(), port.to_string().into()]);
        }
        let mut option = |option: String| arguments.extend(["-o".into(), option.into()]);
        if let Some(identity) = identity {
            option("IdentitiesOnly=yes".into());
            option(format!("IdentityFile={}", one_file("the key", identity)?));
        }
        if let Some(known_hosts) = known_hosts {
            // That file and no other place, whatever the user's own configuration names. Older programs do not know all of
            // these places, nor what others write into a configuration for a Mac.
            option("IgnoreUnknown=KnownHostsCommand,UseKeychain".into());
            option("KnownHostsCommand=none".into());
            option(format!("UserKnownHostsFile={}", one_file("the file of host keys", known_hosts)?));
            option("GlobalKnownHostsFile=none".into());
        }
        arguments.push("--".into());
        arguments.push(host.into());
        arguments.extend(command.iter().map(OsString::from));
        Ok(PeerProgram { program: "ssh".into(), arguments, host: host.clone(), is_ssh: true })
    }
}

/// Why `ssh` ended before anything answered, by its own messages, which are always English.
pub(super) fn failure(host: String, said: &str) -> PowerShellError {
    let has = |text: &str| said.contains(text);
    if has("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        PowerShellError::HostKeyChanged { host }
    } else if has("REVOKED HOST KEY DETECTED") {
        PowerShellError::HostKeyRevoked { host }
    } else if has("host key is known") || has("Host key verification failed") {
        PowerShellError::HostKeyUnknown { host }
    } else if has("Permission denied") || has("Too many authentication failures") {
        PowerShellError::AuthenticationFailed { host, said: last_line(said) }
    } else {
        PowerShellError::Unreachable { host, said: last_line(said) }
    }
}

fn last_line(said: &str) -> String {
    let line = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    crate::model::text::escaped(line.unwrap_or("ssh said nothing"))
}

/// A name that is neither an option nor several words.
fn plain(what: &'static str, value: &str) -> Result<(), PowerShellError> {
    let refused = |why| Err(PowerShellError::Refused { what, value: value.into(), why });
    if value.is_empty() {
        refused("it is empty")
    } else if value.starts_with('-') {
        refused("it begins with a hyphen, as options do")
    } else if value.contains("://") || value.contains('@') && what == "the host" {
        // It may have a password in it.
        let value = "a URL or a name with a user".into();
        Err(PowerShellError::Refused { what, value, why: "it has to be the name or the address alone" })
    } else if value.chars().any(|character| character.is_whitespace() || character.is_control()) {
        refused("it has spaces or control characters")
    } else {
        Ok(())
    }
}

/// A file as the value of an option: the one that is meant. `ssh` splits values at blanks and takes the pieces for files of
/// the current directory, and it puts something in the place of `%h`, `~` and `${NAME}`.
fn one_file(what: &'static str, file: &Path) -> Result<String, PowerShellError> {
    let refused = |why| PowerShellError::Refused { what, value: file.display().to_string(), why };
    let whole = std::path::absolute(file).map_err(|_| refused("its directory cannot be told"))?;
    let path = whole.to_str().ok_or_else(|| refused("its name is not UTF-8"))?;
    let path = if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() };
    if path.contains(['"', '\\']) || path.contains("${") || path.chars().any(char::is_control) {
        return Err(refused(
            "ssh would read \" or \\ or ${ in its path as something else; give it another name",
        ));
    }
    Ok(format!("\"{}\"", path.replace('%', "%%")))
}

/// What `ssh` ends with when it is itself that fails.
pub(super) const FAILED: i32 = 255;

/// No questions, no unknown hosts, nothing of ours on the other side, and an end when nobody answers any more.
/// Nor is a connection used that somebody has opened before, nor a host trusted by its name or its entry in the DNS.
const FIXED: [&str; 12] = [
    "ControlMaster=no",
    "ControlPath=none",
    "VerifyHostKeyDNS=no",
    "NoHostAuthenticationForLocalhost=no",
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=4",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "PermitLocalCommand=no",
    "LogLevel=ERROR",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn ssh(host: &str) -> Ssh {
        Ssh {
            host: host.into(),
            user: None,
            port: None,
            identity: None,
            known_hosts: None,
            command: vec!["powershell.exe".into()],
        }
    }

    #[test]
    fn what_looks_like_an_option_is_refused() {
        for host in ["", "-oProxyCommand=calc", "ex01 calc", "ex01\ncalc", "ex01\u{7}"] {
            let program = ssh(host).program(Duration::from_secs(5));
            assert!(matches!(program, Err(PowerShellError::Refused { .. })), "{host:?}");
        }
        let user = Ssh { user: Some("-lroot".into()), ..ssh("ex01") };
        assert!(matches!(user.program(Duration::from_secs(5)), Err(PowerShellError::Refused { .. })));
    }

    #[test]
    fn the_host_stands_after_the_options() {
        let program = ssh("ex01.contoso.com").program(Duration::from_secs(5)).unwrap();
        let words: Vec<_> = program.arguments.iter().map(|word| word.to_str().unwrap()).collect();
        assert!(words.ends_with(&["--", "ex01.contoso.com", "powershell.exe"]), "{words:?}");
        assert!(
            words.contains(&"StrictHostKeyChecking=yes") && words.contains(&"BatchMode=yes"),
            "{words:?}"
        );
    }

    #[test]
    fn a_file_is_the_one_that_is_named() {
        let option = |file: &str| {
            let known = Ssh { known_hosts: Some(file.into()), identity: Some(file.into()), ..ssh("ex01") };
            let program = known.program(Duration::from_secs(5))?;
            let words: Vec<String> =
                program.arguments.iter().map(|word| word.to_str().unwrap().to_owned()).collect();
            let value =
                |name: &str| words.iter().find_map(|word| word.strip_prefix(name)).unwrap().to_owned();
            assert_eq!(value("IdentityFile="), value("UserKnownHostsFile="));
            assert_eq!(value("KnownHostsCommand="), "none");
            Ok::<_, PowerShellError>(value("UserKnownHostsFile="))
        };
        if !cfg!(windows) {
            assert_eq!(option("/my repo/known").unwrap(), "\"/my repo/known\"");
            assert_eq!(option("/k%h").unwrap(), "\"/k%%h\"");
            let here = std::env::current_dir().unwrap().display().to_string();
            assert_eq!(option("~/known").unwrap(), format!("\"{here}/~/known\""), "not of the user");
            assert_eq!(option("none").unwrap(), format!("\"{here}/none\""), "a name like any other");
        }
        for refused in ["/a\"b", "/${HOME}/known", "/a\nb"] {
            assert!(matches!(option(refused), Err(PowerShellError::Refused { .. })), "{refused}");
        }
    }

    #[test]
    fn its_messages_tell_why() {
        let kind = |said: &str| failure("ex01".into(), said);
        assert!(matches!(
            kind("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n"),
            PowerShellError::HostKeyChanged { .. }
        ));
        assert!(matches!(
            kind(
                "@       WARNING: REVOKED HOST KEY DETECTED!               @\nHost key verification failed.\n"
            ),
            PowerShellError::HostKeyRevoked { .. }
        ));
        assert!(matches!(
            kind("No ED25519 host key is known for ex01 and you have requested strict checking.\n"),
            PowerShellError::HostKeyUnknown { .. }
        ));
        assert!(matches!(
            kind("root@ex01: Permission denied (publickey).\n"),
            PowerShellError::AuthenticationFailed { .. }
        ));
        assert!(matches!(
            kind("ssh: connect to host ex01 port 22: Connection refused\n"),
            PowerShellError::Unreachable { .. }
        ));
    }
}
