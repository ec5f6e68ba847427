//! The JSON schemas of what certwright reads and writes, as the program carries them. `tests/schemas.rs` makes the files in
//! `schemas/` from the types and sees to it that they stay the same; `build.rs` takes out what only people need in them, and packs
//! them.

use std::io::Read;

use flate2::read::DeflateDecoder;

/// A schema, by the name it has on the command line and in `schemas/`.
#[derive(Clone, Copy, Debug)]
pub struct CarriedSchema {
    /// Its name.
    pub name: &'static str,
    packed: &'static [u8],
}

impl CarriedSchema {
    /// Its JSON, in one line.
    pub fn json(self) -> String {
        let mut json = String::new();
        DeflateDecoder::new(self.packed).read_to_string(&mut json).expect("the build has packed a text");
        json
    }
}

macro_rules! carried {
    ($($constant:ident = $name:literal),* $(,)?) => {
        $(
            #[doc = concat!("The schema `", $name, "`.")]
            pub const $constant: CarriedSchema = CarriedSchema {
                name: $name,
                packed: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".schema.deflate")),
            };
        )*

        /// All of them, in the order users see them.
        pub const ALL: &[CarriedSchema] = &[$($constant),*];
    };
}

carried! {
    MANIFEST = "manifest",
    LAB = "lab",
    PLAN = "plan",
    OBSERVED = "observed",
    EVENTS = "events",
    JOURNAL = "journal",
    VERDICT = "verdict",
    SMTP_CHOICES = "smtp-choices",
    DRIFT = "drift",
    DIAGNOSIS = "diagnosis",
    CHECK = "check",
    BASELINE = "baseline",
    STATUS = "status",
    FORECAST = "forecast",
    ERROR = "error",
    CALENDAR = "calendar",
    NOTIFICATION = "notification",
    PLANNED = "planned",
    REPORT = "report",
    HISTORY = "history",
    EXPLANATION = "explanation",
}
