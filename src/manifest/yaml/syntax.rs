//! What is said of a text that is no YAML. The parsers' own words never reach a person: they speak of tokens and scalars.

use super::{
    masked::Spoilt,
    outline::{Broken, Outline, Position, Reason, START},
    places::Page,
    text::bad,
};
use crate::manifest::finding::Finding;

/// Why a text cannot be read, and what has to be covered so that the rest of it can. Nothing where that is not known.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) findings: Vec<Finding>,
    pub(super) spoilt: Vec<Spoilt>,
}

impl From<Finding> for Refused {
    fn from(finding: Finding) -> Self {
        Self { findings: vec![finding], spoilt: Vec::new() }
    }
}

impl Refused {
    fn by(finding: Finding, spoilt: Spoilt) -> Self {
        Self { findings: vec![finding], spoilt: vec![spoilt] }
    }
}

/// What is said where the reading of a text ends.
pub(super) fn broken(page: &Page<'_>, broken: &Broken) -> Refused {
    let at = if broken.at.line == 0 { START } else { broken.at };
    if let Some(finding) = another_cause(page, at) {
        return finding.into();
    }
    let finding = ends_here(page, at, broken);
    match &broken.reason {
        Reason::Syntax(words) if words.contains("anchor") => Refused::by(finding, Spoilt::Word(at)),
        Reason::Syntax(_) | Reason::TooDeep => finding.into(),
    }
}

fn ends_here(page: &Page<'_>, at: Position, Broken { inside, reason, .. }: &Broken) -> Finding {
    let has = |words: &str, phrases: &[&str]| phrases.iter().any(|phrase| words.contains(phrase));
    let bracket = inside.and_then(|inside| Some((inside, closing(page, inside)?)));
    // A line further down begins something else: that is where the parser gives up, not where the mistake is.
    let goes_on = bracket.is_some_and(|(begins, _)| begins.line < at.line);
    let of_bracket = match reason {
        Reason::Syntax(words) => {
            has(words, &["expected ',' or", "flow construct"])
                || goes_on && has(words, LATER)
                || page.place(at).text.trim().is_empty()
        }
        Reason::TooDeep => false,
    };
    if let (Some((begins, closing)), true, Reason::Syntax(words)) = (bracket, of_bracket && goes_on, reason)
        && !page.place(begins).text.contains("${")
        && !words.contains("tab")
    {
        let (what, between) = if closing == ']' { UNCLOSED[0] } else { UNCLOSED[1] };
        let before = match page.place(at).text.trim() {
            "" => "before the end of the file".to_owned(),
            _ => format!("before line {}", at.line),
        };
        let hint = format!("close it with `{closing}` {before}, and write `,` between the {between}");
        return bad(page.place(begins), what, NOT_YAML).hinted(hint);
    }
    let at = inside.filter(|_| of_bracket).unwrap_or(at);
    let place = page.place(at);
    let (what, hint) = match reason {
        Reason::TooDeep => (
            "values are nested too deep".into(),
            "a manifest nests six levels deep; this is probably another file".into(),
        ),
        Reason::Syntax(words) => said(words, &place.text, at),
    };
    bad(place, what, NOT_YAML).hinted(hint)
}

/// What closes the bracket that stands here.
fn closing(page: &Page<'_>, at: Position) -> Option<char> {
    match page.lines().nth(at.line - 1)?.chars().nth(at.column - 1)? {
        '[' => Some(']'),
        '{' => Some('}'),
        _ => None,
    }
}

/// What is said of a tag that would make another text of the one behind it.
pub(super) fn tagged(page: &Page<'_>, at: Position) -> Refused {
    Refused::by(bad(page.place(at), TAG.0, NOT_YAML).hinted(TAG.1), Spoilt::Tag(at))
}

