//! What no command does: what is on the screen for the person who does it.

use super::text::{plain_signs, quoted, reference};
use crate::model::{
    action::{Action, BundleSource, Condition, Expectation, StepId},
    names::DnsName,
    organization::Organization,
    plan::{Plan, Step},
};

/// The lines of a step without commands.
pub(super) fn lines(step: &Step, plan: &Plan, organization: &Organization) -> Vec<String> {
    match &step.action {
        Action::Issue { issuer, request, certificate, .. } => {
            let names: Vec<&str> = request.names.iter().map(DnsName::as_str).collect();
            let names = names.join(", ");
            let title = match certificate {
                Some(_) => format!("   It is the PFX file of the issuer {issuer}, with the names {names}."),
                None => format!("   Have it issued with the names {names}, as a PFX file with its key."),
            };
            issued(step.id, &title, plan, organization)
        }
        Action::Await { until: Condition::Moment { at } } => {
            vec![format!("Wait-Until ([datetime]{})", quoted(&at.to_string()))]
        }
        Action::Await { until: Condition::Answer { file, .. } } => {
            vec![format!("$null = Get-Answer {}", quoted(&format!("{file}.cer")))]
        }
        Action::Await { until } => vec![pause(&format!("Go on when there is {until}"))],
        Action::Verify { server, expect } => {
            let fqdn = organization.servers.get(server).and_then(|server| server.fqdn.known());
            met(&fqdn.map_or_else(|| server.to_string(), ToString::to_string), expect)
        }
        Action::VerifyBalancer { balancer, expect } => met(balancer.as_str(), expect),
        Action::Install { balancer, certificate, from } => {
            let from = match from {
                BundleSource::Issued(step) => format!(" (the PFX file of step {step})"),
                BundleSource::Server(_) | BundleSource::Backup { .. } => String::new(),
            };
            vec![pause(&format!(
                "Install {certificate}{from} with its chain and key on {balancer}, and reload it"
            ))]
        }
        Action::Manual { until, .. } => {
            vec![say(&format!("   Done when: {until}")), pause("Go on when it is done")]
        }
        // The script is gone through in its order: whoever comes here has done what is before.
        Action::Gate { .. }
        | Action::CannotApply { .. }
        | Action::Request { .. }
        | Action::Complete { .. }
        | Action::RemoveRequest { .. }
        | Action::Create { .. }
        | Action::Import { .. }
        | Action::Bind { .. }
        | Action::BindSite { .. }
        | Action::SetX509CertificateName { .. }
        | Action::SetUmStartupMode { .. }
        | Action::SetInternalTransport { .. }
        | Action::Repoint { .. }
        | Action::SetImCertificate { .. }
        | Action::Restart { .. }
        | Action::BackUp { .. }
        | Action::StageAuth { .. }
        | Action::PublishAuth { .. }
        | Action::ClearPreviousAuth {}
        | Action::Remove { .. }
        | Action::RemoveNamed { .. } => Vec::new(),
    }
}

/// What certwright does with its own hands: a key, and a CA that signs.
fn issued(step: StepId, title: &str, plan: &Plan, organization: &Organization) -> Vec<String> {
    let mut lines = vec![say(title)];
    let targets = plan.steps.iter().filter_map(|other| match &other.action {
        Action::Import { server, from: BundleSource::Issued(from), .. } if *from == step => {
            organization.servers.get(server)
        }
        _ => None,
    });
    let is_old = |name: &str| ["2008", "2012", "2016"].iter().any(|year| name.contains(year));
    let systems = targets.filter_map(|server| server.operating_system.known()?.as_deref());
    if systems.into_iter().any(is_old) {
        lines.push(say(
            "   Windows before Server 2019 reads no PFX file with AES and SHA-256: it has to be encrypted with TripleDES-SHA1.",
        ));
    }
    lines.push(format!("$null = Get-Made {step}"));
    lines
}

/// What is to be seen at each endpoint has to be seen by somebody.
fn met(host: &str, expect: &[Expectation]) -> Vec<String> {
    if expect.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![say(
        "   Each of these has to show its certificate: certwright verify --endpoint ADDRESS --name NAME",
    )];
    for Expectation { endpoint, name, certificate } in expect {
        let scheme = endpoint.protocol.scheme();
        let name = name.as_ref().map_or(String::new(), |name| format!(" --name {name}"));
        let text = format!("  --endpoint {scheme}://{host}:{}{name}", endpoint.port);
        lines.push(format!("Write-Host ('   ' + {} + {})", reference(*certificate), quoted(&text)));
    }
    lines.push(pause("Go on when all of them do"));
    lines
}

fn say(text: &str) -> String {
    format!("Write-Host {}", quoted(&plain_signs(text)))
}

pub(super) fn pause(text: &str) -> String {
    format!("$null = Read-Host {}", quoted(&plain_signs(&format!("   {text}, with Enter"))))
}
