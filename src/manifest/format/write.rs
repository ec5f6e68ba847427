//! Writing a document in canonical layout.

use super::tree::{Document, Entry, Kind, Node, Note};

/// The text of the document.
pub(super) fn document(document: &Document) -> String {
    let Document { marked, head, root, after } = document;
    let mut lines = Vec::new();
    if *marked {
        lines.push("---".to_owned());
    }
    notes(head, 0, &mut lines);
    match &root.kind {
        Kind::Map { flow, entries } | Kind::Seq { flow, entries } if !*flow && root.properties.is_empty() => {
            block(entries, 0, true, &mut lines);
        }
        _ => lines.push(joined(&root.properties, &on_one_line(root).unwrap_or_default())),
    }
    notes(after, 0, &mut lines);
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

/// The entries of a mapping or a list, each below the other. At the top, what has several lines stands apart.
fn block(entries: &[Entry], indent: usize, top: bool, lines: &mut Vec<String>) {
    let (mut was_long, mut is_open) = (false, false);
    for (index, entry) in entries.iter().enumerate() {
        let mut own = Vec::new();
        one(entry, indent, &mut own);
        let is_long = top && own.len() > 1;
        let begins_blank = entry.before.first().map_or(entry.blank_before, |note| note.blank_before);
        // An empty line behind a scalar that keeps its last ones would be one more of them.
        let apart = !is_open && (begins_blank || (index > 0 && (is_long || was_long)));
        let mut before = Vec::new();
        notes(&entry.before, indent, &mut before);
        if apart && !before.is_empty() && !before[0].is_empty() {
            before.insert(0, String::new());
        }
        if entry.before.is_empty() && apart || !entry.before.is_empty() && entry.blank_before {
            before.push(String::new());
        }
        for line in before {
            // Neither two empty lines together nor one at the top.
            if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
                lines.push(line);
            }
        }
        lines.extend(own);
        (was_long, is_open) = (is_long, keeps_lines(entry));
    }
}

/// Whether it ends with a scalar that keeps its last line breaks.
fn keeps_lines(entry: &Entry) -> bool {
    let keeps = match &entry.value.kind {
        Kind::Block(text) => indicator(text) == "|+",
        Kind::Folded { chomping, .. } => chomping == "+",
        Kind::Map { flow: false, entries } | Kind::Seq { flow: false, entries } => {
            entries.last().is_some_and(keeps_lines)
        }
        Kind::Map { .. } | Kind::Seq { .. } | Kind::Raw(_) => false,
    };
    keeps && entry.after.is_empty()
}

/// An entry without the comments before it.
fn one(entry: &Entry, indent: usize, lines: &mut Vec<String>) {
    let Entry { key, value, beside, after, .. } = entry;
    let space = " ".repeat(indent);
    let lead = key.as_ref().map_or_else(|| format!("{space}-"), |key| format!("{space}{key}:"));
    let comment = beside.as_ref().map_or_else(String::new, |comment| format!(" {comment}"));
    match &value.kind {
        Kind::Block(text) => {
            lines.push(format!("{}{comment}", joined(&joined(&lead, &value.properties), indicator(text))));
            let inner = " ".repeat(indent + STEP);
            let body = text.strip_suffix('\n').unwrap_or(text);
            lines.extend(
                body.split('\n')
                    .map(|line| if line.is_empty() { String::new() } else { format!("{inner}{line}") }),
            );
        }
        Kind::Folded { chomping, lines: own } => {
            lines.push(format!(
                "{}{comment}",
                joined(&joined(&lead, &value.properties), &format!(">{chomping}"))
            ));
            let inner = " ".repeat(indent + STEP);
            let indented =
                |line: &String| if line.is_empty() { String::new() } else { format!("{inner}{line}") };
            lines.extend(own.iter().map(indented));
        }
        Kind::Raw(_) => {
            let text = format!(
                "{}{comment}",
                joined(&joined(&lead, &value.properties), &on_one_line(value).unwrap_or_default())
            );
            lines.extend(text.split('\n').map(ToOwned::to_owned));
        }
        Kind::Map { flow, entries } | Kind::Seq { flow, entries } => {
            let room = WIDTH.saturating_sub(comment.chars().count());
            let short = on_one_line(value)
                .map(|text| joined(&joined(&lead, &value.properties), &text))
                .filter(|line| entries.is_empty() || *flow && line.chars().count() <= room);
            if let Some(line) = short {
                lines.push(format!("{line}{comment}"));
            } else if key.is_none() && value.properties.is_empty() && comment.is_empty() {
                // `- key: value`, with the rest of the mapping below.
                let mut inner = Vec::new();
                block(entries, indent + STEP, false, &mut inner);
                match inner.first_mut() {
                    Some(first) if !first.trim_start().starts_with('#') => {
                        *first = format!("{lead} {}", first.trim_start());
                    }
                    _ => inner.insert(0, lead),
                }
                lines.extend(inner);
            } else {
                lines.push(format!("{}{comment}", joined(&lead, &value.properties)));
                let mut inner = Vec::new();
                block(entries, indent + STEP, false, &mut inner);
                lines.extend(inner);
            }
        }
    }
    // Below a text a comment as deep as its lines would be one of them.
    let is_text = matches!(value.kind, Kind::Block(_) | Kind::Folded { .. });
    notes(after, if is_text { indent } else { indent + STEP }, lines);
}

fn notes(notes: &[Note], indent: usize, lines: &mut Vec<String>) {
    for Note { text, blank_before } in notes {
        if *blank_before && lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(String::new());
        }
        lines.push(format!("{}{text}", " ".repeat(indent)));
    }
}

/// A value on one line; none for one that has to have several.
fn on_one_line(node: &Node) -> Option<String> {
    let told = |node: &Node| on_one_line(node).map(|text| joined(&node.properties, &text));
    match &node.kind {
        Kind::Raw(raw) => Some(raw.clone()),
        Kind::Block(_) | Kind::Folded { .. } => None,
        Kind::Map { entries, .. } if entries.is_empty() => Some("{}".to_owned()),
        Kind::Map { entries, .. } => {
            let inner: Option<Vec<String>> = entries
                .iter()
                .map(|entry| {
                    let value = told(&entry.value)?;
                    let key = entry.key.as_deref().unwrap_or_default();
                    Some(if value.is_empty() { format!("{key}:") } else { format!("{key}: {value}") })
                })
                .collect();
            Some(format!("{{ {} }}", inner?.join(", ")))
        }
        Kind::Seq { entries, .. } => {
            let inner: Option<Vec<String>> = entries.iter().map(|entry| told(&entry.value)).collect();
            Some(format!("[{}]", inner?.join(", ")))
        }
    }
}

/// `|` and what becomes of the last line break.
fn indicator(text: &str) -> &'static str {
    match text.strip_suffix('\n') {
        None => "|-",
        Some(body) if body.ends_with('\n') || body.is_empty() => "|+",
        Some(_) => "|",
    }
}

fn joined(one: &str, other: &str) -> String {
    match (one.is_empty(), other.is_empty()) {
        (true, _) => other.to_owned(),
        (_, true) => one.to_owned(),
        (false, false) => format!("{one} {other}"),
    }
}

const STEP: usize = 2;
/// A little less than what two windows beside each other show.
const WIDTH: usize = 100;
