//! Laws that hold for every manifest and every organization, whatever state it is found in.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

#[path = "support/case.rs"]
mod case;
mod support;

use std::collections::BTreeSet;

use case::{Case, Found, Internal};
use certwright::{
    model::{
        action::Action,
        dn::{DistinguishedName, TlsCertificateName},
        names::{DnsName, ServerName},
        plan::{LeftBecause, Plan},
        site::SiteBinding,
        thumbprint::Thumbprint,
        time::Span,
    },
    plan::Narrowing,
    verify::row::Row,
};
use proptest::prelude::*;
use support::Rig;

fn found() -> impl Strategy<Value = Found> {
    (
        prop::sample::select(vec![
            ("2025-03-19T00:00:00Z", "2026-03-19T00:00:00Z"),
            ("2025-03-01T00:00:00Z", "2026-03-01T00:00:00Z"),
            ("2026-02-01T00:00:00Z", "2027-02-01T00:00:00Z"),
        ]),
        prop::sample::select(vec!["[mail.contoso.com]", "[mail.contoso.com, autodiscover.contoso.com]"]),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        prop::sample::select(vec!["[]", "[SMTP]", "[IIS, SMTP]", "[IIS, SMTP, POP, IMAP]"]),
    )
        .prop_map(|(valid, names, exportable, on_all, own_ca, services)| Found {
            valid,
            names,
            exportable,
            on_all,
            own_ca,
            services,
        })
}

fn case() -> impl Strategy<Value = Case> {
    let uses = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let internal = prop::sample::select(vec![Internal::Undeclared, Internal::Transport, Internal::Mail]);
    (
        prop::sample::subsequence(vec!["2013", "2016 CU23", "2019 CU14", "SE"], 1..=3),
        prop::option::of(found()),
        any::<bool>(),
        uses,
        internal,
        any::<bool>(),
        prop::sample::select(vec!["{ size: 2048 }", "{ exportable: false }", "{ algorithm: ec }"]),
        prop::sample::select(vec!["never", "{ after: 0d }", "{ after: 7d, backup: false }"]),
    )
        .prop_map(
            |(
                servers,
                found,
                leftover,
                (iis, pop, smtp, back_end, receive, send),
                internal,
                transport_renewed,
                key,
                retire,
            )| {
                // Exchange 2013 cannot use EC keys.
                let key =
                    if servers.contains(&"2013") && key.contains("ec") { "{ size: 2048 }" } else { key };
                Case {
                    servers,
                    found,
                    leftover,
                    iis,
                    pop,
                    smtp,
                    internal,
                    back_end,
                    receive,
                    send,
                    transport_renewed,
                    key,
                    retire,
                }
            },
        )
}

/// A removal must come after a verification of its server, with no change of that server in between.
fn removals_follow_proof(plan: &Plan) -> bool {
    let mut verified = BTreeSet::new();
    plan.steps.iter().all(|step| match (&step.action, step.action.server()) {
        (Action::Verify { .. }, Some(server)) => {
            verified.insert(server.clone());
            true
        }
        (Action::Remove { .. } | Action::RemoveNamed { .. }, _) => {
            step.action.removals().iter().all(|(server, _)| verified.contains(*server))
        }
        (Action::BackUp { .. }, _) | (_, None) => true,
        (_, Some(server)) => {
            verified.remove(server);
            true
        }
    })
}

