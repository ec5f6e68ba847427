//! The driver script and the way in which it reaches a PowerShell: over standard input, by a bootstrap that stands on the
//! command line. There is no file and no execution policy in between.

use base64::prelude::{BASE64_STANDARD, Engine};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// The parts of the driver script, in their order. Only the last one does something; the others define.
pub const PARTS: [&str; 10] = [
    include_str!("script/start.ps1"),
    include_str!("script/json.ps1"),
    include_str!("script/host.ps1"),
    include_str!("script/exchange.ps1"),
    include_str!("../objects/read-windows.ps1"),
    include_str!("script/windows.ps1"),
    include_str!("script/observe.ps1"),
    include_str!("script/certificates.ps1"),
    include_str!("script/settings.ps1"),
    include_str!("script/main.ps1"),
];

/// Reads a length in decimal, a line feed and that many bytes from standard input, and runs them. It ends with 90 when
/// nothing comes and with 91 when less comes. It holds neither a double quote nor the automatic variable of the pipeline's
/// input, with which PowerShell would read standard input itself.
pub const BOOTSTRAP: &str = "$ErrorActionPreference='Stop';$ProgressPreference='SilentlyContinue';\
$s=[Console]::OpenStandardInput();$n=0;while(($b=$s.ReadByte()) -ne 10){if($b -lt 0){exit 90};$n=$n*10+$b-48};\
$a=New-Object byte[] $n;$i=0;while($i -lt $n){$r=$s.Read($a,$i,$n-$i);if($r -le 0){exit 91};$i+=$r};\
. ([ScriptBlock]::Create([Text.Encoding]::UTF8.GetString($a))) $s";

/// The options of every PowerShell that is started. With redirected standard error, only this keeps it from being XML.
const OPTIONS: [&str; 5] = ["-NoLogo", "-NoProfile", "-NonInteractive", "-OutputFormat", "Text"];

/// The whole driver script.
pub fn text() -> String {
    PARTS.join("\n")
}

/// The SHA-256 of [`text`], as `build.rs` has found it: `certwright --version` says it.
pub const SHA256: &str = env!("CERTWRIGHT_DRIVER_SHA256");

/// The SHA-256 of a script.
pub fn sha256(script: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(script))
}

/// What follows the name of a local PowerShell.
pub fn arguments() -> Vec<String> {
    OPTIONS.into_iter().chain(["-Command", BOOTSTRAP]).map(str::to_owned).collect()
}

/// The same for a shell that would read the bootstrap before PowerShell does: in Base64 of UTF-16.
pub fn encoded_arguments() -> Vec<String> {
    let utf16: Vec<u8> = BOOTSTRAP.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let encoded = BASE64_STANDARD.encode(utf16);
    let command = ["-EncodedCommand".to_owned(), encoded];
    OPTIONS.into_iter().map(str::to_owned).chain(command).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bootstrap_leaves_standard_input_to_the_script_and_needs_no_quotes() {
        assert!(!BOOTSTRAP.contains("$input") && !BOOTSTRAP.contains('"') && !BOOTSTRAP.contains('\n'));
        // cmd.exe takes 8191 characters.
        assert!(encoded_arguments().join(" ").len() < 2000);
    }

    #[test]
    fn its_digest_is_that_of_the_build() {
        assert_eq!(sha256(&text()), SHA256);
    }

    #[test]
    fn the_script_is_ascii() {
        // It is sent as UTF-8; whoever looks at it with another code page reads the same.
        assert!(text().is_ascii());
    }
}
