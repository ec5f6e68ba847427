//! What stands at the other end of a driver's channel in tests: a program in the place of PowerShell, a PowerShell endpoint
//! of WS-Management in Python, both with a lab for their servers, a real engine of PowerShell with stand-ins for Exchange,
//! and a real sshd on the way to them.
#![allow(
    dead_code,
    clippy::disallowed_methods,
    clippy::exit,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "tests start processes and touch the disk, and each test file uses a part of this"
)]

#[path = "../capture/clixml.rs"]
mod clixml;
pub mod cmdlets;
pub mod engine;
#[path = "../capture/exported.rs"]
mod exported;
pub mod hostile;
pub mod lab_driver;
pub mod lab_script;
pub mod psrp;
pub mod script;
pub mod sshd;

use base64::prelude::{BASE64_STANDARD, Engine};
use certwright::{
    drivers::lab::Lab,
    model::{bundle::Bundle, key::KeySpec, service::Restartable},
    pki::{
        keys::{self, Keys},
        mint::{self, CertificateContent},
    },
};
use std::{collections::BTreeMap, fs, path::Path};

use certwright::ports::driver::{Observer, Wanted};

/// A certificate with its key, made here.
pub fn made(name: &str) -> Bundle {
    let key = Keys::Fresh.make(KeySpec::Rsa(2048)).unwrap();
    let names = [name.parse().unwrap()];
    let content = CertificateContent {
        subject: &format!("CN={name}").parse().unwrap(),
        names: &names,
        not_before: "2026-01-01T00:00:00Z".parse().unwrap(),
        not_after: "2036-01-01T00:00:00Z".parse().unwrap(),
    };
    let certificate = mint::self_signed(&content, &key).unwrap();
    Bundle { certificate, chain: Vec::new(), key: Some(keys::to_pkcs8(&key)) }
}

/// What each cmdlet shows of a lab, as PowerShell writes objects down: `EX01.Get-ExchangeCertificate`, `Get-SendConnector`.
pub fn shown(lab: &Lab) -> BTreeMap<String, Vec<u8>> {
    let observed = lab.observe(Wanted::Everything).unwrap();
    let folder = tempfile::tempdir().unwrap();
    exported::export(&observed.organization, observed.at, folder.path());
    let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    files.map(|path| (name(&path), fs::read(&path).unwrap())).collect()
}

pub fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// What a Windows service belongs to.
pub fn restartable(service: &str) -> Restartable {
    match service {
        "MSExchangeTransport" | "MSExchangeFrontEndTransport" => Restartable::Transport,
        "MSExchangePOP3" | "MSExchangePOP3BE" => Restartable::Pop,
        "MSExchangeIMAP4" | "MSExchangeIMAP4BE" => Restartable::Imap,
        "MSExchangeUM" => Restartable::Um,
        "MSExchangeUMCR" => Restartable::UmCallRouter,
        "MSExchangeServiceHost" => Restartable::ServiceHost,
        "WAS" | "W3SVC" => Restartable::Iis,
        _ => Restartable::WebApps,
    }
}
