//! A CA that people carry requests to: files beside the manifest.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    durable::{self, Readers},
    model::{
        bundle::Answer, causes::with_causes, certificate::Certificate, policy::RequestEncoding,
        shown::ShowPath,
    },
    pki::{answer, pem},
    ports::enrolment::{RequestError, Requests},
};

/// Requests and answers in files: `NAME.csr` goes to the CA, and its answer comes back as `NAME` with one of the usual
/// endings.
#[derive(Debug)]
pub struct RequestFiles {
    base: PathBuf,
}

/// A file that is no answer yet.
#[derive(Debug)]
pub struct Lying {
    /// Its name, as the manifest leads to it.
    pub file: String,
    /// The certificate in it, or why none can be read.
    pub holds: Result<Certificate, String>,
}

impl RequestFiles {
    /// Files named from this directory on.
    pub fn new(base: &Path) -> Self {
        Self { base: base.to_owned() }
    }

    /// The requests that nobody has answered yet, out of these.
    pub fn open<'a>(
        &self,
        files: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<(&'a str, Vec<u8>)>, RequestError> {
        let mut open = Vec::new();
        for file in files {
            let path = self.path(file, REQUEST);
            match durable::read(&path) {
                Ok(request) if !matches!(self.answer(file), Ok(Some(_))) => open.push((file, request)),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(format!("reading {}", path.shown()), error)),
            }
        }
        Ok(open)
    }

    /// Puts an answer where it is looked for, as a person does who comes back from a CA.
    pub fn put_answer(&self, file: &str, answer: &Certificate) -> Result<PathBuf, RequestError> {
        let path = self.path(file, ANSWERS[0]);
        durable::write(&path, pem::of_certificate(&answer.der.0).as_bytes(), Readers::Usual)
            .map_err(|error| failed(format!("writing {}", path.shown()), error))?;
        Ok(path)
    }

    /// What lies where the answer to a request is looked for.
    pub fn in_place(&self, file: &str) -> Vec<Lying> {
        let names = ANSWERS.map(|ending| format!("{}.{ending}", file.replace('\\', "/")));
        names.into_iter().filter_map(|name| self.lying(name)).collect()
    }

    /// Certificates that lie in the folder of a request, or in the manifest's, under other names.
    pub fn beside(&self, file: &str) -> Vec<Lying> {
        let file = file.replace('\\', "/");
        let own = |name: &str| ANSWERS.iter().any(|ending| name == format!("{file}.{ending}"));
        let folder = file.rsplit_once('/').map(|(folder, _)| folder);
        let folders: BTreeSet<&str> = folder.into_iter().chain([""]).collect();
        let mut found = Vec::new();
        for folder in folders {
            let entries = fs::read_dir(self.base.join(folder)).into_iter().flatten().flatten();
            let mut names: Vec<String> =
                entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
            names.retain(|name| ANSWERS.iter().chain(&["txt"]).any(|ending| has_ending(name, ending)));
            names.sort();
            let names = names.into_iter().take(MOST_BESIDE);
            let names = names.map(|name| if folder.is_empty() { name } else { format!("{folder}/{name}") });
            found.extend(names.filter(|name| !own(name)).filter_map(|name| self.lying(name)));
        }
        found
    }

    fn lying(&self, name: String) -> Option<Lying> {
        let bytes = match durable::read(&self.base.join(&name)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => return Some(Lying { file: name, holds: Err(with_causes(&error)) }),
        };
        let holds = answer::read(&bytes).map(|answer| answer.certificate);
        Some(Lying { file: name, holds: holds.map_err(|error| with_causes(&error)) })
    }

    /// Whether the file of a request is there. A link that leads nowhere is somebody's, and writing goes through it.
    pub fn has_request(&self, file: &str) -> bool {
        self.path(file, REQUEST).symlink_metadata().is_ok()
    }

    fn write(&self, file: &str, request: &[u8], encoding: RequestEncoding) -> Result<(), RequestError> {
        let path = self.path(file, REQUEST);
        let failed = |source: io::Error| failed(format!("writing {}", path.shown()), source);
        let text = match encoding {
            RequestEncoding::Pem => pem::of_request(request).into_bytes(),
            RequestEncoding::Der => request.to_vec(),
        };
        durable::write(&path, &text, Readers::Usual).map_err(failed)
    }

    fn path(&self, file: &str, ending: &str) -> PathBuf {
        // Runs that certwright 0.1 began on Windows have `\` in it. Not `with_extension`: a certificate's name may have dots.
        self.base.join(format!("{}.{ending}", file.replace('\\', "/")))
    }
}

impl Requests for RequestFiles {
    fn save(&self, file: &str, request: &[u8], encoding: RequestEncoding) -> Result<(), RequestError> {
        for ending in ANSWERS {
            put_aside(&self.path(file, ending))?;
        }
        self.write(file, request, encoding)
    }

    fn restore(&self, file: &str, request: &[u8], encoding: RequestEncoding) -> Result<bool, RequestError> {
        if self.has_request(file) {
            return Ok(false);
        }
        self.write(file, request, encoding).map(|()| true)
    }

    fn answer(&self, file: &str) -> Result<Option<Answer>, RequestError> {
        let (mut found, mut unread) = (None, None);
        for ending in ANSWERS {
            // As the manifest leads to it: plans say it, and travel.
            let name = format!("{file}.{ending}");
            let unreadable = |error: &dyn std::error::Error| {
                failed("reading the CA's answer".to_owned(), format!("{name}: {}", with_causes(error)))
            };
            let bytes = match durable::read(&self.path(file, ending)) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(unreadable(&error)),
            };
            // CAs send their own certificates beside the one that was asked for.
            match (answer::read(&bytes), &found) {
                (Err(error), _) => {
                    unread.get_or_insert_with(|| unreadable(&error));
                }
                (Ok(answer), None) => found = Some((name, answer)),
                (Ok(answer), Some((_, first))) if first.certificate == answer.certificate => {}
                (Ok(_), Some((first, _))) => {
                    let why =
                        format!("{name} and {first} hold different certificates; keep the one that counts");
                    return Err(failed("reading the CA's answer".to_owned(), why));
                }
            }
        }
        match (found, unread) {
            (Some((_, answer)), _) => Ok(Some(answer)),
            (None, Some(error)) => Err(error),
            (None, None) => Ok(None),
        }
    }
}

/// An answer to an earlier request is kept beside, so that nobody takes it for the answer to this one.
fn put_aside(path: &Path) -> Result<(), RequestError> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".earlier");
    match durable::patiently(|| fs::rename(path, &aside)) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(format!("putting {} aside", path.shown()), error)),
    }
}

fn failed(what: String, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> RequestError {
    RequestError { what, source: source.into() }
}

fn has_ending(name: &str, ending: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, own)| own.eq_ignore_ascii_case(ending))
}

/// How many other files of a folder are looked at.
const MOST_BESIDE: usize = 100;
const REQUEST: &str = "csr";
/// What CAs call their answers.
const ANSWERS: [&str; 4] = ["cer", "crt", "pem", "p7b"];
