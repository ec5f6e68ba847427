//! Steps in words.

use crate::model::{
    action::{Action, BundleSource, CertRef, Drain, Expectation},
    endpoint::Protocol,
    names::BalancerName,
    plan::Undo,
    service::{self, Services},
};

/// What a step does, without its verb.
pub fn describe(action: &Action) -> String {
    match action {
        Action::Issue { issuer, request, certificate: Some(_), .. } => {
            format!("from the PFX file of {issuer}, {}", request.subject)
        }
        Action::Issue { issuer, request, certificate: None, .. } => {
            format!("from {issuer}, {}, {}", request.key, request.subject)
        }
        Action::Create { request, enable, .. } => {
            format!("self-signed {}, {}{}", request.subject, request.key, at_once(enable))
        }
        Action::Request { request, file, .. } => {
            format!("{}, {}, into {file}.csr", request.subject, request.key)
        }
        Action::Await { until } => until.to_string(),
        Action::Complete { certificate, enable, .. } => format!("{certificate}{}", at_once(enable)),
        Action::RemoveRequest { request, .. } => request.to_string(),
        Action::SetUmStartupMode { call_router: false, mode, .. } => format!("of UM to {mode}"),
        Action::SetUmStartupMode { call_router: true, mode, .. } => {
            format!("of the UM call router to {mode}")
        }
        Action::Manual { task: what, .. } => what.clone(),
        Action::Import { certificate, from, enable, .. } => {
            let from = match from {
                BundleSource::Issued(_) => String::new(),
                BundleSource::Server(server) => format!(" exported from {server}"),
                BundleSource::Backup { step, .. } => format!(" from the backup of step {step}"),
            };
            format!("{certificate}{from}{}", at_once(enable))
        }
        Action::Bind { certificate, services, .. } => format!("{} to {certificate}", service::list(services)),
        Action::BindSite { site, certificate, .. } => format!("{site} to {certificate}"),
        Action::SetX509CertificateName { service, name: Some(name), .. } => format!("of {service} to {name}"),
        Action::SetX509CertificateName { service, name: None, .. } => format!("of {service} to nothing"),
        Action::SetInternalTransport { certificate, .. } => format!("certificate becomes {certificate}"),
        Action::Repoint { connector, to: Some(to) } => format!("{connector} to {to}"),
        Action::Repoint { connector, to: None } => format!("{connector}: clear its TlsCertificateName"),
        Action::SetImCertificate { name, certificate, .. } => format!("of {name} to {certificate}"),
        Action::Restart { service: what, services, unless_served, drain, server: _ } => {
            let unless =
                if unless_served.is_empty() { "" } else { ", unless it serves the new certificate by then" };
            let drained = drain.as_ref().map_or(String::new(), drained);
            format!("{what} ({}){unless}{drained}", services.join(", "))
        }
        Action::Verify { expect, .. } if expect.is_empty() => {
            "nothing here can be asked over the network".into()
        }
        Action::Verify { expect, .. } => format!("by handshake: {}", ports(expect)),
        Action::StageAuth { certificate, effective: Some(at) } => {
            format!("{certificate} as the next Auth certificate, effective {at}")
        }
        Action::StageAuth { certificate, effective: None } => {
            format!("{certificate} as the next Auth certificate, effective at once")
        }
        Action::PublishAuth { certificate } => format!("{certificate} as the Auth certificate"),
        Action::ClearPreviousAuth {} => "the Auth certificate before the present one".into(),
        Action::BackUp { certificate, with_key: true, .. } => format!("{certificate} with its key"),
        Action::BackUp { certificate, with_key: false, .. } => {
            format!("{certificate} without its key, which cannot be exported")
        }
        Action::Install { balancer, certificate, from } => {
            let from = match from {
                BundleSource::Issued(_) => String::new(),
                BundleSource::Server(server) => format!(", exported from {server}"),
                BundleSource::Backup { step, .. } => format!(", from the backup of step {step}"),
            };
            format!("{certificate} on load balancer {balancer}{from}")
        }
        Action::VerifyBalancer { balancer, expect } => {
            format!("load balancer {balancer} by handshake: {}", ports(expect))
        }
        Action::Remove { certificate, while_stopped, .. } if while_stopped.is_empty() => {
            certificate.to_string()
        }
        Action::Remove { certificate, while_stopped, .. } => {
            let stopped: Vec<String> = while_stopped.iter().map(|group| group.service.to_string()).collect();
            format!("{certificate}, with {} stopped meanwhile", stopped.join(", "))
        }
        Action::RemoveNamed { certificates, connectors, .. } => {
            let mut named: Vec<String> = Vec::new();
            for stored in certificates {
                let certificate = stored.certificate.to_string();
                if !named.contains(&certificate) {
                    named.push(certificate);
                }
            }
            let servers: Vec<&str> = certificates.iter().map(|stored| stored.server.as_str()).collect();
            let connectors: Vec<&str> = connectors.iter().map(|named| named.connector.as_str()).collect();
            format!(
                "{} on {}, while {} name{} none and transport stands still",
                named.join(", "),
                servers.join(", "),
                connectors.join(", "),
                if connectors.len() == 1 { "s" } else { "" }
            )
        }
        Action::Gate { all } => all.to_string(),
        // Exchange's own sentences end with a full stop.
        Action::CannotApply { why, .. } => why.to_string().trim_end_matches('.').to_owned(),
    }
}

