//! What was seen, endpoint by endpoint, and what SMTP protocol logs say.

use maud::{Markup, html};

use super::words::{counted, lines, several};
use crate::{
    model::thumbprint::Thumbprint,
    verify::{
        path_validation::Trust,
        row::Row,
        smtp_log::{By, ShownCertificate, SmtpLogSummary},
        verdict::{Verdict, row_state},
    },
};

/// Every endpoint with what it presented, folded by server.
pub(super) fn endpoints(verdict: &Verdict) -> Markup {
    html! {
        section {
            h2 { "Evidence" small { "endpoint by endpoint" } }
            @for rows in verdict.rows.chunk_by(|one, next| one.server == next.server) {
                details {
                    summary { (rows[0].server) span { (several(rows.len(), "endpoint")) } }
                    table.plain {
                        thead {
                            tr {
                                th { "Endpoint" } th { "Asked for" } th { "Chain as sent" } th { "Trust" }
                                th { "TLS" } th { "Took" } th {}
                            }
                        }
                        tbody { @for row in rows { (line(verdict, row)) } }
                    }
                }
            }
        }
    }
}

fn line(verdict: &Verdict, row: &Row) -> Markup {
    let state = row_state(row);
    let link = |thumbprint: &Thumbprint| {
        html! {
            code { (thumbprint.short()) } " "
            @if let Some(certificate) = verdict.certificates.get(thumbprint) {
                (certificate.subject.to_string())
            }
        }
    };
    let chain: Vec<Markup> = row.chain.iter().map(link).collect();
    html! {
        tr {
            td { b { (row.endpoint.to_string()) } br; span.quiet { (row.address.as_deref().unwrap_or_default()) } }
            td data-label="Asked for" { (row.name.as_ref().map_or("–".into(), ToString::to_string)) }
            td data-label="Chain as sent" { (lines(&chain)) }
            td data-label="Trust" { (row.trust.as_ref().map_or(String::new(), trust)) }
            td data-label="TLS" {
                @if let Some(version) = row.version {
                    (version.to_string()) br; span.quiet { (row.cipher.as_deref().unwrap_or_default()) }
                }
            }
            td data-label="Took" {
                @if let Some(took) = row.milliseconds {
                    span.date { (took.connect + took.greeting + took.handshake) " ms" }
                }
                @match row.retries {
                    0 => {}
                    1 => { br; span.quiet { "tried again once" } }
                    times => { br; span.quiet { "tried again " (times) " times" } }
                }
            }
            td { span.word.(state.word()) { (state.word()) } }
        }
    }
}

fn trust(trust: &Trust) -> String {
    match trust {
        Trust::Trusted { root } => format!("by {root}"),
        Trust::Direct { known: true } => "known by itself".into(),
        Trust::Direct { known: false } => "not the one that is known".into(),
        Trust::SelfSigned => "self-signed".into(),
        Trust::Untrusted { why } => why.to_string(),
        Trust::NotChecked => "not checked".into(),
    }
}

/// What partners were shown, when protocol logs were read.
pub(super) fn smtp_log(verdict: &Verdict) -> Markup {
    html! { @if let Some(shown) = &verdict.smtp_log { (partners(shown)) } }
}

fn partners(shown: &SmtpLogSummary) -> Markup {
    html! {
        section {
            h2 {
                "What partners were shown"
                small { "by " (counted(shown.lines, "line")) " of SMTP protocol logs" }
            }
            @for failure in &shown.failures {
                div.case.wrong {
                    h3 { (failure.connector) }
                    (counted(failure.sessions, "handshake")) " failed with " (failure.error)
                }
            }
            table.plain {
                thead {
                    tr {
                        th { "Connector" } th {} th { "Certificate" } th { "Sessions" } th { "TLS" } th { "Last" }
                    }
                }
                tbody { @for certificate in &shown.certificates { (shown_certificate(certificate)) } }
            }
        }
    }
}

fn shown_certificate(certificate: &ShownCertificate) -> Markup {
    let who = match certificate.by {
        By::Us => "we showed",
        By::Partner => "the partner showed",
    };
    let versions: Vec<String> =
        certificate.versions.iter().map(|(version, sessions)| format!("{version}: {sessions}")).collect();
    html! {
        tr {
            td { (certificate.connector) }
            td { (who) }
            td data-label="Certificate" {
                @if let Some(thumbprint) = certificate.thumbprint { code { (thumbprint.short()) } " " }
                (certificate.subject)
            }
            td data-label="Sessions" {
                (certificate.sessions)
                @if certificate.expired_sessions > 0 {
                    br; span.word.wrong { "expired in " (certificate.expired_sessions) " of them" }
                }
            }
            td data-label="TLS" { (versions.join(", ")) }
            td data-label="Last" { @if let Some(last) = certificate.last { (last.to_string()) } }
        }
    }
}
