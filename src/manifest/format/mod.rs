//! The canonical layout of a manifest: fields in their order, two spaces for each level, short lists and mappings on one line.
//! Comments, anchors and the way in which scalars are quoted stay. What comes out holds the same values and the same comments
//! as what went in; where that cannot be had, nothing is changed.

mod error;
mod order;
mod source;
mod tree;
mod write;

use serde_json::Value;

pub use self::error::FormatError;
use self::{source::Text, tree::Document};
use super::yaml::{self, DocumentKind, Source};

/// The text in canonical layout, with the line ends that it has: Git's checkouts on Windows have their own. Formatting it again
/// changes nothing.
pub fn formatted(text: &str) -> Result<String, FormatError> {
    let of_windows = text.split_once('\n').is_some_and(|(first, _)| first.ends_with('\r'));
    let laid_out = with_line_feeds(text)?;
    Ok(if of_windows { laid_out.replace('\n', "\r\n") } else { laid_out })
}

fn with_line_feeds(text: &str) -> Result<String, FormatError> {
    let mut text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    // A comment that stood between two levels may belong to another one once both have their place.
    for _ in 0..MOST_PASSES {
        let next = pass(&text)?;
        if next == text {
            return Ok(next);
        }
        text = next;
    }
    Err(FormatError::WouldChange)
}

const MOST_PASSES: usize = 8;

fn pass(text: &str) -> Result<String, FormatError> {
    let document = Document::read(text)?;
    // An alias has to stand behind its anchor; where order would turn them round, the order stays as it is.
    for sorted in [true, false] {
        let mut out = document.clone();
        if sorted {
            out.sort();
        }
        let out = write::document(&out);
        if says_the_same(text, &out) {
            return Ok(out);
        }
    }
    Err(FormatError::WouldChange)
}

/// Whether both texts hold the same values and the same comments.
fn says_the_same(before: &str, after: &str) -> bool {
    let values = |text: &str| {
        let source = Source { file: String::new(), bytes: text.as_bytes().to_vec() };
        yaml::document::<Value>(source, DocumentKind::ANY).ok().map(|(value, _)| value)
    };
    let comments = |text: &str| {
        let mut comments: Vec<String> =
            Text::read(text).ok()?.comments.into_iter().map(|comment| comment.text).collect();
        comments.sort();
        Some(comments)
    };
    let (Some(one), Some(other)) = (values(before), values(after)) else { return false };
    one == other && comments(before).is_some() && comments(before) == comments(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_formatted(before: &str, after: &str) {
        let once = formatted(before).unwrap();
        assert_eq!(once, after);
        assert_eq!(formatted(&once).unwrap(), after, "twice");
    }

    #[test]
    fn fields_have_their_order_and_levels_their_indentation() {
        assert_formatted(
            "# yaml-language-server: $schema=x\nservers:\n    EX01: {profile: a,fqdn: ex01.contoso.com}\norganization:   contoso\napiVersion: certwright/v1\n",
            "# yaml-language-server: $schema=x\napiVersion: certwright/v1\norganization: contoso\n\nservers:\n  EX01: { fqdn: ex01.contoso.com, profile: a }\n",
        );
    }

    #[test]
    fn line_ends_of_windows_stay() {
        assert_formatted(
            "\u{feff}organization:   contoso # ours\r\napiVersion: certwright/v1\r\n",
            "apiVersion: certwright/v1\r\norganization: contoso # ours\r\n",
        );
    }

    #[test]
    fn comments_go_with_what_they_are_about() {
        assert_formatted(
            "organization: contoso # ours\n# how\ndriver:\n  lab: {}\n  # below\napiVersion: certwright/v1\n# the end\n",
            "apiVersion: certwright/v1\norganization: contoso # ours\n\n# how\ndriver:\n  lab: {}\n  # below\n# the end\n",
        );
        assert_formatted(
            "certificates:\n  mail:\n    # who\n    issuer: a\n\n\n    # what\n    names:\n    - a # one\n    # two\n    - b\n",
            "certificates:\n  mail:\n    # who\n    issuer: a\n\n    # what\n    names:\n      - a # one\n      # two\n      - b\n",
        );
    }

    #[test]
    fn anchors_stay_before_their_aliases() {
        assert_formatted(
            "servers:\n  EX01: &one {fqdn: a.b}\n  EX02: *one\n",
            "servers:\n  EX01: &one { fqdn: a.b }\n  EX02: *one\n",
        );
        // `organization` would come before the anchor.
        assert_formatted(
            "servers: {a: &x contoso}\norganization: *x\n",
            "servers: { a: &x contoso }\norganization: *x\n",
        );
    }

    #[test]
    fn scalars_stay_as_they_are_quoted() {
        assert_formatted(
            "a: 'single # no'   # yes\nb: \"do\\tuble\"\nc: plain\n  text\nd: |\n    one\n      two\ne: !!str 12\nf:\n",
            "a: 'single # no' # yes\nb: \"do\\tuble\"\nc: plain text\n\nd: |\n  one\n    two\n\ne: !!str 12\nf:\n",
        );
    }

    #[test]
    fn folded_scalars_stay_folded() {
        assert_formatted(
            "a: >- # why\n    one\n    two\n\n      deeper\n    three\nb:\n- >\n one\n\n two\n",
            "a: >- # why\n  one\n  two\n\n    deeper\n  three\n\nb:\n  - >\n    one\n\n    two\n",
        );
    }

    #[test]
    fn comments_between_a_key_and_its_value_are_kept() {
        assert_formatted(
            "a:\n  - # first\n    b: c\n  - # second\n    d # third\n",
            "a:\n  - # first\n    b: c\n  # second\n  - d # third\n",
        );
        assert_formatted(
            "a: # first\n  [b] # second\nc:\n  # third\n  { d: e }\nf: # fourth\n  [g]\nh: &x # fifth\n  i\n",
            "# first\na: [b] # second\n# third\nc: { d: e }\nf: [g] # fourth\nh: &x i # fifth\n",
        );
    }

    #[test]
    fn long_lists_get_a_line_for_each_item() {
        let names: Vec<String> = (0..8).map(|n| format!("server-number-{n}.contoso.com")).collect();
        let before = format!("names: [ {} ]\n", names.join(" ,"));
        let after =
            format!("names:\n{}", names.iter().map(|name| format!("  - {name}\n")).collect::<String>());
        assert_formatted(&before, &after);
    }

    #[test]
    fn what_has_no_layout_is_left() {
        for text in ["? [a, b]\n: c\n", "a: 1\n---\nb: 2\n", "a: [1\n", "\tb: 1\n"] {
            assert!(formatted(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_with_comments_inside_stays_as_it_is() {
        assert_formatted("names: [a, # one\n  b]\n", "names: [a, # one\n  b]\n");
    }
}
