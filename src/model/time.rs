//! Moments and spans, to the second: the precision of X.509 validity.

use std::{fmt, str::FromStr};

use time::{OffsetDateTime, UtcDateTime, format_description::well_known::Rfc3339};

/// A moment in UTC, to the second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A length of time, to the second. Written `45s`, `30m`, `12h`, `30d` or `2w`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

/// Why a text is not a moment or a span.
#[derive(Debug, thiserror::Error)]
pub enum TimeError {
    /// Not RFC 3339, or outside the years 0 to 9999.
    #[error("`{0}` is not a moment; write it like 2026-03-02T09:14:07Z")]
    NotATimestamp(String),
    /// Not a whole number with a unit.
    #[error("`{0}` is not a length of time; write a whole number with a unit: 45s, 30m, 12h, 30d, 2w")]
    NotASpan(String),
}

impl Timestamp {
    /// The moment `seconds` after 1970-01-01T00:00:00Z. Seconds outside the years 0 to 9999 are brought back into them,
    /// since X.509 can say nothing beyond (RFC 5280 section 4.1.2.5.2).
    pub fn from_unix(seconds: i64) -> Self {
        Self(seconds.clamp(Self::FIRST, Self::LAST))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix(self) -> i64 {
        self.0
    }

    /// The moment `span` later.
    #[must_use]
    pub fn plus(self, span: Span) -> Self {
        Self::from_unix(self.0.saturating_add(span.0))
    }

    /// The moment `span` earlier.
    #[must_use]
    pub fn minus(self, span: Span) -> Self {
        Self::from_unix(self.0.saturating_sub(span.0))
    }

    /// The same day and time `years` calendar years later, as `New-ExchangeCertificate` counts (facts 1.1). The 29th of
    /// February becomes the 28th where the year has none.
    #[must_use]
    pub fn plus_years(self, years: u8) -> Self {
        let moment = self.offset();
        let year = moment.year() + i32::from(years);
        let later = moment
            .replace_year(year)
            .or_else(|_| moment.replace_day(28).and_then(|moment| moment.replace_year(year)))
            .map_or(Self::LAST, OffsetDateTime::unix_timestamp);
        Self::from_unix(later)
    }

    /// The first midnight in UTC at this moment or after it.
    #[must_use]
    pub fn next_midnight(self) -> Self {
        let into_the_day = self.0.rem_euclid(86_400);
        if into_the_day == 0 { self } else { self.plus(Span(86_400 - into_the_day)) }
    }

    /// How long after `earlier` this moment is; negative when it is before.
    pub fn since(self, earlier: Self) -> Span {
        Span(self.0 - earlier.0)
    }

    /// The calendar day, `2026-03-19`.
    pub fn date(self) -> String {
        self.offset().date().to_string()
    }

    /// The form for names of files and runs, `20260302T091407Z`.
    pub fn compact(self) -> String {
        self.rfc3339().replace(['-', ':'], "")
    }

    /// The same moment in the type that rcgen takes.
    pub fn offset(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.0).expect("clamped to the years 0 to 9999 by from_unix")
    }

    fn rfc3339(self) -> String {
        self.offset().format(&Rfc3339).expect("a year of four digits has an RFC 3339 form")
    }

    const FIRST: i64 = -62_167_219_200; // 0000-01-01T00:00:00Z
    const LAST: i64 = 253_402_300_799; // 9999-12-31T23:59:59Z
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of whole seconds.
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// A span of whole hours.
    pub const fn hours(hours: i64) -> Self {
        Self(hours * 3600)
    }

    /// A span of whole days of 24 hours.
    pub const fn days(days: i64) -> Self {
        Self(days * 86_400)
    }

    /// The length in seconds.
    pub fn as_seconds(self) -> i64 {
        self.0
    }

    /// `percent` hundredths of this span.
    #[must_use]
    pub fn percent(self, percent: u8) -> Self {
        Self(self.0 / 100 * i64::from(percent) + self.0 % 100 * i64::from(percent) / 100)
    }

