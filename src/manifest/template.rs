//! Texts with `${server.name}` and `${server.fqdn}` in them.

use std::{fmt, str::FromStr};

use crate::model::names::{DnsName, ServerName};

/// A text in which `${server.name}` and `${server.fqdn}` stand for those of the server it is used on. `$$` is a `$`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Template(Vec<Piece>);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Piece {
    Text(String),
    Variable(Variable),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Variable {
    ServerName,
    ServerFqdn,
}

/// What the variables stand for on one server.
#[derive(Clone, Copy, Debug)]
pub struct Variables<'a> {
    /// `${server.name}`.
    pub name: &'a ServerName,
    /// `${server.fqdn}`.
    pub fqdn: &'a DnsName,
}

/// Why a text is not a template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The variable does not exist.
    #[error("`${{{0}}}` is not a variable; there are ${{server.name}} and ${{server.fqdn}}")]
    UnknownVariable(String),
    /// `${` without `}`.
    #[error("`${{` is not closed in `{0}`; end it with `}}`, as in ${{server.name}}")]
    NotClosed(String),
    /// A lone dollar sign.
    #[error("a `$` in `{0}` begins no variable; write `$$` for the character itself")]
    LoneDollar(String),
}

impl Template {
    /// The text on this server.
    pub fn on(&self, variables: Variables<'_>) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            text.push_str(match piece {
                Piece::Text(text) => text,
                Piece::Variable(Variable::ServerName) => variables.name.as_str(),
                Piece::Variable(Variable::ServerFqdn) => variables.fqdn.as_str(),
            });
        }
        text
    }

    /// The text, when it is the same on every server.
    pub fn fixed(&self) -> Option<String> {
        let text = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => Some(text.as_str()),
            Piece::Variable(_) => None,
        });
        text.collect()
    }
}

impl Variable {
    const ALL: [Self; 2] = [Self::ServerName, Self::ServerFqdn];

    const fn name(self) -> &'static str {
        match self {
            Self::ServerName => "server.name",
            Self::ServerFqdn => "server.fqdn",
        }
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        if !text.contains('$') {
            let pieces = if text.is_empty() { Vec::new() } else { vec![Piece::Text(text.to_owned())] };
            return Ok(Self(pieces));
        }
        let shown = || text.chars().take(80).collect::<String>();
        let (mut pieces, mut literal, mut rest) = (Vec::new(), String::new(), text);
        while let Some((before, after)) = rest.split_once('$') {
            literal.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                literal.push('$');
                rest = after;
                continue;
            }
            let inside = after.strip_prefix('{').ok_or_else(|| TemplateError::LoneDollar(shown()))?;
            let (name, after) = inside.split_once('}').ok_or_else(|| TemplateError::NotClosed(shown()))?;
            let variable = Variable::ALL
                .into_iter()
                .find(|variable| variable.name() == name.trim())
                .ok_or_else(|| TemplateError::UnknownVariable(name.chars().take(40).collect()))?;
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Variable(variable));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Ok(Self(pieces))
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Text(text) if text.contains('$') => f.write_str(&text.replace('$', "$$")),
            Piece::Text(text) => f.write_str(text),
            Piece::Variable(variable) => write!(f, "${{{}}}", variable.name()),
        })
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({:?})", self.to_string())
    }
}

text_type!(Template, "A text; ${server.name} and ${server.fqdn} stand for those of the server.", None);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_stand_for_the_server() {
        let (name, fqdn) = ("EX01".parse().unwrap(), "ex01.contoso.com".parse().unwrap());
        let variables = Variables { name: &name, fqdn: &fqdn };
        for (text, on_server) in [
            ("Default Frontend ${server.name}", "Default Frontend EX01"),
            ("${server.name} ${ server.fqdn }", "EX01 ex01.contoso.com"),
            ("costs 5 $$", "costs 5 $"),
            ("plain", "plain"),
        ] {
            let template: Template = text.parse().unwrap();
            assert_eq!(template.on(variables), on_server);
            assert_eq!(template.to_string().parse::<Template>().unwrap(), template);
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, says) in [
            ("${server.nam}", "not a variable"),
            ("${server.name", "not closed"),
            ("5 $", "begins no variable"),
        ] {
            assert!(text.parse::<Template>().unwrap_err().to_string().contains(says), "{text}");
        }
    }
}