/// What a server is taken out of while it restarts.
fn drained(Drain { redirect_to, balancers, left_out: _ }: &Drain) -> String {
    let mail = redirect_to.as_ref().map(|target| format!("drained to {target}"));
    let names: Vec<&str> = balancers.iter().map(BalancerName::as_str).collect();
    let clients = (!names.is_empty()).then(|| format!("out of {} meanwhile", names.join(", ")));
    let parts: Vec<String> = mail.into_iter().chain(clients).collect();
    format!(", {}", parts.join(" and "))
}

/// Endpoints in short: `https 443 444, smtp 25 587`; with the host name where two bindings share a port.
fn ports(expect: &[Expectation]) -> String {
    let mut protocols: Vec<(Protocol, String)> = Vec::new();
    let mut last = None;
    for Expectation { endpoint, name, .. } in expect {
        let host = name.as_ref().filter(|_| last == Some(*endpoint));
        let port = match host {
            Some(host) => format!("{} ({host})", endpoint.port),
            None => endpoint.port.to_string(),
        };
        last = Some(*endpoint);
        match protocols.last_mut() {
            Some((protocol, ports)) if *protocol == endpoint.protocol => ports.push_str(&format!(" {port}")),
            _ => protocols.push((endpoint.protocol, format!("{} {port}", endpoint.protocol.scheme()))),
        }
    }
    protocols.into_iter().map(|(_, ports)| ports).collect::<Vec<_>>().join(", ")
}

/// The way back in words; none when there is nothing to say.
pub(in crate::views) fn undo(undo: &Undo) -> Option<String> {
    match undo {
        Undo::Nothing => None,
        Undo::By(actions) => Some(all_back(actions)),
        Undo::Partly { by, stays } => Some(format!("{}; {stays}", all_back(by))),
        Undo::Irreversible { why } => Some(format!("none: {why}")),
    }
}

fn all_back(actions: &[Action]) -> String {
    let several = actions.len() > 1;
    let back = actions.iter().map(|action| match action {
        Action::Repoint { connector, .. } if several => format!("{connector} {}", back(action)),
        _ => back(action),
    });
    back.collect::<Vec<_>>().join("; ")
}

fn back(action: &Action) -> String {
    match action {
        Action::Import {
            certificate: CertRef::Known(_), from: BundleSource::Backup { step, .. }, ..
        } => {
            format!("import backup of step {step}")
        }
        Action::Remove { .. } => "remove it".into(),
        Action::Install { certificate, .. } => format!("{certificate} back on it"),
        Action::BindSite { site, certificate, .. } => format!("{site} back to {certificate}"),
        Action::SetInternalTransport { certificate, .. } => format!("internal TLS back to {certificate}"),
        Action::SetX509CertificateName { service, name: Some(name), .. } => {
            format!("{service} name back to {name}")
        }
        Action::SetImCertificate { name, certificate, .. } => format!("{name} back to {certificate}"),
        Action::Repoint { to: Some(to), .. } => format!("back to {to}"),
        Action::Repoint { to: None, .. } => "clear its TlsCertificateName".into(),
        other => format!("{} {}", other.verb(), describe(other)),
    }
}

fn at_once(services: &Services) -> String {
    if services.is_empty() { String::new() } else { format!(", with {} at once", service::list(services)) }
}
