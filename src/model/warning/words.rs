//! Parts of sentences that several warnings share.

use crate::model::thumbprint::Thumbprint;

/// The same certificate and key once more, into the provider that Exchange's own cmdlets use; nothing to say of a key that
/// may not leave.
pub(super) fn or_to_csp(thumbprint: Thumbprint, exportable: Option<bool>) -> String {
    if exportable == Some(false) {
        return "; its key may not leave the server".into();
    }
    format!(
        ", or bring the key to where it belongs: `certutil -exportPFX My {thumbprint} key.pfx`, then `certutil -f -csp \
         \"Microsoft RSA SChannel Cryptographic Provider\" -importPFX key.pfx AT_KEYEXCHANGE`, then enable its services again, \
         and delete the file; the certificate stays in the store all the while, so that no binding loses it"
    )
}
