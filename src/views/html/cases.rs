//! What is wrong, with its likely cause.

use maud::{Markup, html};

use super::words::{anchor, lines, sentence, symbol};
use crate::{
    model::{handshake::endpoint_finding::EndpointSeverity, thumbprint::Thumbprint},
    verify::{
        not_provable::NotProvable,
        row::Row,
        verdict::{ServiceVerdict, State, Verdict},
    },
};

/// The section, or nothing when nothing is wrong. Services of which the same is to be said stand together.
pub(super) fn section(verdict: &Verdict) -> Markup {
    let mut services: Vec<&ServiceVerdict> =
        verdict.services.iter().filter(|service| service.state != State::Good).collect();
    services.sort_by_key(|service| std::cmp::Reverse(service.state));
    let mut cases: Vec<(State, String, Vec<&ServiceVerdict>)> = Vec::new();
    for service in services {
        let said = case(verdict, service).into_string();
        match cases.iter_mut().find(|(state, known, _)| *state == service.state && *known == said) {
            Some((_, _, same)) => same.push(service),
            None => cases.push((service.state, said, vec![service])),
        }
    }
    html! {
        @if !cases.is_empty() || !verdict.not_provable.is_empty() {
            section {
                h2 { "What is wrong, and why" }
                @for (state, _, services) in &cases { (framed(verdict, *state, services)) }
                @for state in [State::Wrong, State::Warning] { (unchecked(verdict, state)) }
            }
        }
    }
}

/// What could not be checked, in one list: in a large organization it is the same of every server.
fn unchecked(verdict: &Verdict, state: State) -> Markup {
    let of_state = |what: &&NotProvable| what.is_error() == (state == State::Wrong);
    let list: Vec<&NotProvable> = verdict.not_provable.iter().filter(of_state).collect();
    html! {
        @if !list.is_empty() {
            div.case.(state.word()) {
                h3 { (symbol(state)) " " b { "Not checked" } }
                ul { @for what in list { li { (sentence(&what.to_string())) } } }
            }
        }
    }
}

/// A case with the services that it is about, by server.
fn framed(verdict: &Verdict, state: State, services: &[&ServiceVerdict]) -> Markup {
    let mut by_server: Vec<(&str, Vec<&ServiceVerdict>)> = Vec::new();
    for service in services {
        match by_server.iter_mut().find(|(server, _)| *server == service.server) {
            Some((_, of_server)) => of_server.push(service),
            None => by_server.push((&service.server, vec![service])),
        }
    }
    html! {
        div.case.(state.word()) {
            @for (server, services) in by_server {
                h3 {
                    (symbol(state)) " " (server) ": "
                    @for (place, service) in services.iter().enumerate() {
                        @if place > 0 { ", " }
                        b id=(anchor(service)) { (service.service) } " " span { (endpoints(service)) }
                    }
                }
            }
            @if let [first, ..] = services { (case(verdict, first)) }
        }
    }
}

fn endpoints(service: &ServiceVerdict) -> String {
    service.endpoints.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// What is to be said of a service.
fn case(verdict: &Verdict, service: &ServiceVerdict) -> Markup {
    let shown = |thumbprint: Thumbprint| {
        html! {
            code { (thumbprint.short()) }
            @if let Some(certificate) = verdict.certificates.get(&thumbprint) {
                " until " (certificate.not_after.date()) ", " (certificate.subject.to_string())
            }
        }
    };
    let served: Vec<Markup> = service.served.iter().map(|thumbprint| shown(*thumbprint)).collect();
    html! {
        ul { @for problem in problems(verdict, service) { li { (sentence(&problem)) } } }
        dl {
            @if let Some(declared) = service.declared { dt { "declared" } dd { (shown(declared)) } }
            @if let Some(configured) = service.configured { dt { "configured" } dd { (shown(configured)) } }
            dt { "served" }
            dd { @if served.is_empty() { "nothing" } @else { (lines(&served)) } }
        }
        @if let Some(cause) = &service.cause {
            p.cause { b { "Likely cause:" } " " (sentence(&cause.message)) }
        }
    }
}

/// What was found at its endpoints, each once, what is wrong before what is a warning.
fn problems(verdict: &Verdict, service: &ServiceVerdict) -> Vec<String> {
    let is_its = |row: &&Row| row.server == service.server && service.endpoints.contains(&row.endpoint);
    let rows: Vec<&Row> = verdict.rows.iter().filter(is_its).collect();
    let mut said: Vec<String> = Vec::new();
    for (severity, before) in [(EndpointSeverity::Wrong, ""), (EndpointSeverity::Warning, "warning: ")] {
        let problems = rows.iter().flat_map(|row| &row.problems);
        for problem in problems.filter(|problem| problem.severity() == severity) {
            let problem = format!("{before}{problem}");
            if !said.contains(&problem) {
                said.push(problem);
            }
        }
    }
    said
}
