//! What a manifest costs until a day, for people.

use std::io;

use super::super::layout::{Layout, Tone};
use crate::apply::forecast::{Forecast, ForecastDay, ForecastTotals};

/// Writes them for people, and several side by side at the end.
pub fn forecasts(layout: Layout, forecasts: &[Forecast], out: &mut dyn io::Write) -> io::Result<()> {
    for forecast in forecasts {
        let Forecast { manifest, organization, from, until, days, totals, first_end } = forecast;
        let text = format!("{manifest}, from {} to {}", from.date(), until.date());
        write!(out, "{}", layout.labelled(organization, &text))?;
        for day in days {
            let ForecastDay { at, renewals, restarts, removals, by_hand, wrong, stopped } = day;
            let text = format!(
                "{renewals} issued, {restarts} restarts, {removals} removed, {} by hand",
                by_hand.len()
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
        let ForecastTotals { days, renewals, restarts, removals, by_hand } = totals;
        writeln!(out)?;
        let text = format!(
            "In {}: {days} days with something to do, {renewals} certificates issued, {restarts} restarts, {removals} removals, {by_hand} things by hand.",
            until.since(*from).rounded()
        );
        write!(out, "{}", layout.paragraph(&text))?;
        let (tone, text) = match first_end {
            None => (Tone::Good, "No certificate in use ends before it is renewed.".to_owned()),
            Some(end) => {
                (Tone::Bad, format!("A certificate in use ends on {} before it is renewed.", end.date()))
            }
        };
        write!(out, "{}", layout.paint(tone, &layout.paragraph(&text)))?;
        writeln!(out)?;
    }
    if forecasts.len() < 2 {
        return Ok(());
    }
    writeln!(
        out,
        "{:<30} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "", "days", "issued", "restarts", "removed", "by hand"
    )?;
    for Forecast { manifest, totals, .. } in forecasts {
        let ForecastTotals { days, renewals, restarts, removals, by_hand } = totals;
        writeln!(out, "{manifest:<30} {days:>8} {renewals:>8} {restarts:>8} {removals:>8} {by_hand:>8}")?;
    }
    Ok(())
}
