//! The calls of each action.

use std::collections::BTreeSet;

use super::{
    Call, Capability, Content, Operation, Output, ServiceControl, Target, clear_previous_auth, complete,
    create, enable, export, import, publish_auth, read, redirect_messages, refresh_overrides, remove,
    repoint, request, set_hub_transport, set_override, set_um_startup_mode, set_x509_certificate_name,
    stage_auth, synchronize_edge,
};
use crate::exchange::edge;
use crate::model::{
    action::{
        Action, BundleSource, CertRef, ConnectorRef, DefaultSmtp, NamedConnector, ServerServices,
        ServiceGroup, StepId, TlsName,
    },
    names::{DnsName, ServerName},
    organization::Organization,
    service::{Restartable, Service, Services},
};

/// The calls of an action, in their order. `step` is the number of the action's step. `home` is a server that has the
/// certificate by which a connector of the organization is named.
///
/// None for what is not done in PowerShell: issuing, waiting, verifying, and what only a person can do.
#[expect(clippy::too_many_lines, reason = "an arm for each action")]
pub fn of_action(
    action: &Action,
    step: StepId,
    home: Option<&ServerName>,
    organization: &Organization,
) -> Vec<Call> {
    let target = |server| Target::of(organization, server);
    match action {
        Action::Request { server, request: asked, file } => {
            let file = format!("{file}.csr");
            let output = Output::Request { file: file.clone() };
            vec![call(request(target(server), asked, &file), output)]
        }
        Action::Complete { server, certificate, file, answer: _, friendly_name, enable, default_smtp } => {
            let answer = Content::File(format!("{file}.cer"));
            let import = complete(target(server), answer, friendly_name);
            let mut calls = vec![call(import, Output::Certificate(*certificate))];
            calls.extend(enabling(target(server), *certificate, enable, *default_smtp));
            calls
        }
        Action::RemoveRequest { server, request } => {
            vec![call(remove(target(server), *request), Output::None)]
        }
        Action::Create { server, request, enable, default_smtp } => {
            let made = CertRef::FromStep(step);
            let mut calls = vec![call(create(target(server), request), Output::Certificate(made))];
            calls.extend(enabling(target(server), made, enable, *default_smtp));
            calls
        }
        Action::Import { server, certificate, from, friendly_name, exportable, enable, default_smtp } => {
            let mut calls = Vec::new();
            let content = match from {
                BundleSource::Issued(step) => Content::Issued(*step),
                BundleSource::Server(source) => {
                    let file = format!("{source}.pfx");
                    calls.push(call(export(target(source), *certificate, &file), Output::Exported));
                    Content::Exported
                }
                BundleSource::Backup { .. } => Content::Backup,
            };
            let import = import(target(server), content, friendly_name, *exportable);
            calls.push(call(import, Output::Certificate(*certificate)));
            calls.extend(enabling(target(server), *certificate, enable, *default_smtp));
            calls
        }
        Action::Bind { server, certificate, services, default_smtp } => {
            enabling(target(server), *certificate, services, *default_smtp)
        }
        Action::SetInternalTransport { server, certificate } => {
            let smtp = Services::from([Service::Smtp]);
            enabling(target(server), *certificate, &smtp, DefaultSmtp::Replace)
        }
        Action::BindSite { server, site, certificate } => vec![call(
            Operation::BindSite { server: server.clone(), site: site.clone(), certificate: *certificate },
            Output::None,
        )],
        Action::SetX509CertificateName { server, service, name } => {
            let set = set_x509_certificate_name(target(server), *service, name.as_ref());
            vec![call(set.set, Output::None)]
        }
        Action::SetUmStartupMode { server, call_router, mode } => {
            let set = set_um_startup_mode(target(server), *call_router, *mode);
            vec![call(set.set, Output::None)]
        }
        Action::Repoint { connector, to } => {
            let mut calls = Vec::new();
            if let Some(TlsName::Of(certificate)) = to {
                let home = match connector {
                    ConnectorRef::Receive { server, .. } => Some(server),
                    ConnectorRef::Send { .. } | ConnectorRef::Hybrid {} => home,
                };
                calls.push(call(read(home.map(target), *certificate), Output::Names(*certificate)));
            }
            calls.push(call(repoint(connector, to.as_ref()).set, Output::None));
            if let ConnectorRef::Send { name } = connector {
                let carried = edge::carried_by(organization, name);
                calls.extend(carried.iter().map(|(_, by)| call(synchronize_edge(by), Output::None)));
            }
            calls
        }
        Action::SetImCertificate { name, certificate, servers } => {
            let (read, set) = set_override(name, *certificate);
            let mut calls = vec![call(read, Output::Override(*certificate)), call(set, Output::None)];
            calls.extend(servers.iter().map(|server| call(refresh_overrides(server), Output::Discarded)));
            calls
        }
        Action::Restart { server, service, services, unless_served: _, drain } => {
            let target = drain.as_ref().and_then(|drain| drain.redirect_to.as_ref());
            let mut calls: Vec<Call> = target.map(|target| drained(server, target)).into_iter().collect();
            calls.push(call(restart(server, *service, services), Output::None));
            calls
        }
        Action::BackUp { server, certificate, with_key } => {
            let ending = if *with_key { "pfx" } else { "cer" };
            // What a new one's thumbprint will be nobody knows when the name is written down.
            let name = match certificate {
                CertRef::Known(thumbprint) => thumbprint.to_string(),
                CertRef::FromStep(step) => format!("step-{step}"),
            };
            let file = format!("{server}-{name}.{ending}");
            let cmdlet = if *with_key {
                export(target(server), *certificate, &file)
            } else {
                read(Some(target(server)), *certificate)
            };
            vec![call(cmdlet, Output::Backup { file, with_key: *with_key })]
        }
        Action::StageAuth { certificate, effective } => {
            vec![call(stage_auth(*certificate, *effective), Output::None)]
        }
        Action::PublishAuth { certificate: _ } => vec![call(publish_auth(), Output::None)],
        Action::ClearPreviousAuth {} => vec![call(clear_previous_auth(), Output::None)],
        Action::Remove { server, certificate, while_stopped } => {
            let control = |control| {
                while_stopped.iter().map(move |ServiceGroup { service: _, services }| {
                    let services = services.clone();
                    call(Operation::Services { server: server.clone(), control, services }, Output::None)
                })
            };
            let remove = call(remove(target(server), *certificate), Output::None);
            control(ServiceControl::Stop).chain([remove]).chain(control(ServiceControl::Start)).collect()
        }
        Action::RemoveNamed { certificates, connectors, while_stopped } => {
            let control = |control| {
                while_stopped.iter().flat_map(move |ServerServices { server, groups }| {
                    groups.iter().map(move |ServiceGroup { service: _, services }| {
                        let (server, services) = (server.clone(), services.clone());
                        call(Operation::Services { server, control, services }, Output::None)
                    })
                })
            };
            let name = |connector: &NamedConnector, to: Option<&TlsName>| {
                let connector = ConnectorRef::Send { name: connector.connector.clone() };
                call(repoint(&connector, to).set, Output::None)
            };
            let clear = connectors.iter().map(|connector| name(connector, None));
            let removals = certificates
                .iter()
                .map(|stored| call(remove(target(&stored.server), stored.certificate), Output::None));
            let again = connectors
                .iter()
                .map(|connector| name(connector, Some(&TlsName::Exactly(connector.name.clone()))));
            let stopped = control(ServiceControl::Stop).chain(clear);
            let started = again.chain(control(ServiceControl::Start));
            let around = Operation::Around {
                before: stopped.collect(),
                during: removals.collect(),
                after: started.collect(),
            };
            vec![call(around, Output::None)]
        }
        Action::Issue { .. }
        | Action::Await { .. }
        | Action::Verify { .. }
        | Action::Install { .. }
        | Action::VerifyBalancer { .. }
        | Action::Manual { .. }
        | Action::Gate { .. }
        | Action::CannotApply { .. } => Vec::new(),
    }
}

