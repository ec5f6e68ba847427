//! `certwright schema`: the JSON schemas of the files that certwright reads and writes.

use serde_json::Value;

use super::{CommandError, Exit, Terminal};
use crate::schemas::{ALL, CarriedSchema};

/// Prints a schema.
pub fn run(name: &str, terminal: Terminal) -> Result<Exit, CommandError> {
    let Some(schema) = ALL.iter().find(|schema| schema.name == name) else {
        return Err(CommandError::new(Exit::Usage, format!("there is no schema `{name}`")));
    };
    let text = text(*schema);
    terminal.show(|out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Done)
}

/// A schema as it stands in `schemas/`.
pub fn text(schema: CarriedSchema) -> String {
    let value: Value = serde_json::from_str(&schema.json()).expect("a schema is JSON");
    let mut text = serde_json::to_string_pretty(&value).expect("what was JSON is JSON");
    text.push('\n');
    text
}
