//! What types say of themselves for the files in `schemas/`. A test makes those from the types; the program carries them as
//! texts, and has none of this code unless the feature `schemas` asks for it.

#[cfg(not(feature = "schemas"))]
pub(crate) use certwright_no_schema::JsonSchema;
#[cfg(feature = "schemas")]
pub(crate) use schemars::JsonSchema;
