//! What was seen, endpoint by endpoint, and what SMTP protocol logs say.

use super::{counted, escaped};
use crate::{
    model::thumbprint::Thumbprint,
    verify::{
        path_validation::Trust,
        row::Row,
        smtp_log::By,
        verdict::{Verdict, row_state},
    },
};

/// Every endpoint with what it presented, folded by server.
pub(super) fn endpoints(verdict: &Verdict) -> String {
    let mut servers: Vec<&str> = verdict.rows.iter().map(|row| row.server.as_str()).collect();
    servers.dedup();
    let mut text = String::new();
    for server in servers {
        let rows: Vec<&Row> = verdict.rows.iter().filter(|row| row.server == server).collect();
        let lines: String = rows.iter().map(|row| line(verdict, row)).collect();
        text += &format!(
            "<details><summary>{}<span>{} endpoints</span></summary>\n<div class=\"scroll\"><table class=\"plain\">\
             <thead><tr><th>Endpoint</th><th>Asked for</th><th>Chain as sent</th><th>Trust</th><th>TLS</th><th>Took</th><th></th></tr></thead>\n\
             <tbody>{lines}</tbody></table></div></details>\n",
            escaped(server),
            rows.len()
        );
    }
    format!("<section>\n<h2>Evidence<small>endpoint by endpoint</small></h2>\n{text}</section>\n")
}

fn line(verdict: &Verdict, row: &Row) -> String {
    let name = row.name.as_ref().map_or("–".into(), ToString::to_string);
    let link = |thumbprint: &Thumbprint| {
        let subject = verdict.certificates.get(thumbprint).map(|certificate| certificate.subject.to_string());
        format!("<code>{}</code> {}", thumbprint.short(), escaped(&subject.unwrap_or_default()))
    };
    let chain: Vec<String> = row.chain.iter().map(link).collect();
    let tls = row.version.map_or(String::new(), |version| {
        format!("{version}<br><span class=\"quiet\">{}</span>", escaped(row.cipher.as_deref().unwrap_or("")))
    });
    let took = row
        .milliseconds
        .map_or(String::new(), |took| format!("{} ms", took.connect + took.greeting + took.handshake));
    let retries = match row.retries {
        0 => String::new(),
        1 => "<br><span class=\"quiet\">tried again once</span>".into(),
        times => format!("<br><span class=\"quiet\">tried again {times} times</span>"),
    };
    let state = row_state(row);
    format!(
        "<tr><td><b>{}</b><br><span class=\"quiet\">{}</span></td><td>{}</td><td>{}</td><td>{}</td><td>{tls}</td><td>{took}{retries}</td>\
         <td><span class=\"word {}\">{}</span></td></tr>\n",
        row.endpoint,
        escaped(row.address.as_deref().unwrap_or_default()),
        escaped(&name),
        chain.join("<br>"),
        escaped(&row.trust.as_ref().map_or(String::new(), trust)),
        state.word(),
        state.word(),
    )
}

fn trust(trust: &Trust) -> String {
    match trust {
        Trust::Trusted { root } => format!("by {root}"),
        Trust::Direct { known: true } => "known itself".into(),
        Trust::Direct { known: false } => "not the one that is known".into(),
        Trust::SelfSigned => "self-signed".into(),
        Trust::Untrusted { why } => why.to_string(),
        Trust::NotChecked => "not checked".into(),
    }
}

/// What partners were shown.
pub(super) fn smtp_log(verdict: &Verdict) -> String {
    let Some(shown) = &verdict.smtp_log else { return String::new() };
    let mut lines = String::new();
    for certificate in &shown.certificates {
        let who = match certificate.by {
            By::Us => "we showed",
            By::Partner => "the partner showed",
        };
        let which = certificate
            .thumbprint
            .map_or(String::new(), |thumbprint| format!("<code>{}</code> ", thumbprint.short()));
        let expired = match certificate.expired_sessions {
            0 => String::new(),
            sessions => format!("<br><span class=\"word wrong\">expired in {sessions} of them</span>"),
        };
        let versions: Vec<String> =
            certificate.versions.iter().map(|(version, sessions)| format!("{version}: {sessions}")).collect();
        lines += &format!(
            "<tr><td>{}</td><td>{who}</td><td>{which}{}</td><td>{}{expired}</td><td>{}</td><td>{}</td></tr>\n",
            escaped(&certificate.connector),
            escaped(&certificate.subject),
            certificate.sessions,
            escaped(&versions.join(", ")),
            certificate.last.map_or(String::new(), |last| last.to_string()),
        );
    }
    let failures: String = shown
        .failures
        .iter()
        .map(|failure| {
            format!(
                "<div class=\"case wrong\"><h3>{}</h3>{} failed with {}</div>\n",
                escaped(&failure.connector),
                counted(failure.sessions, "handshake"),
                escaped(&failure.error)
            )
        })
        .collect();
    format!(
        "<section>\n<h2>What partners were shown<small>by {} of SMTP protocol logs</small></h2>\n{failures}<div class=\"scroll\">\
         <table class=\"plain\"><thead><tr><th>Connector</th><th></th><th>Certificate</th><th>Sessions</th><th>TLS</th><th>Last</th></tr></thead>\n\
         <tbody>{lines}</tbody></table></div>\n</section>\n",
        counted(shown.lines, "line")
    )
}
