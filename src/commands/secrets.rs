//! Reading secrets, at the moment they are needed and not before.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use super::error::{CommandError, Exit};
use crate::model::secret::{Secret, SecretRef};

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
        SecretRef::File(path) => fs::read(base.join(path)).map_err(|error| failed().because(error))?,
        SecretRef::Command(words) => {
            let (program, arguments) =
                words.split_first().ok_or_else(|| failed().detail("The command is empty."))?;
            let output = Command::new(program)
                .args(arguments)
                .current_dir(base)
                .stdin(Stdio::null())
                .stderr(Stdio::inherit())
                .output()
                .map_err(|error| failed().because(error))?;
            if !output.status.success() {
                return Err(failed().detail(format!("The command ended with {}.", output.status)));
            }
            output.stdout
        }
    };
    let secret = Secret::new(without_line_end(bytes));
    if secret.expose().is_empty() { Err(failed().detail("It is empty.")) } else { Ok(secret) }
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
