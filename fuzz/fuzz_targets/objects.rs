//! `cargo +nightly fuzz run objects`: whatever a file of `Export-Clixml` holds, each of its objects is read as an object of
//! every cmdlet, or it is said why not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use certwright::{
    drivers::objects::{self, Bag, DateOrder, KINDS, flattened},
    wire::clixml,
};

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = clixml::read(bytes) else { return };
    for value in flattened(&document) {
        for kind in KINDS {
            let bag = Bag::new(&document, value, kind);
            let _ = match kind.cmdlet {
                "Get-ExchangeServer" => objects::exchange_server(&bag).err(),
                "Get-AcceptedDomain" => objects::accepted_domain(&bag).err(),
                "Get-SendConnector" => objects::send_connector(&bag).err(),
                "Get-ReceiveConnector" => objects::receive_connector(&bag).err(),
                "Get-HybridConfiguration" => objects::hybrid_configuration(&bag).err(),
                "Get-AuthConfig" => objects::auth_config(&bag, DateOrder::Unknown).err(),
                "Get-ExchangeCertificate" => objects::certificate(&bag, |_| {}).err(),
                "Get-WebBinding" => objects::web_binding(&bag).err(),
                _ => None,
            };
        }
    }
});
