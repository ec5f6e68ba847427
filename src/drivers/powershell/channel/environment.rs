//! The environment that a program gets.

use std::ffi::OsString;

/// What PowerShell and `ssh` need of the environment, and nothing of what else there is in ours: secrets of the manifest
/// may be in it. `PSModulePath` is left out, so that Windows PowerShell does not find the modules of PowerShell 7.
pub(super) fn environment() -> impl Iterator<Item = (&'static str, OsString)> {
    let ours = KEPT.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    // The messages of `ssh` are told apart.
    ours.chain([("LC_ALL", "C".into()), ("POWERSHELL_TELEMETRY_OPTOUT", "1".into())])
}

const KEPT: [&str; 32] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SSH_AUTH_SOCK",
    "KRB5CCNAME",
    "KRB5_CONFIG",
    "XDG_RUNTIME_DIR",
    "TMPDIR",
    "ALLUSERSPROFILE",
    "APPDATA",
    "COMPUTERNAME",
    "COMSPEC",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "LOGONSERVER",
    "NUMBER_OF_PROCESSORS",
    "OS",
    "PATHEXT",
    "PROCESSOR_ARCHITECTURE",
    "ProgramData",
    "ProgramFiles",
    "SystemDrive",
    "SystemRoot",
    "TEMP",
    "TMP",
    "USERDNSDOMAIN",
    "USERDOMAIN",
    "USERNAME",
    "USERPROFILE",
    "windir",
];
