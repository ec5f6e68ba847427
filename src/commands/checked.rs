//! A manifest that was read and checked by itself.

use std::path::{Path, PathBuf};

use super::{error::CommandError, files, manifest_places::ManifestPlaces};
use crate::{
    checks,
    manifest::{
        Manifest,
        finding::{DocPath, Finding},
        yaml::{self, Reading, Source},
    },
    model::desired::Resolved,
};

/// A manifest that was read and checked.
pub(super) struct Checked {
    pub(super) manifest: Manifest,
    pub(super) findings: Vec<Finding>,
    pub(super) places: ManifestPlaces,
    /// What it asks for; none when a finding stands in the way.
    resolved: Option<Resolved>,
    pub(super) base: PathBuf,
}

impl Checked {
    /// Reads the manifest and checks it by itself.
    pub(super) fn open(path: &Path) -> Result<Self, CommandError> {
        let (sources, others) = files::manifest_and_skipped(path)?;
        let mut checked = Self::of(sources, path)?;
        checked.places.skipped = others;
        Ok(checked)
    }

    /// Checks these texts as the manifest at this path: everything that is wrong with them, in the order of the files.
    pub(super) fn of(sources: Vec<Source>, path: &Path) -> Result<Self, CommandError> {
        Self::of_rest(sources, Vec::new(), path)
    }

    /// The same, where files of the manifest cannot be read, as these findings say.
    pub(super) fn of_rest(
        sources: Vec<Source>,
        lost: Vec<Finding>,
        path: &Path,
    ) -> Result<Self, CommandError> {
        let Reading { value, mut findings, mut left_out, definitions, places } =
            yaml::manifest_and_mistakes(sources);
        if !lost.is_empty() {
            left_out = left_out.without_a_file();
            // What is missing may stand there.
            findings.retain(|finding| finding.id != "missing-field" || finding.path != DocPath::root());
            findings.extend(lost);
        }
        let whole = findings.is_empty();
        let checked = value.map(|manifest| {
            let (found, resolved) = checks::check_rest(&manifest, &left_out);
            findings.extend(places.locate(found));
            (manifest, resolved)
        });
        for definition in &definitions {
            let found =
                definition.value.as_ref().map(|value| checks::check_rest(value, &definition.left_out).0);
            findings.extend(definition.news(found.unwrap_or_default(), &findings));
        }
        let findings = places.in_order(findings);
        let Some((manifest, resolved)) = checked.filter(|_| whole) else {
            return Err(CommandError::findings(findings));
        };
        let places = ManifestPlaces::new(path, places);
        Ok(Self { manifest, findings, places, resolved, base: files::base_directory(path) })
    }

    /// What the manifest asks for, or why it asks for nothing that can be planned.
    pub(super) fn resolved(self) -> Result<(Resolved, ManifestPlaces), CommandError> {
        let Self { resolved, findings, places, .. } = self;
        resolved.map(|resolved| (resolved, places)).ok_or_else(|| CommandError::findings(findings))
    }
}
