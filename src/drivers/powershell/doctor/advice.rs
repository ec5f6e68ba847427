//! What to do about what stands in the way to a server.

use super::super::{
    answer::{AnswerKind, Answered},
    error::PowerShellError,
};
use crate::remoting::RemotingError;

/// What to do about an error on the way to a server.
pub(super) fn advice(error: &PowerShellError) -> Vec<String> {
    use PowerShellError as E;
    let said: &[&str] = match error {
        E::NotStarted { .. } => {
            &["see that the program is on PATH, or say by `ssh` or `remoting` how the server is reached"]
        }
        E::HostKeyUnknown { .. } => &[
            "on the server, read the fingerprint: ssh-keygen -lf C:\\ProgramData\\ssh\\ssh_host_ed25519_key.pub",
            "compare it with what the host shows (ssh-keyscan -p PORT HOST | ssh-keygen -lf -)",
            "add its key, in a line of [HOST]:PORT where the port is not 22, to the file that `knownHosts` names, or else to ~/.ssh/known_hosts",
        ],
        E::HostKeyChanged { .. } => &[
            "find out who changed the key of the host before you take the new one: ssh-keygen -R HOST removes the old one",
        ],
        E::HostKeyRevoked { .. } => &[
            "find out who revoked the key of the host (`@revoked` in the file of host keys), and give the host another one",
        ],
        E::AuthenticationFailed { .. } => &[
            "this has to work without a question: ssh -o BatchMode=yes HOST",
            "name the key in the manifest: ssh: { identityFile: FILE }; one that is named has to be there, be readable by its owner only (chmod 600), and have no passphrase or be in the agent",
        ],
        E::Unreachable { .. } => {
            &["see that its name has an address here, and that no firewall stands between"]
        }
        E::Unsuitable { .. } => &[
            "the driver script needs Windows PowerShell 5.1 of 64 bits in full language mode for this account",
            "where policy restricts it, let certwright call the cmdlets itself: driver: { powershell: { remoting: {} } }",
        ],
        E::Died { said, .. } if said.contains("not found") || said.contains("not recognized") => &[
            "there is no powershell.exe: see that `ssh` leads to a Windows computer, and that its shell finds Windows PowerShell in PATH",
        ],
        E::Died { .. } => {
            &["start the same PowerShell by hand and see what it says; policy may forbid it for this account"]
        }
        E::Deadline { .. } => &[
            "see whether the server is very busy, and whether its PowerShell asks something when it starts",
            "a session has a minute to open; `timeout` says how long each request may take after that",
        ],
        E::NoWay { .. } => &[
            "correct what `driver` says of this server, and the files and secrets that it names",
            "Windows PowerShell of another computer is reached by `ssh`, and Exchange's cmdlets from any computer by `remoting`",
        ],
        E::Protocol { .. } | E::AnswersForAnother { .. } => {
            &["see that the name leads to this server itself, and not to a load balancer or a proxy"]
        }
        E::NoWindows { .. } => &[
            "say how Windows is reached: driver: { powershell: { windows: { ssh: {} } } } (OpenSSH server on each Exchange server)",
        ],
        E::Answered(answered) => return of_answer(answered),
        E::Remoting(error) | E::RemotingInDoubt(error) => return of_remoting(error),
        E::OutcomeUnknown(source) => return advice(source),
        E::Refused { .. }
        | E::TakesFiles { .. }
        | E::NotMade { .. }
        | E::NotOne { .. }
        | E::Unreadable { .. }
        | E::Pfx(_)
        | E::Transcript { .. } => &[],
    };
    said.iter().map(|text| (*text).to_owned()).collect()
}

/// Whether a certificate is not of now or not of this name, so that no CA would help.
fn is_of_its_time_or_name(error: &rustls::Error) -> bool {
    use rustls::CertificateError as C;
    matches!(
        error,
        rustls::Error::InvalidCertificate(
            C::Expired
                | C::ExpiredContext { .. }
                | C::NotValidYet
                | C::NotValidYetContext { .. }
                | C::NotValidForName
                | C::NotValidForNameContext { .. }
        )
    )
}