/// What is said of a number that no manifest has.
pub(super) fn no_number(page: &Page<'_>, at: Position) -> Refused {
    let place = page.place(at);
    let is_counted = place.text.chars().nth(at.column - 1).is_some_and(|char| "+-0123456789".contains(char))
        && !place.text.chars().skip(at.column - 1).take(2).any(|char| char == '.');
    let what = if is_counted {
        "this number is larger than any that a manifest has"
    } else {
        "YAML takes this for a number without an end, or for none"
    };
    let hint = "put it into quotation marks, or write another value";
    let finding = bad(place, what, "A manifest has whole numbers and texts.").hinted(hint);
    Refused::by(finding, Spoilt::Word(at))
}

/// What a parser stumbles over only later, or without knowing it.
fn another_cause(page: &Page<'_>, at: Position) -> Option<Finding> {
    let found = |at: Position, what: &str, hint: &str| Some(bad(page.place(at), what, NOT_YAML).hinted(hint));
    if let Some(mark) = page.lines().position(|line| line.starts_with("<<<<<<< ") || line == "<<<<<<<") {
        return found(
            Position { line: mark + 1, column: 1 },
            "Git's marks of a merge conflict stand in the file",
            "decide between its two parts, and take out the lines that begin with `<<<<<<<`, `=======` and `>>>>>>>`",
        );
    }
    if let Some(number) = page.lines().take(at.line).position(|line| line.starts_with('%')) {
        return found(Position { line: number + 1, column: 1 }, DIRECTIVE.0, DIRECTIVE.1);
    }
    let line = page.lines().nth(at.line - 1).unwrap_or_default();
    if let Some(column) = line.chars().position(|char| char == '\u{feff}') {
        return found(
            Position { line: at.line, column: column + 1 },
            "an invisible character stands here, the byte order mark (U+FEFF) that some programs put at the beginning of a file",
            "take it out; it comes along where files are joined into one",
        );
    }
    // A tag in the place of a value: `servers: !include servers.yaml`, with lines of its own below.
    let above = page.lines().take(at.line - 1).enumerate();
    let above = above.filter(|(_, line)| !line.trim().is_empty() && !line.trim().starts_with('#')).last();
    for (number, text) in above.into_iter().chain([(at.line - 1, line)]) {
        if let Some((column, what, hint)) = glued(text) {
            return found(Position { line: number + 1, column }, what, &hint);
        }
    }
    if let Some((number, text)) = above
        && let Some((key, value)) = text.split_once(": ")
        && value.trim_start().starts_with('!')
        && blanks(text) < blanks(line)
    {
        let blanks = value.chars().count() - value.trim_start().chars().count();
        let column = key.chars().count() + 3 + blanks;
        return found(Position { line: number + 1, column }, TAG.0, TAG.1);
    }
    None
}

/// A key whose colon has no blank behind it: to YAML the whole is a text, and it stumbles over the next line.
fn glued(line: &str) -> Option<(usize, &'static str, String)> {
    let entry = line.trim_start();
    let key: String = entry.chars().take_while(|char| char.is_alphanumeric()).collect();
    let value = entry
        .strip_prefix(key.as_str())?
        .strip_prefix(':')
        .filter(|_| key.starts_with(char::is_alphabetic))?;
    let column = blanks(line) + key.chars().count() + 2;
    match value.chars().next()? {
        '\u{a0}' => {
            let what = "a no-break space (U+00A0) stands here, which is no blank to YAML";
            Some((column, what, "write an ordinary blank in its place".into()))
        }
        next if next.is_alphanumeric() && !value.contains(": ") => {
            Some((column, "a blank is missing after `:`", format!("write `{key}: {}`", value.trim_end())))
        }
        _ => None,
    }
}

fn blanks(line: &str) -> usize {
    line.chars().take_while(|char| *char == ' ').count()
}

