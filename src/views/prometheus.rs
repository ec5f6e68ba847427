//! Metrics in the text format of Prometheus, for the textfile collector of its node exporter.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    io,
};

use crate::{
    model::unfinished_run::UnfinishedRun,
    verify::{
        drift::Drift,
        verdict::{State, Verdict, row_state},
    },
};

/// A verdict as metrics.
pub fn verdict(verdict: &Verdict, out: &mut dyn io::Write) -> io::Result<()> {
    let mut metrics = Metrics::default();
    metrics.up(true);
    metrics.verdict(verdict);
    metrics.unfinished(verdict.unfinished_run.as_ref());
    out.write_all(metrics.text().as_bytes())
}

/// Drift as metrics, with those of its verdict.
pub fn drift(drift: &Drift, out: &mut dyn io::Write) -> io::Result<()> {
    let mut metrics = Metrics::default();
    metrics.up(true);
    let organization = [("organization", drift.organization.as_str())];
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    metrics.add("certwright_drift_differences", &organization, number(drift.differences.len()));
    metrics.add("certwright_drift_not_seen", &organization, number(drift.not_seen.len()));
    metrics.add("certwright_drift_ignored", &organization, number(drift.ignored.len()));
    metrics.add("certwright_drift_time_seconds", &organization, drift.at.unix());
    for difference in &drift.differences {
        metrics.add("certwright_drift", &[("id", difference.id.as_str())], 1);
    }
    metrics.unfinished(drift.unfinished_run.as_ref());
    if let Some(verdict) = &drift.verdict {
        metrics.verdict(verdict);
    }
    out.write_all(metrics.text().as_bytes())
}

/// The metrics of a look that failed.
pub fn down() -> String {
    let mut metrics = Metrics::default();
    metrics.up(false);
    metrics.text()
}

/// Samples by the names of their metrics, each once.
#[derive(Default)]
struct Metrics(BTreeMap<&'static str, BTreeMap<String, i64>>);

impl Metrics {
    fn up(&mut self, up: bool) {
        self.add("certwright_up", &[], up.into());
    }

    fn unfinished(&mut self, run: Option<&UnfinishedRun>) {
        if let Some(UnfinishedRun { run, .. }) = run {
            self.add("certwright_run_unfinished", &[("run", run)], 1);
        }
    }

    fn verdict(&mut self, verdict: &Verdict) {
        self.add("certwright_verify_time_seconds", &[], verdict.at.unix());
        self.add("certwright_verify_good", &[], verdict.good.into());
        let mut named = BTreeSet::new();
        for row in &verdict.rows {
            let (server, endpoint) = (row.server.as_str(), row.endpoint.to_string());
            let labels = [("server", server), ("endpoint", endpoint.as_str())];
            self.add("certwright_endpoint_good", &labels, row.is_good().into());
            self.add("certwright_endpoint_warnings", &labels, (row_state(row) == State::Warning).into());
            self.add("certwright_endpoint_retries", &labels, row.retries.into());
            if let Some(took) = row.milliseconds {
                let all = took.connect + took.greeting + took.handshake;
                self.add("certwright_endpoint_milliseconds", &labels, i64::try_from(all).unwrap_or(i64::MAX));
            }
            if let Some(end) = row.not_after {
                self.add("certwright_endpoint_not_after_seconds", &labels, end.unix());
            }
            named.extend(row.served);
        }
        for thumbprint in named {
            let Some(certificate) = verdict.certificates.get(&thumbprint) else { continue };
            let (thumbprint, subject) = (thumbprint.to_string(), certificate.subject.to_string());
            let labels = [("thumbprint", thumbprint.as_str()), ("subject", subject.as_str())];
            self.add("certwright_certificate_not_after_seconds", &labels, certificate.not_after.unix());
        }
        for row in &verdict.health {
            let labels = [("server", row.server.as_str()), ("page", row.page.as_str())];
            self.add("certwright_health_good", &labels, row.healthy.into());
        }
        for row in &verdict.mail_flow {
            let labels = [("server", row.server.as_str())];
            self.add("certwright_mail_taken", &labels, row.accepted.into());
        }
    }

    fn add(&mut self, name: &'static str, labels: &[(&str, &str)], value: i64) {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.0.entry(name).or_default().insert(labels, value);
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (name, samples) in &self.0 {
            let help = HELP.iter().find(|(known, _)| known == name).map_or("", |(_, help)| help);
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
            for (labels, value) in samples {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
        }
        text
    }
}

/// Backslash, quote and line end, as the format has them.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

const HELP: [(&str, &str); 17] = [
    ("certwright_up", "Whether the organization could be looked at."),
    ("certwright_verify_time_seconds", "When the endpoints were met, in seconds since 1970."),
    ("certwright_verify_good", "Whether every endpoint serves what it should."),
    ("certwright_endpoint_good", "Whether the endpoint serves what it should, and clients accept it."),
    ("certwright_endpoint_warnings", "Whether something about a good endpoint is not as it should be."),
    ("certwright_endpoint_retries", "How often the meeting was tried again."),
    ("certwright_endpoint_milliseconds", "How long the meeting took."),
    ("certwright_endpoint_not_after_seconds", "When the served certificate ends, in seconds since 1970."),
    ("certwright_certificate_not_after_seconds", "When a served certificate ends, in seconds since 1970."),
    ("certwright_mail_taken", "Whether the server took a test message."),
    ("certwright_health_good", "Whether the page behind HTTPS says that its service is well."),
    ("certwright_run_unfinished", "A run that did not come to its end, by its name."),
    ("certwright_drift", "A difference from the manifest, by its name."),
    ("certwright_drift_differences", "How many things are not as the manifest says."),
    ("certwright_drift_not_seen", "How many servers were not seen, or not in whole."),
    ("certwright_drift_ignored", "How many differences are ignored."),
    ("certwright_drift_time_seconds", "When the organization was looked at, in seconds since 1970."),
];
