//! The certificates of a server: made, imported, exported, enabled and removed.

use std::{collections::BTreeMap, thread, time::Duration};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value as Json, json};

use super::{super::super::answer::Mutated, outcome::Stop, shell::Calls};
use crate::{
    model::{certificate::Certificate, thumbprint::Thumbprint},
    remoting::{Command, Deadline, HostPolicy, Output},
};

/// Every certificate and pending request of a server. Only their bytes are read: they come in every session.
fn store(calls: &mut Calls<'_>) -> Result<BTreeMap<Thumbprint, Certificate>, Stop> {
    let server = calls.server();
    store_of(calls, &server)
}

fn store_of(calls: &mut Calls<'_>, server: &str) -> Result<BTreeMap<Thumbprint, Certificate>, Stop> {
    let output = calls.read("Get-ExchangeCertificate", &[("Server", server)])?;
    let mut store = BTreeMap::new();
    for (object, root) in output.values() {
        let raw = object.get(root, "RawData").and_then(|raw| object.bytes(raw));
        let read = raw.and_then(|raw| Certificate::from_der(raw).ok());
        let Some(certificate) = read else {
            return Err(Stop::condition(
                "other",
                "Get-ExchangeCertificate shows something that is no certificate",
            ));
        };
        store.insert(certificate.thumbprint, certificate);
    }
    Ok(store)
}

fn wanted(calls: &Calls<'_>) -> Result<Thumbprint, Stop> {
    let thumbprint = calls.text("thumbprint").parse();
    thumbprint.map_err(|_| Stop::condition("bad_request", "it names no certificate"))
}

fn stored(calls: &mut Calls<'_>, thumbprint: Thumbprint) -> Result<Certificate, Stop> {
    let missing = || Stop::condition("not_found", format!("the certificate {thumbprint} is not there"));
    store(calls)?.remove(&thumbprint).ok_or_else(missing)
}

pub(super) fn create(calls: &mut Calls<'_>) -> Result<Json, Stop> {
    let call = calls.call("call")?;
    let before = store(calls)?;
    let Some(made) = calls.blindly(&call, HostPolicy::Nobody)? else {
        return Ok(json!({ "changed": false }));
    };
    let after = store(calls)?;
    let new = after.iter().filter(|(thumbprint, _)| !before.contains_key(*thumbprint));
    let new: Vec<String> = new.map(|(_, certificate)| BASE64_STANDARD.encode(&certificate.der.0)).collect();
    let request = made.values().find_map(|(object, root)| {
        let file = object.get(root, "FileData").and_then(|data| object.bytes(data));
        file.map(|bytes| BASE64_STANDARD.encode(bytes))
            .or_else(|| object.object(root).is_none().then(|| object.text(root).map(str::to_owned)).flatten())
    });
    Ok(json!({ "changed": true, "new": new, "request": request }))
}

/// A CA's answer. Without its request, Exchange would import a certificate without key.
pub(super) fn complete(calls: &mut Calls<'_>) -> Result<Json, Stop> {
    let thumbprint = wanted(calls)?;
    let unreadable = || Stop::condition("bad_request", "the answer is no certificate");
    let der = BASE64_STANDARD.decode(calls.text("certificate")).map_err(|_| unreadable())?;
    let answer = Certificate::from_der(&der).map_err(|_| unreadable())?;
    let store = store(calls)?;
    if store.contains_key(&thumbprint) {
        return Ok(json!({ "changed": false }));
    }
    if !store.values().any(|request| request.public_key == answer.public_key) {
        return Err(Stop::condition("no_request", "there is no request that this certificate answers"));
    }
    import(calls)
}

pub(super) fn import(calls: &mut Calls<'_>) -> Result<Json, Stop> {
    let (call, thumbprint) = (calls.call("call")?, wanted(calls)?);
    let changed = calls.change(&call, |calls| Ok(store(calls)?.contains_key(&thumbprint)))?;
    Ok(json!({ "changed": changed }))
}

pub(super) fn export(calls: &mut Calls<'_>) -> Result<Json, Stop> {
    let thumbprint = wanted(calls)?;
    let certificate = stored(calls, thumbprint)?;
    let mut pfx = None;
    if !calls.request.arguments["call"].is_null() {
        let exported = calls.invoke(&calls.call("call")?, HostPolicy::Nobody)?;
        let file = file_data(&exported);
        pfx = Some(file.ok_or_else(|| Stop::condition("other", "Export-ExchangeCertificate gave no file"))?);
    }
    Ok(json!({ "certificate": BASE64_STANDARD.encode(&certificate.der.0), "pfx": pfx }))
}

fn file_data(output: &Output) -> Option<String> {
    let (object, root) = output.values().next()?;
    let bytes =
        object.get(root, "FileData").and_then(|data| object.bytes(data)).or_else(|| object.bytes(root))?;
    Some(BASE64_STANDARD.encode(bytes))
}

/// Enabling is additive, and there is no way back. Whether the default SMTP certificate stays is asked; for this one call
/// the answer is No.
pub(super) fn enable(calls: &mut Calls<'_>) -> Result<Json, Stop> {
    let (call, thumbprint) = (calls.call("call")?, wanted(calls)?);
    stored(calls, thumbprint)?;
    let policy = if calls.is_set("keep_default") { HostPolicy::AnswerNo } else { HostPolicy::Nobody };
    let done = calls.blindly(&call, policy)?;
    Ok(json!({ "changed": done.is_some() }))
}

