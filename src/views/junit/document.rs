//! The XML of a JUnit report, as far as pipelines read it: suites of cases, each passed, failed or skipped.

use std::{collections::HashMap, io, time::Duration};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
    writer::ElementWriter,
};

use crate::model::time::Timestamp;

/// The cases of one server or one file.
#[derive(Debug)]
pub(in crate::views) struct Suite {
    pub(in crate::views) name: String,
    pub(in crate::views) at: Option<Timestamp>,
    pub(in crate::views) cases: Vec<Case>,
}

/// One thing that was looked at.
#[derive(Debug)]
pub(in crate::views) struct Case {
    pub(in crate::views) name: String,
    /// What pipelines group cases by.
    pub(in crate::views) class: String,
    pub(in crate::views) took: Option<Duration>,
    pub(in crate::views) outcome: Outcome,
    /// More about it, a line each.
    pub(in crate::views) output: Vec<String>,
}

/// How it ended.
#[derive(Debug)]
pub(in crate::views) enum Outcome {
    Passed,
    Failed(Told),
    Skipped(Option<Told>),
}

/// What is said of a case that did not pass.
#[derive(Debug)]
pub(in crate::views) struct Told {
    pub(in crate::views) short: String,
    pub(in crate::views) full: String,
}

impl Case {
    fn is_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }

    fn is_skipped(&self) -> bool {
        matches!(self.outcome, Outcome::Skipped(_))
    }
}

/// Writes a report.
pub(in crate::views) fn write(name: &str, suites: &[Suite], out: &mut dyn io::Write) -> io::Result<()> {
    let mut xml = Writer::new_with_indent(out, b' ', 4);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let all = || suites.iter().flat_map(|suite| &suite.cases);
    counted(xml.create_element("testsuites"), name, &all)
        .write_inner_content(|xml| suites.iter().try_for_each(|suite| write_suite(suite, xml)))?;
    xml.write_indent()
}

/// An element with its name and how many cases in it ended how.
fn counted<'w, 'c, W: io::Write, I: Iterator<Item = &'c Case>>(
    element: ElementWriter<'w, W>,
    name: &str,
    cases: &dyn Fn() -> I,
) -> ElementWriter<'w, W> {
    element.with_attributes([
        ("name", writable(name).as_str()),
        ("tests", &cases().count().to_string()),
        ("skipped", &cases().filter(|case| case.is_skipped()).count().to_string()),
        ("failures", &cases().filter(|case| case.is_failed()).count().to_string()),
        ("errors", "0"),
    ])
}

fn write_suite<W: io::Write>(suite: &Suite, xml: &mut Writer<W>) -> io::Result<()> {
    let mut element = counted(xml.create_element("testsuite"), &suite.name, &|| suite.cases.iter());
    if let Some(at) = suite.at {
        element = element.with_attribute(("timestamp", at.to_string().as_str()));
    }
    if suite.cases.is_empty() {
        return element.write_empty().map(drop);
    }
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    element
        .write_inner_content(|xml| {
            suite.cases.iter().try_for_each(|case| {
                let count = known.entry((&case.name, &case.class)).or_default();
                *count += 1;
                write_case(case, *count, xml)
            })
        })
        .map(drop)
}

/// A case, and which one it is of those that have its name: no two may be called the same.
fn write_case<W: io::Write>(case: &Case, count: usize, xml: &mut Writer<W>) -> io::Result<()> {
    let name = if count == 1 { case.name.clone() } else { format!("{} ({count})", case.name) };
    let mut element = xml
        .create_element("testcase")
        .with_attribute(("name", writable(&name).as_str()))
        .with_attribute(("classname", writable(&case.class).as_str()));
    if let Some(took) = case.took {
        element = element.with_attribute(("time", format!("{:.3}", took.as_secs_f64()).as_str()));
    }
    if matches!(case.outcome, Outcome::Passed) && case.output.is_empty() {
        return element.write_empty().map(drop);
    }
    element
        .write_inner_content(|xml| {
            match &case.outcome {
                Outcome::Passed => {}
                Outcome::Failed(told) => write_told("failure", told, xml)?,
                Outcome::Skipped(Some(told)) => write_told("skipped", told, xml)?,
                Outcome::Skipped(None) => {
                    xml.create_element("skipped").write_empty()?;
                }
            }
            if !case.output.is_empty() {
                let text = writable(&case.output.join("\n"));
                xml.create_element("system-out").write_text_content(BytesText::new(&text))?;
            }
            Ok(())
        })
        .map(drop)
}

fn write_told<W: io::Write>(element: &str, told: &Told, xml: &mut Writer<W>) -> io::Result<()> {
    let full = writable(&told.full);
    xml.create_element(element)
        .with_attribute(("message", writable(&told.short).as_str()))
        .write_text_content(BytesText::new(&full))
        .map(drop)
}

/// Text without what XML has no way to write: control characters but tab and line ends, and two that are no characters.
fn writable(text: &str) -> String {
    let can_stand = |char: &char| {
        matches!(char, '\t' | '\n' | '\r') || !(char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}'))
    };
    text.chars().filter(can_stand).collect()
}