fn of_answer(answered: &Answered) -> Vec<String> {
    let said: &[&str] = match answered.kind {
        AnswerKind::CmdletUnavailable | AnswerKind::ParameterUnavailable => {
            &["find the roles that grant it: Get-ManagementRole -Cmdlet NAME [-CmdletParameters NAMES]"]
        }
        AnswerKind::AccessDenied => &[
            "let the account use remote PowerShell: Set-User NAME -RemotePowerShellEnabled $true",
            "see its roles: Get-ManagementRoleAssignment -RoleAssignee NAME",
        ],
        AnswerKind::TooManySessions => &[
            "close sessions of this account, or wait until they end (15 minutes when idle)",
            "raise its limit: New-ThrottlingPolicy -PowerShellMaxConcurrency, Set-ThrottlingPolicyAssociation",
        ],
        AnswerKind::AuthenticationFailed => &[
            "see that the account can sign in, and that its password has not expired",
            "over ssh with a key Windows has no credentials for others: name an `account` in the manifest",
        ],
        AnswerKind::EndpointNotFound => {
            &["see that the server has /PowerShell/ on port 80: Get-PowerShellVirtualDirectory -Server NAME"]
        }
        AnswerKind::Unreachable | AnswerKind::ConnectionLost => &[
            "see that port 80 of the server is reached from there: Test-NetConnection NAME -Port 80",
            "without a good certificate on \"Exchange Back End\" the management shell does not answer (certwright explain back-end-without-certificate)",
        ],
        AnswerKind::Busy => &["wait until the other run has ended, and try again"],
        AnswerKind::DirectoryUnavailable => &["see that a domain controller answers, and try again"],
        AnswerKind::TooManyObjects => &["run the same cmdlet by hand there, and see what it shows"],
        AnswerKind::BadRequest
        | AnswerKind::NotFound
        | AnswerKind::NoRequest
        | AnswerKind::NoNext
        | AnswerKind::PreconditionFailed
        | AnswerKind::InUse
        | AnswerKind::NotImportable
        | AnswerKind::NotExportable
        | AnswerKind::ConfirmationRequired
        | AnswerKind::NotReached
        | AnswerKind::ServiceTimeout => &[],
        AnswerKind::Other => &[
            "look the id of the error up, and do the same by hand there: New-PSSession -ConfigurationName Microsoft.Exchange -ConnectionUri http://SERVER/PowerShell/ -Authentication Kerberos",
        ],
    };
    said.iter().map(|text| (*text).to_owned()).collect()
}

fn of_remoting(error: &RemotingError) -> Vec<String> {
    use RemotingError as E;
    let said: &[&str] = match error {
        E::TlsUntrusted { source, .. } if is_of_its_time_or_name(source) => &[
            "give IIS on that server a certificate that is valid now and has its full name; certwright can, over another way",
            "or pin the one that it has, when you know that it is the server's: remoting: { tls: { pin: SHA-256 } }",
        ],
        E::TlsUntrusted { .. } => &[
            "name the CA of its certificate: remoting: { tls: { ca: FILE } }; or pin it: tls: { pin: SHA-256 }",
        ],
        E::Kerberos { .. } => &[
            "get a ticket (kinit USER@REALM; klist shows it), or name a keytab: remoting: { keytab: FILE, principal: USER@REALM }",
            "the ticket is for HTTP/ and the full name of the server; see that `fqdn` is that name",
        ],
        E::AuthenticationFailed { .. } | E::AccessDenied { .. } => &[
            "let the account use remote PowerShell: Set-User NAME -RemotePowerShellEnabled $true",
            "see that its password has not expired, and that the clocks agree within five minutes",
        ],
        E::NoCommonAuthentication { .. } => &[
            "Kerberos has to be allowed on /PowerShell/; NTLM is never used, and Basic only inside TLS when the manifest says so",
        ],
        E::EndpointNotFound { .. } => &[
            "see that the name leads to the Exchange server itself, and that it has /PowerShell/: Get-PowerShellVirtualDirectory",
        ],
        E::TooManySessions { .. } | E::Busy { .. } => &[
            "close sessions of this account, or wait until they end (15 minutes when idle)",
            "raise its limit: New-ThrottlingPolicy -PowerShellMaxConcurrency, Set-ThrottlingPolicyAssociation",
        ],
        E::Unreachable { source, .. } if source.kind() == std::io::ErrorKind::InvalidData => &[
            "what answers there speaks no TLS: see which port has it, or leave `tls` out and use Kerberos over plain HTTP",
        ],
        E::Unreachable { source, .. }
            if matches!(source.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
        {
            &[
                "it answers too slowly or not at all: see what listens at that port, and whether `tls` belongs there",
            ]
        }
        E::Unreachable { .. } => {
            &["see that its name has an address here, and that no firewall stands between"]
        }
        E::ProxyRefuses { .. } => &["let the proxy connect to the server, or name it in NO_PROXY"],
        E::Protocol { .. } | E::UnexpectedPrompt { .. } | E::TooMuchOutput(_) => &[
            "see that the name and the port lead to the Exchange server itself and not to a load balancer, a proxy or a portal",
            "on the server: Test-PowerShellConnectivity; its log is in C:\\inetpub\\logs and under Logging\\CmdletInfra of Exchange",
        ],
        E::NotOpened { .. } | E::SessionDied { .. } | E::DeadlineExceeded { .. } => &[
            "see whether the server is very busy or restarts, and try again; on the server: Get-WebAppPoolState MSExchangePowerShellAppPool",
        ],
        E::Tls(_) => &["see that `tls` names files that are certificates, and that the system has roots"],
        E::BadEndpoint { .. } | E::InsecureTransport(_) => {
            &["correct what `driver` says of this server: certwright check names the place"]
        }
        E::OutcomeUnknown { source, .. } => return of_remoting(source),
    };
    said.iter().map(|text| (*text).to_owned()).collect()
}
