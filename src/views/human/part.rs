//! What a narrowed plan says of itself: that it is a part, and what it leaves out.

use std::io;

use super::{super::layout::Layout, words::count};
use crate::model::plan::{LeftOut, LeftOutBecause, Only};

/// What it is narrowed to, and what is left for another plan, place by place.
pub(super) fn head(
    layout: Layout,
    only: &Only,
    organization: &str,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let left = match only.steps_left_out() {
        0 => "which is all there is to do".to_owned(),
        steps => format!("a part of what there is to do, without {}", count(steps, "step")),
    };
    write!(out, "{}", layout.labelled("only", &format!("{}: {left}", only.names())))?;
    for LeftOut { server, verbs, steps, why } in &only.left_out {
        let place = server.as_ref().map_or(organization.to_owned(), ToString::to_string);
        let because = match why {
            LeftOutBecause::NotAskedFor => String::new(),
            LeftOutBecause::NeedsServers { servers, more } => {
                let servers: Vec<String> = servers.iter().map(ToString::to_string).collect();
                let more = if *more > 0 { format!(" and {more} more") } else { String::new() };
                format!("; only together with {}{more}", servers.join(", "))
            }
            LeftOutBecause::NeedsCertificates => "; only together with the other certificates".into(),
        };
        let text = format!("{place}: {} ({}){because}", count(*steps, "step"), verbs.join(", "));
        write!(out, "{}", layout.labelled("    left out", &text))?;
    }
    Ok(())
}

/// The sum of a part in which there is nothing to do.
pub(super) fn nothing(only: &Only) -> String {
    match only.steps_left_out() {
        0 => format!("No changes for {}, and none for the rest.", only.names()),
        _ => format!("No changes for {}. {}", only.names(), rest(only)),
    }
}

/// What is left for another plan, in one sentence.
pub(in crate::views) fn rest(only: &Only) -> String {
    match only.steps_left_out() {
        0 => "Nothing is left out.".into(),
        1 => "A part: 1 step is left out.".into(),
        steps => format!("A part: {steps} steps are left out."),
    }
}
