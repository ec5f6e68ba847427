//! CLIXML as a client writes it (MS-PSRP section 2.2.5), for the few objects that it has to send.

use std::fmt::Write;

/// A text in the making.
pub(super) struct Writer {
    xml: String,
    objects: u32,
    type_lists: Vec<&'static [&'static str]>,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self { xml: String::new(), objects: 0, type_lists: Vec::new() }
    }

    /// An object, and what `inside` puts into it. Returns its number.
    pub(super) fn object(&mut self, name: Option<&str>, inside: impl FnOnce(&mut Self)) -> u32 {
        let id = self.objects;
        self.objects += 1;
        match name {
            Some(name) => write!(self.xml, "<Obj RefId=\"{id}\" N=\"{name}\">"),
            None => write!(self.xml, "<Obj RefId=\"{id}\">"),
        }
        .expect("a String takes everything");
        inside(self);
        self.xml.push_str("</Obj>");
        id
    }

    /// What `inside` puts between the tags of `element`; without anything, the element is empty.
    pub(super) fn element(&mut self, element: &str, inside: impl FnOnce(&mut Self)) {
        let start = self.xml.len();
        write!(self.xml, "<{element}>").expect("a String takes everything");
        let content = self.xml.len();
        inside(self);
        if self.xml.len() == content {
            self.xml.truncate(start);
            write!(self.xml, "<{element} />").expect("a String takes everything");
        } else {
            write!(self.xml, "</{element}>").expect("a String takes everything");
        }
    }

    /// The names of an object's types: in full the first time, and by reference afterwards.
    pub(super) fn types(&mut self, names: &'static [&'static str]) {
        if let Some(id) = self.type_lists.iter().position(|known| *known == names) {
            write!(self.xml, "<TNRef RefId=\"{id}\" />").expect("a String takes everything");
            return;
        }
        write!(self.xml, "<TN RefId=\"{}\">", self.type_lists.len()).expect("a String takes everything");
        for name in names {
            write!(self.xml, "<T>{name}</T>").expect("a String takes everything");
        }
        self.xml.push_str("</TN>");
        self.type_lists.push(names);
    }

    /// A primitive; `text` is what stands in it.
    pub(super) fn primitive(&mut self, element: &str, name: Option<&str>, text: &str) {
        self.open(element, name);
        if text.is_empty() {
            self.xml.push_str(" />");
            return;
        }
        write!(self.xml, ">{text}</{element}>").expect("a String takes everything");
    }

    /// A text.
    pub(super) fn text(&mut self, name: Option<&str>, text: &str) {
        self.primitive("S", name, &escaped(text));
    }

    /// True or false.
    pub(super) fn boolean(&mut self, name: Option<&str>, truth: bool) {
        self.primitive("B", name, if truth { "true" } else { "false" });
    }

    /// A number of 32 bits.
    pub(super) fn integer(&mut self, name: Option<&str>, number: i32) {
        self.primitive("I32", name, &number.to_string());
    }

    /// `$null`.
    pub(super) fn nil(&mut self, name: &str) {
        self.primitive("Nil", Some(name), "");
    }

    /// The object of this number once more.
    pub(super) fn reference(&mut self, id: u32, name: &str) {
        write!(self.xml, "<Ref RefId=\"{id}\" N=\"{name}\" />").expect("a String takes everything");
    }

    /// What an object is called when it is shown.
    pub(super) fn shown_as(&mut self, text: &str) {
        write!(self.xml, "<ToString>{}</ToString>", escaped(text)).expect("a String takes everything");
    }

    /// An enum. Returns its number as an object.
    pub(super) fn enumeration(
        &mut self,
        name: &str,
        number: i32,
        types: &'static [&'static str],
        shown: &str,
    ) -> u32 {
        self.object(Some(name), |xml| {
            xml.integer(None, number);
            xml.types(types);
            xml.shown_as(shown);
        })
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.xml.into_bytes()
    }

    fn open(&mut self, element: &str, name: Option<&str>) {
        match name {
            Some(name) => write!(self.xml, "<{element} N=\"{name}\""),
            None => write!(self.xml, "<{element}"),
        }
        .expect("a String takes everything");
    }
}

/// The text as it stands in an element: what XML cannot hold as `_xHHHH_`, by UTF-16 code units (section 2.2.5.3.2).
fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '_' if chars.peek().is_some_and(|next| matches!(next, 'x' | 'X')) => written.push_str("_x005F_"),
            '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{fffe}'..='\u{10ffff}' => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    write!(written, "_x{unit:04X}_").expect("a String takes everything");
                }
            }
            _ => written.push(char),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::clixml;

    #[test]
    fn any_text_comes_back_from_the_reader() {
        for text in [
            "",
            "plain",
            " blanks at both ends ",
            "'; $(Get-Process) \"`n‘’“😀\0\u{1b}",
            "_x0041_ _X0041_ __x",
            "<&>]]>\r\n\t\u{7f}\u{85}\u{fffe}\u{ffff}\u{10ffff}",
        ] {
            let mut xml = Writer::new();
            xml.text(None, text);
            let document = clixml::read(&xml.finish()).unwrap();
            assert_eq!(document.text(&document.roots()[0]), Some(text));
        }
    }
}
