//! Which certificates SMTP chooses on a server, for people: each step, what comes of it, what the manifest says.

use std::io;

use super::super::layout::{Layout, Tone};
use crate::{
    model::thumbprint::Thumbprint,
    verify::smtp_choices::{SmtpChoice, SmtpChoices},
};

pub(super) fn write(layout: Layout, choices: &SmtpChoices, out: &mut dyn io::Write) -> io::Result<()> {
    let seen = format!("{}, observed {}", choices.driver, choices.at);
    write!(out, "{}", layout.labelled(choices.server.as_str(), &seen))?;
    for choice in &choices.choices {
        writeln!(out)?;
        write_choice(layout, choice, out)?;
    }
    Ok(())
}

fn write_choice(layout: Layout, choice: &SmtpChoice, out: &mut dyn io::Write) -> io::Result<()> {
    let verb = choice.verb.map_or(String::new(), |verb| format!(", {verb}"));
    writeln!(out, "{}", layout.paint(Tone::Strong, &format!("{}{verb}", choice.about)))?;
    for (index, step) in choice.steps.iter().enumerate() {
        write!(out, "{}", layout.labelled(&format!("{:>3}", index + 1), step))?;
    }
    let certificate = choice.certificate.as_ref().map_or(String::new(), |certificate| {
        format!(" ({}, until {})", certificate.subject, certificate.not_after.date())
    });
    write!(out, "{}", layout.labelled("    presents", &format!("{}{certificate}", choice.presented)))?;
    if let Some(event) = &choice.event {
        write!(out, "{}", layout.labelled("    event", &format!("{}: {}", event.id, event.text)))?;
    }
    let Some(declared) = &choice.declared else { return Ok(()) };
    let standing = declared.standing.map_or("which is not there yet".into(), Thumbprint::short);
    let text = if declared.as_declared {
        layout.paint(Tone::Good, &format!("{}, as declared", declared.certificate))
    } else {
        layout.paint(Tone::Bad, &format!("{}, {standing}: not what is presented", declared.certificate))
    };
    write!(out, "{}", layout.labelled("    manifest", &text))
}
