//! What is on the way to each server, for people.

use std::io;

use super::{
    super::layout::{Layout, Tone, wrap_whole},
    words::count,
};
use crate::model::diagnosis::{Diagnosis, ExaminationResult, Examined};

pub(super) fn write(layout: Layout, diagnosis: &Diagnosis, out: &mut dyn io::Write) -> io::Result<()> {
    for server in &diagnosis.servers {
        let name = server.fqdn.as_str();
        let says_it = server.way == name || server.way.starts_with(&format!("{name} "));
        let heading = if says_it { server.way.clone() } else { format!("{name}, {}", server.way) };
        write!(out, "{}", layout.labelled(&layout.paint(Tone::Strong, server.server.as_str()), &heading))?;
        for examined in &server.examined {
            write_one(layout, examined, out)?;
        }
        writeln!(out)?;
    }
    let how_many = |result: ExaminationResult| {
        let all = diagnosis.servers.iter().flat_map(|server| &server.examined);
        all.filter(|examined| examined.result == result).count()
    };
    let (bad, warnings) = (how_many(ExaminationResult::Bad), how_many(ExaminationResult::Warning));
    let servers = count(diagnosis.servers.len(), "server");
    let said = match (bad, warnings) {
        (0, 0) => format!("{servers} examined: everything works."),
        (0, warnings) => format!("{servers} examined: it works, with {} to know.", count(warnings, "thing")),
        (bad, _) => format!(
            "{servers} examined: {} not work.",
            if bad == 1 { "1 thing does".into() } else { format!("{bad} things do") }
        ),
    };
    write!(out, "{}", layout.paragraph(&said))
}

fn write_one(layout: Layout, examined: &Examined, out: &mut dyn io::Write) -> io::Result<()> {
    let (word, tone) = match examined.result {
        ExaminationResult::Good => ("ok", Tone::Good),
        ExaminationResult::Warning => ("warn", Tone::Change),
        ExaminationResult::Bad => ("bad", Tone::Bad),
        ExaminationResult::NotExamined => ("-", Tone::Quiet),
    };
    let text = format!("{}: {}", examined.examination.name(), examined.found);
    let lines = wrap_whole(&text, layout.width.saturating_sub(INDENT));
    let mut lines = lines.iter();
    let first = lines.next().map_or("", String::as_str);
    writeln!(out, "  {}{first}", layout.paint(tone, &format!("{word:<6}")))?;
    for line in lines {
        writeln!(out, "{:INDENT$}{line}", "")?;
    }
    for advice in &examined.advice {
        for (at, line) in wrap_whole(advice, layout.width.saturating_sub(INDENT + 2)).iter().enumerate() {
            writeln!(out, "{:INDENT$}{}{line}", "", if at == 0 { "> " } else { "  " })?;
        }
    }
    Ok(())
}

const INDENT: usize = 8;
