//! `docs/exchange-facts.md` has what is cited from it: each "facts 5.1", "facts 15 no. 10", "facts 16, probe 2".
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// What can be cited: a section, or a numbered row of one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Section(String),
    Row(String, String),
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    fs::read_to_string(root().join("docs/exchange-facts.md")).unwrap()
}

/// The places of the page, in its order.
fn places(page: &str) -> Vec<Place> {
    let mut found = Vec::new();
    let mut section = String::new();
    for line in page.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["##" | "###", number, ..] => {
                let number = number.trim_end_matches('.');
                if number.starts_with(|char: char| char.is_ascii_digit()) {
                    number.clone_into(&mut section);
                    found.push(Place::Section(section.clone()));
                }
            }
            // Rows of a table begin with their number, and so do the items of a list.
            ["|", number, "|", ..] if is_whole(number) => {
                found.push(Place::Row(section.clone(), (*number).to_owned()));
            }
            [number, ..] if line.starts_with(|char: char| char.is_ascii_digit()) => {
                if let Some(number) = number.strip_suffix('.').filter(|number| is_whole(number)) {
                    found.push(Place::Row(section.clone(), number.to_owned()));
                }
            }
            _ => {}
        }
    }
    found
}

fn is_whole(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_section(word: &str) -> bool {
    word.split('.').count() <= 2 && word.split('.').all(is_whole)
}

/// What a text cites: "facts" and then numbers of sections, each with "no." or "probe" and numbers of rows behind it.
fn cited(text: &str) -> BTreeSet<Place> {
    let bare = |line: &str| line.trim_start().trim_start_matches(['/', '!', '#']).to_owned() + " ";
    let text: String = text.lines().map(bare).collect::<String>().replace("\\n", " ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut found = BTreeSet::new();
    for (at, word) in words.iter().enumerate() {
        if !word.trim_start_matches(['(', '"', '`']).eq_ignore_ascii_case("facts") {
            continue;
        }
        let mut section: Option<&str> = None;
        let mut rows = false;
        for word in &words[at + 1..] {
            let number = word.trim_end_matches([',', ';', ':', ')', '.', '"', '`']);
            let next_is_row = matches!(number, "no" | "probe");
            if next_is_row && section.is_some() {
                rows = true;
            } else if rows && is_whole(number) {
                let of = section.expect("rows follow a section").to_owned();
                found.insert(Place::Row(of, number.to_owned()));
            } else if is_section(number) {
                rows = false;
                section = Some(number);
                found.insert(Place::Section(number.to_owned()));
            } else if !(section.is_some() && matches!(number, "to" | "and")) {
                break;
            }
            // A sentence or a bracket that ends here ends the citation; "no." does not.
            let ends = word.contains(')') || word.ends_with(['.', '"', '`']) && !next_is_row;
            let goes_on = word.ends_with([',', ';']) || next_is_row || matches!(*word, "to" | "and");
            if ends && !goes_on {
                break;
            }
        }
    }
    found
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path
            .extension()
            .is_some_and(|ending| ["rs", "yaml", "md", "json", "toml"].iter().any(|e| *e == ending))
        {
            found.push(path);
        }
    }
}

#[test]
fn what_is_cited_is_there() {
    let known: BTreeSet<Place> = places(&page()).into_iter().collect();
    let mut all = vec![root().join("README.md"), root().join("CHANGELOG.md")];
    for folder in ["src", "schemas", "tests", "docs", "examples"] {
        files(&root().join(folder), &mut all);
    }
    // This file's own examples of what no page has.
    all.retain(|path| !path.ends_with("tests/facts.rs"));
    let mut count = 0;
    let mut missing = Vec::new();
    for path in all {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let cited = cited(&text);
        count += cited.len();
        let unknown = cited.difference(&known).map(|place| format!("{}: {place:?}", path.display()));
        missing.extend(unknown);
    }
    assert!(missing.is_empty(), "cited and not in docs/exchange-facts.md:\n{}", missing.join("\n"));
    assert!(count > 100, "only {count} citations were found: does the test still read them?");
}

/// A reader of the binary has the schemas and not the page.
#[test]
fn schemas_cite_nothing_of_it() {
    let mut schemas = Vec::new();
    files(&root().join("schemas"), &mut schemas);
    assert!(!schemas.is_empty());
    for path in schemas {
        let cited = cited(&fs::read_to_string(&path).unwrap());
        assert!(cited.is_empty(), "{} cites {cited:?}: say it in words there", path.display());
    }
}

/// A number means one thing, for ever: sections ascend, rows count from one.
#[test]
fn its_numbers_are_in_order() {
    let (mut section, mut row) = ((0, 0), 0);
    let number = |text: &str| text.parse::<u32>().unwrap();
    for (index, place) in places(&page()).into_iter().enumerate() {
        match place {
            Place::Section(text) => {
                let (major, minor) = text.split_once('.').unwrap_or((&text, "0"));
                let here = (number(major), number(minor));
                let next = [(section.0, section.1 + 1), (section.0 + 1, 0)];
                assert!(index == 0 || next.contains(&here), "{text} comes after {section:?}");
                (section, row) = (here, 0);
            }
            Place::Row(of, text) if ["15", "16"].contains(&of.as_str()) => {
                assert_eq!(number(&text), row + 1, "row of {of}");
                row += 1;
            }
            // Steps of procedures inside a section: 5.1 and others.
            Place::Row(..) => {}
        }
    }
    assert!(section.0 >= 16, "the page ends with section {section:?}");
}

#[test]
fn citations_are_read_as_people_read_them() {
    let section = |text: &str| Place::Section(text.to_owned());
    let row = |of: &str, text: &str| Place::Row(of.to_owned(), text.to_owned());
    for (text, want) in [
        ("/// The site's hash (facts 7.3). It took 12 servers.", vec![section("7.3")]),
        ("facts 5.1, 15 no. 10).", vec![section("15"), section("5.1"), row("15", "10")]),
        ("facts 15, no. 9.\n/// Next 4 words", vec![section("15"), row("15", "9")]),
        (
            "(facts 4.1, 15 no.\n/// 25, 36, and",
            vec![section("15"), section("4.1"), row("15", "25"), row("15", "36")],
        ),
        ("facts 16, probe 2)", vec![section("16"), row("16", "2")]),
        ("facts 1.1 to 1.7", vec![section("1.1"), section("1.7")]),
        ("facts 9; 15, no. 33", vec![section("15"), section("9"), row("15", "33")]),
        ("facts 99.9 of nothing", vec![section("99.9")]),
        ("the facts that 3 servers know", vec![]),
    ] {
        assert_eq!(cited(text), want.into_iter().collect(), "{text}");
    }
}
