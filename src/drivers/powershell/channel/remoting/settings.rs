//! Settings that name a certificate: connectors, POP and IMAP, Unified Messaging, OAuth, setting overrides.

use serde_json::{Value as Json, json};

use super::{
    super::super::answer::Mutated,
    outcome::Stop,
    shell::{Calls, with},
};
use crate::remoting::{Argument, HostPolicy, Output};

/// A property of the first object: empty where it is null. None where there is no object.
pub(super) fn property(output: &Output, name: &str) -> Option<String> {
    let (object, root) = output.values().next()?;
    let value = object.get(root, name).filter(|value| !object.is_null(value));
    Some(value.and_then(|value| object.text(value)).unwrap_or_default().to_owned())
}

/// Sets one property and reads it back. Exchange shows a name as an object whose text is the name.
pub(super) fn set(calls: &mut Calls<'_>) -> Result<Json, Stop> {
    let (call, read) = (calls.call("call")?, calls.call("read")?);
    let name = calls.text("property").to_owned();
    let parameters = calls.request.arguments["call"]["parameters"].as_array();
    let wanted = parameters.into_iter().flatten().find(|parameter| parameter["name"] == name.as_str());
    let wanted = wanted.and_then(|parameter| parameter["value"].as_str()).unwrap_or_default().to_owned();
    let changed = calls.change(&call, |calls| {
        let output = calls.invoke(&read, HostPolicy::Nobody)?;
        let missing = || Stop::condition("not_found", format!("{} shows nothing", read.shown()));
        let now = property(&output, &name).ok_or_else(missing)?;
        Ok(now.eq_ignore_ascii_case(&wanted))
    })?;
    Ok(json!({ "changed": changed }))
}

/// An Edge server acts by its own copy of connectors. The cmdlet returns when that is up to date, or says what failed.
pub(super) fn synchronize_edge(calls: &mut Calls<'_>) -> Result<Json, Stop> {
    let call = calls.call("call")?;
    let Some(output) = calls.blindly(&call, HostPolicy::Nobody)? else {
        return Ok(json!({ "changed": false }));
    };
    let failed = output.values().find_map(|(object, root)| {
        let details = object.get(root, "FailureDetails").and_then(|details| object.text(details));
        details.filter(|details| !details.is_empty()).map(str::to_owned)
    });
    match failed {
        Some(why) => {
            // What the organization has is not changed by it, and a copy that is behind can be made again.
            calls.outcome.mutated = Mutated::No;
            Err(Stop::condition("not_reached", why))
        }
        None => Ok(json!({ "changed": true })),
    }
}

/// One property of the Auth configuration.
fn auth(calls: &mut Calls<'_>, name: &str) -> Result<String, Stop> {
    let config = calls.read("Get-AuthConfig", &[])?;
    property(&config, name)
        .ok_or_else(|| Stop::condition("not_found", "the organization has no Auth configuration"))
}

pub(super) fn stage_auth(calls: &mut Calls<'_>) -> Result<Json, Stop> {
    let (call, wanted) = (calls.call("call")?, calls.text("thumbprint").to_owned());
    // A date that has changed is set again, so it is not left out when the certificate is the next one already.
    let done = calls.blindly(&call, HostPolicy::Nobody)?;
    if done.is_some() {
        let is = |now: String| now.eq_ignore_ascii_case(&wanted);
        let next = is(auth(calls, "NextCertificateThumbprint")?);
        if !next && !is(auth(calls, "CurrentCertificateThumbprint")?) {
            return Err(Stop::condition("not_reached", "it is not the next certificate"));
        }
    }
    Ok(json!({ "changed": done.is_some() }))
}

pub(super) fn publish_auth(calls: &mut Calls<'_>) -> Result<Json, Stop> {
    // The one that is meant; whoever only asks what would be done may not know it yet.
    let (call, wanted) = (calls.call("call")?, calls.text("thumbprint").to_owned());
    if !wanted.is_empty() && auth(calls, "CurrentCertificateThumbprint")?.eq_ignore_ascii_case(&wanted) {
        return Ok(json!({ "changed": false, "next": wanted }));
    }
    let next = auth(calls, "NextCertificateThumbprint")?;
    if next.is_empty() {
        return Err(Stop::condition("no_next", "no certificate is staged"));
    }
    if !wanted.is_empty() && !next.eq_ignore_ascii_case(&wanted) {
        let why = format!("somebody has staged another certificate since it was looked at: {next}");
        return Err(Stop::condition("precondition_failed", why));
    }
    let changed = calls.change(&call, |calls| {
        Ok(auth(calls, "CurrentCertificateThumbprint")?.eq_ignore_ascii_case(&next))
    })?;
    Ok(json!({ "changed": changed, "next": next }))
}

pub(super) fn clear_previous_auth(calls: &mut Calls<'_>) -> Result<Json, Stop> {
    let call = calls.call("call")?;
    let changed =
        calls.change(&call, |calls| Ok(auth(calls, "PreviousCertificateThumbprint")?.is_empty()))?;
    Ok(json!({ "changed": changed }))
}

/// A setting override takes all its parameters at once, so those that are not about the certificate are repeated.
pub(super) fn set_override(calls: &mut Calls<'_>) -> Result<Json, Stop> {
    let (read, call) = (calls.call("read")?, calls.call_without("call", "Parameters")?);
    let refresh = calls.calls("refresh")?;
    let entry = format!("{NAME}{}", calls.text("thumbprint"));
    let find = |calls: &mut Calls<'_>| -> Result<Vec<String>, Stop> {
        let found = calls.invoke(&read, HostPolicy::Nobody)?;
        let missing = || Stop::condition("not_found", "there is no such setting override");
        let (object, root) = found.values().next().ok_or_else(missing)?;
        let items = object.get(root, "Parameters").and_then(|value| object.items(value)).unwrap_or_default();
        Ok(items.iter().filter_map(|item| object.text(item)).map(str::to_owned).collect())
    };
    let mut parameters = find(calls)?;
    parameters.retain(|parameter| !parameter.starts_with(NAME));
    parameters.push(entry.clone());
    let call = with(call, "Parameters", Argument::Texts(parameters))?;
    let changed = calls.change(&call, |calls| Ok(find(calls)?.contains(&entry)))?;
    for each in refresh {
        calls.blindly(&each, HostPolicy::Nobody)?;
    }
    Ok(json!({ "changed": changed }))
}

const NAME: &str = "IMCertificateThumbprint=";
