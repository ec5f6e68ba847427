//! An observation for people.

use std::{collections::BTreeMap, io};

use super::{
    super::layout::{Layout, Tone},
    words::count,
};
use crate::model::{
    fact::Fact,
    names::DnsName,
    organization::Observed,
    server::{Server, StoredCertificate},
    service::{self, MailService},
    thumbprint::Thumbprint,
    time::{Span, Timestamp},
};

pub(super) fn write(
    layout: Layout,
    observed: &Observed,
    now: Timestamp,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let organization = &observed.organization;
    let servers = count(organization.servers.len(), "server");
    write!(out, "{}", layout.labelled(&observed.driver, &format!("observed {}: {servers}", observed.at)))?;
    for (name, server) in &organization.servers {
        writeln!(out)?;
        let version = shown(&server.version.map(|version| format!("{}, {version}", version.release())));
        let fqdn = shown(&server.fqdn.map(ToString::to_string));
        writeln!(out, "{}   {fqdn}, {version}", layout.paint(Tone::Strong, name.as_str()))?;
        write_server(layout, server, now, out)?;
    }
    writeln!(out)?;
    match &organization.send_connectors {
        Fact::Unknown(why) => {
            write!(out, "{}", layout.labelled("send connectors", &format!("unknown: {}", why.why)))?
        }
        Fact::Known(connectors) => {
            for (name, connector) in connectors {
                let tls_name = connector
                    .tls_certificate_name
                    .as_ref()
                    .map_or("no certificate".into(), ToString::to_string);
                write!(out, "{}", layout.labelled("send connector", &format!("{name}: {tls_name}")))?;
            }
        }
    }
    if let Some(Some(auth)) = organization.auth.known() {
        let current = auth.current.map_or("none".into(), Thumbprint::short);
        let from = auth.next_effective.map_or(String::new(), |at| format!(" from {at}"));
        let next = auth.next.map_or(String::new(), |next| format!(", next {}{from}", next.short()));
        let before = auth.previous.map_or(String::new(), |before| format!(", before {}", before.short()));
        write!(out, "{}", layout.labelled("Auth", &format!("{current}{next}{before}")))?;
    }
    for note in &observed.notes {
        writeln!(out)?;
        write!(out, "{}", layout.paragraph(&format!("{} {note}", layout.paint(Tone::Change, "note:"))))?;
    }
    Ok(())
}

fn write_server(layout: Layout, server: &Server, now: Timestamp, out: &mut dyn io::Write) -> io::Result<()> {
    match &server.certificates {
        Fact::Unknown(why) => {
            write!(out, "{}", layout.labelled("  certificates", &format!("unknown: {}", why.why)))?
        }
        Fact::Known(store) => {
            for stored in store.0.values() {
                write_certificate(layout, stored, now, out)?;
            }
        }
    }
    for request in server.requests.known().into_iter().flatten() {
        let names: Vec<&str> = request.certificate.names.iter().map(DnsName::as_str).collect();
        let text = format!("{}, for {}", request.certificate.subject, names.join(", "));
        write!(out, "{}", layout.labelled("  request", &text))?;
    }
    let internal =
        server.internal_transport.map(|thumbprint| thumbprint.map_or("none".into(), Thumbprint::short));
    write!(out, "{}", layout.labelled("  internal TLS", &shown(&internal)))?;
    match &server.sites {
        Fact::Unknown(why) => write!(out, "{}", layout.labelled("  IIS", &format!("unknown: {}", why.why)))?,
        Fact::Known(sites) => {
            for (site, hash) in sites {
                let hash = hash.map_or("none".into(), Thumbprint::short);
                write!(out, "{}", layout.labelled("  IIS", &format!("{site}: {hash}")))?;
            }
        }
    }
    for (label, settings, service) in
        [("  POP", &server.pop, MailService::Pop), ("  IMAP", &server.imap, MailService::Imap)]
    {
        if let Some(settings) = settings.known().and_then(Option::as_ref) {
            let name = settings.x509_certificate_name.as_ref().map_or("none".into(), ToString::to_string);
            let runs = match server.runs(service.windows_service()) {
                Some(true) => ", runs",
                Some(false) => ", does not run",
                None => "",
            };
            write!(out, "{}", layout.labelled(label, &format!("by the name {name}{runs}")))?;
        }
    }
    match &server.receive_connectors {
        Fact::Unknown(why) => {
            write!(out, "{}", layout.labelled("  connectors", &format!("unknown: {}", why.why)))?
        }
        Fact::Known(connectors) => {
            for (name, connector) in connectors {
                let by_name = || {
                    connector
                        .fqdn
                        .as_ref()
                        .map_or("the server's name".into(), |fqdn| format!("the name {fqdn}"))
                };
                let tls_name =
                    connector.tls_certificate_name.as_ref().map_or_else(by_name, ToString::to_string);
                write!(out, "{}", layout.labelled("  connector", &format!("{name}: {tls_name}")))?;
            }
        }
    }
    let mut by_address: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (endpoint, address) in &server.endpoints {
        by_address.entry("  listens".into()).or_default().push(format!("{endpoint} at {address}"));
    }
    for (label, endpoints) in by_address {
        write!(out, "{}", layout.labelled(&label, &endpoints.join(", ")))?;
    }
    Ok(())
}

fn write_certificate(
    layout: Layout,
    stored: &StoredCertificate,
    now: Timestamp,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let certificate = &stored.certificate;
    let label = format!("  {}", certificate.thumbprint.short());
    let services = shown(&stored.services.map(service::list));
    let text = format!(
        "{}, until {} ({}), {services}",
        certificate.subject,
        certificate.not_after.date(),
        days_left(certificate.not_after, now)
    );
    let ends_soon = certificate.not_after.since(now) < SOON;
    let text = if ends_soon { layout.paint(Tone::Change, &text) } else { text };
    write!(out, "{}", layout.labelled(&label, &text))?;
    let names: Vec<&str> = certificate.names.iter().map(DnsName::as_str).collect();
    if !names.is_empty() {
        write!(out, "{}", layout.labelled("", &format!("for {}", names.join(", "))))?;
    }
    let issuer = if certificate.is_self_signed() {
        "self-signed".into()
    } else {
        format!("issued by {}", certificate.issuer)
    };
    let key = match (stored.has_private_key, stored.exportable.known()) {
        (false, _) => "no private key",
        (true, Some(true)) => "exportable",
        (true, Some(false)) => "not exportable",
        (true, None) => "exportable or not is unknown",
    };
    let mut text = format!("{issuer}, {}, {key}", certificate.key);
    if let Some(name) = stored.friendly_name.known().filter(|name| !name.is_empty()) {
        text.push_str(&format!(", called `{name}`"));
    }
    if let Some(status) = stored.status.known() {
        text.push_str(&format!(", status {status:?}"));
    }
    write!(out, "{}", layout.labelled("", &text))
}

/// `17 days left`, `ended 3 days ago`.
fn days_left(not_after: Timestamp, now: Timestamp) -> String {
    let days = not_after.since(now).as_seconds().div_euclid(86_400);
    match days {
        0 => "less than a day left".into(),
        1 => "1 day left".into(),
        2.. => format!("{days} days left"),
        -1 => "ended today or yesterday".into(),
        _ => format!("ended {} days ago", -days - 1),
    }
}

/// Certificates that end sooner stand out.
const SOON: Span = Span::days(30);

fn shown(fact: &Fact<String>) -> String {
    match fact {
        Fact::Known(text) => text.clone(),
        Fact::Unknown(why) => format!("unknown ({})", why.why),
    }
}