/// `PROPTEST_CASES` asks for more.
fn config(otherwise: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { otherwise };
    ProptestConfig { cases, failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(config(96))]

    #[test]
    fn a_plan_is_safe_and_leads_where_it_says(case in case()) {
        let mut rig = Rig::of_texts(&case.manifest(), &case.lab());
        let plan = rig.plan();
        prop_assert_eq!(&plan, &rig.plan());
        prop_assert!(removals_follow_proof(&plan));
        let before = rig.observe();
        let report = rig.apply(&plan);
        prop_assert!(report.is_complete(), "{:#?}", report.steps);
        let again = rig.plan();
        prop_assert!(again.is_empty(), "{:#?}", again.steps);
        let rows = rig.verify();
        prop_assert!(rows.iter().all(Row::is_good), "{:#?}", rows);
        let after = rig.observe();
        for left in plan.left_alone.iter().filter(|left| left.why == LeftBecause::Unmanaged) {
            let stored = |observed: &certwright::model::organization::Observed| {
                observed.organization.servers[&left.server].certificate(left.certificate).cloned()
            };
            prop_assert_eq!(stored(&before).map(|stored| stored.certificate), stored(&after).map(|stored| stored.certificate));
        }
    }

    #[test]
    fn names_go_both_ways(text in "(\\*\\.)?[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?(\\.[a-z0-9]{1,10}){0,3}") {
        let name: DnsName = text.parse().unwrap();
        prop_assert_eq!(name.to_string().parse::<DnsName>().unwrap(), name);
    }

    #[test]
    fn thumbprints_go_both_ways(bytes in any::<Vec<u8>>()) {
        let thumbprint = Thumbprint::of(&bytes);
        prop_assert_eq!(thumbprint.to_string().parse::<Thumbprint>().unwrap(), thumbprint);
    }

    #[test]
    fn distinguished_names_go_both_ways(values in prop::collection::vec("[ -~äé\"]{1,12}", 1..5)) {
        let parts: Vec<String> = values.iter().map(|value| format!("O=\"{}\"", value.replace('"', "\"\""))).collect();
        let name: DistinguishedName = parts.join(", ").parse().unwrap();
        let again: DistinguishedName = name.to_string().parse().unwrap();
        prop_assert_eq!(&again, &name);
        if !values.iter().any(|value| value.to_lowercase().contains("<s>")) {
            let tls: TlsCertificateName = format!("<I>{name}<S>{name}").parse().unwrap();
            prop_assert_eq!(tls.to_string().parse::<TlsCertificateName>().unwrap(), tls);
        }
    }

    #[test]
    fn nothing_that_is_typed_makes_a_parser_panic(text in "\\PC{0,60}") {
        let _ = text.parse::<DnsName>();
        let _ = text.parse::<Thumbprint>();
        let _ = text.parse::<DistinguishedName>();
        let _ = text.parse::<TlsCertificateName>();
        let _ = text.parse::<SiteBinding>();
        let _ = text.parse::<Span>();
        let _ = text.parse::<certwright::manifest::Template>();
        let _ = text.parse::<certwright::model::version::ServerVersion>();
    }
}

proptest! {
    // Each case applies two plans.
    #![proptest_config(config(24))]

    /// A part of a plan is safe by itself, ends nothing that another server needs, and the rest comes to the same end.
    #[test]
    fn a_part_of_a_plan_is_safe_and_the_rest_follows(
        case in case(),
        server in prop::option::of(any::<prop::sample::Index>()),
        certificate in prop::option::of(prop::sample::select(vec!["mail", "transport"])),
    ) {
        let mut rig = Rig::of_texts(&case.manifest(), &case.lab());
        let whole = rig.plan();
        let servers: BTreeSet<ServerName> = server
            .map(|index| case.names()[index.index(case.servers.len())].parse().unwrap())
            .into_iter()
            .collect();
        rig.narrowing = Narrowing {
            servers: servers.clone(),
            certificates: certificate.map(|name| name.parse().unwrap()).into_iter().collect(),
        };
        let part = rig.plan();
        prop_assert!(removals_follow_proof(&part));
        let elsewhere = |server: &&ServerName| !servers.is_empty() && !servers.contains(*server);
        let strayed = part.steps.iter().filter_map(|step| step.action.server()).find(elsewhere);
        prop_assert_eq!(strayed, None);
        if let Some(only) = &part.only {
            // A gate joins proofs and does nothing itself; how many there are follows from the other steps.
            let work = |plan: &Plan| {
                plan.steps.iter().filter(|step| !matches!(step.action, Action::Gate { .. })).count()
            };
            prop_assert!(work(&part) + only.steps_left_out() >= work(&whole));
        }
        let report = rig.apply(&part);
        prop_assert!(report.is_complete(), "{:#?}", report.steps);
        prop_assert!(rig.plan().is_empty(), "{:#?}", rig.plan().steps);
        rig.narrowing = Narrowing::default();
        let rest = rig.plan();
        let issues = |plan: &Plan| {
            plan.steps.iter().filter(|step| matches!(step.action, Action::Issue { .. })).count()
        };
        prop_assert_eq!(issues(&part) + issues(&rest), issues(&whole), "nothing is issued twice");
        let report = rig.apply(&rest);
        prop_assert!(report.is_complete(), "{:#?}", report.steps);
        prop_assert!(rig.plan().is_empty());
        let rows = rig.verify();
        prop_assert!(rows.iter().all(Row::is_good), "{:#?}", rows);
    }
}
