//! The cmdlets by which transport is drained before it restarts (facts 3.11).

use super::{Cmdlet, Question, Value};
use crate::model::names::{DnsName, ServerName};

/// `Set-ServerComponentState -Component HubTransport`: draining, or active again.
pub fn set_hub_transport(server: &ServerName, active: bool) -> Cmdlet {
    let state = if active { "Active" } else { "Draining" };
    of_hub_transport("Set-ServerComponentState", server)
        .with("State", Value::Word(state))
        .with("Requester", Value::Word("Maintenance"))
}

/// `Get-ServerComponentState -Component HubTransport`.
pub fn read_hub_transport(server: &ServerName) -> Cmdlet {
    of_hub_transport("Get-ServerComponentState", server)
}

/// `Redirect-Message`: what is in the queues goes to another Mailbox server, which is named by its full name.
pub fn redirect_messages(server: &ServerName, target: &DnsName) -> Cmdlet {
    let cmdlet = Cmdlet::new("Redirect-Message").text("Server", server.as_str());
    cmdlet.text("Target", target.as_str()).asking(Question::Confirm)
}

/// `Get-Queue`.
pub fn read_queues(server: &ServerName) -> Cmdlet {
    Cmdlet::new("Get-Queue").text("Server", server.as_str())
}

fn of_hub_transport(name: &'static str, server: &ServerName) -> Cmdlet {
    let cmdlet = Cmdlet::new(name).text("Identity", server.as_str());
    cmdlet.with("Component", Value::Word("HubTransport"))
}