/// What is said of YAML that certwright does not take, for its outline or for the parser's words.
pub(super) fn refused(page: &Page<'_>, outline: &Outline, words: &str) -> Refused {
    let found = |at: Position, what: String, hint: &str| bad(page.place(at), what, NOT_YAML).hinted(hint);
    if let Some(at) = outline.second_document {
        let hint = "put the documents into files of their own; the files of a directory are joined";
        return found(at, "a second document begins here".into(), hint).into();
    }
    if !outline.odd_keys.is_empty() {
        let mut keys: Vec<(Position, &str)> =
            outline.odd_keys.iter().map(|(at, key)| (outer(page, *at), key.as_str())).collect();
        keys.dedup_by_key(|(at, _)| *at);
        let spoilt = keys.iter().map(|(at, _)| Spoilt::Key(*at)).collect();
        let told = keys.into_iter().map(|(at, key)| {
            let line = page.place(at).text;
            if line.contains("{{") && line.contains("}}") {
                return found(at, TEMPLATE.0.into(), TEMPLATE.1);
            }
            found(at, format!("a key has to be a text, and this is {key}"), "put it into quotation marks")
        });
        let findings = told.collect();
        return Refused { findings, spoilt };
    }
    if let Some(at) = outline.tags.first() {
        return tagged(page, *at);
    }
    if let Some(at) = outline.no_numbers.first() {
        return no_number(page, *at);
    }
    if let Some(number) = page.lines().position(|line| line.starts_with('%')) {
        let at = Position { line: number + 1, column: 1 };
        return found(at, DIRECTIVE.0.into(), DIRECTIVE.1).into();
    }
    let mut lines = page.lines().enumerate();
    let control = |line: &str| line.chars().position(|char| char.is_control() && char != '\t');
    if let Some((line, column)) = lines.find_map(|(line, text)| Some((line, control(text)?))) {
        let at = Position { line: line + 1, column: column + 1 };
        return found(at, "a control character stands in the text".into(), "take it out").into();
    }
    let at = outline.first_alias.unwrap_or(START);
    let (what, hint) = if words.contains("recursion limit") && outline.first_alias.is_some() {
        ("a `*name` stands inside of the anchor that it refers to", "write the value itself")
    } else if words.contains("repetition limit") {
        (
            "anchors multiply into too many values",
            "write the values out; profiles say once what servers have in common",
        )
    } else if words.contains("anchor") {
        (
            "a `*name` refers to an anchor that is not there",
            "write the value itself, or put it into quotation marks",
        )
    } else {
        ("the file holds something that no manifest has", "write plain texts, numbers, lists and mappings")
    };
    found(at, what.into(), hint).into()
}

/// Where the braces of a template begin: to YAML they are a mapping whose key is another one.
fn outer(page: &Page<'_>, at: Position) -> Position {
    let line = page.lines().nth(at.line - 1).unwrap_or_default();
    let around = line.chars().skip(at.column.saturating_sub(2)).take(2);
    if at.column > 1 && around.eq("{{".chars()) { Position { column: at.column - 1, ..at } } else { at }
}

/// The parser's words in ours: what is wrong, and what to write.
fn said(words: &str, line: &str, at: Position) -> (String, String) {
    let tabbed = line.chars().take_while(|char| char.is_whitespace()).any(|char| char == '\t');
    if tabbed || words.contains("tab") {
        return ("a tab stands where YAML wants spaces".into(), "indent with spaces".into());
    }
    if line.contains("${") && words.contains("expected ',' or") {
        let hint = "put each text with `${…}` into quotation marks: `\"${server.name}\"`";
        return ("`${…}` stands between brackets without quotation marks".into(), hint.into());
    }
    if line.contains("*.") && words.contains("anchor") {
        let hint = "put each name with `*` into quotation marks: `\"*.contoso.com\"`";
        return ("a name with `*` stands without quotation marks".into(), hint.into());
    }
    let char = line.chars().nth(at.column.saturating_sub(1));
    if words.contains("invalid indentation") && char.is_some_and(|char| "\"'".contains(char)) {
        return (
            "a quotation mark is not closed".into(),
            "close the text with the same quotation mark, on the same line".into(),
        );
    }
    let before = at.column.checked_sub(2).and_then(|before| line.chars().nth(before));
    if before == Some('\t') {
        return ("a tab stands between a key and its value".into(), "write a space instead of it".into());
    }
    if char == Some('"') && line.to_lowercase().contains("\\ud") {
        return (
            "an escape such as `\\ud83d` is half a character".into(),
            "write the character itself: the file is UTF-8".into(),
        );
    }
    let what_and_hint = PHRASES.iter().find(|(phrase, _, _)| words.contains(phrase));
    if let Some((_, what, hint)) = what_and_hint {
        return ((*what).into(), (*hint).into());
    }
    match char {
        Some(char) if "@`%&*!|>{}[],?".contains(char) => {
            (format!("a value cannot begin with `{char}`"), "put the value into quotation marks".into())
        }
        _ => (
            "the line cannot be read".into(),
            "compare its indentation, colons, brackets and quotation marks with the lines around it".into(),
        ),
    }
}

