//! A text as the parser sees it, with its comments, which the parser does not.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::Value;

use super::error::FormatError;

/// An event with the place where its content begins and ends, in characters.
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// What stands before the content: an anchor, a tag.
    pub(super) properties: String,
    pub(super) start: usize,
    pub(super) end: usize,
}

pub(super) enum TokenKind {
    /// A scalar as it is written.
    Scalar(String),
    /// A literal scalar of several lines, by its value.
    Block(String),
    /// A folded one: what becomes of its last line breaks, and its lines as they are written, without their indentation.
    Folded {
        chomping: String,
        lines: Vec<String>,
    },
    Alias(String),
    MapStart {
        flow: bool,
    },
    SeqStart {
        flow: bool,
    },
    End,
}

/// A comment.
#[derive(Clone, Debug)]
pub(super) struct Comment {
    /// With its `#`.
    pub(super) text: String,
    pub(super) start: usize,
    /// Counted from 0.
    pub(super) line: usize,
    pub(super) column: usize,
    /// Whether nothing else stands on its line.
    pub(super) alone: bool,
}

/// A text with its tokens and its comments.
pub(super) struct Text {
    pub(super) chars: Vec<char>,
    /// The first character of each line.
    lines: Vec<usize>,
    pub(super) tokens: Vec<Token>,
    pub(super) comments: Vec<Comment>,
    /// Whether it begins with `---`.
    pub(super) marked: bool,
}

