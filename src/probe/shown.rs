//! Foreign words on a terminal.

/// Foreign words, cut, and safe to show on a terminal.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    let short: String = text.chars().take(LONGEST).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{}{more}", crate::model::text::escaped(&short))
}
