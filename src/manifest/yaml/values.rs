//! The values of a text, as the YAML library gives them. It is named here only, so that another one can take its place.

use serde_json::Value;

/// The value that a text holds, or the library's words of why there is none.
pub(super) fn values(text: &str) -> Result<Value, String> {
    serde_yaml::from_str(text).map_err(|error| error.to_string())
}
