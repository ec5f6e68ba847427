//! "Did you mean".

use std::fmt::Write;

/// The known word that a word is so near to that it is a slip.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let likeness = |known: &str| strsim::jaro(&word, &known.to_lowercase());
    let near = known.iter().map(|known| (likeness(known), *known)).filter(|(likeness, _)| *likeness > NEAR);
    near.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, near)| near)
}

/// "Did you mean" for a word that is near one of the known ones, or else the list of them.
pub fn suggestion(word: &str, known: &[&str]) -> String {
    if let Some(near) = nearest(word, known) {
        return format!("did you mean `{near}`?");
    }
    if known.is_empty() {
        return "there is none to choose from yet".into();
    }
    if let [only] = known {
        return format!("expected `{only}`");
    }
    let mut text = String::from("expected one of ");
    for (index, known) in known.iter().take(MOST_SUGGESTED).enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        write!(text, "{separator}`{known}`").expect("a String takes all that is written");
    }
    if known.len() > MOST_SUGGESTED {
        write!(text, " and {} more", known.len() - MOST_SUGGESTED)
            .expect("a String takes all that is written");
    }
    text
}

/// What to say where word processors and web pages have put quotation marks of their own.
pub fn quotes(message: &str) -> Option<String> {
    message.contains(['\u{201c}', '\u{201d}', '\u{201e}']).then(|| {
        "these are typographic quotation marks (\u{201c} \u{201d}); write plain ones (\") or none".into()
    })
}

/// How like a known word another one has to be for a slip of the keyboard; 1 is the same.
const NEAR: f64 = 0.75;
/// More than that is a wall of words.
const MOST_SUGGESTED: usize = 12;
