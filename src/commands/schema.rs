//! `certwright schema`: the JSON schemas of the files that certwright reads and writes.

use schemars::{Schema, generate::SchemaSettings};

use super::{CommandError, Exit, Terminal, check::Baseline, saved_plan::SavedPlan};
use crate::{
    drivers::lab::seed::Seed,
    manifest::Manifest,
    model::{diagnosis::Diagnosis, entry::Entry, organization::Observed},
    verify::{drift::Drift, smtp_choices::SmtpChoices, verdict::Verdict},
    views::{
        CalendarDocument, CheckDocument, ErrorDocument, ForecastDocument, Notification, RunEvent,
        StatusDocument,
    },
};

/// A schema, by the name it has on the command line and in `schemas/`.
pub struct SchemaKind {
    /// Its name.
    pub name: &'static str,
    /// Makes it.
    pub make: fn() -> Schema,
}

/// The schemas, in the order users see them.
pub static KINDS: &[SchemaKind] = &[
    SchemaKind { name: "manifest", make: make::<Manifest> },
    SchemaKind { name: "lab", make: make::<Seed> },
    SchemaKind { name: "plan", make: make::<SavedPlan> },
    SchemaKind { name: "observed", make: make::<Observed> },
    SchemaKind { name: "events", make: make::<RunEvent> },
    SchemaKind { name: "journal", make: make::<Entry> },
    SchemaKind { name: "verdict", make: make::<Verdict> },
    SchemaKind { name: "smtp-choices", make: make::<SmtpChoices> },
    SchemaKind { name: "drift", make: make::<Drift> },
    SchemaKind { name: "diagnosis", make: make::<Diagnosis> },
    SchemaKind { name: "check", make: make::<CheckDocument<'static>> },
    SchemaKind { name: "baseline", make: make::<Baseline> },
    SchemaKind { name: "status", make: make::<StatusDocument<'static>> },
    SchemaKind { name: "forecast", make: make::<ForecastDocument<'static>> },
    SchemaKind { name: "error", make: make::<ErrorDocument<'static>> },
    SchemaKind { name: "calendar", make: make::<CalendarDocument<'static>> },
    SchemaKind { name: "notification", make: make::<Notification> },
];

/// Prints a schema.
pub fn run(kind: &str, terminal: Terminal) -> Result<Exit, CommandError> {
    let found = KINDS.iter().find(|known| known.name == kind);
    let Some(found) = found else {
        return Err(CommandError::new(Exit::Usage, format!("there is no schema `{kind}`")));
    };
    let text = text(found);
    terminal.show(|out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Done)
}

/// A schema as it stands in `schemas/`.
pub fn text(kind: &SchemaKind) -> String {
    let mut schema = (kind.make)();
    // A name without a place: nobody has to fetch anything to know which schema it is.
    schema.ensure_object().shift_insert(
        1,
        "$id".into(),
        format!("urn:certwright:schema:{}", kind.name).into(),
    );
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}

fn make<T: schemars::JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>()
}
