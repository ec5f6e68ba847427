//! Kinds of documents: manifests and what labs are set up with.

use std::borrow::Cow;

use crate::schemas::{self, CarriedSchema};

/// A kind of document.
#[derive(Clone, Copy, Debug)]
pub struct DocumentKind {
    /// Its name in messages.
    pub name: &'static str,
    /// Its JSON schema: what is said of a mistake comes from there.
    pub schema: SchemaText,
    /// Why an empty file of this kind is a mistake.
    pub no_empty_one: &'static str,
    /// Where one comes from for whoever has none.
    pub start_from: &'static str,
}

/// Where the schema of a kind of document comes from.
#[derive(Clone, Copy, Debug)]
pub enum SchemaText {
    /// From those that the program carries.
    Carried(CarriedSchema),
    /// It is written out here.
    Written(&'static str),
}

impl SchemaText {
    pub(super) fn json(self) -> Cow<'static, str> {
        match self {
            Self::Carried(schema) => schema.json().into(),
            Self::Written(json) => json.into(),
        }
    }
}

impl Default for DocumentKind {
    fn default() -> Self {
        Self::MANIFEST
    }
}

impl DocumentKind {
    /// Manifests.
    pub const MANIFEST: Self = Self::of(schemas::MANIFEST);
    /// Any YAML: only what is no YAML is wrong.
    pub const ANY: Self = Self { schema: SchemaText::Written("true"), ..Self::MANIFEST };

    /// What a lab is set up with.
    pub const LAB: Self = Self {
        name: schemas::LAB.name,
        schema: SchemaText::Carried(schemas::LAB),
        no_empty_one: "A lab without servers has nothing to plan for; a file that lost its content looks the same.",
        start_from: "start from examples/contoso/lab/lab.yaml in the repository, or make a lab from a capture: certwright lab from CAPTURE DIR",
    };

    /// The kind that a schema describes.
    pub const fn of(schema: CarriedSchema) -> Self {
        Self {
            name: schema.name,
            schema: SchemaText::Carried(schema),
            no_empty_one: "An empty manifest would mean that nothing is managed; a file that lost its content looks the same.",
            start_from: START_FROM,
        }
    }
}

/// Where a manifest comes from for whoever has none.
pub(crate) const START_FROM: &str = "write a first manifest: `certwright init`; or one from a capture: `certwright import CAPTURE --out manifest.yaml`";
