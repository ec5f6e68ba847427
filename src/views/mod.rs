//! How results look: each format is a [`View`] on the same finished values. Views write what they are given and decide
//! nothing.

mod events;
pub mod html;
pub mod human;
pub mod json;
pub mod junit;
mod layout;
pub mod powershell;
pub mod prometheus;
mod view;

use std::io;

pub use self::{
    events::{Counts, RunEvent, Running, StepEnd, StepLine},
    layout::Layout,
    view::View,
};
use crate::verify::verdict::Verdict;

/// A format, by the name it has on the command line.
pub struct Format {
    /// Its name.
    pub name: &'static str,
    /// Makes the view.
    pub view: fn(Layout) -> Box<dyn View>,
}

/// A format of verdicts, by the name it has on the command line.
#[derive(Debug)]
pub struct VerdictFormat {
    /// Its name.
    pub name: &'static str,
    /// Writes it.
    pub write: fn(Layout, &Verdict, &mut dyn io::Write) -> io::Result<()>,
}

/// The formats of verdicts, in the order users see them.
pub static VERDICT_FORMATS: &[VerdictFormat] = &[
    VerdictFormat {
        name: "human",
        write: |layout, verdict, out| human::Human { layout }.verdict(verdict, out),
    },
    VerdictFormat { name: "json", write: |_, verdict, out| json::Json.verdict(verdict, out) },
    VerdictFormat { name: "junit", write: |_, verdict, out| junit::verdict(verdict, out) },
    VerdictFormat { name: "html", write: |_, verdict, out| html::verdict(verdict, out) },
    VerdictFormat { name: "prometheus", write: |_, verdict, out| prometheus::verdict(verdict, out) },
];

/// The formats, in the order users see them.
pub static FORMATS: &[Format] = &[
    Format { name: "human", view: |layout| Box::new(human::Human { layout }) },
    Format { name: "json", view: |_| Box::new(json::Json) },
];
