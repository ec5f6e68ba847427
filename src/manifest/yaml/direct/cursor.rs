//! The way through an ordinary text, one line after the other: where values begin, and what their scalars are.

use std::borrow::Cow;

use super::begun::{Begun, Owner, Scalar, Style, Unusual};

/// A place in the text of one value, and what is known of the line.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    /// Where the line begins.
    line: usize,
    /// How many lists and mappings are open, and how many of them stand in brackets.
    open: usize,
    brackets: usize,
    /// The indentation that lines inside brackets must pass.
    floor: usize,
}

type Read<T> = Result<T, Unusual>;

impl<'a> Cursor<'a> {
    /// At the beginning of the value of a top-level key: behind its colon, with the lines that belong to it.
    pub(super) fn of_section(text: &'a str) -> Self {
        Self { text, at: 0, line: 0, open: 1, brackets: 0, floor: 0 }
    }

    /// How much of the text was read.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// Whether everything was read.
    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// What stands behind the colon of a key or the hyphen of an item. `outer` is the indentation of the key or hyphen.
    pub(super) fn value(&mut self, outer: usize, holder: Owner) -> Read<Begun<'a>> {
        let spaces = self.skip_spaces();
        match self.peek() {
            None | Some(b'\n' | b'\r') => self.below(outer, holder),
            Some(b'#') if spaces > 0 => self.below(outer, holder),
            Some(_) if spaces == 0 => Err(Unusual),
            Some(b'{' | b'[') => {
                self.floor = outer;
                self.bracket()
            }
            Some(_) => {
                let begin = self.at;
                let scalar = self.scalar()?;
                if self.peek() == Some(b':') {
                    // `- key: value` begins a mapping whose other keys stand below the first.
                    self.at = begin;
                    return if holder == Owner::List { self.lines(begin - self.line) } else { Err(Unusual) };
                }
                self.end_line()?;
                Ok(Begun::Scalar(scalar))
            }
        }
    }

    /// What stands on the lines below a key or a hyphen.
    fn below(&mut self, outer: usize, holder: Owner) -> Read<Begun<'a>> {
        self.end_line()?;
        match (self.indent(), holder) {
            (Some(indent), _) if indent > outer => self.lines(indent),
            (Some(indent), Owner::Mapping) if indent == outer && self.is_item() => self.lines(indent),
            (_, Owner::Mapping) => Ok(Begun::Scalar(Scalar::Nothing)),
            (_, Owner::List) => Err(Unusual),
        }
    }

    fn lines(&mut self, indent: usize) -> Read<Begun<'a>> {
        self.enter()?;
        let shape = Style::Lines(indent);
        Ok(if self.is_item() { Begun::List(shape) } else { Begun::Mapping(shape) })
    }

    fn bracket(&mut self) -> Read<Begun<'a>> {
        let bracket = self.peek();
        self.at += 1;
        self.enter()?;
        self.brackets += 1;
        self.skip_between()?;
        Ok(if bracket == Some(b'{') { Begun::Mapping(Style::Brackets) } else { Begun::List(Style::Brackets) })
    }

    fn enter(&mut self) -> Read<()> {
        self.open += 1;
        if self.open > DEEPEST { Err(Unusual) } else { Ok(()) }
    }

    /// The key of the next entry; none at the end of the mapping.
    pub(super) fn key(&mut self, shape: Style, is_first: bool) -> Read<Option<Scalar<'a>>> {
        if !self.goes_on(shape, is_first, b'}')? {
            return Ok(None);
        }
        let begin = self.at;
        let key = match shape {
            Style::Lines(_) => self.scalar()?,
            Style::Brackets => self.scalar_in_brackets()?,
        };
        let ends = self.peek() == Some(b':') && matches!(self.byte(1), None | Some(b' ' | b'\n' | b'\r'));
        if !ends || self.at - begin > LONGEST_KEY {
            return Err(Unusual);
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// The value of the entry whose key was just read.
    pub(super) fn value_of_key(&mut self, shape: Style) -> Read<Begun<'a>> {
        match shape {
            Style::Lines(indent) => self.value(indent, Owner::Mapping),
            Style::Brackets => {
                self.skip_between()?;
                self.value_in_brackets()
            }
        }
    }

    /// The next item of a list; none at its end.
    pub(super) fn item(&mut self, shape: Style, is_first: bool) -> Read<Option<Begun<'a>>> {
        match shape {
            Style::Lines(indent) => {
                if self.indent() == Some(indent) && !self.is_item() {
                    self.open -= 1;
                    return Ok(None);
                }
                if !self.goes_on(shape, is_first, b']')? {
                    return Ok(None);
                }
                self.at += 1;
                self.value(indent, Owner::List).map(Some)
            }
            Style::Brackets => {
                let goes_on = self.goes_on(shape, is_first, b']')?;
                goes_on.then(|| self.value_in_brackets()).transpose()
            }
        }
    }

    /// Whether a list or mapping has another entry. At its end it is left.
    fn goes_on(&mut self, shape: Style, is_first: bool, end: u8) -> Read<bool> {
        match shape {
            Style::Lines(indent) => match self.indent() {
                Some(there) if there == indent => return Ok(true),
                Some(there) if there > indent => return Err(Unusual),
                Some(_) | None => self.open -= 1,
            },
            Style::Brackets => {
                if self.peek() != Some(end) {
                    if !is_first {
                        if self.peek() != Some(b',') {
                            return Err(Unusual);
                        }
                        self.at += 1;
                        self.skip_between()?;
                    }
                    return Ok(true);
                }
                self.at += 1;
                self.open -= 1;
                self.brackets -= 1;
                if self.brackets == 0 {
                    self.end_line()?;
                } else {
                    self.skip_between()?;
                }
            }
        }
        Ok(false)
    }

    fn value_in_brackets(&mut self) -> Read<Begun<'a>> {
        if matches!(self.peek(), Some(b'{' | b'[')) {
            return self.bracket();
        }
        let scalar = self.scalar_in_brackets()?;
        if self.peek() == Some(b':') {
            return Err(Unusual);
        }
        self.skip_between()?;
        Ok(Begun::Scalar(scalar))
    }

    /// Goes past the end of a line, where only a comment may follow, to the next line with content.
    fn end_line(&mut self) -> Read<()> {
        let spaces = self.skip_spaces();
        match self.peek() {
            None | Some(b'\n' | b'\r') => {}
            Some(b'#') if spaces > 0 => self.skip_comment(),
            Some(_) => return Err(Unusual),
        }
        while self.next_line() {
            self.skip_spaces();
            match self.peek() {
                Some(b'\n' | b'\r') => {}
                Some(b'#') => self.skip_comment(),
                None | Some(_) => break,
            }
        }
        Ok(())
    }

    /// Goes past what may stand between the parts of what is in brackets. What follows on another line is indented.
    fn skip_between(&mut self) -> Read<()> {
        let mut spaces = self.skip_spaces();
        loop {
            match self.peek() {
                Some(b'#') if spaces > 0 => self.skip_comment(),
                Some(b'\n' | b'\r') => {}
                Some(_) if self.at - self.line > self.floor => return Ok(()),
                None | Some(_) => return Err(Unusual),
            }
            self.next_line();
            spaces = self.skip_spaces();
        }
    }

    /// The beginning of the next line; false at the end of the text.
    fn next_line(&mut self) -> bool {
        if self.peek() == Some(b'\r') {
            self.at += 1;
        }
        if self.peek() == Some(b'\n') {
            self.at += 1;
        }
        self.line = self.at;
        !self.is_at_end()
    }

    fn scalar(&mut self) -> Read<Scalar<'a>> {
        if let Some(quoted) = self.quoted()? {
            return Ok(quoted);
        }
        let begin = self.begin_plain()?;
        let bytes = self.text.as_bytes();
        let mut at = begin;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\n' | b'\r' => break,
                b':' if matches!(bytes.get(at + 1), None | Some(b' ' | b'\n' | b'\r')) => break,
                b'#' if bytes[at - 1] == b' ' => break,
                _ => at += 1,
            }
        }
        self.plain(begin, at)
    }

    fn scalar_in_brackets(&mut self) -> Read<Scalar<'a>> {
        if let Some(quoted) = self.quoted()? {
            return Ok(quoted);
        }
        let begin = self.begin_plain()?;
        let bytes = self.text.as_bytes();
        let mut at = begin;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\n' | b'\r' | b',' | b']' | b'}' => break,
                b':' if matches!(bytes.get(at + 1), None | Some(b' ' | b'\n' | b'\r')) => break,
                b':' if bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric) => at += 1,
                b'[' | b'{' | b':' | b'?' => return Err(Unusual),
                // Some parsers see the beginning of another text.
                b'-' if at > begin && bytes[at - 1] == b' ' => return Err(Unusual),
                b'#' if bytes[at - 1] == b' ' => break,
                _ => at += 1,
            }
        }
        self.plain(begin, at)
    }

    /// A text without quotation marks begins with what means nothing else to YAML.
    fn begin_plain(&self) -> Read<usize> {
        let fine =
            |byte: u8| byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"_/.+$(<=\\~^;".contains(&byte);
        match (self.peek(), self.byte(1)) {
            (Some(byte), _) if fine(byte) => Ok(self.at),
            (Some(b'-'), Some(next)) if next.is_ascii_alphanumeric() => Ok(self.at),
            (_, _) => Err(Unusual),
        }
    }

    /// A text without the spaces at its end; a key has none there.
    fn plain(&mut self, begin: usize, end: usize) -> Read<Scalar<'a>> {
        let text = self.text.get(begin..end).ok_or(Unusual)?;
        let trimmed = text.trim_end_matches(' ');
        self.at = begin + trimmed.len();
        let is_key = self.byte(end - self.at) == Some(b':');
        if is_key && end != self.at { Err(Unusual) } else { Ok(Scalar::Plain(trimmed)) }
    }

    /// A text in quotation marks that ends on its line.
    fn quoted(&mut self) -> Read<Option<Scalar<'a>>> {
        let Some(mark @ (b'"' | b'\'')) = self.peek() else { return Ok(None) };
        let (begin, bytes) = (self.at + 1, self.text.as_bytes());
        let mut at = begin;
        let mut plain = true;
        loop {
            match *bytes.get(at).ok_or(Unusual)? {
                b'\n' | b'\r' => return Err(Unusual),
                b'\\' if mark == b'"' => {
                    plain = false;
                    at += 2;
                }
                b'\'' if mark == b'\'' && bytes.get(at + 1) == Some(&b'\'') => {
                    plain = false;
                    at += 2;
                }
                byte if byte == mark => break,
                _ => at += 1,
            }
        }
        let inside = self.text.get(begin..at).ok_or(Unusual)?;
        self.at = at + 1;
        let text = match (plain, mark) {
            (true, _) => Cow::Borrowed(inside),
            (false, b'"') => Cow::Owned(unescaped(inside)?),
            (false, _) => Cow::Owned(inside.replace("''", "'")),
        };
        Ok(Some(Scalar::Quoted(text)))
    }

    /// The indentation of the line with content that was come to; none at the end of the text.
    fn indent(&self) -> Option<usize> {
        (!self.is_at_end()).then(|| self.at - self.line)
    }

    /// Whether an item of a list begins here.
    fn is_item(&self) -> bool {
        self.peek() == Some(b'-') && matches!(self.byte(1), None | Some(b' ' | b'\n' | b'\r'))
    }

    fn peek(&self) -> Option<u8> {
        self.byte(0)
    }

    fn byte(&self, further: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + further).copied()
    }

    fn skip_spaces(&mut self) -> usize {
        let rest = &self.text.as_bytes()[self.at..];
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        self.at += spaces;
        spaces
    }

    fn skip_comment(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }
}

/// The text between double quotation marks, where it holds `\`. Of all that YAML knows there, people write this.
fn unescaped(text: &str) -> Read<String> {
    let mut whole = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        whole.push(match char {
            '\\' => match chars.next() {
                Some(escaped @ ('"' | '\\')) => escaped,
                Some('n') => '\n',
                Some('t') => '\t',
                Some(_) | None => return Err(Unusual),
            },
            char => char,
        });
    }
    Ok(whole)
}

/// Fewer levels than the reader with places takes.
const DEEPEST: usize = 24;

/// Shorter than the keys that parsers of YAML take on one line.
const LONGEST_KEY: usize = 512;
