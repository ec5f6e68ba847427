//! How long new certificates live.

use crate::model::time::{Span, Timestamp};

/// The longest lifetime that public CAs may give, by the day of issue (CA/Browser Forum ballot SC-081v3, Baseline Requirements
/// section 6.3.2): from when, and how many days.
pub const LIMITS: [(&str, i64); 4] = [
    ("2020-09-01T00:00:00Z", 398),
    ("2026-03-15T00:00:00Z", 200),
    ("2027-03-15T00:00:00Z", 100),
    ("2029-03-15T00:00:00Z", 47),
];

/// The longest lifetime of a certificate that a public CA issues at this moment.
pub fn limit_of_public_cas(at: Timestamp) -> Span {
    let begun = LIMITS.iter().rev().find(|(from, _)| begin(from) <= at);
    Span::days(begun.unwrap_or(&LIMITS[0]).1)
}

/// The moment at which a limit begins.
pub(super) fn begin(from: &str) -> Timestamp {
    from.parse().expect("the moments of the table are written as RFC 3339")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_follow_the_ballot() {
        for (at, days) in [
            ("2019-01-01T00:00:00Z", 398),
            ("2026-03-14T23:59:59Z", 398),
            ("2026-03-15T00:00:00Z", 200),
            ("2027-03-15T00:00:00Z", 100),
            ("2029-03-14T00:00:00Z", 100),
            ("2030-01-01T00:00:00Z", 47),
        ] {
            assert_eq!(limit_of_public_cas(at.parse().unwrap()), Span::days(days), "{at}");
        }
    }
}
