//! Words of the driver that no server could ever be reached with.

use super::driver_words::{Place, places};
use crate::{
    manifest::{
        Authentication, DriverSpec, Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{desired::Desired, time::Span},
};

/// A host that is none, an account without a name, a port that nobody listens at, a time in which nothing can be done.
pub(super) fn driver_word_cannot_work(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let DriverSpec::PowerShell(spec) = &manifest.driver else { return Vec::new() };
    let mut findings = Vec::new();
    // A host that is a URL may have a password in it.
    let mut found = |path: DocPath, what: &str, why: &str, hint: &str| {
        findings.push(Finding::new("", Severity::Error, path, what, why).hinted(hint).hiding_its_line());
    };
    // No time at all is a finding of its own.
    if spec.timeout != Span::ZERO && (spec.timeout < LEAST || spec.timeout > MOST) {
        found(
            DocPath::of(&["driver", "powershell", "timeout"]),
            "`timeout` is not between 10 seconds and a day",
            "Making a certificate takes several seconds, and a request that is cut off leaves its outcome unknown.",
            "write a time such as 300s, or leave it out",
        );
    }
    for Place { path, ssh, remoting, account, authentication } in places(spec) {
        for (path, ssh) in ssh {
            let hosts = [("host", ssh.host.as_deref()), ("user", ssh.user.as_deref())];
            for (word, value) in hosts {
                let Some(why) = value.and_then(|value| not_a_name(word, value)) else { continue };
                let what = format!("`{word}` of `ssh` is no name that `ssh` could take");
                found(
                    path.key(word),
                    &what,
                    why,
                    "write the name alone; `user` and `port` are words of their own",
                );
            }
            if ssh.port == Some(0) {
                found(
                    path.key("port"),
                    "`port` is 0",
                    "Nobody listens at it.",
                    "write the port, or leave it out",
                );
            }
        }
        if let Some(remoting) = remoting {
            let path = path.key("remoting");
            if remoting.port == Some(0) {
                found(
                    path.key("port"),
                    "`port` is 0",
                    "Nobody listens at it.",
                    "write the port, or leave it out",
                );
            }
            if remoting.principal.as_deref().is_some_and(|name| name.trim().is_empty()) {
                let hint = "write it as user@REALM, or leave it out";
                found(path.key("principal"), "`principal` is empty", "No ticket is of nobody.", hint);
            }
        }
        if let Some(account) = account {
            let path = path.key("account");
            let hint = "write it as 'DOMAIN\\user' or user@domain";
            if account.user.trim().is_empty() {
                found(path.key("user"), "`user` is empty", "No account has no name.", hint);
            } else if authentication == Some(Authentication::Basic) && account.user.contains(':') {
                let why =
                    "Basic ends the name at its first colon; what follows would be taken for the password.";
                found(path.key("user"), "`user` has a colon", why, hint);
            }
        }
    }
    findings
}

/// Why `ssh` cannot take this as a host or a user.
fn not_a_name(word: &str, value: &str) -> Option<&'static str> {
    if value.is_empty() {
        Some("It is empty.")
    } else if value.starts_with('-') {
        Some("It begins with a hyphen, as options do.")
    } else if value.chars().any(|char| char.is_whitespace() || char.is_control()) {
        Some("It has spaces or control characters.")
    } else if word == "host" && value.contains(['/', '@']) {
        Some(
            "It is a URL or has a user in it; what stands on a command line everybody on the machine can see.",
        )
    } else {
        None
    }
}

const LEAST: Span = Span::seconds(10);
const MOST: Span = Span::seconds(24 * 3600);
