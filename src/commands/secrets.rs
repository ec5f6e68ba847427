//! Reading secrets, at the moment they are needed and not before.

use std::{path::Path, time::Duration};

use super::error::{CommandError, Exit};
use crate::{
    durable,
    model::secret::{Secret, SecretRef},
    process::{self, Bounds, Program, Stderr},
};

/// The secret behind a reference. `what` says what it is for. The secret itself is in no message.
pub(super) fn read(reference: &SecretRef, what: &str, base: &Path) -> Result<Secret, CommandError> {
    let failed = || CommandError::new(Exit::Error, format!("{what} cannot be read from {reference}"));
    let bytes = match reference {
        SecretRef::Env(name) => {
            let value = std::env::var_os(name).ok_or_else(|| {
                failed().detail("The variable is not set.").hint(format!("set {name} for this command only"))
            })?;
            value.into_encoded_bytes()
        }
        SecretRef::File(path) => durable::read(&base.join(path)).map_err(|error| {
            failed().because(error).hint("name a file that this user may read; paths begin at the manifest")
        })?,
        SecretRef::Command(words) => {
            let (program, arguments) =
                words.split_first().ok_or_else(|| failed().detail("The command is empty."))?;
            let program =
                Program::new(program, arguments, base).passing_on(OF_SECRET_STORES).stderr(Stderr::Shown);
            let printed = process::output(&program, None, BOUNDS).map_err(|error| failed().because(error))?;
            printed.expose().to_vec()
        }
    };
    // What Windows' own tools write: `>` and Out-File of Windows PowerShell, and the mark that says UTF-8.
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let hint = "save it as UTF-8; `>` of Windows PowerShell writes UTF-16: Set-Content -Encoding utf8";
        return Err(failed().detail("It is UTF-16, and not UTF-8.").hint(hint));
    }
    let secret = Secret::new(without_line_end(without_mark(bytes)));
    if secret.expose().is_empty() {
        Err(failed().detail("It is empty.").hint("put the secret there"))
    } else {
        Ok(secret)
    }
}

fn without_mark(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.starts_with(&[0xef, 0xbb, 0xbf]) {
        bytes.drain(..3);
    }
    bytes
}

fn without_line_end(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    bytes
}

/// Somebody may have to touch a security key or to open a password store; and a key is a few kilobytes.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(120), output: 1024 * 1024 };

/// What programs that hold secrets are told where and as whom to look by: the session of the user, proxies and CAs, and
/// the settings of the stores that people have. Nothing else of our environment is passed on.
const OF_SECRET_STORES: &[&str] = &[
    "USER",
    "LOGNAME",
    "USERNAME",
    "USERDOMAIN",
    "LANG",
    "LC_*",
    "TZ",
    "TMPDIR",
    "XDG_*",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "SSH_AUTH_SOCK",
    "GPG_TTY",
    "GNUPGHOME",
    "KRB5*",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    // pass, HashiCorp Vault and OpenBao, 1Password, Bitwarden, KeePassXC, sops and age, Conjur, Doppler, Infisical.
    "PASSWORD_STORE_*",
    "VAULT_*",
    "BAO_*",
    "OP_*",
    "BW_*",
    "BWS_*",
    "KEEPASSXC_*",
    "SOPS_*",
    "AGE_*",
    "CONJUR_*",
    "DOPPLER_*",
    "INFISICAL_*",
    // The secret stores of the clouds.
    "AWS_*",
    "AZURE_*",
    "ARM_*",
    "GOOGLE_*",
    "CLOUDSDK_*",
];