/// What the ways to servers have to be able to do for an action.
pub fn needs(
    action: &Action,
    step: StepId,
    organization: &Organization,
) -> BTreeSet<(ServerName, Capability)> {
    let mut needed = BTreeSet::new();
    let mut calls = of_action(action, step, None, organization);
    while let Some(Call { operation, output: _ }) = calls.pop() {
        match operation {
            Operation::Cmdlet(_) => {
                let on = action.servers().into_iter();
                needed.extend(on.map(|server| (server.clone(), Capability::ExchangeCmdlets)));
            }
            Operation::BindSite { server, .. } | Operation::RecyclePools { server, .. } => {
                needed.insert((server, Capability::Iis));
            }
            Operation::AwaitQueues { server } => {
                needed.insert((server, Capability::ExchangeCmdlets));
            }
            Operation::Services { server, .. } => {
                needed.insert((server, Capability::Services));
            }
            Operation::Around { before, during, after } => {
                calls.extend(before.into_iter().chain(during).chain(after));
            }
        }
    }
    // That no binding has the certificate is read again before it is removed.
    let removals = action.removals().into_iter().map(|(server, _)| server);
    let with_iis = removals.filter(|server| !Target::of(organization, server).edge);
    needed.extend(with_iis.map(|server| (server.clone(), Capability::Iis)));
    needed
}

fn call(operation: impl Into<Operation>, output: Output) -> Call {
    Call { operation: operation.into(), output }
}

fn enabling(
    target: Target<'_>,
    certificate: CertRef,
    services: &Services,
    default_smtp: DefaultSmtp,
) -> Vec<Call> {
    if services.is_empty() {
        return Vec::new();
    }
    vec![call(enable(target, certificate, services, default_smtp), Output::None)]
}

/// Transport is active again before it restarts: it takes up at its start what it is.
fn drained(server: &ServerName, target: &DnsName) -> Call {
    let around = Operation::Around {
        before: vec![call(set_hub_transport(server, false), Output::None)],
        during: vec![
            call(redirect_messages(server, target), Output::None),
            call(Operation::AwaitQueues { server: server.clone() }, Output::None),
        ],
        after: vec![call(set_hub_transport(server, true), Output::None)],
    };
    call(around, Output::None)
}

/// Web applications are application pools of IIS, everything else is a Windows service.
fn restart(server: &ServerName, what: Restartable, services: &[String]) -> Operation {
    let (server, services) = (server.clone(), services.to_vec());
    match what {
        Restartable::WebApps => Operation::RecyclePools { server, pools: services },
        Restartable::Iis
        | Restartable::Transport
        | Restartable::MailboxTransport
        | Restartable::ServiceHost
        | Restartable::Pop
        | Restartable::Imap
        | Restartable::Um
        | Restartable::UmCallRouter => {
            Operation::Services { server, control: ServiceControl::RestartRunning, services }
        }
    }
}
