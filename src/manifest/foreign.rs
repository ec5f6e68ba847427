//! YAML files beside a manifest that are somebody else's: pipelines, compose files, objects of Kubernetes.

/// Whose file it is, when it is no part of a manifest; told by its top-level keys alone.
pub fn foreign(text: &str) -> Option<String> {
    let keys = || text.lines().filter_map(key);
    if let Some((_, version)) = keys().find(|(key, _)| *key == "apiVersion") {
        let version = version.trim_matches(['"', '\'']);
        return (!version.starts_with("certwright/")).then(|| format!("its apiVersion is `{version}`"));
    }
    let (first, _) = keys().next()?;
    let ours = |(key, _): (&str, &str)| FIELDS.iter().any(|field| strsim::jaro(key, field) > SLIP);
    (!keys().any(ours)).then(|| format!("it begins with `{first}` and has no field of a manifest"))
}

/// The key that begins in the first column of a line, and what follows it there.
fn key(line: &str) -> Option<(&str, &str)> {
    if line.starts_with([' ', '#']) {
        return None;
    }
    let (key, value) = line.split_once(':')?;
    let key = key.trim_end().trim_matches(['"', '\'']);
    let plain = |char: char| char.is_alphanumeric() || "_-.".contains(char);
    let value = value.split(" #").next().unwrap_or_default().trim();
    (!key.is_empty() && key.chars().all(plain)).then_some((key, value))
}

/// The fields of a manifest.
pub const FIELDS: &[&str] = &[
    "apiVersion",
    "organization",
    "driver",
    "issuers",
    "certificates",
    "profiles",
    "servers",
    "sendConnectors",
    "authCertificate",
    "hybrid",
    "subscribeAnew",
    "loadBalancers",
    "protect",
    "compromised",
    "restarts",
    "limits",
    "expiryWarning",
    "verify",
    "drift",
    "notify",
    "backup",
];

/// How like a field a key has to be to be a slip of the keyboard: such a file is read, and the slip is found.
const SLIP: f64 = 0.9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_manifest_makes_a_file_ours() {
        let schema: serde_json::Value =
            serde_json::from_str(include_str!("../../schemas/manifest.schema.json")).unwrap();
        let fields: Vec<&str> =
            schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, FIELDS);
        for field in FIELDS.iter().filter(|field| **field != "apiVersion") {
            assert_eq!(foreign(&format!("# ours\n{field}: []\n")), None, "{field}");
        }
    }

    #[test]
    fn files_of_others_are_known() {
        for (text, is_foreign) in [
            ("stages: [check]\n", true),
            ("repos:\n- repo: local\n", true),
            ("version: '3'\nservices:\n  web: {}\n", true),
            ("apiVersion: v1\nkind: Pod\n", true),
            ("apiVersion: certwright.lab/v1\nservers: {}\n", true),
            ("# ours\napiVersion: certwright/v1\n", false),
            ("\"apiVersion\": \"certwright/v2\"\n", false),
            ("protct:\n- friendlyName: A\n", false),
            ("servers:\n  EX01: {}\n", false),
            ("{ apiVersion: certwright/v1 }\n", false),
            ("\tservers:\n", false),
            ("", false),
        ] {
            assert_eq!(foreign(text).is_some(), is_foreign, "{text}");
        }
    }
}
