//! Dates and spans of time, as XML Schema writes them (MS-PSRP sections 2.2.5.1.4 and 2.2.5.1.5).

use std::fmt;

use crate::model::time::{Span, Timestamp};

/// A .NET `DateTime`. Many of them do not say of which time zone they are, and then nobody can know the moment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// What the clock showed, as though the clock were one of UTC.
    clock: Timestamp,
    nanoseconds: u32,
    /// How far the clock was ahead of UTC.
    offset: Option<Span>,
}

impl Moment {
    /// Reads `2026-03-02T09:14:07`, with or without a fraction, `Z` or an offset.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (clock, rest) = text.split_at_checked("2026-03-02T09:14:07".len())?;
        let is_clock = clock.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 | 16 => byte == b':',
            _ => byte.is_ascii_digit(),
        });
        let clock = format!("{clock}Z").parse().ok().filter(|_| is_clock)?;
        let (fraction, zone) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(digits(rest)),
            None => ("0", rest),
        };
        let offset = if zone.is_empty() { None } else { Some(zone_offset(zone)?) };
        Some(Self { clock, nanoseconds: nanoseconds(fraction)?, offset })
    }

    /// The moment, when the text said of which zone it is. A moment that falls out of the years 0 to 9999 by its zone
    /// is brought back to their edge.
    pub fn timestamp(self) -> Option<Timestamp> {
        self.offset.map(|offset| self.clock.minus(offset))
    }

    /// The moment, where a text without a zone is of a place whose clocks are `ahead` of UTC.
    #[must_use]
    pub fn assuming(self, ahead: Span) -> Timestamp {
        self.clock.minus(self.offset.unwrap_or(ahead))
    }

    /// What comes on top of the whole seconds.
    pub fn nanoseconds(self) -> u32 {
        self.nanoseconds
    }
}

impl fmt::Display for Moment {
    /// As it was written: `2026-03-02T09:14:07` when the zone is not known, else in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.timestamp().unwrap_or(self.clock).to_string();
        f.write_str(text.trim_end_matches('Z'))?;
        if self.nanoseconds > 0 {
            write!(f, ".{}", format!("{:09}", self.nanoseconds).trim_end_matches('0'))?;
        }
        f.write_str(if self.offset.is_some() { "Z" } else { "" })
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A .NET `TimeSpan` in ticks of 100 nanoseconds, its own unit: `-P1DT2H3M4.5S`. Years and months, which have no fixed
/// length, PowerShell does not write.
pub(super) fn ticks(text: &str) -> Option<i64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (days, clock) = match rest.strip_prefix('P')?.split_once('T') {
        Some((days, clock)) if !clock.is_empty() => (days, clock),
        Some(_) => return None,
        None => (rest.strip_prefix('P')?, ""),
    };
    if days.is_empty() && clock.is_empty() {
        return None;
    }
    let mut total = 0;
    let left = take(days, 'D', 86_400, &mut total)?;
    if !left.is_empty() {
        return None;
    }
    let left = take(clock, 'H', 3600, &mut total)?;
    let left = take(left, 'M', 60, &mut total)?;
    let left = take(left, 'S', 1, &mut total)?;
    if left.is_empty() { i64::try_from(sign * total).ok() } else { None }
}

/// Takes `12H` off the start, when it is there, and adds its ticks. Only seconds have a fraction.
fn take<'a>(text: &'a str, unit: char, seconds: i128, total: &mut i128) -> Option<&'a str> {
    let Some((number, rest)) = text.split_once(unit) else { return Some(text) };
    let (whole, fraction) = match number.split_once('.') {
        Some(parts) if unit == 'S' => parts,
        Some(_) => return None,
        None => (number, "0"),
    };
    if whole.len() > LONGEST_NUMBER || digits(whole) != whole.len() {
        return None;
    }
    let whole: i128 = whole.parse().ok()?;
    *total += whole * seconds * TICKS + i128::from(nanoseconds(fraction)? / NANOSECONDS_OF_A_TICK);
    Some(rest)
}

/// What stands after the point, as nanoseconds; further digits are cut off.
fn nanoseconds(fraction: &str) -> Option<u32> {
    if fraction.is_empty() || digits(fraction) != fraction.len() {
        return None;
    }
    format!("{fraction:0<9}")[..9].parse().ok()
}

