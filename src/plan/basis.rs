//! The observed facts that a plan relies on, so that a plan made yesterday can tell whether it still fits.

use std::{collections::BTreeMap, fmt::Display};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::model::{
    desired::Desired,
    fact::Fact,
    names::ServerName,
    organization::Organization,
    plan::Basis,
    server::{Server, StoredCertificate},
    service,
};

/// The facts and their digest.
pub(super) fn basis(desired: &Desired, organization: &Organization) -> Basis {
    let facts = facts(desired, organization);
    let mut digest = Sha256::new();
    for (what, how) in &facts {
        for text in [what, how] {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
    }
    let digest = HEXLOWER.encode(&digest.finalize());
    Basis { digest, facts }
}

/// What is relied on: everything that certificates hang on, on the servers of the manifest and in the organization.
/// What changes by itself (status of a revocation check, ports of a lab) is left out, and so are other servers.
pub fn facts(desired: &Desired, organization: &Organization) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    for name in desired.servers.keys() {
        match organization.servers.get(name) {
            Some(server) => server_facts(&mut facts, name, server),
            None => drop(facts.insert(name.to_string(), "not observed".into())),
        }
    }
    note(&mut facts, "send connectors", &organization.send_connectors, |facts, connectors| {
        for (name, connector) in connectors {
            let sources: Vec<String> = connector.source_servers.iter().map(ToString::to_string).collect();
            let names = shown(connector.tls_certificate_name.as_ref());
            facts.insert(format!("send connector {name}"), format!("{names}, from {}", sources.join(", ")));
        }
    });
    note(&mut facts, "Auth configuration", &organization.auth, |facts, auth| {
        if let Some(auth) = auth {
            let text = format!(
                "{}, next {}, previous {}",
                shown(auth.current.as_ref()),
                shown(auth.next.as_ref()),
                shown(auth.previous.as_ref())
            );
            let from = auth.next_effective.map_or(String::new(), |at| format!(", effective {at}"));
            facts.insert("Auth configuration".into(), text + &from);
        }
    });
    note(&mut facts, "federation trust", &organization.federation, |facts, federation| {
        if let Some(federation) = federation {
            let text =
                format!("{}, next {}", shown(federation.current.as_ref()), shown(federation.next.as_ref()));
            facts.insert("federation trust".into(), text);
        }
    });
    note(&mut facts, "hybrid configuration", &organization.hybrid, |facts, hybrid| {
        if let Some(hybrid) = hybrid {
            facts.insert("hybrid configuration".into(), shown(hybrid.tls_certificate_name.as_ref()));
        }
    });
    note(&mut facts, "Edge subscriptions", &organization.edge_subscriptions, |facts, subscriptions| {
        for subscription in subscriptions {
            let certificate = shown(subscription.edge_certificate.as_ref());
            let since = subscription.created.map_or(String::new(), |created| format!(", since {created}"));
            facts.insert(format!("Edge subscription {}", subscription.edge), certificate + &since);
        }
    });
    note(&mut facts, "setting overrides", &organization.im_overrides, |facts, overrides| {
        for (name, setting) in overrides {
            facts.insert(format!("setting override {name}"), shown(setting.certificate.as_ref()));
        }
    });
    for name in desired.balancers.keys() {
        let Some(balancer) = organization.balancers.get(name) else { continue };
        note(&mut facts, &format!("load balancer {name}"), &balancer.certificate, |facts, certificate| {
            let thumbprint = certificate.as_ref().map(|certificate| certificate.thumbprint);
            facts.insert(format!("load balancer {name}"), shown(thumbprint.as_ref()));
        });
    }
    facts
}

