//! `certwright check`: what can be said about a manifest alone. Offline; of other files it reads
//! the certificates and lists that the manifest names, and sees what Git tracks.

mod baseline;
mod levels;
mod named_files;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    io::Read,
    path::{Path, PathBuf},
};

pub use self::{
    baseline::{Baseline, BaselineEntry},
    levels::Levels,
};
use super::{
    CommandError, Exit, Terminal,
    checked::Checked,
    files::{self, Found, Unreadable},
    next,
    outputs::{self, Outputs, Reporting},
    overwriting::{self, Inputs},
    session::wall_clock,
    tracked,
};
use crate::{
    manifest::{
        IssuerSpec, Manifest,
        finding::{DocPath, Finding, Place, Severity},
        secrets::secrets,
        yaml::{self, Source},
    },
    model::{secret::SecretRef, shown::ShowPath},
    views::{Accepted, AcceptedFinding, CheckResult, Diagnostics, Reported},
};
pub use crate::{model::day::Day, views::CHECK_FORMATS};

/// What the command line says.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    /// Manifests: each a file or a directory.
    pub paths: Vec<PathBuf>,
    /// A file whose text comes from standard input.
    pub stdin: Option<PathBuf>,
    /// How findings count.
    pub levels: Levels,
    /// Findings that are accepted for now.
    pub baseline: Option<PathBuf>,
    /// Where a baseline of what is found is written.
    pub write_baseline: Option<PathBuf>,
    /// The last day of its entries.
    pub until: Option<Day>,
    /// What is written, and how.
    pub outputs: Outputs,
}

/// Checks each manifest. Notices do not make the exit code. A manifest that cannot be read does not hide what is found in
/// the others.
pub fn run(options: &CheckOptions, terminal: Terminal) -> Result<Exit, CommandError> {
    let outputs = options.outputs.of(CHECK_FORMATS)?;
    options.levels.validate()?;
    let first = options.paths.first().map_or(Path::new("."), PathBuf::as_path);
    let baseline = options.baseline.as_deref().map(Baseline::read).transpose();
    let baseline = Reporting::of("check", first, &options.outputs).told(baseline, terminal)?;
    let baseline = baseline.unwrap_or_default();
    let now = wall_clock();
    if let (Some(until), Some(_)) = (&options.until, &options.write_baseline)
        && until.is_over(now)
    {
        return Err(CommandError::new(
            Exit::Usage,
            "--until is over already, so the baseline would accept nothing",
        )
        .hint("name a day that is to come, such as 2026-12-31"));
    }
    let manifests = manifests(options)?;
    let named: Vec<&Path> = manifests.iter().map(|manifest| manifest.path.as_path()).collect();
    let others: Vec<&Path> =
        options.baseline.as_deref().into_iter().chain(options.stdin.as_deref()).collect();
    let targets = options.outputs.files().chain(options.write_baseline.as_deref());
    overwriting::refuse(targets, Inputs { manifests: &named, others: &others, ..Inputs::default() })?;
    let mut result = CheckResult::default();
    let mut found: Vec<(PathBuf, Finding)> = Vec::new();
    let (mut failed, mut last): (Option<Exit>, Option<Checked>) = (None, None);
    let (mut whole, mut told): (Vec<&Path>, HashSet<Finding>) = (Vec::new(), HashSet::new());
    for manifest in &manifests {
        let Found { sources, others, unreadable } = match manifest.sources(terminal) {
            Ok(read) => read,
            Err(error) => {
                result.findings.push(cannot_be_read(&manifest.path, &error));
                failed = Some(error.exit);
                continue;
            }
        };
        result.files += sources.len();
        result.skipped.extend(others);
        let (findings, all_was_checked) = check(sources, &unreadable, &manifest.path, &mut last)?;
        whole.extend(all_was_checked.then_some(manifest.path.as_path()));
        found.extend(findings.iter().map(|finding| (manifest.path.clone(), finding.clone())));
        let mut sorted = baseline.sort(&manifest.path, findings, now);
        let counting =
            sorted.findings.drain(..).filter_map(|finding| options.levels.apply(finding)).collect();
        sorted.findings = counting;
        let accepted = sorted.accepted.into_iter();
        result.accepted.extend(accepted.map(|(finding, because)| AcceptedFinding { finding, because }));
        // What is wrong with a file that several organizations share is told once.
        sorted.findings.retain(|finding| told.insert(finding.clone()));
        result.findings.extend(sorted.findings);
    }
    let stale = baseline.stale(&whole, &found).into_iter();
    result.findings.extend(stale.filter_map(|finding| options.levels.apply(finding)));
    // The program ends soon. Giving back a large manifest piece by piece would be a tenth of the time.
    std::mem::forget(last);
    let file = manifests.first().map_or_else(|| ".".into(), |manifest| manifest.path.shown().to_string());
    let worst = result.findings.iter().map(|finding| finding.severity).min();
    let clean = options.outputs.format == "human" && worst != Some(Severity::Error);
    let human = options.outputs.format == "human" && !result.findings.is_empty();
    let ids: BTreeSet<String> = result.findings.iter().map(|finding| finding.id.clone()).collect();
    let reported = Reported { diagnostics: diagnostics(&result, file), result };
    outputs::report(reported, &outputs, terminal)?;
    if let Some(file) = &options.write_baseline {
        let until = options.until.clone().unwrap_or_else(|| Day::after(now, BASELINE_DAYS));
        let written = Baseline::of(&found, &until, file);
        files::write_json(file, &written)?;
        terminal.say(&format!(
            "baseline saved in {}; it accepts {} until {}",
            file.shown(),
            match written.findings.len() {
                1 => "1 finding".to_owned(),
                many => format!("{many} findings"),
            },
            until.as_str()
        ));
    }
    if human {
        let id = ids.first().filter(|_| ids.len() == 1).map_or("ID", String::as_str);
        terminal.say(&format!("what a finding means, and why: certwright explain {id}"));
    }
    if let ([manifest], true, true) = (manifests.as_slice(), clean, terminal.err_is_terminal) {
        terminal.suggest(&[next::after_check(&manifest.path)]);
    }
    let found = if worst == Some(Severity::Error) { Exit::Findings } else { Exit::Done };
    Ok(failed.unwrap_or(found))
}

