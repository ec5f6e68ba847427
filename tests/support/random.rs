//! Random moments, faults and organizations that can be had again.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "each test file uses a part of this"
)]

use std::time::Duration;

use super::case::{Case, Found, Internal};

/// A number from the environment.
pub fn variable(name: &str, default: u32) -> u32 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Random numbers that can be had again (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new() -> Self {
        Self(u64::from(variable("CERTWRIGHT_SEED", 20_260_302)) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn part_of(&mut self, whole: Duration) -> Duration {
        let micros = u64::try_from(whole.as_micros()).unwrap();
        Duration::from_micros(self.below(micros + 1))
    }

    pub fn chance(&mut self, one_in: u64) -> bool {
        self.below(one_in) == 0
    }

    fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()].clone()
    }

    /// An organization as it may be found, and a manifest.
    pub fn case(&mut self) -> Case {
        let versions = ["2013", "2016 CU23", "2019 CU14", "SE"];
        let mut servers: Vec<&str> = versions.into_iter().filter(|_| self.chance(2)).collect();
        if servers.is_empty() {
            servers.push(self.pick(&versions));
        }
        let found = (!self.chance(4)).then(|| self.found());
        let keys = ["{ size: 2048 }", "{ exportable: false }", "{ algorithm: ec }"];
        let key = if servers.contains(&"2013") { keys[0] } else { self.pick(&keys) };
        let retires = ["never", "{ after: 0d }", "{ after: 0d }", "{ after: 7d, backup: false }"];
        Case {
            found,
            leftover: self.chance(3),
            iis: !self.chance(4),
            pop: self.chance(2),
            smtp: !self.chance(4),
            internal: self.pick(&[Internal::Undeclared, Internal::Transport, Internal::Mail]),
            back_end: self.chance(2),
            receive: self.chance(2),
            send: self.chance(2),
            transport_renewed: self.chance(3),
            key,
            retire: self.pick(&retires),
            servers,
        }
    }

    fn found(&mut self) -> Found {
        let valid = [
            ("2025-03-19T00:00:00Z", "2026-03-19T00:00:00Z"),
            ("2025-03-19T00:00:00Z", "2026-03-19T00:00:00Z"),
            ("2025-03-01T00:00:00Z", "2026-03-01T00:00:00Z"),
            ("2026-02-01T00:00:00Z", "2027-02-01T00:00:00Z"),
        ];
        Found {
            valid: self.pick(&valid),
            names: self.pick(&["[mail.contoso.com]", "[mail.contoso.com, autodiscover.contoso.com]"]),
            exportable: self.chance(2),
            on_all: !self.chance(4),
            own_ca: self.chance(2),
            services: self.pick(&[
                "[]",
                "[SMTP]",
                "[IIS, SMTP]",
                "[IIS, SMTP, POP, IMAP]",
                "[IIS, SMTP, POP, IMAP]",
            ]),
        }
    }

    /// One to three faults of a lab.
    pub fn faults(&mut self) -> Vec<String> {
        let count = 1 + self.below(3);
        (0..count).map(|_| self.fault()).collect()
    }

    fn fault(&mut self) -> String {
        let verbs = ["import", "export", "bind", "bindSite", "repoint", "restart", "remove", "observe"];
        let hows =
            ["before", "during", "after", "unreachable", "ignored", "late", "killedBefore", "killedAfter"];
        let verb = verbs[usize::try_from(self.below(verbs.len() as u64)).unwrap()];
        let how = match verb {
            "observe" => "unreachable",
            _ => hows[usize::try_from(self.below(hows.len() as u64)).unwrap()],
        };
        let server = ["", "server: EX01, ", "server: EX02, "][usize::try_from(self.below(3)).unwrap()];
        let (after, times) = (self.below(3), 1 + self.below(3));
        format!("{{ verb: {verb}, {server}after: {after}, times: {times}, how: {how} }}")
    }
}
