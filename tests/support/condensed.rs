//! What commands print, without what the scenarios show: a session tells which steps a plan has and what became of them, in
//! a line for each place, and keeps every other line as it is.

/// The output of a command, with the steps of plans and of runs in one line for each place.
pub(crate) fn condensed(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut kept: Vec<String> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let heading = heading(&lines, at);
        let (steps, next) = steps(&lines, at + usize::from(heading.is_some()));
        if steps.is_empty() {
            kept.push(lines[at].to_owned());
            at += 1;
            continue;
        }
        let place = heading.map_or(String::new(), |heading| format!("{heading}: "));
        kept.push(format!("{place}{}", listed(&steps)));
        at = next;
    }
    kept.iter().map(|line| format!("{line}\n")).collect()
}

/// A step as it is listed: its number, and what is done or what became of it.
struct Step<'a> {
    number: usize,
    word: &'a str,
}

/// The name of a server or of the organization that stands above steps.
fn heading<'a>(lines: &[&'a str], at: usize) -> Option<&'a str> {
    let above = lines.get(at).filter(|line| !line.is_empty() && !line.contains(' '));
    above.copied().filter(|_| lines.get(at + 1).is_some_and(|line| step(line).is_some()))
}

/// The steps that stand here with all their lines, and where they end. What did not go well is no part of them.
fn steps<'a>(lines: &[&'a str], from: usize) -> (Vec<Step<'a>>, usize) {
    let (mut steps, mut at) = (Vec::new(), from);
    while let Some(step) = lines.get(at).and_then(|line| step(line)) {
        steps.push(step);
        at += 1;
        while lines.get(at).is_some_and(|line| line.starts_with(DETAIL)) {
            at += 1;
        }
    }
    (steps, at)
}

/// `  3 bind           IIS to …` of plans and reports, `3/22 done    EX01: …` of runs.
fn step(line: &str) -> Option<Step<'_>> {
    let (number, rest) = line.trim_start().split_once([' ', '/'])?;
    let number = number.parse().ok()?;
    let rest = match rest.split_once(' ') {
        Some((all, rest)) if line.contains(&format!("{number}/{all} ")) && all.parse::<usize>().is_ok() => {
            rest
        }
        _ => rest,
    };
    let word = rest.split("  ").next().unwrap_or_default();
    let word = if word.starts_with("done ") { "done" } else { word };
    WORDS.contains(&word).then_some(Step { number, word })
}

/// Steps of the same word that follow one another, as one.
fn listed(steps: &[Step<'_>]) -> String {
    let groups = steps.chunk_by(|one, next| one.word == next.word && one.number + 1 == next.number);
    let listed = groups.map(|group| match group {
        [one] => format!("{} {}", one.number, one.word),
        [first, .., last] => format!("{}-{} {}", first.number, last.number, first.word),
        [] => String::new(),
    });
    listed.collect::<Vec<_>>().join(", ")
}

/// Lines that belong to the step above begin so.
const DETAIL: &str = "                   ";

/// The verbs of steps, and what becomes of them when all is well. Every other word is told with its whole text.
const WORDS: [&str; 23] = [
    "back up",
    "bind",
    "bind site",
    "clear",
    "complete",
    "create",
    "done",
    "drop request",
    "gate",
    "import",
    "install",
    "internal TLS",
    "issue",
    "publish",
    "remove",
    "repoint",
    "request",
    "restart",
    "set IM",
    "set mode",
    "set name",
    "stage",
    "verify",
];

#[test]
fn steps_are_told_by_their_numbers_and_words() {
    let text = "contoso            lab\n\nEX01\n  1 import         certificate\n                   undo: remove it\n  2 restart        \
                POP\n  3 restart        IMAP\nEX02\n  4 by hand        something\n\nPlan: 4 steps.\n 1/4 done    EX01: import\n\
                 2/4 done    EX01: restart\n 3/4 failed  EX01: restart\n";
    let expected = "contoso            lab\n\nEX01: 1 import, 2-3 restart\nEX02\n  4 by hand        something\n\nPlan: 4 \
                    steps.\n1-2 done\n 3/4 failed  EX01: restart\n";
    assert_eq!(condensed(text), expected);
}