/// What is found as forges show it.
fn diagnostics(result: &CheckResult, file: String) -> Diagnostics {
    let accepted = result.accepted.iter().map(|AcceptedFinding { finding, because }| Accepted {
        diagnostic: finding.diagnostic(),
        because: because.clone(),
    });
    Diagnostics {
        command: "check",
        file,
        list: result.findings.iter().map(Finding::diagnostic).collect(),
        accepted: accepted.collect(),
        skipped: result.skipped.clone(),
        ..Diagnostics::default()
    }
}

/// A manifest to check.
struct ToCheck {
    path: PathBuf,
    /// A file of it with the text that counts instead of the one on the disk.
    buffer: Option<Source>,
}

impl ToCheck {
    fn sources(&self, terminal: Terminal) -> Result<Found, CommandError> {
        let Some(buffer) = &self.buffer else { return files::told_sources(&self.path, terminal) };
        if !self.path.is_dir() {
            return Ok(Found { sources: vec![buffer.clone()], ..Found::default() });
        }
        let mut found = files::told_sources(&self.path, terminal)?;
        let place = placed(Path::new(&buffer.file));
        let same = |file: &str| placed(Path::new(file)) == place;
        match found.sources.iter_mut().find(|source| same(&source.file)) {
            Some(source) => *source = buffer.clone(),
            None => found.sources.push(buffer.clone()),
        }
        Ok(found)
    }
}

