//! Letters of other scripts that look like Latin ones.

/// What is said of a letter of another script that looks like a Latin one: a slip of the keyboard, or somebody's trick.
pub(super) fn look_alike(odd: char) -> Option<String> {
    let (_, latin) = LOOK_ALIKES.iter().find(|(char, _)| *char == odd)?;
    let script = if ('\u{370}'..='\u{3ff}').contains(&odd) { "Greek" } else { "Cyrillic" };
    Some(format!(
        "`{odd}`, the {script} letter U+{:04X}, which looks like the Latin `{latin}`; type the Latin one",
        u32::from(odd)
    ))
}

/// Cyrillic and Greek letters that look like Latin ones (Unicode Technical Standard 39, confusables).
const LOOK_ALIKES: [(char, char); 42] = [
    ('а', 'a'),
    ('с', 'c'),
    ('ԁ', 'd'),
    ('е', 'e'),
    ('һ', 'h'),
    ('і', 'i'),
    ('ј', 'j'),
    ('о', 'o'),
    ('р', 'p'),
    ('ѕ', 's'),
    ('ԝ', 'w'),
    ('х', 'x'),
    ('у', 'y'),
    ('А', 'A'),
    ('В', 'B'),
    ('С', 'C'),
    ('Е', 'E'),
    ('Н', 'H'),
    ('І', 'I'),
    ('Ј', 'J'),
    ('К', 'K'),
    ('М', 'M'),
    ('О', 'O'),
    ('Р', 'P'),
    ('Ѕ', 'S'),
    ('Т', 'T'),
    ('Х', 'X'),
    ('У', 'Y'),
    ('α', 'a'),
    ('ο', 'o'),
    ('ν', 'v'),
    ('Α', 'A'),
    ('Β', 'B'),
    ('Ε', 'E'),
    ('Η', 'H'),
    ('Ι', 'I'),
    ('Κ', 'K'),
    ('Μ', 'M'),
    ('Ν', 'N'),
    ('Ο', 'O'),
    ('Τ', 'T'),
    ('Χ', 'X'),
];
