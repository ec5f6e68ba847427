//! XML as a tree, with bounds. Namespaces are not told apart: names are unlike enough in the answers that we read.

use quick_xml::{Reader, XmlVersion, escape::resolve_predefined_entity, events::Event};

use super::error::WsmanError;
use crate::wire::shown;

/// An element.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Its name without the prefix.
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    /// The text that stands directly in it.
    pub(super) text: String,
    pub(super) children: Vec<Self>,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    /// All elements of this name, itself included, in their order.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        let own = Some(self).into_iter().filter(move |element| element.name == name);
        Box::new(own.chain(self.children.iter().flat_map(move |child| child.all(name))))
    }

    /// Its text with that of all elements in it.
    pub(super) fn whole_text(&self) -> String {
        let mut words: Vec<String> = vec![self.text.trim().to_owned()];
        words.extend(self.children.iter().map(Self::whole_text));
        words.retain(|word| !word.is_empty());
        words.join(" ")
    }
}

/// Reads a document.
pub(super) fn read(bytes: &[u8]) -> Result<Element, WsmanError> {
    let broken = |error: &dyn std::fmt::Display| WsmanError::NotSoap(shown(&error.to_string()));
    let text = std::str::from_utf8(bytes).map_err(|_| WsmanError::NotSoap("it is not UTF-8".into()))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    reader.config_mut().expand_empty_elements = true;
    // The last one is open; the first holds the document.
    let mut open = vec![Element::default()];
    let mut count = 0;
    loop {
        match reader.read_event().map_err(|error| broken(&error))? {
            Event::Start(tag) | Event::Empty(tag) => {
                count += 1;
                if count > MOST_ELEMENTS || open.len() > DEEPEST {
                    return Err(WsmanError::TooLarge);
                }
                let mut element = Element { name: local(tag.name().as_ref()), ..Element::default() };
                for attribute in tag.attributes().take(MOST_ATTRIBUTES) {
                    let attribute = attribute.map_err(|error| broken(&error))?;
                    let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                    let value = value.map_err(|error| broken(&error))?.into_owned();
                    element.attributes.push((local(attribute.key.as_ref()), value));
                }
                open.push(element);
            }
            Event::End(_) => {
                let element = open.pop().expect("quick-xml matches end tags");
                let outer = open.last_mut().ok_or_else(|| WsmanError::NotSoap("it ends twice".into()))?;
                outer.children.push(element);
            }
            Event::Text(text) => last(&mut open).text.push_str(&text.xml10_content()),
            Event::CData(text) => last(&mut open).text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let char = reference.resolve_char_ref().map_err(|error| broken(&error))?;
                let char = char.or_else(|| resolve_predefined_entity(&reference)?.chars().next());
                let char = char.ok_or_else(|| WsmanError::NotSoap("it has an entity of its own".into()))?;
                last(&mut open).text.push(char);
            }
            Event::DocType(_) => return Err(WsmanError::NotSoap("it has a document type".into())),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => (),
            Event::Eof => break,
        }
    }
    let mut document = open.pop().filter(|_| open.is_empty());
    let roots = document.as_mut().map(|document| std::mem::take(&mut document.children)).unwrap_or_default();
    let mut roots = roots.into_iter();
    match (roots.next(), roots.next()) {
        (Some(root), None) => Ok(root),
        (_, _) => Err(WsmanError::NotSoap("it has no end, or no single root".into())),
    }
}

fn last(open: &mut [Element]) -> &mut Element {
    open.last_mut().expect("the document is never closed")
}

fn local(name: &str) -> String {
    name.rsplit(':').next().unwrap_or(name).to_owned()
}

/// An answer holds a stream for each fragment, and a fault some dozens of elements.
const MOST_ELEMENTS: usize = 50_000;
const DEEPEST: usize = 64;
const MOST_ATTRIBUTES: usize = 64;
