//! The observed facts that a plan relies on, so that a plan made yesterday can tell whether it still fits.

use std::{collections::BTreeMap, fmt::Display};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::model::{
    desired::Desired,
    fact::Fact,
    fact_key::{FactKey, ServerPart},
    names::ServerName,
    organization::Organization,
    plan::Basis,
    server::{Server, StoredCertificate},
    service::{self, MailService},
};

/// Facts by what they are about.
pub type Facts = BTreeMap<FactKey, String>;

/// The facts and their digest.
pub(super) fn basis(desired: &Desired, organization: &Organization) -> Basis {
    let facts = facts(desired, organization);
    let mut digest = Sha256::new();
    for (what, how) in &facts {
        for text in [&what.to_string(), how] {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
    }
    let digest = HEXLOWER.encode(&digest.finalize());
    Basis { digest, facts }
}

/// What is relied on: everything that certificates hang on, on the servers of the manifest and in the organization.
/// What changes by itself (status of a revocation check, ports of a lab) is left out, and so are other servers.
pub fn facts(desired: &Desired, organization: &Organization) -> Facts {
    let mut facts = Facts::new();
    for name in desired.servers.keys() {
        if let Some(server) = organization.servers.get(name) {
            server_facts(&mut facts, name, server);
        } else {
            let key = FactKey::Server(name.clone(), ServerPart::Whole);
            facts.insert(key, "not observed".into());
        }
    }
    note(&mut facts, FactKey::SendConnectors, &organization.send_connectors, |facts, connectors| {
        for (name, connector) in connectors {
            let sources: Vec<String> = connector.source_servers.iter().map(ToString::to_string).collect();
            let names = shown(connector.tls_certificate_name.as_ref());
            facts.insert(
                FactKey::SendConnector(name.clone()),
                format!("{names}, from {}", sources.join(", ")),
            );
        }
    });
    note(&mut facts, FactKey::AuthConfiguration, &organization.auth, |facts, auth| {
        if let Some(auth) = auth {
            let text = format!(
                "{}, next {}, previous {}",
                shown(auth.current.as_ref()),
                shown(auth.next.as_ref()),
                shown(auth.previous.as_ref())
            );
            let from = auth.next_effective.map_or(String::new(), |at| format!(", effective {at}"));
            facts.insert(FactKey::AuthConfiguration, text + &from);
        }
    });
    note(&mut facts, FactKey::FederationTrust, &organization.federation, |facts, federation| {
        if let Some(federation) = federation {
            let text =
                format!("{}, next {}", shown(federation.current.as_ref()), shown(federation.next.as_ref()));
            facts.insert(FactKey::FederationTrust, text);
        }
    });
    note(&mut facts, FactKey::HybridConfiguration, &organization.hybrid, |facts, hybrid| {
        if let Some(hybrid) = hybrid {
            facts.insert(FactKey::HybridConfiguration, shown(hybrid.tls_certificate_name.as_ref()));
        }
    });
    note(&mut facts, FactKey::EdgeSubscriptions, &organization.edge_subscriptions, |facts, subscriptions| {
        for subscription in subscriptions {
            let certificate = shown(subscription.edge_certificate.as_ref());
            let since = subscription.created.map_or(String::new(), |created| format!(", since {created}"));
            facts.insert(FactKey::EdgeSubscription(subscription.edge.clone()), certificate + &since);
        }
    });
    note(&mut facts, FactKey::SettingOverrides, &organization.im_overrides, |facts, overrides| {
        for (name, setting) in overrides {
            facts.insert(FactKey::SettingOverride(name.clone()), shown(setting.certificate.as_ref()));
        }
    });
    for name in desired.balancers.keys() {
        let Some(balancer) = organization.balancers.get(name) else { continue };
        note(&mut facts, FactKey::LoadBalancer(name.clone()), &balancer.certificate, |facts, certificate| {
            let thumbprint = certificate.as_ref().map(|certificate| certificate.thumbprint);
            facts.insert(FactKey::LoadBalancer(name.clone()), shown(thumbprint.as_ref()));
        });
    }
    facts
}

/// The facts that are different now, each as a sentence.
pub fn changed_facts(planned: &Facts, found: &Facts) -> Vec<String> {
    let mut changed = Vec::new();
    for (what, before) in planned {
        match found.get(what) {
            Some(now) if now == before => {}
            Some(now) if now.starts_with(UNKNOWN) => changed.push(unseen(what, now)),
            // What stands for all of them says that they cannot be seen, which is not to be gone.
            None if is_unseen(found, what) => {}
            None if before.starts_with(UNKNOWN) => changed.push(format!("{what}: can be seen now")),
            Some(now) => changed.push(format!("{what}: was {before}, is {now}")),
            None => changed.push(format!("{what}: is gone (was {before})")),
        }
    }
    let new = found.iter().filter(|(what, _)| !planned.contains_key(*what));
    changed.extend(new.map(|(what, now)| {
        if now.starts_with(UNKNOWN) { unseen(what, now) } else { format!("{what}: is new ({now})") }
    }));
    changed
}

fn unseen(what: &FactKey, now: &str) -> String {
    format!("{what}: cannot be seen any more ({})", now.strip_prefix(UNKNOWN).unwrap_or(now))
}

/// Whether what this is one of cannot be seen.
fn is_unseen(found: &Facts, what: &FactKey) -> bool {
    let all = match what {
        FactKey::SendConnector(_) => Some(FactKey::SendConnectors),
        FactKey::EdgeSubscription(_) => Some(FactKey::EdgeSubscriptions),
        FactKey::SettingOverride(_) => Some(FactKey::SettingOverrides),
        FactKey::Server(server, part) => {
            let all = match part {
                ServerPart::Certificate(_) => Some(ServerPart::Certificates),
                ServerPart::Request(_) => Some(ServerPart::Requests),
                ServerPart::Site(_) => Some(ServerPart::IisBindings),
                ServerPart::KnownPeer(_) => Some(ServerPart::KnownPeers),
                ServerPart::ReceiveConnector(_) => Some(ServerPart::ReceiveConnectors),
                ServerPart::Whole
                | ServerPart::IisBindings
                | ServerPart::MailAccessName(_)
                | ServerPart::UnifiedMessaging
                | ServerPart::Certificates
                | ServerPart::InternalTransport
                | ServerPart::KnownPeers
                | ServerPart::OtherProgram(_)
                | ServerPart::ReceiveConnectors
                | ServerPart::Requests
                | ServerPart::Version => None,
            };
            all.map(|all| FactKey::Server(server.clone(), all))
        }
        FactKey::AuthConfiguration
        | FactKey::EdgeSubscriptions
        | FactKey::FederationTrust
        | FactKey::HybridConfiguration
        | FactKey::LoadBalancer(_)
        | FactKey::SendConnectors
        | FactKey::SettingOverrides
        | FactKey::Other(_) => None,
    };
    all.is_some_and(|all| found.get(&all).is_some_and(|now| now.starts_with(UNKNOWN)))
}

fn server_facts(facts: &mut Facts, name: &ServerName, server: &Server) {
    let Server {
        fqdn: _,
        version,
        roles: _,
        directory_site: _,
        operating_system: _,
        certificates,
        requests,
        internal_transport,
        pop,
        imap,
        um,
        sites,
        web: _,
        other_stores: _,
        receive_connectors,
        peers,
        // EdgeSync brings them at any time.
        connector_copies: _,
        online_root: _,
        services: _,
        other_programs,
        authorities: _,
        client_names: _,
        endpoints: _,
        met_from,
        served: _,
    } = server;
    let of = |part| FactKey::Server(name.clone(), part);
    note(facts, of(ServerPart::Version), version, |facts, version| {
        facts.insert(of(ServerPart::Version), version.to_string());
    });
    note(facts, of(ServerPart::Certificates), certificates, |facts, store| {
        for (thumbprint, stored) in &*store.0 {
            facts.insert(of(ServerPart::Certificate(*thumbprint)), certificate_fact(stored));
        }
    });
    note(facts, of(ServerPart::Requests), requests, |facts, requests| {
        for request in requests {
            let text = request.certificate.subject.to_string();
            facts.insert(of(ServerPart::Request(request.certificate.thumbprint)), text);
        }
    });
    note(facts, of(ServerPart::InternalTransport), internal_transport, |facts, thumbprint| {
        facts.insert(of(ServerPart::InternalTransport), shown(thumbprint.as_ref()));
    });
    for (service, settings) in [(MailService::Pop, pop), (MailService::Imap, imap)] {
        note(facts, of(ServerPart::MailAccessName(service)), settings, |facts, settings| {
            if let Some(settings) = settings {
                facts.insert(
                    of(ServerPart::MailAccessName(service)),
                    shown(settings.x509_certificate_name.as_ref()),
                );
            }
        });
    }
    note(facts, of(ServerPart::UnifiedMessaging), um, |facts, um| {
        if let Some(um) = um {
            facts.insert(of(ServerPart::UnifiedMessaging), format!("{:?}, {:?}", um.service, um.call_router));
        }
    });
    note(facts, of(ServerPart::IisBindings), sites, |facts, sites| {
        for (binding, hash) in sites {
            facts.insert(of(ServerPart::Site(binding.clone())), shown(hash.as_ref()));
        }
    });
    if let Some(programs) = other_programs.known() {
        for (program, certificate) in programs {
            facts.insert(of(ServerPart::OtherProgram(program.clone())), certificate.to_string());
        }
    }
    note(facts, of(ServerPart::KnownPeers), peers, |facts, peers| {
        for (peer, certificate) in peers.iter().flatten() {
            facts.insert(of(ServerPart::KnownPeer(peer.clone())), certificate.to_string());
        }
    });
    note(facts, of(ServerPart::ReceiveConnectors), receive_connectors, |facts, connectors| {
        for (connector, settings) in connectors {
            let text = format!(
                "{}, Fqdn {}",
                shown(settings.tls_certificate_name.as_ref()),
                shown(settings.fqdn.as_ref())
            );
            let ranges = &settings.remote_ranges;
            let clients =
                if ranges.is_empty() { String::new() } else { format!(", for {}", ranges.join(", ")) };
            // From elsewhere another connector would answer, and prove something else.
            let takes = |client| !settings.is_for_all() && settings.distance(client).is_some();
            let from = met_from.filter(|client| takes(*client));
            let from = from.map_or(String::new(), |client| format!(", which {client} is one of"));
            facts.insert(of(ServerPart::ReceiveConnector(connector.clone())), text + &clients + &from);
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
fn note<T>(facts: &mut Facts, what: FactKey, fact: &Fact<T>, known: impl FnOnce(&mut Facts, &T)) {
    match fact {
        Fact::Known(value) => known(facts, value),
        Fact::Unknown(why) => drop(facts.insert(what, format!("{UNKNOWN}{}", why.why))),
    }
}

/// How a fact begins that is not known.
const UNKNOWN: &str = "unknown: ";

fn shown<T: Display>(value: Option<&T>) -> String {
    value.map_or_else(|| "none".into(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(before: &[(FactKey, &str)], now: &[(FactKey, &str)]) -> Vec<String> {
        let facts = |facts: &[(FactKey, &str)]| {
            facts.iter().map(|(what, how)| (what.clone(), (*how).to_owned())).collect::<Facts>()
        };
        changed_facts(&facts(before), &facts(now))
    }

    /// What cannot be seen is not gone, and what could not be seen is not new in the world.
    #[test]
    fn each_difference_has_its_sentence() {
        let outbound = || FactKey::SendConnector("Outbound".parse().unwrap());
        let internal = || FactKey::Server("EX01".parse().unwrap(), ServerPart::InternalTransport);
        let all = || FactKey::SendConnectors;
        let unseen = "unknown: it is down";
        assert_eq!(changed(&[(internal(), "AB")], &[(internal(), "AB")]), [""; 0]);
        for (before, now, said) in [
            (
                vec![(internal(), "AB")],
                vec![(internal(), "CD")],
                vec!["EX01 internal transport certificate: was AB, is CD"],
            ),
            (vec![(outbound(), "none")], vec![], vec!["send connector Outbound: is gone (was none)"]),
            (vec![], vec![(outbound(), "none")], vec!["send connector Outbound: is new (none)"]),
            (
                vec![(internal(), "AB")],
                vec![(internal(), unseen)],
                vec!["EX01 internal transport certificate: cannot be seen any more (it is down)"],
            ),
            (
                vec![(outbound(), "none")],
                vec![(all(), unseen)],
                vec!["send connectors: cannot be seen any more (it is down)"],
            ),
            (
                vec![(all(), unseen)],
                vec![(outbound(), "none")],
                vec!["send connectors: can be seen now", "send connector Outbound: is new (none)"],
            ),
        ] {
            assert_eq!(changed(&before, &now), said);
        }
    }
}