    /// The largest unit that fits, for people: `17 days`, `5 hours`, `1 minute`.
    pub fn rounded(self) -> String {
        let seconds = self.0.abs();
        let (count, unit) = match seconds {
            172_800.. => (seconds / 86_400, "day"),
            7200.. => (seconds / 3600, "hour"),
            120.. => (seconds / 60, "minute"),
            _ => (seconds, "second"),
        };
        format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC: `2026-03-02T09:14:07Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.rfc3339())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        UtcDateTime::parse(text, &Rfc3339)
            .map(|moment| Self::from_unix(moment.unix_timestamp()))
            .map_err(|_| TimeError::NotATimestamp(text.to_owned()))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.iter().rev().find(|(_, length)| self.0 != 0 && self.0 % length == 0);
        let (letter, length) = unit.copied().unwrap_or(('d', 86_400));
        write!(f, "{}{letter}", self.0 / length)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Span {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let error = || TimeError::NotASpan(text.to_owned());
        let letter = text.chars().next_back().ok_or_else(error)?;
        let digits = &text[..text.len() - letter.len_utf8()];
        let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let count: i64 = if all_digits { digits.parse().map_err(|_| error())? } else { return Err(error()) };
        let (_, length) =
            UNITS.iter().chain(&[('w', 604_800)]).find(|(unit, _)| *unit == letter).ok_or_else(error)?;
        count.checked_mul(*length).map(Self).ok_or_else(error)
    }
}

/// Shortest first. Weeks are read but never written: `14d` says the same.
const UNITS: [(char, i64); 4] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];

text_type!(Timestamp, "A moment in UTC, in the form of RFC 3339: 2026-03-02T09:14:07Z.", None);
text_type!(Span, "A length of time: a whole number with s, m, h, d or w.", Some("^[0-9]+[smhdw]$"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written_in_their_largest_whole_unit() {
        for (text, seconds, written) in [
            ("30d", 2_592_000, "30d"),
            ("2w", 1_209_600, "14d"),
            ("90m", 5400, "90m"),
            ("0d", 0, "0d"),
            ("48h", 172_800, "2d"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!((span.as_seconds(), span.to_string().as_str()), (seconds, written), "{text}");
        }
        for text in ["", "d", "30", "-1d", "+1d", "1.5d", "30 d", "99999999999999999d", "٣d"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_next_midnight_is_never_before() {
        for (from, to) in [
            ("2026-03-04T09:00:00Z", "2026-03-05T00:00:00Z"),
            ("2026-03-04T00:00:00Z", "2026-03-04T00:00:00Z"),
            ("2026-02-28T23:59:59Z", "2026-03-01T00:00:00Z"),
            ("1969-12-31T12:00:00Z", "1970-01-01T00:00:00Z"),
        ] {
            let moment: Timestamp = from.parse().unwrap();
            assert_eq!(moment.next_midnight().to_string(), to, "{from}");
        }
    }

    #[test]
    fn calendar_years_keep_day_and_time() {
        for (from, to) in [
            ("2021-07-29T10:00:01Z", "2026-07-29T10:00:01Z"),
            ("2024-02-29T23:59:59Z", "2029-02-28T23:59:59Z"),
            ("9998-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(from.parse::<Timestamp>().unwrap().plus_years(5).to_string(), to);
        }
    }

    #[test]
    fn moments_with_an_offset_are_brought_to_utc() {
        let moment: Timestamp = "2023-02-03T15:16:02+01:00".parse().unwrap();
        assert_eq!(moment.to_string(), "2023-02-03T14:16:02Z");
        assert_eq!(moment.compact(), "20230203T141602Z");
        assert_eq!(moment.date(), "2023-02-03");
    }

    #[test]
    fn a_percentage_of_a_lifetime_does_not_overflow() {
        assert_eq!(Span::days(90).percent(33).as_seconds(), 2_566_080);
        assert_eq!(Span(i64::MAX).percent(50), Span(i64::MAX / 100 * 50 + 3));
    }
}