/// Removes a certificate or a pending request. What it must not be is read again first; IIS is asked by another channel.
pub(super) fn remove(calls: &mut Calls<'_>) -> Result<Json, Stop> {
    let (call, thumbprint) = (calls.call("call")?, wanted(calls)?);
    if calls.outcome.what_if && !store(calls)?.contains_key(&thumbprint) {
        // Whoever asks what would be done has asked for the removal before, and the answer was lost.
        return Ok(json!({ "changed": false }));
    }
    stored(calls, thumbprint)?;
    if !calls.is_set("is_request") {
        let server = calls.server();
        unused(calls, &server, thumbprint)?;
    }
    let changed = calls.change(&call, |calls| Ok(!store(calls)?.contains_key(&thumbprint)))?;
    Ok(json!({ "changed": changed }))
}

/// Removes certificates that send connectors name, while they name none. Whatever becomes of that, they are named again.
pub(super) fn remove_named(calls: &mut Calls<'_>) -> Result<Json, Stop> {
    let (clear, named, remove) = (calls.calls("clear")?, calls.calls("name")?, calls.calls("remove")?);
    if calls.request.arguments["still"] != json!([]) {
        let why = "cmdlets of Exchange alone stop no services";
        return Err(Stop::condition("unsupported_here", why));
    }
    for index in 0..remove.len() {
        let (server, thumbprint) = place(calls, index)?;
        unused(calls, &server, thumbprint)?;
    }
    if calls.outcome.what_if {
        calls.outcome.would.push("Remove-ExchangeCertificate".into());
        return Ok(json!({ "changed": false }));
    }
    calls.outcome.mutated = Mutated::Unknown;
    let removed = cleared_and_removed(calls, &clear, &remove);
    if let Err(Stop::Broken(_)) = removed {
        *calls.shell = None;
    }
    // That a connector names nothing matters more than why. Each is tried, whatever becomes of the others.
    let named: Vec<Result<(), Stop>> = named.iter().map(|call| calls.restore(call)).collect();
    named.into_iter().collect::<Result<(), Stop>>()?;
    removed?;
    calls.outcome.mutated = Mutated::Yes;
    Ok(json!({ "changed": true }))
}

fn cleared_and_removed(calls: &mut Calls<'_>, clear: &[Command], remove: &[Command]) -> Result<(), Stop> {
    for call in clear {
        calls.invoke(call, HostPolicy::Nobody)?;
    }
    let seconds = calls.request.arguments["replication_seconds"].as_u64().unwrap_or_default();
    let until = Deadline::after(Duration::from_secs(seconds.max(1)));
    for (index, call) in remove.iter().enumerate() {
        let (server, thumbprint) = place(calls, index)?;
        while store_of(calls, &server)?.contains_key(&thumbprint) {
            let refusal = match calls.invoke(call, HostPolicy::Nobody) {
                Err(stop @ Stop::Broken(_)) => return Err(stop),
                // Its domain controller may not know yet that the connectors name none.
                Err(stop @ Stop::Answered(_)) => stop,
                Ok(_) if !store_of(calls, &server)?.contains_key(&thumbprint) => break,
                Ok(_) => Stop::condition(
                    "not_reached",
                    format!("{} reported success, and the certificate is there", call.shown()),
                ),
            };
            // Nobody waits longer than that, whatever the cmdlet says.
            if until.left().is_none() {
                return Err(refusal);
            }
            thread::sleep(REPLICATION);
        }
    }
    Ok(())
}

/// A certificate that is to be removed, and its server.
fn place(calls: &Calls<'_>, index: usize) -> Result<(String, Thumbprint), Stop> {
    let place = &calls.request.arguments["removals"][index];
    let server = place["server"]["name"].as_str().unwrap_or_default().to_owned();
    let thumbprint = place["thumbprint"].as_str().and_then(|text| text.parse().ok());
    let missing = || Stop::condition("bad_request", "it names no certificate");
    Ok((server, thumbprint.ok_or_else(missing)?))
}

/// How often a server is asked whether its domain controller knows.
const REPLICATION: Duration = Duration::from_secs(5);

fn unused(calls: &mut Calls<'_>, server: &str, thumbprint: Thumbprint) -> Result<(), Stop> {
    let in_use = |why: String| Err(Stop::condition("in_use", why));
    let text = thumbprint.to_string();
    let is_it = |output: &Output, property: &str| {
        output.values().any(|(object, root)| {
            let value = object.get(root, property).and_then(|value| object.text(value));
            value.is_some_and(|value| value.eq_ignore_ascii_case(&text))
        })
    };
    let transport = calls.read("Get-TransportService", &[("Identity", server)])?;
    if is_it(&transport, "InternalTransportCertificateThumbprint") {
        return in_use("it is the internal transport certificate".into());
    }
    let auth = calls.read("Get-AuthConfig", &[])?;
    for property in ["CurrentCertificateThumbprint", "NextCertificateThumbprint"] {
        if is_it(&auth, property) {
            return in_use(format!("it is {property} of the Auth configuration"));
        }
    }
    Ok(())
}