/// What is checked: each path, or the text of standard input, with the other files of its directory when that is named too.
fn manifests(options: &CheckOptions) -> Result<Vec<ToCheck>, CommandError> {
    let whole = |path: &PathBuf| ToCheck { path: path.clone(), buffer: None };
    let Some(file) = &options.stdin else {
        let here = [PathBuf::from(".")];
        let paths = if options.paths.is_empty() { &here[..] } else { &options.paths };
        // What is named twice is checked once.
        let mut seen = HashSet::new();
        return Ok(paths.iter().filter(|path| seen.insert(placed(path))).map(whole).collect());
    };
    let mut bytes = Vec::new();
    // One byte more than a manifest may have: what is longer is refused by its size.
    std::io::stdin()
        .lock()
        .take(LONGEST_BUFFER)
        .read_to_end(&mut bytes)
        .map_err(|error| CommandError::new(Exit::Error, "standard input cannot be read").because(error))?;
    let buffer = Source { file: file.shown().to_string(), bytes };
    let path = options.paths.first().unwrap_or(file).clone();
    Ok(vec![ToCheck { path, buffer: Some(buffer) }])
}

/// The files in which the manifest says that a secret is, and where it says so.
fn secret_files(manifest: &Manifest) -> Vec<(DocPath, PathBuf)> {
    let pfx = manifest.issuers.iter().filter_map(|(name, issuer)| match issuer {
        IssuerSpec::Pfx(pfx) => {
            Some((DocPath::of(&["issuers"]).key(name).key("pfx").key("file"), pfx.file.clone()))
        }
        IssuerSpec::SelfSigned(_) | IssuerSpec::Csr(_) | IssuerSpec::LocalCa(_) => None,
    });
    let files = secrets(manifest).into_iter().filter_map(|(path, secret)| match secret {
        SecretRef::File(file) => Some((path, file)),
        SecretRef::Env(_) | SecretRef::Command(_) => None,
    });
    pfx.chain(files).collect()
}

/// The findings of one manifest, in the order of its files, and whether all that can be said of it was looked for. What it says takes the
/// place of what the one before said.
fn check(
    sources: Vec<Source>,
    unreadable: &Unreadable,
    path: &Path,
    last: &mut Option<Checked>,
) -> Result<(Vec<Finding>, bool), CommandError> {
    let lost: Vec<Finding> = unreadable.iter().map(|(file, error)| cannot_be_read(file, error)).collect();
    let order: HashMap<String, usize> =
        sources.iter().enumerate().rev().map(|(at, source)| (source.file.clone(), at)).collect();
    let mut is_whole = true;
    let mut findings = match Checked::of_rest(sources, lost, path) {
        Ok(mut checked) => {
            let base = files::base_directory(path);
            let mut of_files = tracked::findings(&base, &secret_files(&checked.manifest));
            of_files.extend(named_files::findings(&base, &checked.manifest));
            let mut findings = std::mem::take(&mut checked.findings);
            findings.extend(checked.places.located(of_files));
            *last = Some(checked);
            findings
        }
        Err(error) if !error.findings.is_empty() => {
            is_whole = false;
            error.findings
        }
        Err(error) => return Err(error),
    };
    findings.sort_by_key(|finding| {
        finding.place.as_ref().map(|place| (order.get(&place.file), place.line, place.column))
    });
    Ok((findings, is_whole))
}

fn cannot_be_read(file: &Path, error: &CommandError) -> Finding {
    let why = match error.details.as_slice() {
        [] => "It may hold a part of the manifest, so nothing can be planned without it.".to_owned(),
        details => details.join(" "),
    };
    let what = std::iter::once(error.summary.clone()).chain(error.causes()).collect::<Vec<_>>().join(": ");
    let mut finding = Finding::new("unreadable", Severity::Error, DocPath::root(), what, why);
    finding.place = Some(Place { file: file.shown().to_string(), line: 1, column: 1, text: String::new() });
    let hint = error.hints.first().cloned();
    finding.hinted(hint.unwrap_or_else(|| "let certwright read it, or move it to another directory".into()))
}

/// Where a file is, however it is named: editors name it by its whole path.
fn placed(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| plain(path))
}

fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect()
}

/// A little more than the largest manifest.
const LONGEST_BUFFER: u64 = yaml::LARGEST as u64 + 16;
/// How long a new baseline accepts what was found, unless the command line says until when.
const BASELINE_DAYS: i64 = 90;
