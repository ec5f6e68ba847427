//! `cargo +nightly fuzz run frames`: whatever a program prints, its frames are told from the rest, and what it answers is an
//! observation or an error.
#![no_main]

use std::{collections::BTreeMap, time::Duration};

use certwright::{
    drivers::powershell::{
        Channel, PowerShell, PowerShellError, Request, ServerAccess, Timeouts, WindowsAccess,
        channel::frames::frames_of,
    },
    ports::driver::{Observer, Wanted},
};
use libfuzzer_sys::fuzz_target;

/// Gives the same answer to each request.
struct Says(Vec<u8>);

impl Channel for Says {
    fn exchange(&mut self, id: u64, request: &Request, _: Duration) -> Result<Vec<u8>, PowerShellError> {
        let opening = format!(r#"{{"v":1,"id":{id},"ok":true,"result":{{"answers_prompts":true}}}}"#);
        Ok(if request.operation == "session.open" { opening.into_bytes() } else { self.0.clone() })
    }

    fn host(&self) -> &str {
        "EX01"
    }

    fn runs_script(&self) -> bool {
        false
    }
}

fuzz_target!(|bytes: &[u8]| {
    let (frames, noise) = frames_of(bytes, "ab12");
    assert!(noise.len() <= 3 * 4096);
    assert!(frames.is_none_or(|frames| frames.iter().map(Vec::len).sum::<usize>() <= bytes.len()));
    let own = bytes.to_vec();
    let access = ServerAccess {
        name: "EX01".parse().expect("a name"),
        fqdn: "ex01.contoso.com".parse().expect("a name"),
        edge: false,
        connect: Box::new(move || Ok(Box::new(Says(own.clone())))),
        windows: WindowsAccess::Same,
        credential: None,
        patience: Timeouts::default(),
    };
    let _ = PowerShell::new(vec![access], BTreeMap::new()).observe(Wanted::Everything);
});
