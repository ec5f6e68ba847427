//! Draining transport before it restarts.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value as Json, json};

use super::{super::super::answer::Mutated, outcome::Stop, settings::property, shell::Calls};
use crate::remoting::{Command, HostPolicy, Output};

/// Empties the queues of transport into another server. Whatever becomes of that, the component is active again at the end.
pub(super) fn drain(calls: &mut Calls<'_>) -> Result<Json, Stop> {
    let [read, begin, redirect, queues, activate] =
        ["read", "drain", "redirect", "queues", "activate"].map(|name| calls.call(name));
    let (read, begin, redirect, queues, activate) = (read?, begin?, redirect?, queues?, activate?);
    let now = state(calls, &read)?;
    // Draining is what a run that was cut off leaves, and what somebody begins a maintenance with: the caller knows which.
    let is_own = calls.request.arguments["own"] == true && now == "Draining";
    if now != "Active" && !is_own {
        return Err(Stop::condition("not_found", format!("HubTransport is {now}")));
    }
    if calls.outcome.what_if {
        calls.outcome.would.push(begin.shown());
        return Ok(json!({ "changed": false }));
    }
    calls.outcome.mutated = Mutated::Unknown;
    let seconds = calls.request.arguments["seconds"].as_u64().unwrap_or_default();
    let drained = emptied(calls, [&begin, &redirect, &queues], Duration::from_secs(seconds));
    if let Err(Stop::Broken(_)) = drained {
        *calls.shell = None;
    }
    calls.restore(&activate)?;
    if state(calls, &read)? != "Active" {
        return Err(Stop::condition("not_reached", "HubTransport is not active again"));
    }
    calls.outcome.mutated = if drained.is_ok() { Mutated::Yes } else { Mutated::No };
    drained.map(|()| json!({ "changed": true }))
}

fn emptied(
    calls: &mut Calls<'_>,
    [begin, redirect, queues]: [&Command; 3],
    patience: Duration,
) -> Result<(), Stop> {
    calls.invoke(begin, HostPolicy::Nobody)?;
    calls.invoke(redirect, HostPolicy::Nobody)?;
    let until = Instant::now() + patience;
    while waiting(&calls.invoke(queues, HostPolicy::Nobody)?) > 0 && Instant::now() < until {
        thread::sleep(Duration::from_secs(1));
    }
    Ok(())
}

fn state(calls: &mut Calls<'_>, read: &Command) -> Result<String, Stop> {
    Ok(property(&calls.invoke(read, HostPolicy::Nobody)?, "State").unwrap_or_default())
}

/// How many messages wait, but for those that other servers keep too and those that nobody can deliver.
fn waiting(queues: &Output) -> u64 {
    let mut waiting = 0;
    for (object, root) in queues.values() {
        let text =
            |name: &str| object.get(root, name).and_then(|value| object.text(value)).unwrap_or_default();
        let is_kept = text("DeliveryType") == "ShadowRedundancy" || text("Identity").ends_with("\\Poison");
        if !is_kept {
            waiting += text("MessageCount").parse::<u64>().unwrap_or_default();
        }
    }
    waiting
}