/// The parser's phrases, what is said instead, and what to write.
const PHRASES: &[(&str, &str, &str)] = &[
    (
        "mapping values are not allowed",
        "a second `: ` stands in one line, or the line is indented unlike the others",
        "put a text with a colon into quotation marks; give the keys of one mapping the same indentation",
    ),
    (
        "illegal placement of ':'",
        "a `:` stands where no key can end",
        "put a text with a colon into quotation marks",
    ),
    (
        "expected ',' or ']'",
        "a list that begins with `[` does not end",
        "close it with `]`, and write `,` between the items",
    ),
    (
        "expected ',' or '}'",
        "a mapping that begins with `{` does not end",
        "close it with `}`, and write `,` between the entries",
    ),
    ("misplaced bracket", "a bracket closes what was not opened", "give each `]` and `}` its `[` and `{`"),
    (
        "simple key expect",
        "a line is not of the form `key: value`",
        "write a colon and a space after the key",
    ),
    (
        "did not find expected key",
        "a line does not belong to the mapping around it",
        "give the keys of one mapping the same indentation; look for a quotation mark too few in the line before",
    ),
    (
        "expected '-' indicator",
        "a line does not belong to the list around it",
        "begin each item with `- `, all with the same indentation",
    ),
    (
        "block sequence entries are not allowed",
        "a list item stands beside a key",
        "begin the list on a line of its own, or write it in brackets: `[one, two]`",
    ),
    (
        "unexpected end of stream",
        "a quotation mark is not closed",
        "close the text with the same quotation mark",
    ),
    (
        "unknown escape",
        "a `\\` in double quotation marks begins something that YAML does not know",
        "use single quotation marks: '\\' is then itself",
    ),
    (
        "trailing content after double-quoted",
        "something follows a text in quotation marks",
        "put the whole value into the quotation marks; look for one too few before it",
    ),
    (
        "unknown anchor",
        "a `*name` refers to an anchor that is not there",
        "write the value itself, or put it into quotation marks",
    ),
    (
        "invalid indentation",
        "the line is indented unlike the others",
        "give the keys of one mapping the same indentation",
    ),
    (
        "unexpected document indicator",
        "`---` or `...` stands inside a text",
        "close the quotation mark before it",
    ),
    ("unprintable", "a control character stands in the text", "take it out"),
];

/// What the parser says where a bracket was not closed on a line before.
const LATER: &[&str] = &[
    "invalid indentation",
    "illegal placement of ':'",
    "mapping values are not allowed",
    "simple key expect",
    "did not find expected key",
    "block sequence entries are not allowed",
    "unexpected end of stream",
];
/// What is said of a bracket that is not closed, and what stands in it.
const UNCLOSED: [(&str, &str); 2] = [
    ("a list that begins with `[` does not end", "items"),
    ("a mapping that begins with `{` does not end", "entries"),
];
/// What is said of a tag, and what to do.
const TAG: (&str, &str) =
    ("a tag such as `!secret` means nothing here", "take it out and write the value itself");
/// What is said of a directive of YAML, such as `%YAML 1.3`.
const DIRECTIVE: (&str, &str) =
    ("a line that begins with `%` is for the parser of the file, and means nothing here", "take it out");
/// What is said of a template that another program was to fill in.
const TEMPLATE: (&str, &str) = (
    "a `{{ … }}` stands here, which another program was to fill in",
    "check what it becomes; certwright itself fills in `${server.name}` and `${server.fqdn}`",
);
const NOT_YAML: &str = "What cannot be read as YAML cannot be planned.";
