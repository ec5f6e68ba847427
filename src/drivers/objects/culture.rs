//! Dates in the text of some language.

use crate::model::time::Timestamp;

/// In which order a language writes the parts of a date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateOrder {
    /// Not known: a date is read only when it can mean one day alone.
    #[default]
    Unknown,
    /// `21/11/2026`.
    DayFirst,
    /// `11/21/2026`.
    MonthFirst,
}

impl DateOrder {
    /// The order of a .NET `ShortDatePattern`: `M/d/yyyy`, `dd.MM.yyyy`.
    pub fn of_pattern(pattern: &str) -> Self {
        match (pattern.find('d'), pattern.find('M')) {
            (Some(day), Some(month)) if day < month => Self::DayFirst,
            (Some(_), Some(_)) => Self::MonthFirst,
            _ => Self::Unknown,
        }
    }
}

/// Reads a date and time, taken for UTC: `2/3/2023 2:16:02 PM`, `03.02.2023 14:16:02`, `2023-02-03T14:16:02Z`. The error
/// says what is wrong with it.
pub fn moment_of_text(text: &str, order: DateOrder) -> Result<Timestamp, String> {
    if let Ok(moment) = text.parse() {
        return Ok(moment);
    }
    let unreadable = || "it is no date that can be read in every language".to_owned();
    let numbers: Vec<(&str, u32)> = text
        .split(|char: char| !char.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(|digits| digits.parse().map(|number| (digits, number)).map_err(|_| unreadable()))
        .collect::<Result<_, _>>()?;
    let [first, second, third, clock @ ..] = numbers.as_slice() else { return Err(unreadable()) };
    let (year, month, day) = match (first.0.len(), third.0.len()) {
        (4, _) => (first.1, second.1, third.1),
        (1 | 2, 4) => {
            let (month, day) = month_and_day(text, first.1, second.1, order)?;
            (third.1, month, day)
        }
        _ => return Err(unreadable()),
    };
    let (hour, minute, second) = match clock {
        [] => (0, 0, 0),
        [hour, minute] => (hour.1, minute.1, 0),
        [hour, minute, second, ..] => (hour.1, minute.1, second.1),
        [_] => return Err(unreadable()),
    };
    let hour = of_day(text, hour).ok_or_else(unreadable)?;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
        .parse()
        .map_err(|_| unreadable())
}

/// Languages with dots write the day first; the others differ.
fn month_and_day(text: &str, first: u32, second: u32, order: DateOrder) -> Result<(u32, u32), String> {
    let dotted = text.split(' ').next().is_some_and(|date| date.contains('.'));
    match (first, second, order) {
        (day @ 13..=31, month, _) => Ok((month, day)),
        (month, day @ 13..=31, _) => Ok((month, day)),
        (same, other, _) if same == other => Ok((same, other)),
        (month, day, DateOrder::MonthFirst) if !dotted => Ok((month, day)),
        (day, month, DateOrder::DayFirst) => Ok((month, day)),
        (day, month, _) if dotted => Ok((month, day)),
        _ => Err("whether the month or the day comes first cannot be told".into()),
    }
}

/// Twelve hours and a mark make twenty-four. The marks of other languages are not known; those write 24 hours.
fn of_day(text: &str, hour: u32) -> Option<u32> {
    let lower = text.to_lowercase();
    let marked = |mark: &str| lower.ends_with(mark) || lower.contains(&format!("{mark} "));
    match (marked("am") || marked("a.m."), marked("pm") || marked("p.m."), hour) {
        (true, _, 12) => Some(0),
        (_, true, 1..=11) => Some(hour + 12),
        (true, _, 1..=11) | (_, true, 12) | (false, false, 0..=23) => Some(hour),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_many_languages() {
        for (what, text, order, expected) in [
            ("English, American", "2/3/2023 2:16:02 PM", DateOrder::MonthFirst, Some("2023-02-03T14:16:02Z")),
            ("English, British", "03/02/2023 14:16:02", DateOrder::DayFirst, Some("2023-02-03T14:16:02Z")),
            (
                "English, Australian",
                "12/02/2018 1:53:00 PM",
                DateOrder::DayFirst,
                Some("2018-02-12T13:53:00Z"),
            ),
            ("slashes that can mean two days", "2/3/2023 2:16:02 PM", DateOrder::Unknown, None),
            (
                "slashes that cannot",
                "2/28/2023 12:16:02 AM",
                DateOrder::Unknown,
                Some("2023-02-28T00:16:02Z"),
            ),
            (
                "the same day and month",
                "3/3/2023 12:16:02 PM",
                DateOrder::Unknown,
                Some("2023-03-03T12:16:02Z"),
            ),
            ("German, Russian", "03.02.2023 14:16:02", DateOrder::Unknown, Some("2023-02-03T14:16:02Z")),
            (
                "German on an American's word",
                "03.02.2023 14:16:02",
                DateOrder::MonthFirst,
                Some("2023-02-03T14:16:02Z"),
            ),
            ("Swedish", "2023-02-03 14:16:02", DateOrder::Unknown, Some("2023-02-03T14:16:02Z")),
            ("Japanese", "2023/02/03 14:16:02", DateOrder::Unknown, Some("2023-02-03T14:16:02Z")),
            ("Hungarian", "2023. 02. 03. 14:16:02", DateOrder::Unknown, Some("2023-02-03T14:16:02Z")),
            ("Dutch", "3-2-2023 14:16:02", DateOrder::DayFirst, Some("2023-02-03T14:16:02Z")),
            (
                "of the standard",
                "2023-02-03T15:16:02+01:00",
                DateOrder::Unknown,
                Some("2023-02-03T14:16:02Z"),
            ),
            ("a day alone", "03.02.2023", DateOrder::Unknown, Some("2023-02-03T00:00:00Z")),
            ("two digits of a year", "03.02.23 14:16:02", DateOrder::Unknown, None),
            ("no such day", "31.02.2023 14:16:02", DateOrder::Unknown, None),
            ("no such hour", "03.02.2023 24:16:02", DateOrder::Unknown, None),
            ("absurd", "99999999999.1.2023", DateOrder::Unknown, None),
            ("nothing", "", DateOrder::Unknown, None),
        ] {
            let read = moment_of_text(text, order);
            assert_eq!(read.as_ref().ok().map(Timestamp::to_string).as_deref(), expected, "{what}: {read:?}");
        }
    }

    #[test]
    fn patterns_tell_the_order() {
        assert_eq!(DateOrder::of_pattern("M/d/yyyy"), DateOrder::MonthFirst);
        assert_eq!(DateOrder::of_pattern("dd.MM.yyyy"), DateOrder::DayFirst);
        assert_eq!(DateOrder::of_pattern("yyyy-MM-dd"), DateOrder::MonthFirst);
        assert_eq!(DateOrder::of_pattern(""), DateOrder::Unknown);
    }
}
