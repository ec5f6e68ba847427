//! The JSON schemas of what certwright reads and writes, as the program carries them. `tests/schemas.rs` makes the files in
//! `schemas/` from the types and sees to it that they stay the same; `build.rs` takes out what only people need in them.

/// A schema, by the name it has on the command line and in `schemas/`.
#[derive(Clone, Copy, Debug)]
pub struct CarriedSchema {
    /// Its name.
    pub name: &'static str,
    /// Its JSON, in one line.
    pub json: &'static str,
}

macro_rules! carried {
    ($($constant:ident = $name:literal),* $(,)?) => {
        $(
            #[doc = concat!("The schema `", $name, "`.")]
            pub const $constant: CarriedSchema = CarriedSchema {
                name: $name,
                json: include_str!(concat!(env!("OUT_DIR"), "/", $name, ".schema.json")),
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