/// The facts that are different now, each as a sentence.
pub fn changed_facts(planned: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> Vec<String> {
    let mut changed = Vec::new();
    for (what, before) in planned {
        match found.get(what) {
            Some(now) if now == before => {}
            Some(now) => changed.push(format!("{what}: was {before}, is {now}")),
            None => changed.push(format!("{what}: is gone (was {before})")),
        }
    }
    let new = found.iter().filter(|(what, _)| !planned.contains_key(*what));
    changed.extend(new.map(|(what, now)| format!("{what}: is new ({now})")));
    changed
}

fn server_facts(facts: &mut BTreeMap<String, String>, name: &ServerName, server: &Server) {
    let Server {
        fqdn: _,
        version,
        roles: _,
        operating_system: _,
        certificates,
        requests,
        internal_transport,
        pop,
        imap,
        um,
        sites,
        receive_connectors,
        peers,
        online_root: _,
        services: _,
        client_names: _,
        endpoints: _,
        served: _,
    } = server;
    note(facts, &format!("{name} version"), version, |facts, version| {
        facts.insert(format!("{name} version"), version.to_string());
    });
    note(facts, &format!("{name} certificates"), certificates, |facts, store| {
        for (thumbprint, stored) in &store.0 {
            facts.insert(format!("{name} certificate {thumbprint}"), certificate_fact(stored));
        }
    });
    note(facts, &format!("{name} requests"), requests, |facts, requests| {
        for request in requests {
            let text = request.certificate.subject.to_string();
            facts.insert(format!("{name} request {}", request.certificate.thumbprint), text);
        }
    });
    note(
        facts,
        &format!("{name} internal transport certificate"),
        internal_transport,
        |facts, thumbprint| {
            facts.insert(format!("{name} internal transport certificate"), shown(thumbprint.as_ref()));
        },
    );
    for (what, settings) in [("POP", pop), ("IMAP", imap)] {
        note(facts, &format!("{name} {what} name"), settings, |facts, settings| {
            if let Some(settings) = settings {
                facts.insert(format!("{name} {what} name"), shown(settings.x509_certificate_name.as_ref()));
            }
        });
    }
    note(facts, &format!("{name} UM"), um, |facts, um| {
        if let Some(um) = um {
            facts.insert(format!("{name} UM"), format!("{:?}, {:?}", um.service, um.call_router));
        }
    });
    note(facts, &format!("{name} IIS bindings"), sites, |facts, sites| {
        for (binding, hash) in sites {
            facts.insert(format!("{name} site {binding}"), shown(hash.as_ref()));
        }
    });
    note(facts, &format!("{name} peers"), peers, |facts, peers| {
        for (peer, certificate) in peers.iter().flatten() {
            facts.insert(format!("{peer} in the directory of {name}"), certificate.to_string());
        }
    });
    note(facts, &format!("{name} receive connectors"), receive_connectors, |facts, connectors| {
        for (connector, settings) in connectors {
            let text = format!(
                "{}, Fqdn {}",
                shown(settings.tls_certificate_name.as_ref()),
                shown(settings.fqdn.as_ref())
            );
            facts.insert(format!("{name} receive connector {connector}"), text);
        }
    });
}

fn certificate_fact(stored: &StoredCertificate) -> String {
    let services = match &stored.services {
        Fact::Known(services) => service::list(services),
        Fact::Unknown(why) => format!("services unknown: {}", why.why),
    };
    let key = match (stored.has_private_key, stored.exportable.known()) {
        (false, _) => "no key",
        (true, Some(true)) => "exportable key",
        (true, Some(false)) => "key",
        (true, None) => "key, unknown whether exportable",
    };
    format!("{}, until {}, {services}, {key}", stored.certificate.subject, stored.certificate.not_after)
}

/// Notes a known fact by its parts, and an unknown one by why it is unknown.
fn note<T>(
    facts: &mut BTreeMap<String, String>,
    what: &str,
    fact: &Fact<T>,
    known: impl FnOnce(&mut BTreeMap<String, String>, &T),
) {
    match fact {
        Fact::Known(value) => known(facts, value),
        Fact::Unknown(why) => drop(facts.insert(what.into(), format!("unknown: {}", why.why))),
    }
}

fn shown<T: Display>(value: Option<&T>) -> String {
    value.map_or_else(|| "none".into(), ToString::to_string)
}