impl Text {
    pub(super) fn read(text: &str) -> Result<Self, FormatError> {
        let chars: Vec<char> = text.chars().collect();
        let mut lines = vec![0];
        lines.extend(chars.iter().enumerate().filter(|(_, char)| **char == '\n').map(|(at, _)| at + 1));
        let mut read = Self { chars, lines, tokens: Vec::new(), comments: Vec::new(), marked: false };
        let mut documents = 0;
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| FormatError::Syntax {
                line: error.marker().line(),
                message: error.info().to_owned(),
            })?;
            if let Event::DocumentStart(marked) = event {
                documents += 1;
                read.marked |= marked;
                if documents > 1 {
                    return Err(FormatError::NotForUs { line: span.start.line(), what: "a second document" });
                }
            }
            let (start, end) = (span.start.index(), span.end.index().min(read.chars.len()));
            read.tokens.extend(read.token(event, start, end)?);
        }
        read.comments = read.find_comments();
        Ok(read)
    }

    /// The line of a character, counted from 0.
    pub(super) fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at).saturating_sub(1)
    }

    pub(super) fn column(&self, at: usize) -> usize {
        at - self.lines[self.line(at)]
    }

    /// Whether the line before holds nothing.
    pub(super) fn is_blank_before(&self, line: usize) -> bool {
        line > 0 && self.slice(self.lines[line - 1], self.lines[line]).trim().is_empty()
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> String {
        self.chars[start.min(end)..end.min(self.chars.len())].iter().collect()
    }

    fn token(&self, event: Event<'_>, start: usize, end: usize) -> Result<Option<Token>, FormatError> {
        let (has_properties, kind): (bool, _) = match &event {
            Event::Scalar(_, _, anchor, tag) => (*anchor > 0 || tag.is_some(), None),
            Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => {
                (*anchor > 0 || tag.is_some(), None)
            }
            Event::Alias(_) => (false, Some(TokenKind::Alias(self.slice(start, end).trim().to_owned()))),
            Event::SequenceEnd | Event::MappingEnd => (false, Some(TokenKind::End)),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => return Ok(None),
        };
        let (properties, start) =
            if has_properties { self.properties(start, end) } else { (String::new(), start) };
        let flow = matches!(self.chars.get(start), Some('{' | '[')) && start < end;
        let kind = match (kind, event) {
            (Some(TokenKind::End), _) => {
                // A bracket that closes; of a block, nothing.
                let closes = matches!(self.chars.get(start), Some('}' | ']')) && start < end;
                let end = if closes { start + 1 } else { start };
                return Ok(Some(Token { kind: TokenKind::End, properties, start, end }));
            }
            (Some(kind), _) => kind,
            (None, Event::SequenceStart(..)) => TokenKind::SeqStart { flow },
            (None, Event::MappingStart(..)) => TokenKind::MapStart { flow },
            (None, Event::Scalar(value, style, ..)) => {
                let (kind, end) = self.scalar(&value, style, start, end)?;
                return Ok(Some(Token { kind, properties, start, end }));
            }
            (None, _) => return Ok(None),
        };
        Ok(Some(Token { kind, properties, start, end }))
    }

    /// The anchor and the tag at the start of a node, and where its content begins.
    fn properties(&self, start: usize, end: usize) -> (String, usize) {
        let mut words = Vec::new();
        let mut at = start;
        while at < end && matches!(self.chars[at], '&' | '!') {
            let stop = (at..end).find(|at| self.chars[*at].is_whitespace()).unwrap_or(end);
            words.push(self.slice(at, stop));
            at = self.content(stop, end);
        }
        (words.join(" "), at)
    }

    /// The first character from here on that is neither blank nor of a comment.
    fn content(&self, mut at: usize, end: usize) -> usize {
        while at < end {
            match self.chars[at] {
                '#' => at = (at..end).find(|at| self.chars[*at] == '\n').unwrap_or(end),
                char if char.is_whitespace() => at += 1,
                _ => return at,
            }
        }
        end
    }

    /// The line of the hyphen of an item whose value begins here: its own, or one above with nothing but comments in between.
    pub(super) fn line_of_hyphen(&self, start: usize) -> usize {
        let own = self.line(start);
        if self.slice(self.lines[own], start).contains('-') {
            return own;
        }
        for line in (0..own).rev() {
            let text = self.slice(self.lines[line], self.lines[line + 1]);
            let text = text.split(" #").next().unwrap_or_default().trim();
            match text.chars().next() {
                None | Some('#') => {}
                Some('-') => return line,
                Some(_) => break,
            }
        }
        own
    }

    /// A scalar as it is written, and where it ends: the parser's end may lie behind a comment.
    fn scalar(
        &self,
        value: &str,
        style: ScalarStyle,
        start: usize,
        end: usize,
    ) -> Result<(TokenKind, usize), FormatError> {
        let quoted = |quote: char| {
            let mut at = start + 1;
            while at < self.chars.len() {
                match self.chars[at] {
                    '\\' if quote == '"' => at += 1,
                    '\'' if quote == '\'' && self.chars.get(at + 1) == Some(&'\'') => at += 1,
                    char if char == quote => break,
                    _ => {}
                }
                at += 1;
            }
            let raw = self.slice(start, at + 1);
            // One that goes over several lines is written on one.
            let raw = if raw.contains('\n') { Value::from(value).to_string() } else { raw };
            (TokenKind::Scalar(raw), at + 1)
        };
        Ok(match style {
            ScalarStyle::SingleQuoted => quoted('\''),
            ScalarStyle::DoubleQuoted => quoted('"'),
            ScalarStyle::Literal => (TokenKind::Block(value.to_owned()), end),
            ScalarStyle::Folded => (self.folded(start)?, end),
            ScalarStyle::Plain => {
                let end = start + self.slice(start, end).trim_end().chars().count();
                if value.contains('\n') {
                    let line = self.line(start) + 1;
                    return Err(FormatError::NotForUs {
                        line,
                        what: "a plain scalar with an empty line in it",
                    });
                }
                // Of `!!str` alone the content is empty and lies behind it.
                let raw = if start < end { value.to_owned() } else { String::new() };
                (TokenKind::Scalar(raw), end)
            }
        })
    }

    /// The line of a folded scalar's `>`, and what becomes of its last line breaks. The parser begins it with its text.
    fn folded_header(&self, start: usize) -> Option<(usize, String)> {
        for line in (0..=self.line(start)).rev() {
            let end = self.lines.get(line + 1).copied().unwrap_or(self.chars.len());
            let whole = self.slice(self.lines[line], end);
            let before = whole.split(" #").next().unwrap_or_default().trim_end();
            let last = before.rsplit([' ', '\t']).next().unwrap_or_default();
            if let Some(chomping @ ("" | "+" | "-")) = last.strip_prefix('>') {
                return Some((line, chomping.to_owned()));
            }
            if line < self.line(start) && !before.is_empty() {
                break;
            }
        }
        None
    }

    /// A folded scalar. Where it is folded is its writer's choice, so its lines stay.
    fn folded(&self, start: usize) -> Result<TokenKind, FormatError> {
        let line = |line: usize| {
            let end = self.lines.get(line + 1).copied().unwrap_or(self.chars.len());
            self.slice(self.lines[line], end).trim_end_matches('\n').to_owned()
        };
        let no_layout = || {
            let what = "a folded scalar with a digit for its indentation";
            FormatError::NotForUs { line: self.line(start) + 1, what }
        };
        let (first, chomping) = self.folded_header(start).ok_or_else(no_layout)?;
        let indentation = |text: &str| text.len() - text.trim_start_matches(' ').len();
        let below: Vec<String> = (first + 1..self.lines.len()).map(line).collect();
        let own = below.iter().find(|text| !text.trim().is_empty()).map_or(0, |text| indentation(text));
        let is_of_it = |text: &&String| text.trim().is_empty() || (own > 0 && indentation(text) >= own);
        let mut lines: Vec<String> = below
            .iter()
            .take_while(is_of_it)
            .map(|text| text.get(own..).unwrap_or_default().trim_end().to_owned())
            .collect();
        let kept = lines.iter().rposition(|text| !text.is_empty()).map_or(0, |last| last + 1);
        // Behind the last line break of the file stands no line.
        let ends_file = first + 1 + lines.len() >= self.lines.len();
        let all = lines.len().saturating_sub(usize::from(ends_file));
        lines.truncate(if chomping == "+" { all.max(kept) } else { kept });
        Ok(TokenKind::Folded { chomping, lines })
    }

    fn find_comments(&self) -> Vec<Comment> {
        let mut covered = vec![false; self.chars.len()];
        for Token { kind, start, end, .. } in &self.tokens {
            if matches!(kind, TokenKind::Scalar(_) | TokenKind::Block(_) | TokenKind::Folded { .. }) {
                covered[(*start).min(*end)..*end].fill(true);
            }
        }
        let mut comments = Vec::new();
        let mut at = 0;
        while at < self.chars.len() {
            let begins =
                self.chars[at] == '#' && !covered[at] && (at == 0 || self.chars[at - 1].is_whitespace());
            if begins {
                let end =
                    (at..self.chars.len()).find(|at| self.chars[*at] == '\n').unwrap_or(self.chars.len());
                let line = self.line(at);
                let alone = self.slice(self.lines[line], at).trim().is_empty();
                let text = self.slice(at, end).trim_end().to_owned();
                comments.push(Comment { text, start: at, line, column: self.column(at), alone });
                at = end;
            }
            at += 1;
        }
        comments
    }
}
