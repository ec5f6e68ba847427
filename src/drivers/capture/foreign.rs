//! Files that are no capture, and what to do instead: displays, tables and the results of other tools show no certificate
//! as it is.

use std::path::Path;

use super::folder::{File, Form};

/// What a display is, when it is one of certificates or of Exchange. Other texts in the folder are nobody's business.
pub(super) fn display(file: &File) -> Option<String> {
    if is_health_checker(file.stem()) {
        return Some(HEALTH_CHECKER.into());
    }
    if file.form != Form::Display {
        return None;
    }
    let start = beginning(&file.bytes);
    if start.contains("Exchange Health Checker") {
        return Some(HEALTH_CHECKER.into());
    }
    let mentions = |words: &[&str]| words.iter().any(|word| start.contains(word));
    let is_table = Path::new(&file.name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    if is_table {
        return mentions(&[
            "Thumbprint",
            "CertificateDomains",
            "TlsCertificateName",
            "#TYPE Microsoft.Exchange",
        ])
        .then(|| format!("it is a table of Export-Csv, which has no certificates in it; {EXPORT}"));
    }
    let is_property = |line: &&str| {
        line.split_once(':').is_some_and(|(name, _)| {
            PROPERTIES.contains(&name.trim()) && (name.ends_with(' ') || name.trim() == "CertificateDomains")
        })
    };
    let listed = start.lines().filter(is_property).count() > 0;
    let table = start.lines().any(|line| line.starts_with("Thumbprint ") && line.contains("Services"));
    (listed || table).then(|| {
        format!("it is what Format-List or Format-Table shows on the screen, which has no certificates in it; {EXPORT}")
    })
}

/// Whether a file is a result of Microsoft's HealthChecker.
pub(super) fn is_health_checker(stem: &str) -> bool {
    stem.to_ascii_lowercase().starts_with("healthchecker")
}

/// What a result of HealthChecker is.
pub(super) const HEALTH_CHECKER: &str = "it is a result of HealthChecker, which has no certificates in it; run the script that `certwright observe --print-script` prints";

/// The beginning of a text, as UTF-8 or as UTF-16 as Windows PowerShell writes it.
fn beginning(bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(LOOKED_AT)];
    match bytes {
        [0xff, 0xfe, rest @ ..] => {
            let units: Vec<u16> =
                rest.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

const EXPORT: &str = "export the objects with Export-Clixml, or run the script that `certwright observe --print-script` prints";
/// As many bytes of a text are looked at.
const LOOKED_AT: usize = 64 << 10;
/// Properties that Format-List shows of certificates and of what uses them.
const PROPERTIES: [&str; 8] = [
    "Thumbprint",
    "CertificateDomains",
    "HasPrivateKey",
    "RootCAType",
    "TlsCertificateName",
    "CurrentCertificateThumbprint",
    "InternalTransportCertificateThumbprint",
    "X509CertificateName",
];
