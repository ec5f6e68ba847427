use serde_json::{Map, Value, json};

use super::{
    super::{outline::outline, values::values},
    *,
};

fn value(text: &str) -> Option<Value> {
    read::<Map<String, Value>>(&[text]).ok().map(Value::Object)
}

#[test]
fn ordinary_texts_are_read() {
    for (text, expected) in [
        ("a: b\n", json!({ "a": "b" })),
        ("---\n# first\na: b # second\n\nc:  d e  \n", json!({ "a": "b", "c": "d e" })),
        (
            "a:\n  b: 1\n  c:\n    - x\n    - y: 2\n      z: 3\nd: {}\n",
            json!({
                "a": { "b": 1, "c": ["x", { "y": 2, "z": 3 }] }, "d": {}
            }),
        ),
        ("a:\n- x\n- y\nb: []", json!({ "a": ["x", "y"], "b": [] })),
        ("a:\r\n  b: c\r\n", json!({ "a": { "b": "c" } })),
        (
            "a: { b: [c, 'd''e', \"f\\\"g\"], h: { i: ~ } }\n",
            json!({
                "a": { "b": ["c", "d'e", "f\"g"], "h": { "i": null } }
            }),
        ),
        ("a: [\n    b, # one\n    c\n  ]\n", json!({ "a": ["b", "c"] })),
        (
            "\"Default Frontend EX01\": mail\nFrontendTransport:25: x\n",
            json!({
                "Default Frontend EX01": "mail", "FrontendTransport:25": "x"
            }),
        ),
        (
            "a: 30d\nb: 2019 CU14\nc: 2048\nd: 0\ne: true\nf:\nh: -x\n",
            json!({
                "a": "30d", "b": "2019 CU14", "c": 2048, "d": 0, "e": true, "f": null, "h": "-x"
            }),
        ),
        ("a: Größe 😀\n", json!({ "a": "Größe 😀" })),
    ] {
        assert_eq!(value(text), Some(expected), "{text}");
        assert_eq!(values(text).ok(), value(text), "{text}");
    }
}

#[test]
fn what_is_more_or_wrong_is_unusual() {
    for text in [
        "",
        "# nothing\n",
        "a\n",
        "- a\n",
        "{ a: b }\n",
        "a: &x b\n",
        "a: *x\n",
        "a: !x b\n",
        "a: |\n  b\n",
        "a: >\n  b\n",
        "? a\n: b\n",
        "a: b\n---\nc: d\n",
        "a: b\n...\n",
        "%YAML 1.2\n---\na: b\n",
        "a: b\n  c\n",
        "a: b: c\n",
        "a: \"b\n  c\"\n",
        "a:\tb\n",
        "a: [b\nc]\n",
        "a: [b, ]\n",
        "a: {b}\n",
        "a: {b:c}\n",
        "a: {b: c} d\n",
        "a: 1.5\n",
        "a: 0x1F\n",
        "a: +1\n",
        "a: 007\n",
        "a: -1\n",
        "a: .inf\n",
        "a: 1e3\n",
        "a: b\na: c\n",
        "a: { b: 1, B: 2 }\n",
        "1: a\n",
        "null: a\n",
        "<<: a\n",
        "a:\n  - b\n c: d\n",
        "a:\n  b: c\n d: e\n",
        " a: b\n",
        "a: b\n c: d\n",
        "a : b\n",
        "a:\n  -\n",
        "a: \"\\x41\"\n",
        "a: 'b' c\n",
        "a: 'b': c\n",
        "a: @b\n",
        "a: `b`\n",
        "a: b\u{2028}c\n",
        "a: b\u{85}c\n",
        "a: b\u{7}c\n",
        "a: ${b}, [${c}]\nd: [${c}]\n",
    ] {
        assert_eq!(value(text), None, "{text}");
    }
    let deep = format!("a: {}1{}\n", "[".repeat(100), "]".repeat(100));
    assert_eq!(value(&deep), None);
}

/// What is read here, the two parsers of YAML see too, and they see the same and nothing odd.
fn agrees(text: &str) {
    let Some(value) = value(text) else { return };
    assert_eq!(values(text).ok(), Some(value), "{text:?}");
    let outline = outline(text).unwrap_or_else(|broken| panic!("{text:?}: {broken:?}"));
    let odd = (outline.twice.len(), outline.odd_keys.len(), outline.tags.len(), outline.second_document);
    assert_eq!(odd, (0, 0, 0, None), "{text:?}");
}

const WELL_FORMED: [&str; 6] = [
    "a: b\nc:\n  d: [e, f]\n  g: { h: 1, i: \"j\" }\n",
    "---\na:\n- b\n- c: d\n  e: f\n-   g:\n      h: i\n",
    "'a''b': \"c\\\\d\" # e\nf:\n  - 'g'\n  # h\n\n  - ~\ni: { j: [k, { l: m }], n: [] }\n",
    "a:\r\n  b:\r\n    c: [\r\n      d,\r\n      e ]\r\n  f:\r\ng: 10 # h\r\n",
    "servers:\n  EX01:\n    fqdn: ex01.contoso.com\n    iis: { \"Default Web Site:443\": web, Site:444: x }\n    version: 2019 CU14\n",
    "a:\n  - - b\nc:\n  -\n    d: e\nf: null\ng: -h\n\"i\": ' j '\n",
];

const CHARACTERS: &str = " \n:#,[]{}&*!|>'\"%@`-?\\~$<.+0a é\t\r\u{85}\u{a0}\u{2028}\u{feff}\u{7f}\u{1f600}";

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(3000))]

    #[test]
    fn a_text_with_slips_is_read_as_others_read_it(
        text in 0..WELL_FORMED.len(),
        slips in proptest::collection::vec((0..200usize, 0..3u8, 0..60usize), 0..4),
    ) {
        let characters: Vec<char> = CHARACTERS.chars().collect();
        let mut chars: Vec<char> = WELL_FORMED[text].chars().collect();
        for (at, what, character) in slips {
            let (at, character) = (at % chars.len(), characters[character % characters.len()]);
            match what {
                0 => chars.insert(at, character),
                1 => chars[at] = character,
                _ => drop(chars.remove(at)),
            }
        }
        agrees(&chars.into_iter().collect::<String>());
    }

    #[test]
    fn a_text_of_pieces_is_read_as_others_read_it(
        pieces in proptest::collection::vec(0..PIECES.len(), 1..24),
    ) {
        agrees(&pieces.into_iter().map(|piece| PIECES[piece]).collect::<String>());
    }
}

const PIECES: [&str; 36] = [
    "a: ", "b:\n", "c", "\n", "\n  ", "\n    ", "- ", "-\n", "{ ", " }", "{", "}", "[", "]", ", ", ",",
    "\"d\"", "'e'", ": ", ":", " # f", "#", "\n\n", "1", "0x1", "1.5", "~", "null", "true", "g: h\n",
    "  i: j\n", "  - k\n", "\r\n", "? ", "é", "l.m/n",
];
