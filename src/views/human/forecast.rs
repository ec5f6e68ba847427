//! What a manifest costs until a day, for people.

use std::io;

use super::{
    super::layout::{Layout, Tone},
    unfinished,
};
use crate::{
    apply::{
        forecast::{Forecast, ForecastDay, ForecastObstacle, ForecastStop, ForecastTotals},
        half_way::{DurationSource, StepDuration},
    },
    model::time::Span,
};

/// Writes them for people, and several side by side at the end.
pub fn forecasts(layout: Layout, forecasts: &[Forecast], out: &mut dyn io::Write) -> io::Result<()> {
    for forecast in forecasts {
        let Forecast {
            manifest,
            organization,
            from,
            until,
            days,
            totals,
            cannot,
            stopped,
            durations,
            first_end,
            unfinished_run,
        } = forecast;
        let text = format!("{manifest}, from {} to {}", from.date(), until.date());
        write!(out, "{}", layout.labelled(organization, &text))?;
        unfinished::write(layout, unfinished_run.as_ref(), out)?;
        for day in days {
            let ForecastDay { at, renewals, restarts, removals, by_hand, half_way_minutes, wrong, stopped } =
                day;
            let text = format!(
                "{renewals} issued, {}, {removals} removed, {} by hand, {half_way_minutes} min in transition",
                counted(*restarts, "restart"),
                by_hand.len(),
            );
            write!(out, "{}", layout.labelled(&format!("  {}", at.date()), &text))?;
            if *wrong > 0 || *stopped {
                let what = if *stopped {
                    "a run stopped part-way"
                } else {
                    "not all endpoints serve what they should"
                };
                write!(
                    out,
                    "{}",
                    layout.paint(Tone::Bad, &layout.labelled("", &format!("{what} ({wrong} wrong)")))
                )?;
            }
        }
        writeln!(out)?;
        let lasts = stopped.as_ref().map_or(*until, |stop| stop.at).since(*from);
        let year = if lasts > A_YEAR_OR_SO { a_year(*totals, lasts) } else { String::new() };
        let text = format!("In {}: {}.{year}", lasts.rounded(), sum(*totals));
        write!(out, "{}", layout.paragraph(&text))?;
        for ForecastObstacle { at, diagnostic } in cannot {
            let text = format!("Cannot be done, from {}: {diagnostic} [{}]", at.date(), diagnostic.code);
            write!(out, "{}", layout.paint(Tone::Bad, &layout.paragraph(&text)))?;
        }
        if let Some(ForecastStop { at, why }) = stopped {
            let text = format!(
                "The rehearsal ends on {}, before {}: {why}. What comes after it is not known.",
                at.date(),
                until.date()
            );
            write!(out, "{}", layout.paint(Tone::Bad, &layout.paragraph(&text)))?;
        }
        let (tone, text) = match first_end {
            None if stopped.is_some() => {
                (Tone::Change, "Until then no certificate in use ends before it is renewed.".to_owned())
            }
            None => (Tone::Good, "No certificate in use ends before it is renewed.".to_owned()),
            Some(end) => {
                (Tone::Bad, format!("A certificate in use ends on {} before it is renewed.", end.date()))
            }
        };
        write!(out, "{}", layout.paint(tone, &layout.paragraph(&text)))?;
        if totals.half_way_minutes > 0 {
            write!(out, "{}", layout.paragraph(&reckoned(durations)))?;
        }
        writeln!(out)?;
    }
    if forecasts.len() < 2 {
        return Ok(());
    }
    writeln!(
        out,
        "{:<30} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9}",
        "", "days", "issued", "restarts", "removed", "by hand", "mixed"
    )?;
    for Forecast { manifest, totals, .. } in forecasts {
        let ForecastTotals { days, renewals, restarts, removals, by_hand, half_way_minutes } = totals;
        let half_way = format!("{half_way_minutes} min");
        writeln!(
            out,
            "{manifest:<30} {days:>8} {renewals:>8} {restarts:>8} {removals:>8} {by_hand:>8} {half_way:>9}"
        )?;
    }
    Ok(())
}

fn sum(totals: ForecastTotals) -> String {
    let ForecastTotals { days, renewals, restarts, removals, by_hand, half_way_minutes } = totals;
    format!(
        "{} with something to do, {} issued, {}, {}, {} by hand, {} in transition",
        counted(days, "day"),
        counted(renewals, "certificate"),
        counted(restarts, "restart"),
        counted(removals, "removal"),
        counted(by_hand, "thing"),
        counted(half_way_minutes, "minute"),
    )
}

/// What falls to a year, where there are several.
fn a_year(totals: ForecastTotals, lasts: Span) -> String {
    let ForecastTotals { days: _, renewals, restarts, removals, by_hand, half_way_minutes } = totals;
    let of = |count: usize| {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let tenths = (count.saturating_mul(3650) / (lasts.as_seconds() / 86_400).max(1)).max(0);
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    format!(
        " A year: {} issued, {} restarts, {} removals, {} by hand, {} minutes in transition.",
        of(renewals),
        of(restarts),
        of(removals),
        of(by_hand),
        of(half_way_minutes)
    )
}

/// What half-way means, and what it was reckoned with.
fn reckoned(durations: &[StepDuration]) -> String {
    let of = |StepDuration { doing, takes, source }: &StepDuration| {
        let source = match source {
            DurationSource::Assumed => "assumed".to_owned(),
            DurationSource::Given => "given".to_owned(),
            DurationSource::Measured { steps } => format!("measured, {}", counted(*steps, "step")),
        };
        format!("{} {takes} ({source})", doing.name())
    };
    let durations: Vec<String> = durations.iter().map(of).collect();
    format!(
        "In transition: the time from the first change of a certificate to its last, calculated with: {}. `--assume` sets these times.",
        durations.join(", ")
    )
}

fn counted(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// A year, and what a month may be too long.
const A_YEAR_OR_SO: Span = Span::days(396);