/// `Z`, `+01:00` or `-08:00`.
fn zone_offset(zone: &str) -> Option<Span> {
    if zone == "Z" {
        return Some(Span::ZERO);
    }
    let (sign, rest) = match zone.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, zone.strip_prefix('+')?),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |text: &str| {
        if text.len() == 2 && digits(text) == 2 { text.parse::<i64>().ok() } else { None }
    };
    let minutes = number(hours)? * 60 + number(minutes).filter(|minutes| *minutes < 60)?;
    (minutes <= FURTHEST_ZONE).then(|| Span::seconds(sign * minutes * 60))
}

/// How many digits stand at the start.
fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

const TICKS: i128 = 10_000_000; // of a second
const NANOSECONDS_OF_A_TICK: u32 = 100;
const LONGEST_NUMBER: usize = 19; // i64 has no more digits
/// In minutes; the bound that .NET sets, too.
const FURTHEST_ZONE: i64 = 14 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_say_their_zone_or_that_they_have_none() {
        for (written, shown, at) in [
            ("2026-11-21T03:04:05Z", "2026-11-21T03:04:05Z", Some("2026-11-21T03:04:05Z")),
            ("2023-02-03T15:16:02+01:00", "2023-02-03T14:16:02Z", Some("2023-02-03T14:16:02Z")),
            (
                "2008-04-11T10:42:32.2731993-07:00",
                "2008-04-11T17:42:32.2731993Z",
                Some("2008-04-11T17:42:32Z"),
            ),
            ("2026-11-21T03:04:05", "2026-11-21T03:04:05", None),
            ("2026-11-21T03:04:05.5", "2026-11-21T03:04:05.5", None),
            ("0001-01-01T00:00:00", "0001-01-01T00:00:00", None),
            ("9999-12-31T23:59:59.9999999", "9999-12-31T23:59:59.9999999", None),
            ("9999-12-31T23:59:59.99-08:00", "9999-12-31T23:59:59.99Z", Some("9999-12-31T23:59:59Z")),
            (
                "2026-11-21T03:04:05.12345678999Z",
                "2026-11-21T03:04:05.123456789Z",
                Some("2026-11-21T03:04:05Z"),
            ),
        ] {
            let moment = Moment::parse(written).unwrap();
            assert_eq!(moment.to_string(), shown, "{written}");
            assert_eq!(moment.timestamp().map(|at| at.to_string()).as_deref(), at, "{written}");
        }
        let local = Moment::parse("2019-12-03T14:47:32").unwrap();
        assert_eq!(local.assuming(Span::hours(-8)).to_string(), "2019-12-03T22:47:32Z");
        let zoned = Moment::parse("2019-12-03T14:47:32+02:00").unwrap();
        assert_eq!(
            zoned.assuming(Span::hours(-8)).to_string(),
            "2019-12-03T12:47:32Z",
            "its own zone counts"
        );
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            "2026-11-21",
            "2026-11-21 03:04:05",
            "2026-11-21T03:04",
            "2026-13-21T03:04:05",
            "2026-02-29T03:04:05Z",
            "2026-11-21T24:00:00",
            "2026-11-21T03:04:05.",
            "2026-11-21T03:04:05.Z",
            "2026-11-21T03:04:05+1:00",
            "2026-11-21T03:04:05+15:00",
            "2026-11-21T03:04:05+01:60",
            "2026-11-21T03:04:05z",
            "2026-11-21T03:04:05 ",
            "é026-11-21T03:04:0",
            "2026-11-21T03:04:05+é1:00",
            "+026-11-21T03:04:05",
            "2026-11-21T03:04:05é",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn spans_are_counted_in_ticks() {
        for (text, expected) in [
            ("PT0S", Some(0)),
            ("PT1M30.5S", Some(905_000_000)),
            ("P1DT2H3M4S", Some(937_840_000_000)),
            ("-PT10M", Some(-6_000_000_000)),
            ("P2D", Some(1_728_000_000_000)),
            ("PT0.0000001S", Some(1)),
            ("P10675199DT2H48M5.4775807S", Some(i64::MAX)),
            ("-P10675199DT2H48M5.4775808S", Some(i64::MIN)),
            ("P10675199DT2H48M5.4775808S", None),
            ("P99999999999999999999D", None),
            ("P1Y", None),
            ("P1M", None),
            ("P", None),
            ("PT", None),
            ("P1DT", None),
            ("PT1.5H", None),
            ("PT1S1M", None),
            ("PT-1S", None),
            ("PTS", None),
            ("PT1.S", None),
            ("00:10:00", None),
            ("", None),
        ] {
            assert_eq!(ticks(text), expected, "{text}");
        }
    }
}
